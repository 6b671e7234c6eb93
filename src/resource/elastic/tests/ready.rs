//! Questions that a caller repeats every few seconds: `is_ready`, `is_still_here`.

use super::*;

async fn is_ready(node: &ElasticNode) -> Result<Report, Error> {
    op::<Elastic, _>(&node.world, &node.request(Action::Start, 2)).is_ready().await
}

async fn is_still_here(node: &ElasticNode, timeout: u64) -> Result<Report, Error> {
    op::<Elastic, _>(&node.world, &node.request(Action::Monitor { level: 0 }, timeout)).is_still_here().await
}

#[tokio::test(start_paused = true)]
async fn a_node_without_credentials_place_or_metadata_is_not_ready() {
    let node = ElasticNode::on(&account(), 1);
    for (kind, expected) in [(rejected(), "ExpiredToken"), (FaultKind::Hang, "out of time")] {
        let id = node.account.fail("credentials", kind);
        let error = is_ready(&node).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        node.account.clear_fault(id);
    }
    let neighbour = ElasticNode::on(&node.account, 1).with("elastic_ip", SECOND).started().await;
    let crowded = ElasticNode::on(&node.account, 1).next_to("neighbour", &neighbour);
    assert!(matches!(is_ready(&crowded).await, Err(Error::Shared { .. })));
    let node = node.with("interface", "eni-00000000000000009");
    assert!(matches!(is_ready(&node).await, Err(Error::NoInterface(_))));
    node.account.fail_metadata(FaultKind::Reset);
    assert!(matches!(is_ready(&node).await, Err(Error::Imds(_))));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_metadata_shows_is_still_here_without_a_call() {
    let node = ElasticNode::on(&account(), 1).started().await;
    node.account.clear_calls();
    assert_eq!(is_still_here(&node, 2).await.unwrap(), Report::Done);
    assert_eq!(node.account.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_metadata_does_not_show_is_decided_by_ec2() {
    let account = account();
    account.freeze(Reads::Metadata);
    let node = ElasticNode::on(&account, 1).started().await;
    assert_eq!(is_still_here(&node, 2).await.unwrap(), Report::Done, "metadata lags");
    account.give(EIP, "10.0.0.2");
    assert!(reason(is_still_here(&node, 2).await).contains(&instance(2)));
}

/// [stale-1] keepalived's check.
#[tokio::test(start_paused = true)]
async fn a_check_right_after_a_start_outlasts_late_metadata_and_a_late_replica() {
    let account = account();
    account.give(EIP, "10.0.0.2");
    let before = account.elapsed();
    account.freeze(Reads::Metadata);
    let node = ElasticNode::on(&account, 1).started().await;
    account.freeze_at(Reads::Describes, before);
    let (outcome, ()) = tokio::join!(is_still_here(&node, 20), after(5, || account.thaw(Reads::Describes)));
    assert_eq!(outcome.unwrap(), Report::Done);
}

#[tokio::test(start_paused = true)]
async fn with_ec2_silent_it_is_unknown_soon_after_a_change_and_gone_later() {
    let account = account();
    account.freeze(Reads::Metadata);
    let node = ElasticNode::on(&account, 1).started().await;
    account.fail_ec2(silent());
    assert!(is_still_here(&node, 2).await.is_err());
    advance(Duration::from_secs(130)).await;
    assert!(reason(is_still_here(&node, 2).await).contains("not on"));
    account.fail_metadata(FaultKind::Reset);
    assert!(is_still_here(&node, 2).await.is_err(), "both silent");
}
