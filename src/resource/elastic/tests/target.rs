//! Several resources, and several calls of one node, for one private address.

use super::*;

/// [target-6]
#[tokio::test(start_paused = true)]
async fn a_private_address_shared_by_two_resources_is_refused_while_the_other_is_there() {
    for lost_long_ago in [false, true] {
        let first = ElasticNode::on(&account(), 1).with("elastic_ip", SECOND).started().await;
        let second = ElasticNode::on(&first.account, 1).next_to("first", &first);
        first.account.clear_calls();
        let error = second.start().await.unwrap_err().to_string();
        assert!(error.starts_with("give each its own private_ip_address"), "{error}");
        assert_eq!(first.account.calls(), [""; 0]);
        if lost_long_ago {
            first.account.give(SECOND, "10.0.0.2");
            minutes(8).await;
        } else {
            first.stop().await.unwrap();
        }
        assert!(second.started().await.holds(1));
    }
}

/// [target-6]
#[tokio::test(start_paused = true)]
async fn of_two_resources_that_start_on_one_target_at_one_instant_one_wins() {
    let first = ElasticNode::on(&account(), 1);
    let second = ElasticNode::on(&first.account, 1).with("elastic_ip", SECOND).next_to("first", &first);
    first.world.records.others.borrow_mut().push(("second".to_owned(), second.world.records.clone()));
    let (one, two) = tokio::join!(first.start(), second.start());
    let shared = |outcome: &Result<Report, Error>| matches!(outcome, Err(Error::Shared { .. }));
    assert!(one.is_ok() && shared(&two) || two.is_ok() && shared(&one), "{one:?} {two:?}");
}

/// [target-7]
#[tokio::test(start_paused = true)]
async fn the_address_of_another_cluster_resource_is_not_displaced_after_a_boot() {
    let account = account();
    account.give(OTHER, OWN);
    let neighbour = ElasticNode::on(&account, 1).recorded(OTHER, OTHER_ALLOCATION);
    let node = ElasticNode::on(&account, 1).next_to("neighbour", &neighbour).started().await;
    assert_eq!(node.displaced(), []);
    node.stop().await.unwrap();
    assert_eq!(account.place(OTHER), None);
}

/// [target-3], [target-4]
#[tokio::test(start_paused = true)]
async fn a_slow_call_that_restores_an_address_cannot_displace_what_is_started_after_the_stop() {
    let node = with_displaced().await;
    node.account.fail_once("AssociateAddress", FaultKind::Delay(Duration::from_secs(5)));
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.account.place(OTHER).as_deref(), Some(OWN), "the call was awaited");
    let node = node.started().await;
    advance(Duration::from_secs(30)).await;
    assert!(node.holds(1));
}

/// [target-3] [target-5] The same with another resource of the node.
#[tokio::test(start_paused = true)]
async fn a_start_waits_for_the_call_that_another_resource_has_in_flight_for_its_target() {
    let first = with_displaced().await;
    let account = &first.account;
    let second = ElasticNode::on(account, 1).with("elastic_ip", SECOND).next_to("first", &first);
    account.fail_once("AssociateAddress", FaultKind::Delay(Duration::from_secs(4)));
    let later = async {
        // The stop has released its own address and is restoring the other by now.
        while account.holder(EIP).is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        second.start().await
    };
    let (stopped, started) = tokio::join!(first.stop(), later);
    assert_eq!((stopped.unwrap(), started.unwrap()), (Report::Done, Report::Done));
    advance(Duration::from_secs(30)).await;
    assert_eq!(account.place(SECOND).as_deref(), Some(OWN));
}

/// [target-5] The call that restores an address was cut off, and takes effect after the next start has taken the place.
#[tokio::test(start_paused = true)]
async fn a_start_outlasts_a_restore_of_an_earlier_stop_that_takes_effect_late() {
    let node = with_displaced().await;
    let account = &node.account;
    let hang = account.fail("AssociateAddress", FaultKind::Hang);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    let displaced = node.displaced();
    assert!(displaced.iter().all(|entry| entry.sent.is_some() && !entry.put_back), "{displaced:?}");
    account.clear_fault(hang);
    let late = async {
        while account.holder(EIP).is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        account.give(OTHER, OWN);
    };
    let (started, ()) = tokio::join!(node.start(), late);
    assert_eq!(started.unwrap(), Report::Done);
    assert!(node.holds(1));
    assert!(node.logged("displaced by a late call"), "{:?}", node.world.log.lines());
}
