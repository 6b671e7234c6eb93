//! The quick looks.

use super::*;

async fn is_ready(node: &Node) -> Result<Report, Error> {
    elastic::is_ready(&node.world, &node.request(Action::Start, 2)).await
}

async fn is_still_here(node: &Node) -> Result<Report, Error> {
    elastic::is_still_here(&node.world, &node.request(Action::Monitor { level: 0 }, 2)).await
}

#[tokio::test(start_paused = true)]
async fn a_node_with_metadata_and_credentials_is_ready_and_ec2_is_not_asked() {
    let node = Node::new();
    assert_eq!(is_ready(&node).await.unwrap(), Report::Done);
    assert_eq!(node.ec2.calls(), ["credentials "]);
}

#[tokio::test(start_paused = true)]
async fn a_node_without_credentials_place_or_metadata_is_not_ready() {
    let node = Node::new();
    node.ec2.fail("credentials", Ec2Fault::Credentials, Strike::Before);
    assert!(is_ready(&node).await.is_err());
    let node = Node::new();
    node.ec2.fail("credentials", Ec2Fault::Silent, Strike::Hang);
    assert!(matches!(is_ready(&node).await, Err(Error::OutOfTime(_))));
    let node = Node::new().with("interface", "eni-00000000000000009");
    assert!(matches!(is_ready(&node).await, Err(Error::NoInterface(_))));
    let node = Node::new();
    node.imds.set_silent(true);
    assert!(matches!(is_ready(&node).await, Err(Error::Imds(_))));
}

#[tokio::test(start_paused = true)]
async fn an_address_in_sight_is_still_here_without_a_call() {
    let node = Node::new().settled().await;
    let before = node.ec2.calls().len();
    assert_eq!(is_still_here(&node).await.unwrap(), Report::Done);
    assert!(node.calls_since(before).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_the_metadata_does_not_show_is_decided_by_ec2() {
    let node = Node::new();
    node.start().await.unwrap();
    assert_eq!(is_still_here(&node).await.unwrap(), Report::Done, "the metadata lag");
    node.ec2.give(EIP, &target(2));
    assert!(reason(is_still_here(&node).await).contains(&instance(2)));
}

#[tokio::test(start_paused = true)]
async fn with_ec2_silent_it_is_unknown_soon_after_a_change_and_gone_later() {
    let node = Node::new();
    node.start().await.unwrap();
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    assert!(is_still_here(&node).await.is_err());
    tokio::time::advance(Duration::from_secs(130)).await;
    assert!(reason(is_still_here(&node).await).contains("not on"));
    node.imds.set_silent(true);
    assert!(is_still_here(&node).await.is_err(), "both silent");
}
