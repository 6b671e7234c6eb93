//! A host and records in memory, for tests of the decisions about every kind of address.

// Test code: it fails by panicking, and its documentation is for the tests only.
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::base::deadline::Deadline;
use crate::base::ids::{InstanceId, MacAddress};
use crate::host::Host;
use crate::network::fake::FakeNetwork;
use crate::network::{Device, Network, NetworkError, NewAddress};
use crate::state::{Durable, Records, Tally, Volatile};

/// Records in memory; clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryRecords {
    /// State until the next boot.
    pub volatile: Rc<RefCell<Volatile>>,
    /// State that survives it.
    pub durable: Rc<RefCell<Durable>>,
    /// What is counted for metrics.
    pub tally: Rc<RefCell<Tally>>,
    /// The other resources' records.
    pub others: Rc<RefCell<Vec<(String, MemoryRecords)>>>,
    /// Private addresses whose lock is held.
    pub locked: Rc<RefCell<BTreeSet<Ipv4Addr>>>,
}

/// Unlocks a place when it is dropped.
#[derive(Debug)]
pub struct MemoryLock(Rc<RefCell<BTreeSet<Ipv4Addr>>>, Ipv4Addr);

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.0.borrow_mut().remove(&self.1);
    }
}

impl Records for MemoryRecords {
    type Lock = MemoryLock;

    fn volatile(&self) -> Volatile {
        self.volatile.borrow().clone()
    }
    fn update_volatile(&self, change: impl FnOnce(&mut Volatile)) {
        change(&mut self.volatile.borrow_mut());
    }
    fn durable(&self) -> Durable {
        self.durable.borrow().clone()
    }
    fn update_durable(&self, change: impl FnOnce(&mut Durable)) {
        change(&mut self.durable.borrow_mut());
    }
    fn update_tally(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.tally.borrow_mut());
    }
    fn others(&self) -> Vec<(String, Self)> {
        self.others.borrow().clone()
    }
    async fn lock(&self, place: Ipv4Addr, deadline: &Deadline) -> Option<MemoryLock> {
        while !self.locked.borrow_mut().insert(place) {
            if !deadline.pause(Duration::from_millis(20)).await {
                return None;
            }
        }
        Some(MemoryLock(Rc::clone(&self.locked), place))
    }
}

/// A host whose clock is tokio's, so that it can be paused and advanced.
#[derive(Debug, Clone)]
pub struct TestHost {
    /// When it was booted.
    pub booted: Instant,
    /// Instance id from its firmware.
    pub instance: Option<InstanceId>,
    /// Whether it looks like EC2.
    pub ec2: bool,
    /// The id of its boot.
    pub boot: String,
    /// Network devices of the host, which tests change.
    pub network: FakeNetwork,
    /// Its service that removes addresses from devices.
    pub address_remover: Option<&'static str>,
}

impl TestHost {
    /// The host of a node that has just booted.
    pub fn new(number: u8) -> Self {
        let boot = format!("boot-of-{number}");
        let (network, booted) = (FakeNetwork::default(), Instant::now());
        Self { booted, instance: None, ec2: true, boot, network, address_remover: None }
    }
}

impl Host for TestHost {
    fn mac_of(&self, device: &str) -> Option<MacAddress> {
        self.network.mac_of(device)
    }
    fn instance_id(&self) -> Option<InstanceId> {
        self.instance.clone()
    }
    fn looks_like_ec2(&self) -> bool {
        self.ec2
    }
    fn node_name(&self) -> String {
        "node1".to_owned()
    }
    fn boot_id(&self) -> String {
        self.boot.clone()
    }
    fn uptime(&self) -> Duration {
        self.booted.elapsed()
    }
    fn now(&self) -> SystemTime {
        UNIX_EPOCH
    }
    fn address_remover(&self) -> Option<&'static str> {
        self.address_remover
    }
}

impl Network for TestHost {
    async fn devices(&self) -> Result<Vec<Device>, NetworkError> {
        self.network.devices().await
    }
    async fn add(&self, device: &Device, address: NewAddress<'_>) -> Result<(), NetworkError> {
        self.network.add(device, address).await
    }
    async fn remove(&self, device: &Device, ip: IpAddr, prefix: Option<u8>) -> Result<(), NetworkError> {
        self.network.remove(device, ip, prefix).await
    }
    fn announce(&self, device: &Device, ip: Ipv4Addr) -> Result<(), NetworkError> {
        self.network.announce(device, ip)
    }
}
