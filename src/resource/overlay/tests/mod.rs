//! What only this kind has, against the model of EC2. No test waits in real time.

// Test code: it fails by panicking.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::base::deadline::Deadline;
use crate::base::ids::RouteTableId;
use crate::base::log::Log;
use crate::cloud::model::{
    Account, Fault, FaultKind, InstanceSpec, Journey, Lag, ModelClient, Reads, RouteTableSpec, Service,
    parsed,
};
use crate::network::fake::FakeNetwork;
use crate::ocf::exit::ExitCode;
use crate::params::OverlayParams;
use crate::resource::error::{Attempt, Error, exit_code};
use crate::resource::fixtures::{MemoryRecords, TestHost};
use crate::resource::overlay::Overlay;
use crate::resource::{self, Action, Parts, Report, Request};
use crate::state::{Phase, Records as _, Remembered};

mod monitor;
mod start;
mod stop;
mod validate;

const OVERLAY: &str = "192.168.10.1";
const MAC: &str = "02:00:00:00:00:01";

fn ip() -> IpAddr {
    OVERLAY.parse().unwrap()
}

fn eni(number: u8) -> String {
    format!("eni-{number:017x}")
}

fn table(number: u32) -> RouteTableId {
    parsed(format!("rtb-{number:017x}"))
}

/// What an administrator does to the account.
type AccountChange = fn(&Account);

/// Node 1 of an account with two nodes, and route tables that lead the address to node 2.
struct OverlayNode {
    account: Account,
    client: ModelClient,
    network: FakeNetwork,
    world: Parts<ModelClient, ModelClient, TestHost, MemoryRecords>,
    params: BTreeMap<String, String>,
}

impl OverlayNode {
    fn with_tables(count: u32) -> Self {
        let account = Account::default();
        for number in 1..=2 {
            account.add_instance(InstanceSpec::numbered(number, &[&format!("10.0.{number}.10")]));
            account.set_source_dest_check(&parsed(eni(number)), false);
        }
        for number in 1..=count {
            account.add_route_table(RouteTableSpec::numbered(number));
            account.route(&table(number), ip(), &eni(2));
        }
        let ids: Vec<String> = (1..=count).map(|number| table(number).to_string()).collect();
        let params = BTreeMap::from([
            ("overlay_ip".to_owned(), OVERLAY.to_owned()),
            ("routing_table".to_owned(), ids.join(",")),
        ]);
        let node = Self::on(account, 1);
        Self { params, ..node }
    }

    fn on(account: Account, number: u8) -> Self {
        let client = ModelClient::new(&account, &format!("i-{number:017x}"));
        let host = TestHost::new(number);
        host.network.plug("lo", "", &["127.0.0.1/8"]);
        host.network.plug("eth0", &format!("02:00:00:00:00:{number:02x}"), &[&format!("10.0.{number}.10")]);
        let (network, records) = (host.network.clone(), MemoryRecords::default());
        let world = Parts { ec2: client.clone(), imds: client.clone(), host, records, log: Log::memory() };
        Self { account, client, network, world, params: BTreeMap::new() }
    }

    /// The other node, with the same parameters.
    fn peer(&self) -> Self {
        Self { params: self.params.clone(), ..Self::on(self.account.clone(), 2) }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.params.insert(name.to_owned(), value.to_owned());
        self
    }

    async fn run(&self, action: Action) -> Result<Report, Error> {
        let began = Instant::now();
        let deadline = Deadline::new(began, Duration::from_secs(20));
        let params = OverlayParams::parse(&self.params).unwrap();
        let request = Request { action, params, deadline, nodes: Vec::new() };
        let outcome = resource::run::<Overlay, _>(&self.world, &request).await;
        assert!(began.elapsed() <= Duration::from_secs(20), "{action:?} took {:?}", began.elapsed());
        outcome
    }

    async fn start(&self) -> Result<Report, Error> {
        self.run(Action::Start).await
    }

    async fn stop(&self) -> Result<Report, Error> {
        self.run(Action::Stop).await
    }

    async fn monitor(&self) -> Result<Report, Error> {
        self.run(Action::Monitor { level: 0 }).await
    }

    async fn probe(&self) -> Result<Report, Error> {
        self.run(Action::Probe { level: 0 }).await
    }

    async fn validate(&self) -> Result<Report, Error> {
        self.run(Action::Validate { level: 10 }).await
    }

    async fn started(self) -> Self {
        assert_eq!(self.start().await.unwrap(), Report::Done);
        self
    }

    /// Starts, and lets the settling window pass.
    async fn settled(self) -> Self {
        let node = self.started().await;
        tokio::time::advance(Duration::from_secs(130)).await;
        assert_eq!(node.monitor().await.unwrap(), Report::Done);
        node.account.clear_calls();
        node
    }

    /// Whether these tables, and no other of the first ten, lead here.
    fn leads_here(&self, tables: &[u32]) -> bool {
        (1..=10).all(|number| {
            let here = self.account.route_of(&table(number), ip()) == Some(eni(1));
            here == tables.contains(&number)
        })
    }

    fn on_device(&self) -> bool {
        self.network.device_with(OVERLAY).is_some()
    }

    fn logged(&self, text: &str) -> bool {
        self.world.log.lines().iter().any(|line| line.contains(text))
    }

    /// The calls to EC2 so far of one operation.
    fn calls(&self, operation: &str) -> usize {
        self.account.calls().iter().filter(|call| call.starts_with(operation)).count()
    }
}

fn reason(outcome: Result<Report, Error>) -> String {
    match outcome.unwrap() {
        Report::NotHere(reason) => reason,
        Report::Done => panic!("done"),
    }
}

#[track_caller]
fn fails(outcome: Result<Report, Error>, attempt: Attempt, code: ExitCode, says: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(exit_code(&error, attempt), code, "{error}");
    assert!(error.to_string().contains(says), "{error}");
}
