//! `monitor` and probes: the address by its ids.

use super::*;

fn by_allocation(account: &Account) -> ElasticNode {
    ElasticNode::on(account, 1).without("elastic_ip").with("allocation_id", ALLOCATION)
}

#[tokio::test(start_paused = true)]
async fn an_allocation_whose_address_was_never_on_record_is_queried_once() {
    let node = by_allocation(&account());
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
    node.account.give(EIP, OWN);
    node.account.clear_calls();
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert_eq!(node.account.calls(), [""; 0], "its address is on record now");
}

#[tokio::test(start_paused = true)]
async fn an_allocation_by_which_a_node_cannot_distinguish_itself_from_others_is_no_loss() {
    let node = by_allocation(&account());
    node.account.give(EIP, OWN);
    node.account.fail_metadata(FaultKind::Reset);
    assert!(matches!(node.monitor().await, Err(Error::Imds(_))));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_ec2_does_not_know_is_not_here_whatever_metadata_shows() {
    let node = ElasticNode::on(&account(), 1).settled().await;
    node.account.fail_ec2(unknown());
    assert!(matches!(node.run(Action::Monitor { level: 10 }).await.unwrap(), Report::NotHere(_)));
    assert_eq!(node.monitor().await.unwrap(), Report::Done, "level 0 does not ask");
}

#[tokio::test(start_paused = true)]
async fn another_private_address_of_the_interface_does_not_count() {
    for configured in [None, Some(OWN)] {
        let node = ElasticNode::on(&account(), 1);
        let node = configured.into_iter().fold(node, |node, ip| node.with("private_ip_address", ip));
        let node = node.settled().await;
        node.account.give(EIP, OWN_SECOND);
        assert!(reason(node.monitor().await).contains("this node, but on"));
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_private_address_for_this_node_nothing_is_in_place() {
    let node = ElasticNode::on(&account(), 1).settled().await.with("private_ip_address", "node2=10.0.0.2");
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
}

/// [stale-1] An association that this node has not seen is news, however soon after the start.
#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_the_address_right_after_a_start_is_accepted_at_once() {
    let account = account();
    account.give(EIP, "10.0.0.2");
    let node = ElasticNode::on(&account, 1).started().await;
    account.give(EIP, "10.0.0.2");
    assert!(matches!(takes(0..1, node.monitor()).await.unwrap(), Report::NotHere(_)));
}

/// [probe-2]
#[tokio::test(start_paused = true)]
async fn a_first_probe_fills_the_record_and_the_next_sends_no_query() {
    let node = ElasticNode::on(&account(), 1).probed().await;
    assert_eq!(node.world.records.durable().pair.as_ref().unwrap().allocation.as_str(), ALLOCATION);
    node.account.clear_calls();
    let node = node.probed().await;
    assert_eq!(node.account.calls(), [""; 0]);
}

/// [probe-2]
#[tokio::test(start_paused = true)]
async fn a_standby_that_could_not_take_over_reports_it_within_two_seconds() {
    let node = ElasticNode::on(&account(), 1);
    node.account.fail_ec2(FaultKind::Hang);
    let began = Instant::now();
    let node = node.probed().await;
    assert!(began.elapsed() <= Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(node.logged("could not take"), "{:?}", node.world.log.lines());
}

/// [probe-3]
#[tokio::test(start_paused = true)]
async fn silent_metadata_is_made_up_for_by_ec2_if_the_firmware_names_the_instance() {
    let mut node = ElasticNode::on(&account(), 1);
    node.world.host.instance = instance(1).parse().ok();
    node.account.give(EIP, OWN);
    node.account.fail_metadata(FaultKind::Reset);
    assert_eq!(node.probe().await.unwrap(), Report::Done);
}
