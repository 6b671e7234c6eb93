//! `stop`: exactly the association that was seen, or recorded.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_address_that_the_account_does_not_have_needs_no_release() {
    let node = ElasticNode::on(&account(), 1).with("elastic_ip", "203.0.113.77");
    assert_eq!(node.stop().await.unwrap(), Report::Done);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_a_stop_had_to_leave_is_found_by_the_next_probe() {
    let node = ElasticNode::on(&account(), 1).settled().await;
    node.account.fail_ec2(silent());
    node.stop().await.unwrap();
    node.account.clear_faults();
    assert_eq!(node.probe().await.unwrap(), Report::Done, "so that the cluster stops it again");
}

/// [stale-7]
#[tokio::test(start_paused = true)]
async fn a_stop_whose_stale_association_is_not_found_ends_the_real_one() {
    for on_stop in ["disassociate", "strict"] {
        let node = ElasticNode::on(&account(), 1).with("on_stop", on_stop).settled().await;
        node.account.pin(Reads::Describes, 1);
        node.account.give(EIP, OWN);
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{on_stop}");
        assert_eq!(node.account.holder(EIP), None, "{on_stop}");
    }
}

/// [stale-6]
#[tokio::test(start_paused = true)]
async fn a_stop_right_after_a_start_ends_the_association_on_record_that_no_replica_shows() {
    for on_stop in ["disassociate", "strict"] {
        let account = account();
        account.give(EIP, "10.0.0.2");
        let before = account.elapsed();
        account.freeze(Reads::Metadata);
        let node = ElasticNode::on(&account, 1).with("on_stop", on_stop).started().await;
        account.freeze_at(Reads::Describes, before);
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{on_stop}");
        assert_eq!(account.holder(EIP), None, "{on_stop}");
    }
}

/// [stale-3] In a cluster that merges after a split, each stop would add half of its time to the outage.
#[tokio::test(start_paused = true)]
async fn an_association_that_a_start_confirmed_and_ec2_does_not_find_is_not_waited_for() {
    for on_stop in ["disassociate", "strict"] {
        let node = ElasticNode::on(&account(), 1).with("on_stop", on_stop).started().await;
        node.account.disassociate(EIP);
        assert_eq!(takes(0..2, node.stop()).await.unwrap(), Report::Done, "{on_stop}");
    }
}

/// [stale-6] With the private address, which a peer has taken over. Its id stays.
#[tokio::test(start_paused = true)]
async fn an_association_on_record_that_has_moved_to_a_peer_is_left_alone() {
    let account = account();
    let vip = VIP.parse().unwrap();
    account.assign_private_ip(&parsed(eni(1)), vip);
    // It has come with the private address.
    account.give(EIP, VIP);
    let node = ElasticNode::on(&account, 1).with("private_ip_address", VIP).started().await;
    account.assign_private_ip(&parsed(eni(2)), vip);
    assert!(node.holds(2));
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.holds(2));
}
