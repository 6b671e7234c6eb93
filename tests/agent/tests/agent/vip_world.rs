//! What the tests of the agent `vip` share: nodes in one subnet, and an address that moves between them.

use std::net::Ipv4Addr;
use std::time::Duration;

use agent_tests::{Action, Node, Run, Setup, World};
use aws_sim::{FaultKind, InstanceSpec, InterfaceSpec};

use crate::trouble::ec2;

/// The address, of the subnet of all nodes.
pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 100);

/// Returns an instance in the subnet 10.0.1.0/24: number 1 has 10.0.1.10, and 10.0.1.11 on a second interface.
pub(crate) fn instance(number: u8) -> InstanceSpec {
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

/// Returns a setup with all nodes in one subnet.
pub(crate) fn setup() -> Setup {
    World::setup().instances(instance)
}

/// Makes nodes in one subnet.
pub(crate) fn one_subnet<const N: usize>() -> (World, [Node; N]) {
    setup().make()
}

/// Lets the next call of this operation come late, so that one beside it comes first.
pub(crate) fn hold_up(world: &World, operation: &str) {
    world.cloud.fault(ec2(operation, FaultKind::Delay(Duration::from_millis(500))).times(1));
}

pub(crate) fn start(node: &Node) -> Run {
    node.start().vip(VIP)
}

pub(crate) fn stop(node: &Node) -> Run {
    node.stop().vip(VIP)
}

pub(crate) fn monitor(node: &Node) -> Run {
    node.monitor().vip(VIP)
}

pub(crate) fn settled_monitor(node: &Node) -> Run {
    node.settled_monitor().vip(VIP)
}

pub(crate) fn probe(node: &Node) -> Run {
    node.probe().vip(VIP)
}

pub(crate) fn validate(node: &Node) -> Run {
    node.validate().vip(VIP)
}

pub(crate) fn migrate_to(node: &Node) -> Run {
    node.run("migrate_to").vip(VIP)
}

pub(crate) fn migrate_from(node: &Node) -> Run {
    node.run("migrate_from").vip(VIP)
}

/// Every action that asks somebody, with its exit code where nobody answers after a start on this node.
pub(crate) const ACTIONS: [(&str, Action, i32); 10] = [
    ("start", start, 1),
    ("stop", stop, 0),
    ("strict stop", |node| stop(node).param("on_stop", "strict"), 1),
    ("monitor", monitor, 1),
    ("settled monitor", settled_monitor, 1),
    ("close monitor", |node| monitor(node).env("OCF_CHECK_LEVEL", "10"), 1),
    ("probe", probe, 7),
    ("validate-all", validate, 1),
    ("migrate_to", migrate_to, 1),
    ("migrate_from", migrate_from, 1),
];

/// Asserts that this node's primary interface has the address.
#[track_caller]
pub(crate) fn held_by(world: &World, node: &Node) {
    let holder = world.cloud.private_holder(VIP);
    assert_eq!(holder, Some((node.id().clone(), node.eni().clone())));
}

/// Asserts that no interface has the address.
#[track_caller]
pub(crate) fn held_by_nobody(world: &World) {
    assert_eq!(world.cloud.private_holder(VIP), None);
}
