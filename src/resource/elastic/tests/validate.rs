//! `validate-all`.

use super::*;

async fn validate(node: &Node, level: u32) -> Result<Report, Error> {
    node.run(Action::Validate { level }).await
}

/// [validate-1]
#[tokio::test(start_paused = true)]
async fn level_zero_looks_at_nothing() {
    let node = Node::new();
    node.imds.set_silent(true);
    assert_eq!(validate(&node, 0).await.unwrap(), Report::Done);
    assert_eq!((node.ec2.calls().len(), node.imds.questions()), (0, 0));
}

/// [validate-2]
#[tokio::test(start_paused = true)]
async fn level_ten_asks_for_every_permission_and_changes_nothing() {
    let node = Node::new();
    node.ec2.give(EIP, &target(2));
    assert_eq!(validate(&node, 10).await.unwrap(), Report::Done);
    let calls = node.ec2.calls();
    for operation in ["DescribeAddresses", "AssociateAddress (dry run)", "DisassociateAddress (dry run)"] {
        assert!(calls.iter().any(|call| call.starts_with(operation)), "{calls:?}");
    }
    assert!(node.holds(2));
}

#[tokio::test(start_paused = true)]
async fn what_would_keep_the_node_from_taking_over_is_found() {
    let node = Node::new();
    node.ec2.fail("AssociateAddress (dry run)", Ec2Fault::Denied, Strike::Before);
    assert!(matches!(validate(&node, 10).await.unwrap_err(), Error::Ec2(_)));

    let node = Node::new();
    node.ec2.address(EIP, |address| address.border_group = Some("us-west-2-lax-1".to_owned()));
    assert!(matches!(validate(&node, 10).await.unwrap_err(), Error::BorderGroup { .. }));
    node.ec2.address(EIP, |address| address.border_group = Some("eu-west-1".to_owned()));
    assert_eq!(validate(&node, 10).await.unwrap(), Report::Done);

    let node = Node::new();
    node.ec2.address(EIP, |address| address.managed_by = Some("alb".to_owned()));
    assert!(matches!(validate(&node, 10).await.unwrap_err(), Error::Managed(..)));

    let node = Node::new().with("elastic_ip", "203.0.113.77");
    assert!(matches!(validate(&node, 10).await.unwrap_err(), Error::Ec2(_)));
}
