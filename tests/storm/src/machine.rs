//! The surviving node of a cluster, without AWS: its host, and what it remembers.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eip::base::deadline::Deadline;
use eip::base::ids::{InstanceId, MacAddress};
use eip::host::Host;
use eip::state::{Durable, Pair, Records, Volatile};
use tokio::time::Instant;

use crate::names::{allocation, instance, mac, public_ip};

/// An instance of the current kind, booted long ago.
#[derive(Debug)]
pub struct Machine {
    cluster: usize,
    booted: Instant,
}

impl Machine {
    /// Returns the machine of a cluster's surviving node.
    #[must_use]
    pub fn new(cluster: usize) -> Self {
        Self { cluster, booted: Instant::now() }
    }
}

impl Host for Machine {
    fn mac_of(&self, device: &str) -> Option<MacAddress> {
        (device == "eth0").then(mac)
    }

    fn instance_id(&self) -> Option<InstanceId> {
        Some(instance(self.cluster))
    }

    fn looks_like_ec2(&self) -> bool {
        true
    }

    fn node_name(&self) -> String {
        format!("cluster{}-b", self.cluster)
    }

    fn boot_id(&self) -> String {
        "only boot".to_owned()
    }

    fn uptime(&self) -> Duration {
        Duration::from_hours(1) + self.booted.elapsed()
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH
    }
}

/// What a node remembers, in memory.
#[derive(Debug)]
pub struct Memory(RefCell<(Volatile, Durable)>);

impl Memory {
    /// Returns the records of a standby that has probed: it knows the address and its allocation.
    #[must_use]
    pub fn of_a_standby(cluster: usize) -> Self {
        let region = Some("eu-west-1".to_owned());
        let pair = Pair { public_ip: public_ip(cluster), allocation: allocation(cluster), region };
        Self(RefCell::new((Volatile::default(), Durable { pair: Some(pair), ..Durable::default() })))
    }
}

impl Records for Memory {
    type Lock = ();

    fn volatile(&self) -> Volatile {
        self.0.borrow().0.clone()
    }

    fn update_volatile(&self, change: impl FnOnce(&mut Volatile)) {
        change(&mut self.0.borrow_mut().0);
    }

    fn durable(&self) -> Durable {
        self.0.borrow().1.clone()
    }

    fn update_durable(&self, change: impl FnOnce(&mut Durable)) {
        change(&mut self.0.borrow_mut().1);
    }

    fn others(&self) -> Vec<(String, Self)> {
        Vec::new()
    }

    async fn lock(&self, _: Ipv4Addr, _: &Deadline) -> Option<()> {
        Some(())
    }
}
