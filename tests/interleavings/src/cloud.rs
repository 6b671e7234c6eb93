//! EC2 as it is: who holds the address, and who held it when.

use std::net::Ipv4Addr;
use std::time::Duration;

use eip::base::ids::{AllocationId, AssociationId, InstanceId, InterfaceId, MacAddress};
use eip::cloud::{Address, Association, Subnet, Target};
use tokio::time::Instant;

/// A node, counted from 1.
pub type NodeId = u8;

/// The Elastic IP that everything here is about.
pub const ELASTIC_IP: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

/// One state of the address, until the next.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// Since when, counted from the beginning of the run.
    pub since: Duration,
    /// By whom, and under which association.
    pub by: Option<(NodeId, AssociationId)>,
    /// Which call made it so: the node, and the number of the action that the call belonged to.
    pub made_by: Option<(NodeId, usize)>,
    /// When that call was sent: it may have been under way for long.
    pub sent: Duration,
}

/// The one account.
#[derive(Debug)]
pub struct Cloud {
    began: Instant,
    history: Vec<Held>,
    next: u64,
}

impl Default for Cloud {
    fn default() -> Self {
        Self { began: Instant::now(), history: vec![Held::default()], next: 0 }
    }
}

impl Cloud {
    /// Returns the time since the beginning of the run.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Returns all states of the address, the oldest first. There is always one.
    #[must_use]
    pub fn history(&self) -> &[Held] {
        &self.history
    }

    /// Returns the present state.
    #[must_use]
    pub fn held(&self) -> Held {
        self.held_before(Duration::ZERO)
    }

    /// Returns the state as it was this long ago.
    #[must_use]
    pub fn held_before(&self, age: Duration) -> Held {
        let then = self.now().saturating_sub(age);
        let state =
            self.history.iter().rev().find(|held| held.since <= then).or_else(|| self.history.first());
        state.cloned().unwrap_or_default()
    }

    /// Returns an id that no association has.
    pub fn new_id(&mut self) -> AssociationId {
        self.next += 1;
        id(&format!("eipassoc-{:017x}", self.next))
    }

    /// Gives the address to a node, whoever had it.
    pub fn associate(&mut self, id: AssociationId, node: NodeId, action: usize, sent: Duration) {
        self.history.push(Held {
            since: self.now(),
            by: Some((node, id)),
            made_by: Some((node, action)),
            sent,
        });
    }

    /// Takes the address from whoever has it.
    pub fn disassociate(&mut self, node: NodeId, action: usize, sent: Duration) {
        self.history.push(Held { since: self.now(), by: None, made_by: Some((node, action)), sent });
    }
}

/// Returns the address as EC2 describes it in this state.
#[must_use]
pub fn described(held: &Held) -> Address {
    Address {
        public_ip: ELASTIC_IP,
        allocation: allocation(),
        association: held.by.as_ref().map(|(node, id)| Association {
            id: id.clone(),
            instance: Some(instance(*node)),
            interface: Some(interface(*node)),
            private_ip: Some(private_ip(*node)),
        }),
        border_group: None,
        managed_by: None,
    }
}

/// Returns the address's allocation.
#[must_use]
pub fn allocation() -> AllocationId {
    id("eipalloc-00000000000000010")
}

/// Returns a node's instance.
#[must_use]
pub fn instance(node: NodeId) -> InstanceId {
    id(&format!("i-{node:017x}"))
}

/// Returns the interface of a node's instance.
#[must_use]
pub fn interface(node: NodeId) -> InterfaceId {
    id(&format!("eni-{node:017x}"))
}

/// Returns that interface's hardware address.
#[must_use]
pub fn mac(node: NodeId) -> MacAddress {
    id(&format!("02:00:00:00:00:{node:02x}"))
}

/// Returns that interface's private address.
#[must_use]
pub fn private_ip(node: NodeId) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, node, 10)
}

/// Returns the subnet of that interface: each node has one of its own, as in a zone of its own.
#[must_use]
pub fn subnet(node: NodeId) -> Subnet {
    Subnet { id: id(&format!("subnet-{node:017x}")), cidr: id(&format!("10.0.{node}.0/24")) }
}

/// Returns the node that a place in EC2 belongs to.
#[must_use]
pub fn node_at(target: &Target) -> Option<NodeId> {
    (1..=u8::MAX).find(|node| interface(*node) == target.interface)
}

/// Makes an id of a text that this crate knows to be one.
fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Display,
{
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
