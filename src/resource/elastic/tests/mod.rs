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
use crate::cloud::{Ec2Fault, Interface, Target};
use crate::params::Params;
use crate::resource::elastic::Elastic;
use crate::resource::error::Error;
use crate::resource::fixtures::{MemoryRecords, TestHost};
use crate::resource::{self, Action, Parts, Report, Request, elastic};
use crate::state::{ElasticRecord, Pair, Phase, Records as _, Remembered, Volatile};

mod hand_over;
mod monitor;
mod probe;
mod ready;
mod restore;
mod start;
mod stop;
mod validate;

const EIP: &str = "203.0.113.10";
const ALLOCATION: &str = "eipalloc-00000000000000010";
const OTHER: &str = "203.0.113.99";
const OTHER_ALLOCATION: &str = "eipalloc-00000000000000099";

/// One node of a cluster, and the account it is in. Clones of `ec2` belong to the other nodes.
struct Node {
    ec2: FakeEc2,
    imds: FakeImds,
    world: Parts<FakeEc2, FakeImds, TestHost, MemoryRecords>,
    params: BTreeMap<String, String>,
}

fn target(number: u8) -> Target {
    Target {
        interface: format!("eni-{number:017x}").parse().unwrap(),
        private_ip: format!("10.0.{number}.10").parse().unwrap(),
    }
}

fn interface(number: u8) -> Interface {
    let Target { interface, private_ip } = target(number);
    let mac = format!("02:00:00:00:00:{number:02x}").parse().unwrap();
    Interface { mac, id: interface, private_ips: vec![private_ip] }
}

fn instance(number: u8) -> String {
    format!("i-{number:017x}")
}

impl Node {
    /// Returns node 1 of an account with one Elastic IP that nobody holds, and a peer, node 2.
    fn new() -> Self {
        let ec2 = FakeEc2::default();
        ec2.allocate(EIP, ALLOCATION);
        ec2.attach(&instance(1), &target(1));
        ec2.attach(&instance(2), &target(2));
        Self::in_account(&ec2, 1)
    }

    fn in_account(ec2: &FakeEc2, number: u8) -> Self {
        let imds = FakeImds::new(&instance(number), vec![interface(number)]);
        let host = TestHost::new(number);
        let world = Parts {
            ec2: ec2.clone(),
            imds: imds.clone(),
            host,
            records: MemoryRecords::default(),
            log: Log::memory(),
        };
        let params = BTreeMap::from([("elastic_ip".to_owned(), EIP.to_owned())]);
        Self { ec2: ec2.clone(), imds, world, params }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.params.insert(name.to_owned(), value.to_owned());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.params.remove(name);
        self
    }

    /// Puts the ids on record, as a probe does.
    fn with_record(self) -> Self {
        self.world.records.durable.borrow_mut().pair = Some(Pair {
            public_ip: EIP.parse().unwrap(),
            allocation: ALLOCATION.parse().unwrap(),
            region: None,
        });
        self
    }

    async fn run(&self, action: Action) -> Result<Report, Error> {
        self.run_within(action, 20).await
    }

    async fn run_within(&self, action: Action, timeout: u64) -> Result<Report, Error> {
        let began = Instant::now();
        let request = self.request(action, timeout);
        let outcome = resource::run::<Elastic, _>(&self.world, &request).await;
        assert!(began.elapsed() <= Duration::from_secs(timeout), "{action:?} took {:?}", began.elapsed());
        outcome
    }

    fn request(&self, action: Action, timeout: u64) -> Request {
        Request {
            action,
            params: Params::parse(&self.params).unwrap(),
            deadline: Deadline::new(Instant::now(), Duration::from_secs(timeout)),
            nodes: Vec::new(),
        }
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

    /// Starts, lets the metadata catch up, and lets the settling window pass.
    async fn settled(self) -> Self {
        assert_eq!(self.start().await.unwrap(), Report::Done);
        self.imds.show(EIP, "10.0.1.10");
        tokio::time::advance(Duration::from_secs(130)).await;
        self
    }

    /// Returns the calls to EC2 since `before`.
    fn calls_since(&self, before: usize) -> Vec<String> {
        self.ec2.calls().split_off(before)
    }

    fn holds(&self, number: u8) -> bool {
        self.ec2.holder(EIP).is_some_and(|held| held.interface == Some(target(number).interface))
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

/// What a resource on the first private address of this node remembers.
fn elastic_record(public_ip: &str) -> Remembered {
    Remembered::Elastic(ElasticRecord {
        elastic_ip: public_ip.parse().ok(),
        private_ip: Some(target(1).private_ip),
        association: None,
    })
}

fn records_of(volatile: Volatile) -> MemoryRecords {
    let records = MemoryRecords::default();
    *records.volatile.borrow_mut() = volatile;
    records
}
