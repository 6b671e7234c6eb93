//! The kinds of address, for the tests that every kind has to pass.

use std::net::Ipv4Addr;

use aws_sim::{InstanceId, InstanceSpec, InterfaceSpec};

use crate::isolation::Isolation;
use crate::node::Node;
use crate::run::Run;
use crate::world::{Setup, SimulatedWorld};

/// The private address that moves between nodes of one subnet.
pub const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 100);

/// The overlay address, outside the VPC of the nodes.
pub const OVERLAY: Ipv4Addr = Ipv4Addr::new(192, 168, 10, 1);
/// Another account, which can own route tables of the VPC.
pub const OTHER_ACCOUNT: &str = "210987654321";
/// A role of that account.
pub const TABLE_ROLE: &str = "arn:aws:iam::210987654321:role/cluster-routes";
/// The route table that leads the overlay address to a node.
pub const ROUTE_TABLE: &str = "rtb-00000000000000001";

/// A kind of address.
#[derive(Debug)]
pub struct AddressKind {
    /// Its agent's name.
    pub name: &'static str,
    /// The EC2 action that shows the holder of the address.
    pub describe: &'static str,
    /// The EC2 action that takes it.
    pub take: &'static str,
    /// The EC2 action that releases it; for an overlay address one that is never called.
    pub release: &'static str,
    /// True if a stop releases it.
    pub is_released: bool,
    /// True if instance metadata shows it. If not, a monitor without an answer from EC2 relies on the host.
    pub is_shown: bool,
    /// The parameter that allows a start to take it from a holder; empty if there is none.
    pub may_take: &'static str,
    /// The parameter that names the address.
    pub address: &'static str,
    /// The address and the options that `eipctl` needs if neither cluster nor record knows the address.
    pub by_hand: &'static [&'static str],
    setup: fn() -> Setup,
    run: fn(Run) -> Run,
    give: fn(&SimulatedWorld, &Node),
    holder: fn(&SimulatedWorld) -> Option<(InstanceId, String)>,
}

/// The kinds that instance metadata shows, and that a stop releases.
pub static SHOWN: &[AddressKind] = KINDS.split_at(2).0;

/// Every kind, the shown ones first.
pub static KINDS: [AddressKind; 3] = [
    AddressKind {
        name: "eip",
        describe: "DescribeAddresses",
        take: "AssociateAddress",
        release: "DisassociateAddress",
        is_released: true,
        is_shown: true,
        may_take: "allow_reassociation",
        address: "elastic_ip",
        by_hand: &["203.0.113.10"],
        setup: SimulatedWorld::setup,
        run: |run| run,
        give: SimulatedWorld::give,
        holder: |world| {
            let holder = world.cloud.holder(&world.address)?;
            Some((holder.instance, holder.association_id.to_string()))
        },
    },
    AddressKind {
        name: "vip",
        describe: "DescribeNetworkInterfaces",
        take: "AssignPrivateIpAddresses",
        release: "UnassignPrivateIpAddresses",
        is_released: true,
        is_shown: true,
        may_take: "allow_reassignment",
        address: "secondary_private_ip",
        by_hand: &["10.0.1.100", "--vip", "--add-to-device", "false"],
        setup: one_subnet,
        // Not on a device: what the kernel does with the address has nothing to do with AWS.
        run: |run| run.vip(VIP).param("add_to_device", "false"),
        give: |world, node| world.cloud.assign_private_ip(node.eni(), VIP),
        holder: |world| world.cloud.private_holder(VIP).map(|(instance, eni)| (instance, eni.to_string())),
    },
    OVERLAY_KIND,
];

const OVERLAY_KIND: AddressKind = AddressKind {
    name: "overlay-ip",
    describe: "DescribeRouteTables",
    take: "ReplaceRoute",
    release: "DeleteRoute",
    is_released: false,
    is_shown: false,
    may_take: "",
    address: "overlay_ip",
    by_hand: &["192.168.10.1", "--route-table", ROUTE_TABLE, "--add-to-device", "false"],
    setup: SimulatedWorld::setup,
    run: |run| run.overlay().param("add_to_device", "false"),
    give: |world, node| world.cloud.route(&aws_sim::parsed(ROUTE_TABLE), OVERLAY.into(), node.eni()),
    holder: |world| {
        let holder = world.cloud.overlay_holder(OVERLAY.into());
        holder.map(|(instance, eni)| (instance, eni.to_string()))
    },
};

/// An overlay address whose route table belongs to another account, as in a shared VPC: the calls use a role of that account.
pub static SHARED_OVERLAY: AddressKind = AddressKind {
    name: "overlay-ip, by role",
    setup: || SimulatedWorld::setup().route_table_of(OTHER_ACCOUNT),
    run: |run| run.overlay().param("add_to_device", "false").param("routing_table_role", TABLE_ROLE),
    ..OVERLAY_KIND
};

/// Two nodes that can hold an address of some kind.
#[derive(Debug)]
pub struct TwoNodes {
    /// The kind of the address.
    pub kind: &'static AddressKind,
    /// The account and its servers.
    pub world: SimulatedWorld,
    /// The node that a test is about.
    pub here: Node,
    /// The other node.
    pub peer: Node,
}

impl AddressKind {
    /// Two nodes, neither of which holds the address.
    pub fn nodes(&'static self) -> TwoNodes {
        self.make((self.setup)())
    }

    /// The same in their own namespaces.
    pub fn nodes_inside(&'static self, isolation: Isolation) -> TwoNodes {
        self.make((self.setup)().inside(isolation))
    }

    fn make(&'static self, setup: Setup) -> TwoNodes {
        let (world, [here, peer]) = setup.make();
        TwoNodes { kind: self, world, here, peer }
    }
}

impl TwoNodes {
    /// Makes a run use the agent of this kind.
    pub fn run(&self, run: Run) -> Run {
        (self.kind.run)(run)
    }

    /// Gives the address to a node, as an administrator does.
    pub fn give(&self, node: &Node) {
        (self.kind.give)(&self.world, node);
    }

    /// The instance that holds the address, and a string that changes whenever the address is taken again.
    pub fn holder(&self) -> Option<(InstanceId, String)> {
        (self.kind.holder)(&self.world)
    }

    /// How a log line names a node as the holder: EC2 names no instance as the target of a route.
    pub fn logged_as(&self, node: &Node) -> String {
        if self.kind.is_shown { node.id().to_string() } else { node.eni().to_string() }
    }

    /// Asserts that this node holds the address.
    #[track_caller]
    pub fn held_by(&self, node: &Node) {
        assert_eq!(self.holder().map(|(instance, _)| instance).as_ref(), Some(node.id()));
    }
}

/// A setup with all nodes in the subnet 10.0.1.0/24, because a private address can move only within a subnet: node 1 has 10.0.1.10, and
/// 10.0.1.11 on a second interface, node 2 has 10.0.1.20, and so on.
pub fn one_subnet() -> Setup {
    SimulatedWorld::setup().instances(in_one_subnet)
}

fn in_one_subnet(number: u8) -> InstanceSpec {
    let interface = |index: u8| InterfaceSpec {
        mac: Some(aws_sim::parsed(format!("02:00:00:00:0{index}:0{number}"))),
        private_ips: vec![Ipv4Addr::new(10, 0, 1, number * 10 + index)],
        ..InterfaceSpec::default()
    };
    InstanceSpec {
        id: Some(aws_sim::parsed(format!("i-0000000000000000{number}"))),
        interfaces: vec![interface(0), interface(1)],
        ..InstanceSpec::default()
    }
}
