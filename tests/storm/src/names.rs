//! Names of a cluster's objects, by the number of the cluster.

use std::net::Ipv4Addr;

use eip::base::ids::{InstanceId, RouteTableId};
use eip::cloud::model::{InstanceSpec, InterfaceSpec, parsed};

/// A cluster's Elastic IP, in the range for benchmarks.
pub fn public_ip(cluster: usize) -> Ipv4Addr {
    let first = u32::from(Ipv4Addr::new(198, 18, 0, 1));
    Ipv4Addr::from(first + u32::try_from(cluster).unwrap_or_default())
}

/// A cluster's address in a network: 1 is that of the failing nodes, 2 that of the surviving ones, 3 that of the secondary addresses.
pub fn private_ip(network: u8, cluster: usize) -> Ipv4Addr {
    let [.., high, low] = (cluster + 10).to_be_bytes();
    Ipv4Addr::new(10, network, high, low)
}

/// A cluster's overlay address, outside the network of all nodes.
pub fn overlay_ip(cluster: usize) -> Ipv4Addr {
    let [.., high, low] = (cluster + 10).to_be_bytes();
    Ipv4Addr::new(172, 16, high, low)
}

/// A cluster's route table.
pub fn table(cluster: usize) -> RouteTableId {
    parsed(format!("rtb-{cluster:017x}"))
}

/// The instance of a cluster's node in a network.
pub fn instance(network: u8, cluster: usize) -> InstanceId {
    parsed(format!("i-{network:x}{cluster:016x}"))
}

/// The node of a cluster in a network. All nodes are in one subnet.
pub fn node(network: u8, cluster: usize) -> InstanceSpec {
    let interface =
        InterfaceSpec { private_ips: vec![private_ip(network, cluster)], ..InterfaceSpec::default() };
    InstanceSpec {
        id: Some(instance(network, cluster)),
        subnet: "10.0.0.0/8".to_owned(),
        interfaces: vec![interface],
        ..InstanceSpec::default()
    }
}
