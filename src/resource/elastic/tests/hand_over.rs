//! Leaving the address to the node that takes it.

use super::*;

async fn hand_over(node: &ElasticNode) -> Result<Report, Error> {
    op::<Elastic, _>(&node.world, &node.request(Action::Stop, 60)).hand_over().await
}

#[tokio::test(start_paused = true)]
async fn without_anything_displaced_no_query_is_sent_and_the_address_stays() {
    let node = ElasticNode::on(&account(), 1).settled().await;
    node.account.clear_calls();
    assert_eq!(hand_over(&node).await.unwrap(), Report::Done);
    assert_eq!(node.account.calls(), [""; 0]);
    assert!(node.holds(1));
    assert_eq!(node.phase(), Some(Phase::Left));
}

#[tokio::test(start_paused = true)]
async fn the_nodes_own_address_comes_back_when_the_peer_has_taken_the_floating_one() {
    let node = with_displaced().await;
    let (account, began) = (node.account.clone(), Instant::now());
    let takeover = after(7, || {
        assert_eq!(account.place(OTHER), None, "not before the floating address has gone");
        account.give(EIP, "10.0.0.2");
    });
    let (handed, ()) = tokio::join!(hand_over(&node), takeover);
    assert!(reason(handed).contains(&instance(2)));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(node.holds(2));
    assert_eq!(account.place(OTHER).as_deref(), Some(OWN));
    assert_eq!(node.phase(), Some(Phase::Stopped));
    account.clear_calls();
    assert_eq!(hand_over(&node).await.unwrap(), Report::Done);
    assert_eq!(account.calls(), [""; 0], "once is enough");
}

#[tokio::test(start_paused = true)]
async fn an_address_that_no_node_takes_stays_and_the_error_reports_it() {
    let node = with_displaced().await;
    let error = hand_over(&node).await.unwrap_err();
    assert_eq!(error.to_string(), "203.0.113.10 is still here after 57 s: no other node has taken it");
    assert!(node.holds(1));
    assert_eq!(node.account.place(OTHER), None);
    assert_eq!(node.sent("DisassociateAddress"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_ec2_that_is_silent_for_a_while_is_queried_again() {
    let node = with_displaced().await;
    node.account.give(EIP, "10.0.0.2");
    node.account.fail_ec2(silent());
    let (handed, ()) = tokio::join!(hand_over(&node), after(20, || node.account.clear_faults()));
    assert!(reason(handed).contains(&instance(2)));
    assert_eq!(node.account.place(OTHER).as_deref(), Some(OWN));
}
