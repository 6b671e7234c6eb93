//! Leaving the address to the node that takes it.

use super::*;

async fn hand_over(node: &Node) -> Result<Report, Error> {
    elastic::hand_over(&node.world, &node.request(Action::Stop, 60)).await
}

/// Returns a node that holds the address, for which an address of its own had to make way.
async fn with_displaced() -> Node {
    let node = Node::new();
    node.ec2.allocate(OTHER, OTHER_ALLOCATION);
    node.ec2.give(OTHER, &target(1));
    node.imds.show(OTHER, "10.0.1.10");
    let node = node.settled().await;
    assert_eq!(node.ec2.holder(OTHER), None);
    node
}

#[tokio::test(start_paused = true)]
async fn without_anything_displaced_nobody_is_asked_and_the_address_stays() {
    let node = Node::new().settled().await;
    let before = node.ec2.calls().len();
    assert_eq!(hand_over(&node).await.unwrap(), Report::Done);
    assert!(node.calls_since(before).is_empty());
    assert!(node.holds(1));
    assert_eq!(node.phase(), Some(Phase::Left));
}

#[tokio::test(start_paused = true)]
async fn the_own_address_comes_back_when_the_peer_has_taken_the_floating_one() {
    let node = with_displaced().await;
    let (ec2, began) = (node.ec2.clone(), Instant::now());
    let takeover = async {
        tokio::time::sleep(Duration::from_secs(7)).await;
        assert_eq!(ec2.holder(OTHER), None, "not before the floating address has gone");
        ec2.give(EIP, &target(2));
    };
    let (handed, ()) = tokio::join!(hand_over(&node), takeover);
    assert!(reason(handed).contains(&instance(2)));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(node.holds(2));
    assert_eq!(node.ec2.holder(OTHER).unwrap().interface, Some(target(1).interface));
    assert_eq!(node.phase(), Some(Phase::Stopped));
    let before = node.ec2.calls().len();
    assert_eq!(hand_over(&node).await.unwrap(), Report::Done);
    assert!(node.calls_since(before).is_empty(), "once is enough");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_takes_it_the_address_stays_and_the_error_says_so() {
    let node = with_displaced().await;
    let error = hand_over(&node).await.unwrap_err();
    assert_eq!(error.to_string(), "203.0.113.10 is still here after 57 s: no other node has taken it");
    assert!(node.holds(1));
    assert_eq!(node.ec2.holder(OTHER), None);
    assert!(!node.ec2.calls().iter().any(|call| call.starts_with("Disassociate")));
}

#[tokio::test(start_paused = true)]
async fn an_ec2_that_is_silent_for_a_while_is_asked_again() {
    let node = with_displaced().await;
    node.ec2.give(EIP, &target(2));
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    let ec2 = node.ec2.clone();
    let recovery = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        ec2.recover();
    };
    let (handed, ()) = tokio::join!(hand_over(&node), recovery);
    assert!(reason(handed).contains(&instance(2)));
    assert!(node.ec2.holder(OTHER).is_some());
}
