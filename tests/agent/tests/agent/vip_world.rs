//! What the tests of the agent `vip` share.

use std::time::Duration;

use agent_tests::{Node, Run, SimulatedWorld, VIP};
use aws_sim::FaultKind;

use crate::trouble::ec2;

/// Lets the next call of this operation come late, so that one beside it comes first.
pub(crate) fn hold_up(world: &SimulatedWorld, operation: &str) {
    world.cloud.fault(ec2(operation, FaultKind::Delay(Duration::from_millis(500))).times(1));
}

pub(crate) fn start(node: &Node) -> Run {
    node.start().vip(VIP)
}

pub(crate) fn stop(node: &Node) -> Run {
    node.stop().vip(VIP)
}

pub(crate) fn settled_monitor(node: &Node) -> Run {
    node.settled_monitor().vip(VIP)
}

pub(crate) fn probe(node: &Node) -> Run {
    node.probe().vip(VIP)
}

/// Asserts that this node's primary interface has the address.
#[track_caller]
pub(crate) fn held_by(world: &SimulatedWorld, node: &Node) {
    let holder = world.cloud.private_holder(VIP);
    assert_eq!(holder, Some((node.id().clone(), node.eni().clone())));
}

/// Asserts that no interface has the address.
#[track_caller]
pub(crate) fn is_unassigned(world: &SimulatedWorld) {
    assert_eq!(world.cloud.private_holder(VIP), None);
}
