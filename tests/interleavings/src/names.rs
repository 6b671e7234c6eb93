//! Names: a node's instance, interface and addresses contain the node's number.

use std::net::Ipv4Addr;
use std::time::Duration;

use eip::base::ids::{InstanceId, RouteTableId};
use eip::cloud::model::{Account, InstanceSpec, RouteTableSpec, parsed};

/// A node, counted from 1.
pub type NodeId = u8;

/// The Elastic IP that the resource `eip` is about.
pub const ELASTIC_IP: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// The secondary private address that the resource `vip` is about.
pub const PRIVATE_IP: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 100);
/// The overlay address that the resource `overlay-ip` is about.
pub const OVERLAY_IP: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 1);
/// What the routes to it lead to at first.
const NOBODY: &str = "tgw-00000000000000001";

/// Elastic IPs of an administrator, which no resource is about.
pub const VISITORS: [Ipv4Addr; 2] = [Ipv4Addr::new(203, 0, 113, 98), Ipv4Addr::new(203, 0, 113, 99)];

/// Makes an account with this many nodes in one subnet. All addresses are unassigned.
pub fn account(seed: u64, nodes: NodeId) -> Account {
    let account = Account::new(seed);
    account.allocate_as(&ELASTIC_IP.to_string(), "eipalloc-00000000000000010");
    for ip in VISITORS {
        account.allocate(Some(ip));
    }
    for node in 1..=nodes {
        let instance = account.add_instance(InstanceSpec::numbered(node, &[&own_ip(node)]));
        instance.interfaces.iter().for_each(|interface| account.set_source_dest_check(&interface.eni, false));
    }
    account.set_late_routes(LATE_ROUTES);
    for table in tables() {
        account.add_route_table(RouteTableSpec::numbered(table));
        account.route(&table_id(table), OVERLAY_IP.into(), NOBODY);
    }
    account
}

/// How long EC2 shows a new route as a blackhole: less than the agent allows for. [overlay-8]
const LATE_ROUTES: Duration = Duration::from_millis(1500);

/// The numbers of the route tables.
pub fn tables() -> impl Iterator<Item = u32> {
    1..=3
}

/// A route table.
pub fn table_id(number: u32) -> RouteTableId {
    parsed(format!("rtb-{number:017x}"))
}

/// A node's instance.
pub fn instance(node: NodeId) -> InstanceId {
    parsed(format!("i-{node:017x}"))
}

/// The primary private address of a node's interface, as text.
pub fn own_ip(node: NodeId) -> String {
    format!("10.0.0.{}", 10 + node)
}

/// The hardware address of a node's interface, as text.
pub fn mac(node: NodeId) -> String {
    format!("02:00:00:00:00:{node:02x}")
}

/// The node whose instance or interface this is the id of.
pub fn node_of(id: &str) -> Option<NodeId> {
    id.rsplit_once('-').and_then(|(_, digits)| NodeId::from_str_radix(digits, 16).ok())
}
