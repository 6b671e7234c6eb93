//! The decisions, against the model of EC2 and instance metadata, with a host and records in memory. No test waits in real time.
//!
//! The situations here hold for every kind of address, or for those that instance metadata shows: the lists at the end of each
//! file say which. What only one kind has is in the tests of that kind.

// Test code: it fails by panicking.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::Pin;

pub(super) use std::time::Duration;
pub(super) use tokio::time::{Instant, advance};

pub(super) use super::elastic::Elastic;
pub(super) use super::error::{Error, exit_code};
use super::fixtures::{MemoryRecords, TestHost};
use super::kind::Kind;
pub(super) use super::overlay::Overlay;
pub(super) use super::private::Private;
pub(super) use super::{Action, Parts, Report, Request, op, run};
use crate::base::deadline::Deadline;
use crate::base::ids::{InterfaceId, RouteTableId};
use crate::base::log::Log;
pub(super) use crate::cloud::model::{
    Account, Fault, FaultKind, InstanceSpec, InterfaceSpec, Journey, Lag, ModelClient, Reads, RouteTableSpec,
    Service, parsed,
};
pub(super) use crate::network::fake::FakeNetwork;
pub(super) use crate::ocf::exit::ExitCode;
pub(super) use crate::state::{Pair, Phase, Records as _};

/// Makes a test for each kind of address out of each situation.
macro_rules! for_every_kind {
    ($($situation:ident),+ $(,)?) => {
        $( for_kinds!($situation: elastic Elastic, private Private, overlay Overlay); )+
    };
}

/// The same for situations that need an address of which AWS keeps one holder. Instance metadata shows such an address, a stop
/// releases it, and a parameter can forbid taking it from a holder. An overlay address has none of these.
macro_rules! for_kinds_in_metadata {
    ($($situation:ident),+ $(,)?) => { $( for_kinds!($situation: elastic Elastic, private Private); )+ };
}

macro_rules! for_kinds {
    ($situation:ident: $($name:ident $kind:ident),+) => {
        mod $situation { $(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                super::$situation::<super::$kind>().await;
            }
        )+ }
    };
}

mod by_hand;
mod migrate;
mod monitor;
mod probe;
mod readiness;
mod start;
mod stop;
mod validate;

pub(super) const EIP: &str = "203.0.113.10";
pub(super) const ALLOCATION: &str = "eipalloc-00000000000000010";
/// Elastic IP of another resource on the node.
pub(super) const SECOND: &str = "203.0.113.11";
/// The node's own Elastic IP, which ours displaces.
pub(super) const OTHER: &str = "203.0.113.99";
pub(super) const OTHER_ALLOCATION: &str = "eipalloc-00000000000000099";
/// Elastic IP of an administrator.
pub(super) const ADMIN: &str = "203.0.113.55";
pub(super) const VIP: &str = "10.0.0.100";
pub(super) const OVERLAY: &str = "192.168.10.1";
/// The route table of these situations, and where it leads the overlay address if no node has it.
const TABLE: &str = "rtb-00000000000000001";
const GATEWAY: &str = "tgw-00000000000000001";
/// First private address of node 1.
pub(super) const OWN: &str = "10.0.0.1";
/// Second private address of node 1.
pub(super) const OWN_SECOND: &str = "10.0.0.51";

/// The world of a resource on the model.
pub(super) type Real = Parts<ModelClient, ModelClient, TestHost, MemoryRecords>;

/// What differs between kinds of address in these situations.
pub(super) trait Tested: Kind<Real> {
    /// The parameter that names the address.
    const NAME: &'static str;
    const ADDRESS: &'static str;
    /// Its other parameters.
    const MORE: &'static [(&'static str, &'static str)] = &[];
    /// The holder of an address that no node has, in messages.
    const FREE: &'static str = "unassigned";
    /// Its name in a query to EC2 once it is on record.
    const OBJECT: &'static str;
    /// Calls to EC2 of a takeover on record: the taking call, and a query before and after it.
    const TAKEOVER: usize = 3;
    /// How a monitor's reason names another interface of its node as the holder.
    const MISPLACED: &'static str = "held by this node, but on";
    /// Gives the address to a node, as an administrator would.
    fn give(account: &Account, number: u8);
    /// Takes the address from its holder, as an administrator would.
    fn take_away(account: &Account);
    fn holder(account: &Account) -> Option<String>;
    /// A node as messages name it when it holds the address.
    fn named(number: u8) -> String;
    /// Node 1 as its own messages name it then.
    fn here() -> String {
        Self::named(1)
    }
    /// How a monitor's reason begins if this node has the address, or none has it.
    fn absent(holder: Option<u8>) -> String {
        match holder {
            Some(number) => format!("{} is held by {}", Self::ADDRESS, Self::named(number)),
            None => format!("{} is not {} any", Self::ADDRESS, Self::WORDS.held),
        }
    }
}

/// What differs between the kinds that instance metadata shows.
pub(super) trait InMetadata: Tested {
    /// The value of `on_stop` that releases, as far as EC2 answers.
    const RELEASES: &'static str;
    /// Queries of instance metadata by a monitor that finds the address.
    const QUERIES: usize;
}

impl InMetadata for Elastic {
    const RELEASES: &'static str = "disassociate";
    /// Which interface is primary; what it is; the association.
    const QUERIES: usize = 3;
}

impl InMetadata for Private {
    const RELEASES: &'static str = "unassign";
    /// Which interface is primary; what it has.
    const QUERIES: usize = 2;
}

impl Tested for Elastic {
    const NAME: &'static str = "elastic_ip";
    const ADDRESS: &'static str = EIP;
    const OBJECT: &'static str = ALLOCATION;
    fn give(account: &Account, number: u8) {
        account.give(EIP, &format!("10.0.0.{number}"));
    }
    fn take_away(account: &Account) {
        account.disassociate(EIP);
    }
    fn holder(account: &Account) -> Option<String> {
        account.holder(EIP).map(|holder| holder.eni.to_string())
    }
    fn named(number: u8) -> String {
        format!("{} (10.0.0.{number})", instance(number))
    }
}

impl Tested for Private {
    const NAME: &'static str = "secondary_private_ip";
    const ADDRESS: &'static str = VIP;
    const OBJECT: &'static str = VIP;
    fn give(account: &Account, number: u8) {
        account.assign_private_ip(&eni(number).parse().unwrap(), VIP.parse().unwrap());
    }
    fn take_away(account: &Account) {
        account.unassign_private_ip(VIP.parse().unwrap());
    }
    fn holder(account: &Account) -> Option<String> {
        account.private_holder(VIP.parse().unwrap()).map(|(_, eni)| eni.to_string())
    }
    fn named(number: u8) -> String {
        format!("{} ({})", instance(number), eni(number))
    }
}

impl Tested for Overlay {
    const NAME: &'static str = "overlay_ip";
    const ADDRESS: &'static str = OVERLAY;
    const MORE: &'static [(&'static str, &'static str)] = &[("routing_table", TABLE)];
    const FREE: &'static str = "tgw-00000000000000001 (rtb-00000000000000001)";
    const OBJECT: &'static str = "rtb-00000000000000001 for 192.168.10.1";
    /// It also queries the source/destination check.
    const TAKEOVER: usize = 4;
    const MISPLACED: &'static str = "routed to";
    fn give(account: &Account, number: u8) {
        account.route(&table(1), overlay_ip(), &eni(number));
    }
    fn take_away(account: &Account) {
        account.route(&table(1), overlay_ip(), GATEWAY);
    }
    fn holder(account: &Account) -> Option<String> {
        account.route_of(&table(1), overlay_ip()).filter(|target| target.starts_with("eni-"))
    }
    fn named(number: u8) -> String {
        format!("{} ({TABLE})", eni(number))
    }
    fn here() -> String {
        format!("{TABLE} on {}", eni(1))
    }
    fn absent(holder: Option<u8>) -> String {
        format!("{OVERLAY} is routed to {}", holder.map_or_else(|| Self::FREE.to_owned(), Self::named))
    }
}

pub(super) fn overlay_ip() -> IpAddr {
    OVERLAY.parse().unwrap()
}

pub(super) fn table(number: u32) -> RouteTableId {
    parsed(format!("rtb-{number:017x}"))
}

pub(super) fn eni(number: u8) -> String {
    format!("eni-{number:017x}")
}

pub(super) fn instance(number: u8) -> String {
    format!("i-{number:017x}")
}

fn mac(number: u8) -> String {
    format!("02:00:00:00:00:{number:02x}")
}

/// An account with three nodes in one subnet, and unassociated Elastic IPs.
pub(super) fn account() -> Account {
    let account = Account::default();
    account.add_instance(InstanceSpec::numbered(1, &[OWN, OWN_SECOND]));
    account.add_instance(InstanceSpec::numbered(2, &["10.0.0.2"]));
    account.add_instance(InstanceSpec::numbered(3, &["10.0.0.3"]));
    for number in 1..=3 {
        account.set_source_dest_check(&parsed(eni(number)), false);
    }
    account.add_route_table(RouteTableSpec::numbered(1));
    Overlay::take_away(&account);
    account.allocate_as(EIP, ALLOCATION);
    account.allocate_as(SECOND, "eipalloc-00000000000000011");
    account.allocate_as(OTHER, OTHER_ALLOCATION);
    account.allocate_as(ADMIN, "eipalloc-00000000000000055");
    account
}

/// Another interface in the subnet of node 1, attached to none yet.
pub(super) fn add_interface(account: &Account, number: u8, private_ip: &str) -> InterfaceId {
    let spec = InterfaceSpec { unchecked: true, ..InterfaceSpec::numbered(number, &[private_ip]) };
    account.add_interface(&eni(1).parse().unwrap(), spec)
}

/// Attaches interface 7 to node 1, and returns its hardware address.
pub(super) fn attach(account: &Account, private_ip: &str) -> String {
    let interface = add_interface(account, 7, private_ip);
    account.attach(&interface, &instance(1).parse().unwrap());
    mac(7)
}

/// Faults by what they mean for the agent.
pub(super) fn silent() -> FaultKind {
    FaultKind::code("Unavailable")
}

pub(super) fn denied() -> FaultKind {
    FaultKind::code("UnauthorizedOperation")
}

pub(super) fn rejected() -> FaultKind {
    FaultKind::code("ExpiredToken")
}

pub(super) fn refused() -> FaultKind {
    FaultKind::code("SomethingNew")
}

pub(super) fn unknown() -> FaultKind {
    FaultKind::code("InvalidAllocationID.NotFound")
}

/// A fault that strikes an EC2 action.
pub(super) fn fault(operation: &str, kind: FaultKind) -> Fault {
    Fault::new(Service::Ec2, kind).operation(operation)
}

/// Does something after some seconds.
pub(super) async fn after(seconds: u64, work: impl FnOnce()) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    work();
}

/// What comes of some work, which has to take this many whole seconds.
pub(super) async fn takes<T>(seconds: std::ops::Range<u64>, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let outcome = work.await;
    assert!(seconds.contains(&began.elapsed().as_secs()), "took {:?}", began.elapsed());
    outcome
}

/// Waits until something is true.
pub(super) async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

pub(super) async fn minutes(minutes: u64) {
    advance(Duration::from_mins(minutes)).await;
}

pub(super) fn reason(outcome: Result<Report, Error>) -> String {
    match outcome.unwrap() {
        Report::NotHere(reason) => reason,
        Report::Done => panic!("done"),
    }
}

pub(super) fn code(outcome: &Result<Report, Error>, action: Action) -> ExitCode {
    exit_code(outcome.as_ref().unwrap_err(), action)
}

/// A resource on a node.
pub(super) struct Resource<K> {
    pub(super) account: Account,
    pub(super) world: Real,
    pub(super) raw: BTreeMap<String, String>,
    pub(super) kind: std::marker::PhantomData<K>,
}

impl<K: Kind<Real>> Resource<K> {
    /// On a node whose device eth0 has this address.
    pub(super) fn at(account: &Account, number: u8, private_ip: &str) -> Self {
        let client = ModelClient::new(account, &instance(number));
        let host = TestHost::new(number);
        host.network.plug("eth0", &mac(number), &[private_ip]);
        let world = Parts {
            ec2: client.clone(),
            imds: client,
            host,
            records: MemoryRecords::default(),
            log: Log::memory(),
        };
        Self { account: account.clone(), world, raw: BTreeMap::new(), kind: std::marker::PhantomData }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.raw.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.raw.remove(name);
        self
    }

    /// On a host that does not look like an EC2 instance.
    pub(super) fn off_ec2(mut self) -> Self {
        self.world.host.ec2 = false;
        self
    }

    /// Makes two resources of one node know each other.
    pub(super) fn next_to<L: Tested>(self, name: &str, other: &Resource<L>) -> Self {
        self.world.records.others.borrow_mut().push((name.to_owned(), other.world.records.clone()));
        let mut records = self.world.records.clone();
        records.locked = other.world.records.locked.clone();
        Self { world: Parts { records, host: other.world.host.clone(), ..self.world }, ..self }
    }

    pub(super) fn params(&self) -> K::Params {
        K::parse(&self.raw).unwrap()
    }

    pub(super) fn request(&self, action: Action, timeout: u64) -> Request<K::Params> {
        let deadline = Deadline::new(Instant::now(), Duration::from_secs(timeout));
        Request { action, params: self.params(), deadline, nodes: Vec::new() }
    }

    pub(super) async fn run_within(&self, action: Action, timeout: u64) -> Result<Report, Error> {
        let began = Instant::now();
        let request = self.request(action, timeout);
        // Boxed: as a part of every test's own state machine it takes minutes to compile.
        let running: Pin<Box<dyn Future<Output = Result<Report, Error>>>> =
            Box::pin(run::<K, _>(&self.world, &request));
        let outcome = running.await;
        assert!(began.elapsed() <= Duration::from_secs(timeout), "{action:?} took {:?}", began.elapsed());
        outcome
    }

    pub(super) async fn run(&self, action: Action) -> Result<Report, Error> {
        self.run_within(action, 20).await
    }

    pub(super) async fn start(&self) -> Result<Report, Error> {
        self.run(Action::Start).await
    }

    pub(super) async fn stop(&self) -> Result<Report, Error> {
        self.run(Action::Stop).await
    }

    pub(super) async fn monitor(&self) -> Result<Report, Error> {
        self.run(Action::Monitor { level: 0 }).await
    }

    pub(super) async fn probe(&self) -> Result<Report, Error> {
        self.run(Action::Probe { level: 0 }).await
    }

    pub(super) async fn validate(&self) -> Result<Report, Error> {
        self.run(Action::Validate { level: 10 }).await
    }

    pub(super) async fn started(self) -> Self {
        assert_eq!(self.start().await.unwrap(), Report::Done, "{:?}", self.raw);
        self
    }

    pub(super) fn network(&self) -> &FakeNetwork {
        &self.world.host.network
    }

    /// The calls to EC2 of an action with this name since they were last cleared.
    pub(super) fn sent(&self, operation: &str) -> usize {
        self.account.calls().iter().filter(|call| call.starts_with(operation)).count()
    }

    pub(super) fn phase(&self) -> Option<Phase> {
        self.world.records.volatile().phase
    }

    /// Number of changes in the history.
    pub(super) fn changes(&self) -> usize {
        self.world.records.durable().history.len()
    }

    pub(super) fn logged(&self, text: &str) -> bool {
        self.world.log.lines().iter().any(|line| line.contains(text))
    }
}

impl<K: Tested> Resource<K> {
    pub(super) fn on(account: &Account, number: u8) -> Self {
        let node = Self::at(account, number, &format!("10.0.0.{number}")).with(K::NAME, K::ADDRESS);
        K::MORE.iter().fold(node, |node, (name, value)| node.with(name, value))
    }

    /// After a probe, which puts on record what a takeover needs.
    pub(super) async fn probed(self) -> Self {
        assert!(matches!(self.probe().await.unwrap(), Report::NotHere(_)), "{}", K::NAME);
        self
    }

    /// Started, and the settling window has passed.
    pub(super) async fn settled(self) -> Self {
        let this = self.started().await;
        advance(Duration::from_secs(130)).await;
        this
    }

    pub(super) fn holds(&self, number: u8) -> bool {
        K::holder(&self.account) == Some(eni(number))
    }

    /// Whether a stop has given the address up here, and in EC2 if it does so there.
    pub(super) fn has_given_it_up(&self) -> bool {
        self.device().is_none() && (!K::METADATA_KNOWS || K::holder(&self.account).is_none())
    }

    /// The network device that has the address.
    pub(super) fn device(&self) -> Option<String> {
        self.network().device_with(K::ADDRESS)
    }
}
