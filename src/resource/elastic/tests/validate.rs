//! `validate-all`.

use super::*;

/// [validate-2]
#[tokio::test(start_paused = true)]
async fn level_ten_tries_every_permission_and_changes_nothing() {
    let node = ElasticNode::on(&account(), 1);
    node.account.give(EIP, "10.0.0.2");
    assert_eq!(node.validate().await.unwrap(), Report::Done);
    for operation in ["DescribeAddresses", "AssociateAddress (dry run)", "DisassociateAddress (dry run)"] {
        assert!(node.sent(operation) > 0, "{operation}: {:?}", node.account.calls());
    }
    assert!(node.holds(2));
}

#[tokio::test(start_paused = true)]
async fn what_would_keep_the_node_from_taking_over_is_found() {
    let node = ElasticNode::on(&account(), 1);
    node.account.set_border_group(EIP, "us-west-2-lax-1");
    assert!(matches!(node.validate().await, Err(Error::BorderGroup { .. })));
    node.account.set_border_group(EIP, "eu-west-1");
    assert_eq!(node.validate().await.unwrap(), Report::Done);
    node.account.set_managed_by(EIP, Some("alb"));
    assert!(matches!(node.validate().await, Err(Error::Managed(..))));
    assert!(matches!(node.with("elastic_ip", "203.0.113.77").validate().await, Err(Error::Ec2(_))));
}

/// A policy limited to one address may deny the made-up association of an address that has none.
#[tokio::test(start_paused = true)]
async fn a_denied_release_is_a_failure_only_if_there_is_something_to_release() {
    let node = ElasticNode::on(&account(), 1);
    node.account.fail("DisassociateAddress", denied());
    assert_eq!(node.validate().await.unwrap(), Report::Done);
    assert!(node.logged("not certain that"), "{:?}", node.world.log.lines());
    node.account.give(EIP, "10.0.0.2");
    assert!(matches!(node.validate().await, Err(Error::Ec2(_))));
}
