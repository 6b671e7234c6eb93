//! The decisions, against an EC2, a metadata service, a host and records in memory. No test waits in real time.

// Test code: it fails by panicking.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::cloud::ec2::fake::{FakeEc2, Strike};
use crate::cloud::imds::fake::FakeImds;
use crate::cloud::{Ec2Fault, Interface};
use crate::network::fake::FakeNetwork;
use crate::ocf::exit::ExitCode;
use crate::params::VipParams;
use crate::resource::error::{Attempt, Error, exit_code};
use crate::resource::fixtures::{MemoryRecords, TestHost};
use crate::resource::private::Private;
use crate::resource::{self, Action, Parts, Report, Request};
use crate::state::{Phase, Records as _};

mod assign;
mod monitor;
mod probe;
mod start;
mod stop;
mod validate;

const VIP: &str = "10.0.0.100";
const PUBLIC: &str = "203.0.113.10";
/// The subnet that the metadata service in memory gives to 10.0.0.0/24.
const SUBNET: &str = "subnet-000000000000a0000";
const MAC: &str = "02:00:00:00:00:01";

fn eni(number: u8) -> String {
    format!("eni-{number:017x}")
}

fn instance(number: u8) -> String {
    format!("i-{number:017x}")
}

/// One node of a cluster, and the account it is in. Clones of `ec2` belong to the other nodes.
struct Node {
    ec2: FakeEc2,
    imds: FakeImds,
    network: FakeNetwork,
    world: Parts<FakeEc2, FakeImds, TestHost, MemoryRecords>,
    params: BTreeMap<String, String>,
}

impl Node {
    /// Returns node 1 of an account with three nodes in one subnet.
    fn new() -> Self {
        let ec2 = FakeEc2::default();
        for number in 1..=3 {
            ec2.add_eni(&instance(number), &eni(number), SUBNET, &format!("10.0.0.{number}"));
        }
        let interface = Interface {
            mac: MAC.parse().unwrap(),
            id: eni(1).parse().unwrap(),
            private_ips: vec!["10.0.0.1".parse().unwrap()],
        };
        let imds = FakeImds::new(&instance(1), vec![interface]);
        let host = TestHost::new(1);
        host.network.plug("eth0", MAC, &["10.0.0.1"]);
        let network = host.network.clone();
        let records = MemoryRecords::default();
        let world = Parts { ec2: ec2.clone(), imds: imds.clone(), host, records, log: Log::memory() };
        let params = BTreeMap::from([("secondary_private_ip".to_owned(), VIP.to_owned())]);
        Self { ec2, imds, network, world, params }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.params.insert(name.to_owned(), value.to_owned());
        self
    }

    async fn run(&self, action: Action) -> Result<Report, Error> {
        self.run_within(action, 20).await
    }

    async fn run_within(&self, action: Action, timeout: u64) -> Result<Report, Error> {
        let began = Instant::now();
        let request = Request {
            action,
            params: VipParams::parse(&self.params).unwrap(),
            deadline: Deadline::new(began, Duration::from_secs(timeout)),
            nodes: Vec::new(),
        };
        let outcome = resource::run::<Private, _>(&self.world, &request).await;
        assert!(began.elapsed() <= Duration::from_secs(timeout), "{action:?} took {:?}", began.elapsed());
        outcome
    }

    async fn start(&self) -> Result<Report, Error> {
        self.run(Action::Start).await
    }

    /// Starts while the metadata follow at once.
    async fn started(self) -> Self {
        let imds = self.imds.clone();
        let ec2 = self.ec2.clone();
        let follow = async move {
            while ec2.private_holder(VIP) != Some(eni(1)) {
                tokio::task::yield_now().await;
            }
            imds.show_private(MAC, VIP, true);
        };
        let (outcome, ()) = tokio::join!(self.start(), follow);
        assert_eq!(outcome.unwrap(), Report::Done);
        self
    }

    /// Starts, and lets the settling window pass.
    async fn settled(self) -> Self {
        let node = self.started().await;
        tokio::time::advance(Duration::from_secs(130)).await;
        node
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

    /// Lets a peer take the address, and the metadata of this node show it.
    fn lose_to(&self, number: u8) {
        self.ec2.give_private(VIP, &eni(number));
        self.imds.show_private(MAC, VIP, false);
    }

    /// Returns the calls to EC2 since `before`.
    fn calls_since(&self, before: usize) -> Vec<String> {
        self.ec2.calls().split_off(before)
    }

    fn holds(&self, number: u8) -> bool {
        self.ec2.private_holder(VIP) == Some(eni(number))
    }

    fn on_device(&self) -> bool {
        self.network.device_with(VIP).is_some()
    }

    fn phase(&self) -> Option<Phase> {
        self.world.records.volatile().phase
    }

    fn logged(&self, text: &str) -> bool {
        self.world.log.lines().iter().any(|line| line.contains(text))
    }
}

fn reason(outcome: Result<Report, Error>) -> String {
    match outcome.unwrap() {
        Report::NotHere(reason) => reason,
        Report::Done => panic!("done"),
    }
}

fn code(outcome: &Result<Report, Error>, attempt: Attempt) -> ExitCode {
    exit_code(outcome.as_ref().unwrap_err(), attempt)
}
