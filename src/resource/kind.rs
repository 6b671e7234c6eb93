//! What a kind of address supplies to the actions, which are written once for all kinds.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::ControlFlow;

use serde_json::Value;

use super::{Report, World};
use crate::base::deadline::Deadline;
use crate::base::ids::{AssociationId, InstanceId, InterfaceId, MacAddress};
use crate::base::log::Log;
use crate::base::retry::{self, Retryable};
use crate::cloud::{Ec2Error, Imds as _, ImdsError, Subnet, Target, Vpc, Wanted};
use crate::host::Host as _;
use crate::ocf::agent::Agent;
use crate::params::{ApiSettings, InterfaceSelector, OnStop, ParamError, Timing};
use crate::resource::error::Error;
use crate::resource::finding::Examination;
use crate::state::{Records as _, Volatile};

/// The place on this node where the address belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Id of this instance, if known.
    pub instance: Option<InstanceId>,
    /// The interface that gets the address.
    pub interface: InterfaceId,
    /// Hardware address of the interface, by which the kernel knows it; `None` if unknown.
    pub mac: Option<MacAddress>,
    /// The private address on it: an Elastic IP's target, or the interface's own.
    pub private_ip: Option<Ipv4Addr>,
    /// Its subnet, if the kind needs it.
    pub subnet: Option<Subnet>,
    /// Its VPC, if the kind needs it; without its ranges if it is from a record.
    pub vpc: Option<Vpc>,
    /// Public addresses that instance metadata shows on it, each with its private addresses; `None` if not queried.
    pub carried: Option<Vec<(Ipv4Addr, Vec<Ipv4Addr>)>>,
    /// Whether instance metadata shows the address here; `None` if not queried.
    pub shown: Option<bool>,
}

impl Location {
    /// A place of which nothing but the interface is known.
    pub fn on(interface: InterfaceId) -> Self {
        Self {
            instance: None,
            interface,
            mac: None,
            private_ip: None,
            subnet: None,
            vpc: None,
            carried: None,
            shown: None,
        }
    }

    /// The place as a call to EC2 names it; `None` while the private address is unknown.
    pub fn target(&self) -> Option<Target> {
        let private_ip = self.private_ip?;
        Some(Target { interface: self.interface.clone(), private_ip })
    }

    /// The public addresses that instance metadata shows in this place.
    pub fn public_ips(&self) -> impl Iterator<Item = Ipv4Addr> {
        let here = |private: &[Ipv4Addr]| self.private_ip.is_some_and(|ip| private.contains(&ip));
        self.carried.iter().flatten().filter(move |(_, private)| here(private)).map(|(public, _)| *public)
    }

    /// Whether instance metadata shows this public address in this place.
    pub fn shows(&self, public_ip: Ipv4Addr) -> bool {
        self.public_ips().any(|ip| ip == public_ip)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target() {
            Some(target) => target.fmt(f),
            None => self.interface.fmt(f),
        }
    }
}

/// The holder of an address according to EC2, from the point of view of this node. The fourth answer, unknown, is an error with
/// the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner<H> {
    /// On this node, where it belongs.
    Ours(H),
    /// On this instance, but on another interface or private address than configured.
    Misplaced(H),
    /// Another instance or interface has it, or part of it: see [`Holder::is_partly_here`].
    Elsewhere(H),
    /// On no interface, of any instance.
    Unassigned,
}

impl<H: Holder> Owner<H> {
    /// The holder; `None` if unassigned.
    pub fn held(&self) -> Option<&H> {
        match self {
            Self::Ours(held) | Self::Misplaced(held) | Self::Elsewhere(held) => Some(held),
            Self::Unassigned => None,
        }
    }

    /// The holder, for a sentence like "held by ...".
    pub fn holder(&self) -> String {
        match self {
            Self::Ours(held) => format!("this node, {held}"),
            Self::Misplaced(held) => format!("this node, but on {}", held.place()),
            Self::Elsewhere(held) => held.to_string(),
            Self::Unassigned => "unassigned".to_owned(),
        }
    }
}

/// The holder of an address according to EC2.
pub trait Holder: Clone + fmt::Display {
    /// Distinguishes it from other holders: an association id, or an interface id.
    fn mark(&self) -> String;

    /// The same for each part, if the kind is held in several; only parts that other nodes hold.
    fn marks(&self) -> Vec<String> {
        vec![self.mark()]
    }

    /// Whether some parts are here, for a kind that is held in several.
    fn is_partly_here(&self) -> bool {
        false
    }

    /// Interface and private address, for a person.
    fn place(&self) -> String {
        self.mark()
    }

    /// Everything that a person may look it up by.
    fn described(&self) -> String {
        let mut text = self.to_string();
        for part in [self.place(), self.mark()] {
            if !text.contains(&part) {
                text = format!("{text}, {part}");
            }
        }
        text
    }

    /// Where traffic for the address arrives, from the point of view of any node.
    fn carrier(&self) -> String {
        self.to_string()
    }

    /// Label and text of each part, if the kind is held in several.
    fn parts(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The holder as JSON.
    fn document(&self) -> Value;

    /// The association, for a kind that has one.
    fn association(&self) -> Option<AssociationId> {
        None
    }
}

/// The node from whose point of view an answer of EC2 is judged.
#[derive(Debug, Clone, Copy)]
pub enum Me<'l> {
    /// The node at this location.
    At(&'l Location),
    /// This node according to instance metadata; if that is silent, according to firmware and record.
    Known,
    /// This node according to firmware and record.
    Recorded,
    /// None of the nodes: a machine elsewhere that may call EC2.
    Outside,
}

/// The parameters that every kind has.
#[derive(Debug, Clone, Copy)]
pub struct Common<'p> {
    /// Endpoints and credentials for the calls to AWS.
    pub api: &'p ApiSettings,
    /// Time limits and intervals.
    pub timing: &'p Timing,
    /// The interface that gets the address.
    pub interface: &'p InterfaceSelector,
    /// Whether a start may take the address from another holder.
    pub may_take: bool,
    /// What a stop does.
    pub on_stop: OnStop,
    /// Whether to add the address to a network device as well.
    pub add_to_device: bool,
    /// The name of that device, if it is not that of the interface.
    pub device: Option<&'p str>,
    /// Label of the address on it.
    pub label: Option<&'p str>,
}

/// Names and phrases of a kind, for the common actions.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The EC2 call that shows the holder.
    pub querying: &'static str,
    /// Name in the log for the time until EC2 accepted the taking call.
    pub phase: &'static str,
    /// The EC2 call that takes the address.
    pub taking: &'static str,
    /// The EC2 call that releases it.
    pub releasing: &'static str,
    /// The parameter that forbids taking it from another holder.
    pub may_take: &'static str,
    /// Relation of the address to its holder: "associated with", "assigned to".
    pub held: &'static str,
    /// Evidence of a monitor that the address is here if EC2 does not answer.
    pub witness: &'static str,
    /// Outcome of a stop that releases nothing in EC2.
    pub left: &'static str,
}

/// [`Words::witness`] of a kind that instance metadata shows.
pub(super) const BY_METADATA: &str = "here according to instance metadata";
/// [`Words::left`] of a kind that has `on_stop=leave`.
pub(super) const LEFT: &str = "left where it is (on_stop=leave)";

/// What differs between kinds of address. Every method that calls EC2 makes one attempt, unless it gets a deadline.
pub trait Kind<W: World>: Sized {
    /// Parameters of a resource of this kind.
    type Params;
    /// The holder of such an address according to EC2.
    type Held: Holder;
    /// What has to be known before the address can be taken.
    type Ticket: Clone;
    /// What is prepared on the host before it is taken.
    type Prepared;

    /// The agent for this kind.
    const AGENT: &'static Agent;
    /// Its names and phrases.
    const WORDS: Words;
    /// Whether a start also waits some seconds until instance metadata shows the address.
    const AWAITS_METADATA: bool;
    /// Whether instance metadata shows the address. If not, a monitor checks the host first: an address missing there is not
    /// here, and EC2 is queried when a check is due.
    const METADATA_KNOWS: bool = true;

    /// Validates the parameters, by name without the `OCF_RESKEY_` prefix.
    ///
    /// # Errors
    /// The first parameter that is missing or malformed, or two that contradict each other.
    fn parse(raw: &BTreeMap<String, String>) -> Result<Self::Params, ParamError>;
    /// The parameters that every kind has.
    fn common(params: &Self::Params) -> Common<'_>;
    /// What a listing of several addresses is searched for.
    fn wanted(params: &Self::Params) -> Option<Wanted>;
    /// The address as operators name it.
    fn name(op: &Op<'_, Self, W>) -> String;
    /// The address itself, and its second name if it has one; queries EC2 until the deadline if only EC2 knows it.
    async fn address(op: &Op<'_, Self, W>) -> Result<(IpAddr, Option<String>), Error>;
    /// The public address, if there is one and it is known without EC2.
    fn public_ip(_: &Op<'_, Self, W>) -> Option<Ipv4Addr> {
        None
    }
    /// Whether a record is about this address.
    fn is_about(op: &Op<'_, Self, W>, record: &Volatile) -> bool;
    /// The private address that the taking call locks; `None` if no other resource of this node can change the same place.
    fn place(_: &Op<'_, Self, W>, _: &Location) -> Option<Ipv4Addr> {
        None
    }
    /// The private address that the releasing call locks.
    fn place_of(_: &Op<'_, Self, W>, _: &Self::Held) -> Option<Ipv4Addr> {
        None
    }
    /// Whether the response to another call of this node for this place was lost recently, so that it may still take effect.
    fn is_call_in_flight(_: &Op<'_, Self, W>, _: &Location) -> bool {
        false
    }

    /// Finds where the address belongs, in one query of instance metadata.
    async fn locate(op: &Op<'_, Self, W>) -> Result<Location, Error>;
    /// The location that this boot's record has, if it still fits the parameters.
    fn recall(op: &Op<'_, Self, W>) -> Option<Location>;
    /// Makes a record one about this address, with the kind's part of a location, if one is given.
    fn note(op: &Op<'_, Self, W>, location: Option<&Location>, record: &mut Volatile);

    /// Whether instance metadata can be queried for the address: only EC2 may know it.
    fn is_known(_: &Op<'_, Self, W>) -> bool {
        true
    }
    /// Whether this node can be identified without instance metadata.
    fn knows_itself(op: &Op<'_, Self, W>) -> bool;
    /// One query of instance metadata.
    async fn look(op: &Op<'_, Self, W>) -> Result<Report, ImdsError>;
    /// Whether instance metadata shows the address on no interface of this instance.
    async fn is_nowhere(op: &Op<'_, Self, W>) -> Result<bool, ImdsError>;
    /// Queries EC2 once for the holder.
    async fn owner(op: &Op<'_, Self, W>, me: Me<'_>) -> Result<Owner<Self::Held>, Error>;
    /// Adds the parts that the answer leaves out because a start could not fix them.
    fn whole(_: &Op<'_, Self, W>, owner: Owner<Self::Held>) -> Owner<Self::Held> {
        owner
    }
    /// Whether a monitor has to query EC2 now.
    fn is_due(_: &Op<'_, Self, W>) -> bool {
        false
    }
    /// Why the address is not here, in one line.
    fn absence(op: &Op<'_, Self, W>, owner: &Owner<Self::Held>) -> String;

    /// What is needed to take the address, from the record; `None` if EC2 has to be queried first.
    fn ticket(op: &Op<'_, Self, W>) -> Option<Self::Ticket>;
    /// The same from EC2, with the current holder.
    async fn learn(
        op: &Op<'_, Self, W>,
        location: &Location,
    ) -> Result<(Self::Ticket, Owner<Self::Held>), Error>;
    /// Drops the address from the record after EC2 did not know it; false if it was not there.
    fn forget(_: &Op<'_, Self, W>) -> bool {
        false
    }
    /// The calls that take the address, one ticket each; they are sent concurrently.
    fn calls(_: &Op<'_, Self, W>, ticket: &Self::Ticket) -> Vec<Self::Ticket> {
        vec![ticket.clone()]
    }
    /// The part of an answer that one call is about.
    fn part_of(owner: Owner<Self::Held>, _: &Self::Ticket) -> Owner<Self::Held> {
        owner
    }
    /// The ticket for parts that an answer shows and the record did not have, which have to be taken too.
    fn overlooked(_: &Op<'_, Self, W>, _: &Self::Ticket, _: &Owner<Self::Held>) -> Option<Self::Ticket> {
        None
    }
    /// Takes the address in one call. The holder that EC2 returns is recorded.
    async fn take(
        op: &Op<'_, Self, W>,
        ticket: &Self::Ticket,
        location: &Location,
        may_take: bool,
    ) -> Result<Option<Self::Held>, Ec2Error>;
    /// The error if the call was refused because the address is held; `None` if it is simply held.
    fn refusal(_: &Op<'_, Self, W>, _: &Owner<Self::Held>) -> Option<Error> {
        None
    }
    /// Releases the address from exactly this holder.
    async fn release(op: &Op<'_, Self, W>, held: &Self::Held) -> Result<(), Ec2Error>;
    /// Releases what this node's own start recorded, if that call is compare-and-swap; `None` if there is no such call.
    async fn release_recorded(_: &Op<'_, Self, W>, _: &Volatile) -> Option<Result<(), Ec2Error>> {
        None
    }

    /// Before a start: checks the place, and finds what the host needs.
    async fn prepare(op: &Op<'_, Self, W>, location: &Location) -> Result<Self::Prepared, Error>;
    /// Runs concurrently with the taking calls of a start that sends them without a query first; dropped when that ends.
    async fn while_taking(_: &Op<'_, Self, W>, _: &Location) {}
    /// Right before the taking call, with the place locked.
    ///
    /// # Errors
    /// Why the address must not be taken.
    fn before_taking(_: &Op<'_, Self, W>, _: &Location) -> Result<(), Error> {
        Ok(())
    }
    /// As soon as EC2 has accepted a call, before it is confirmed.
    async fn accepted(_: &Op<'_, Self, W>, _: &Location, _: &Self::Prepared) -> Result<(), Error> {
        Ok(())
    }
    /// After a failed start.
    async fn not_taken(_: &Op<'_, Self, W>) {}
    /// After the address is confirmed here. `before` is the previous holder, if known; `announce` is false if the host had the
    /// address all the time.
    async fn settled(
        _: &Op<'_, Self, W>,
        _location: &Location,
        _prepared: &Self::Prepared,
        _before: Option<&Owner<Self::Held>>,
        _announce: bool,
    ) {
    }
    /// Before a stop queries EC2.
    async fn before_stop(_: &Op<'_, Self, W>) -> Result<(), Error> {
        Ok(())
    }
    /// Before the releasing call.
    fn before_release(_: &Op<'_, Self, W>, _: &Self::Held) {}
    /// After a stop that released the address, or found it elsewhere.
    async fn released(_: &Op<'_, Self, W>) {}
    /// Whether the host has the address that EC2 shows here.
    async fn on_host(_: &Op<'_, Self, W>) -> Result<Report, Error> {
        Ok(Report::Done)
    }
    /// After a probe that found the address not here.
    async fn probed_absent(op: &Op<'_, Self, W>, why: &str);

    /// Dry run of the calls that take the address.
    async fn may_be_taken(
        op: &Op<'_, Self, W>,
        ticket: &Self::Ticket,
        location: &Location,
    ) -> Result<(), Error>;
    /// Dry run of the call that releases it from this holder, if a stop makes one.
    async fn may_be_released(_: &Op<'_, Self, W>, _: &Self::Held) -> Result<(), Error> {
        Ok(())
    }
    /// Checks what a start and a stop of this kind need, apart from the place, which is `None` if there is none.
    async fn examine(
        op: &Op<'_, Self, W>,
        place: Option<&Location>,
        examination: &mut Examination<'_>,
    ) -> ControlFlow<()>;
}

/// The list of kinds: runs `$work` with `$kind` as the kind of an agent. A new kind is one line here, next to its agent in
/// [`agent::ALL`](crate::ocf::agent::ALL).
#[macro_export]
macro_rules! with_kind {
    ($agent:expr, $kind:ident => $work:expr) => {
        match $agent.name {
            "vip" => {
                type $kind = $crate::resource::private::Private;
                $work
            }
            "overlay-ip" => {
                type $kind = $crate::resource::overlay::Overlay;
                $work
            }
            _ => {
                type $kind = $crate::resource::elastic::Elastic;
                $work
            }
        }
    };
}

/// One action on one address.
pub struct Op<'a, K: Kind<W>, W: World> {
    /// The services that it works with.
    pub world: &'a W,
    /// Parameters of the resource.
    pub params: &'a K::Params,
    /// When to give up.
    pub deadline: Deadline,
    /// The cluster's names for this node, the nearest first.
    pub nodes: &'a [String],
}

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    pub(super) fn common(&self) -> Common<'_> {
        K::common(self.params)
    }

    /// Where to report.
    pub(super) fn log(&self) -> &Log {
        self.world.log()
    }

    /// The records of the resource.
    pub(super) fn records(&self) -> &W::Records {
        self.world.records()
    }

    /// The address as operators name it.
    pub fn name(&self) -> String {
        K::name(self)
    }

    /// Makes a call to EC2, retrying until `until` as long as the failure is worth it.
    pub(super) async fn call<T>(
        &self,
        operation: &'static str,
        object: &impl ToString,
        until: &Deadline,
        call: impl AsyncFnMut() -> Result<T, Ec2Error>,
    ) -> Result<T, Ec2Error> {
        let cut_off = || Ec2Error::cut_off(operation, object);
        retry::until(until, self.common().timing.max_backoff, cut_off, call).await
    }

    /// Queries EC2 for the holder, retrying until `until` while there is no answer.
    pub(super) async fn query_ec2(&self, me: Me<'_>, until: &Deadline) -> Result<Owner<K::Held>, Error> {
        let cut_off = || Error::Ec2(Ec2Error::cut_off(K::WORDS.querying, &self.name()));
        retry::until(until, self.common().timing.max_backoff, cut_off, async || K::owner(self, me).await)
            .await
    }

    /// Queries instance metadata, retrying until `until` as long as the failure is worth it.
    pub(super) async fn query<T, E: Retryable + From<ImdsError>>(
        &self,
        until: &Deadline,
        query: impl AsyncFnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        let cut_off = || ImdsError::cut_off("meta-data").into();
        retry::until(until, self.common().timing.max_backoff, cut_off, query).await
    }

    /// This node's last action on this address in this boot.
    pub(super) fn last_done(&self) -> Option<Volatile> {
        let record = self.records().volatile();
        (record.is_of(&self.world.host().boot_id()) && K::is_about(self, &record)).then_some(record)
    }

    /// Whether this node changed the address so recently that EC2 and instance metadata may not show it yet.
    pub(super) fn is_settling(&self) -> bool {
        self.last_done().is_some_and(|record| self.settles(&record))
    }

    /// Whether the change that a record of this node is about is in the settling window.
    pub(super) fn settles(&self, record: &Volatile) -> bool {
        let host = self.world.host();
        record.is_settling(&host.boot_id(), host.uptime(), self.common().timing.settle_window)
    }

    /// Whether a resource of this node runs, or is about to, according to its record.
    pub(super) fn runs(&self, record: &Volatile) -> bool {
        record.is_running(&self.world.host().boot_id())
    }

    /// Whether nothing indicates that this host is an EC2 instance, or has been one since boot.
    pub(super) fn is_off_ec2(&self) -> bool {
        let was_ec2 = self.last_done().is_some_and(|record| record.instance.is_some());
        !was_ec2 && !self.world.host().looks_like_ec2()
    }

    /// Time limit for instance metadata. If its answer is `known` from elsewhere, a sixteenth of the budget, so that there is
    /// time to query EC2.
    pub(super) fn metadata_limit(&self, known: bool) -> Deadline {
        if known { self.deadline.within(self.deadline.budget() / 16) } else { self.deadline }
    }

    /// This instance according to instance metadata; if that is silent, according to firmware or record.
    pub(super) async fn own_instance(&self) -> Result<InstanceId, Error> {
        let recorded = || self.last_done().and_then(|record| record.instance);
        let known = self.world.host().instance_id().or_else(recorded);
        let query = self.world.imds().instance_id();
        let error = match self.metadata_limit(known.is_some()).bound(query).await {
            Ok(Ok(instance)) => return Ok(instance),
            Ok(Err(error)) => error,
            Err(_) => ImdsError::cut_off("instance-id"),
        };
        known.ok_or(Error::Imds(error))
    }
}
