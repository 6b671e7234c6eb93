//! What everything of a cluster is called, by the number of the cluster.

use std::fmt::Display;
use std::net::Ipv4Addr;
use std::str::FromStr;

use eip::base::ids::{AllocationId, AssociationId, InstanceId, InterfaceId, MacAddress};

/// The private address of every surviving node: each has a network of its own.
pub const PRIVATE_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);
/// Added to the number of a cluster: the number of the node that died.
pub const DEAD: usize = 1 << 40;

/// Returns a cluster's Elastic IP, of the range for benchmarks.
#[must_use]
pub fn public_ip(cluster: usize) -> Ipv4Addr {
    let first = u32::from(Ipv4Addr::new(198, 18, 0, 1));
    Ipv4Addr::from(first + u32::try_from(cluster).unwrap_or_default())
}

/// Returns its allocation.
#[must_use]
pub fn allocation(cluster: usize) -> AllocationId {
    id(&format!("eipalloc-{cluster:017x}"))
}

/// Returns the association with the node of this number.
#[must_use]
pub fn association(node: usize) -> AssociationId {
    id(&format!("eipassoc-{node:017x}"))
}

/// Returns the instance of the node of this number.
#[must_use]
pub fn instance(node: usize) -> InstanceId {
    id(&format!("i-{node:017x}"))
}

/// Returns that instance's interface.
#[must_use]
pub fn interface(node: usize) -> InterfaceId {
    id(&format!("eni-{node:017x}"))
}

/// Returns the hardware address of every surviving node's interface.
#[must_use]
pub fn mac() -> MacAddress {
    id("02:00:00:00:00:01")
}

/// Makes an id of a text that this crate knows to be one.
#[must_use]
pub fn id<T: FromStr<Err: Display>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
