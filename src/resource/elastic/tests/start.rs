//! `start` and `migrate_from`.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_free_address_is_taken_confirmed_and_recorded() {
    let node = Node::new();
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.holds(1));
    assert_eq!(node.phase(), Some(Phase::Started));
    let durable = node.world.records.durable();
    assert_eq!(durable.pair.unwrap().allocation.as_str(), ALLOCATION);
    assert_eq!(durable.history.len(), 1);
    assert!(node.logged("moved from nobody to"), "{:?}", node.world.log.lines());
}

/// [start-1]
#[tokio::test(start_paused = true)]
async fn a_second_start_writes_nothing() {
    let node = Node::new();
    node.start().await.unwrap();
    let before = node.ec2.calls().len();
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert_eq!(node.calls_since(before), [format!("DescribeAddresses {ALLOCATION}")]);
}

/// [start-3]
#[tokio::test(start_paused = true)]
async fn a_takeover_with_ids_on_record_orders_without_waiting_for_a_look() {
    let node = Node::new().with_record();
    node.ec2.give(EIP, &target(2));
    // The look never ends, and the order goes out all the same.
    node.ec2.fail_once("DescribeAddresses", Ec2Fault::Silent, Strike::Hang);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.holds(1));
}

#[tokio::test(start_paused = true)]
async fn a_takeover_names_the_previous_holder() {
    let node = Node::new().with_record();
    node.ec2.give(EIP, &target(2));
    node.start().await.unwrap();
    let from = format!("moved from {} (10.0.2.10) to {}", instance(2), instance(1));
    assert!(node.logged(&from), "{:?}", node.world.log.lines());
}

/// [start-4] [param-3]
#[tokio::test(start_paused = true)]
async fn an_allocation_that_is_not_the_address_takes_nothing() {
    let node = Node::new().with("allocation_id", OTHER_ALLOCATION);
    node.ec2.allocate(OTHER, OTHER_ALLOCATION);
    node.ec2.give(OTHER, &target(2));
    let error = node.start().await.unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    assert!(node.ec2.calls().iter().all(|call| call.starts_with("Describe")), "{:?}", node.ec2.calls());
}

#[tokio::test(start_paused = true)]
async fn an_allocation_alone_is_enough() {
    let node = Node::new().without("elastic_ip").with("allocation_id", ALLOCATION);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.holds(1));
}

/// [record-5] [stale-7]
#[tokio::test(start_paused = true)]
async fn an_allocation_on_record_that_ec2_forgot_is_looked_up_again() {
    let node = Node::new();
    node.world.records.durable.borrow_mut().pair = Some(Pair {
        public_ip: EIP.parse().unwrap(),
        allocation: OTHER_ALLOCATION.parse().unwrap(),
        region: None,
    });
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.holds(1));
    assert_eq!(node.world.records.durable().pair.unwrap().allocation.as_str(), ALLOCATION);
}

/// [start-8]
#[tokio::test(start_paused = true)]
async fn without_reassociation_a_holder_keeps_the_address() {
    for record in [false, true] {
        let node = Node::new().with("allow_reassociation", "false");
        let node = if record { node.with_record() } else { node };
        node.ec2.give(EIP, &target(2));
        let error = node.start().await.unwrap_err();
        assert!(matches!(&error, Error::Held { holder, .. } if holder.contains(&instance(2))), "{error}");
        assert!(node.holds(2));
    }
}

/// [time-5]
#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_followed_by_a_look_not_by_a_second_order() {
    let node = Node::new();
    node.ec2.fail_once("AssociateAddress", Ec2Fault::Silent, Strike::After);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    let orders = node.ec2.calls().iter().filter(|call| call.starts_with("Associate")).count();
    assert_eq!(orders, 1, "{:?}", node.ec2.calls());
}

#[tokio::test(start_paused = true)]
async fn throttling_and_outages_are_waited_out() {
    for fault in [Ec2Fault::Throttled, Ec2Fault::Silent, Ec2Fault::Silent, Ec2Fault::Silent] {
        let node = Node::new();
        for _ in 0..3 {
            node.ec2.fail_once("DescribeAddresses", fault, Strike::Before);
            node.ec2.fail_once("AssociateAddress", fault, Strike::Before);
        }
        assert_eq!(node.start().await.unwrap(), Report::Done, "{fault:?}");
        assert!(node.holds(1));
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_end_the_start_at_once() {
    for fault in [Ec2Fault::ServiceManaged, Ec2Fault::Target, Ec2Fault::Refused] {
        let node = Node::new();
        node.ec2.fail("AssociateAddress", fault, Strike::Before);
        let began = Instant::now();
        let error = node.start().await.unwrap_err();
        assert!(matches!(&error, Error::Ec2(cause) if cause.fault == fault), "{error}");
        assert_eq!(began.elapsed(), Duration::ZERO, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_refusal_before_is_named_where_the_time_runs_out_during_an_attempt() {
    let node = Node::new();
    node.ec2.fail_once("AssociateAddress", Ec2Fault::Silent, Strike::Before);
    node.ec2.fail("AssociateAddress", Ec2Fault::Silent, Strike::Hang);
    let error = node.start().await.unwrap_err().to_string();
    assert!(error.ends_with("no answer in time, Silent before"), "{error}");
}

/// [start-5]
#[tokio::test(start_paused = true)]
async fn ec2_that_shows_the_change_late_is_waited_for() {
    let node = Node::new();
    node.start().await.unwrap();
    node.ec2.give(EIP, &target(2));
    tokio::time::advance(Duration::from_secs(200)).await;
    node.ec2.freeze_describes(5);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.holds(1));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_ec2_never_shows_is_an_error() {
    let node = Node::new();
    node.ec2.give(EIP, &target(2));
    node.ec2.freeze_describes(1000);
    let error = node.start().await.unwrap_err();
    assert!(matches!(&error, Error::Unconfirmed { shown, .. } if shown.contains(&instance(2))), "{error}");
}

/// [start-6]
#[tokio::test(start_paused = true)]
async fn an_outage_does_not_fail_a_start_where_the_address_is_in_sight() {
    let node = Node::new();
    node.ec2.give(EIP, &target(1));
    node.imds.show(EIP, "10.0.1.10");
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.logged("according to instance metadata alone"));
}

/// [stale-5]
#[tokio::test(start_paused = true)]
async fn stale_metadata_does_not_pass_for_holding() {
    let node = Node::new();
    node.ec2.give(EIP, &target(2));
    node.imds.show(EIP, "10.0.1.10");
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.holds(1), "the start looked at EC2 and took it");
}

/// [target-6]
#[tokio::test(start_paused = true)]
async fn a_private_address_shared_by_two_resources_is_refused() {
    let node = Node::new();
    let other = records_of(Volatile {
        phase: Some(Phase::Started),
        boot: "boot-of-1".to_owned(),
        interface: Some(target(1).interface),
        kind: elastic_record(OTHER),
        ..Volatile::default()
    });
    node.world.records.others.borrow_mut().push(("other".to_owned(), other.clone()));
    let error = node.start().await.unwrap_err();
    assert!(error.to_string().starts_with("give each its own private_ip_address"), "{error}");
    assert!(node.ec2.calls().is_empty());
    other.volatile.borrow_mut().phase = Some(Phase::Stopped);
    assert_eq!(node.start().await.unwrap(), Report::Done);
}

/// [displaced-1] [target-1]
#[tokio::test(start_paused = true)]
async fn an_address_that_gives_way_is_put_back_when_ours_goes() {
    let node = Node::new();
    node.ec2.allocate(OTHER, OTHER_ALLOCATION);
    node.ec2.give(OTHER, &target(1));
    node.imds.show(OTHER, "10.0.1.10");
    node.start().await.unwrap();
    assert_eq!(node.ec2.holder(OTHER), None);
    assert_eq!(node.world.records.durable().displaced.len(), 1);
    node.stop().await.unwrap();
    assert_eq!(node.ec2.holder(OTHER).unwrap().private_ip, Some(target(1).private_ip));
}

/// [displaced-2]
#[tokio::test(start_paused = true)]
async fn an_address_that_was_put_back_a_moment_ago_gives_way_again_and_comes_back_again() {
    let node = Node::new();
    node.ec2.allocate(OTHER, OTHER_ALLOCATION);
    node.ec2.give(OTHER, &target(1));
    node.imds.show(OTHER, "10.0.1.10");
    for _ in 0..3 {
        node.start().await.unwrap();
        // From here on the metadata do not show it any more.
        node.imds.hide(OTHER);
        assert_eq!(node.ec2.holder(OTHER), None);
        node.stop().await.unwrap();
        assert!(node.ec2.holder(OTHER).is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn the_address_before_a_change_of_the_configuration_is_not_put_back() {
    let node = Node::new();
    node.start().await.unwrap();
    node.imds.show(EIP, "10.0.1.10");
    node.stop().await.unwrap();
    node.ec2.allocate(OTHER, OTHER_ALLOCATION);
    let node = node.with("elastic_ip", OTHER);
    node.start().await.unwrap();
    node.stop().await.unwrap();
    assert_eq!(node.ec2.holder(EIP), None);
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_answer_was_lost_for_good_is_told_by_the_metadata() {
    let node = Node::new();
    node.ec2.fail_once("AssociateAddress", Ec2Fault::Silent, Strike::After);
    let (ec2, imds) = (node.ec2.clone(), node.imds.clone());
    let cut = async move {
        while ec2.holder(EIP).is_none() {
            tokio::task::yield_now().await;
        }
        ec2.fail("*", Ec2Fault::Silent, Strike::Before);
        imds.show(EIP, "10.0.1.10");
    };
    let (outcome, ()) = tokio::join!(node.start(), cut);
    assert_eq!(outcome.unwrap(), Report::Done);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_right_after_an_accepted_order_is_looked_past() {
    for fault in [Ec2Fault::Credentials, Ec2Fault::Unknown] {
        let node = Node::new().with_record();
        // One for the look beside the order, one for the first confirmation.
        node.ec2.fail_once("DescribeAddresses", fault, Strike::Before);
        node.ec2.fail_once("DescribeAddresses", fault, Strike::Before);
        assert_eq!(node.start().await.unwrap(), Report::Done, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_whose_address_was_taken_long_ago_is_in_nobodys_way() {
    let node = Node::new();
    let neighbour = Volatile {
        phase: Some(Phase::Started),
        boot: "boot-of-1".to_owned(),
        interface: Some(target(1).interface),
        kind: elastic_record(OTHER),
        ..Volatile::default()
    };
    node.world.records.others.borrow_mut().push(("other".to_owned(), records_of(neighbour)));
    tokio::time::advance(Duration::from_secs(500)).await;
    assert_eq!(node.start().await.unwrap(), Report::Done);
}

/// [start-8]
#[tokio::test(start_paused = true)]
async fn a_wrong_place_on_this_node_is_corrected_without_leave_to_take_it_from_others() {
    let node = Node::new().with("allow_reassociation", "false");
    let second = Target { private_ip: "10.0.1.11".parse().unwrap(), ..target(1) };
    node.ec2.attach(&instance(1), &second);
    node.ec2.give(EIP, &second);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert_eq!(node.ec2.holder(EIP).unwrap().private_ip, Some(target(1).private_ip));
}

#[tokio::test(start_paused = true)]
async fn metadata_that_is_silent_is_waited_for_and_then_an_error() {
    let node = Node::new();
    node.imds.set_silent(true);
    assert!(matches!(node.start().await.unwrap_err(), Error::Imds(_)));
    let mut node = Node::new();
    node.imds.set_silent(true);
    node.world.host.ec2 = false;
    assert!(matches!(node.start().await.unwrap_err(), Error::NotEc2(_)));
}

#[tokio::test(start_paused = true)]
async fn metadata_that_fell_silent_after_an_earlier_start_does_not_stop_a_takeover() {
    let node = Node::new();
    node.start().await.unwrap();
    node.ec2.give(EIP, &target(2));
    node.imds.set_silent(true);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.holds(1));
}

/// [migrate-2]
#[tokio::test(start_paused = true)]
async fn a_planned_move_takes_one_order_and_the_source_then_stops_without_one() {
    let source = Node::new().settled().await;
    let peer = Node::in_account(&source.ec2, 2).with_record();
    assert_eq!(source.run(Action::MigrateTo).await.unwrap(), Report::Done);
    assert!(source.holds(1), "nothing is let go before the target takes it");
    assert_eq!(peer.run(Action::MigrateFrom).await.unwrap(), Report::Done);
    let before = source.ec2.calls().len();
    assert_eq!(source.stop().await.unwrap(), Report::Done);
    assert!(source.calls_since(before).iter().all(|call| call.starts_with("Describe")));
    assert!(source.holds(2));
    assert!(matches!(source.run(Action::MigrateTo).await.unwrap_err(), Error::NotHeld(_)));
}

#[tokio::test(start_paused = true)]
async fn the_private_address_chooses_the_interface_and_the_node_chooses_the_private_address() {
    let node = Node::new().with("private_ip_address", "node2=10.0.2.10,node1=10.0.1.10");
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.holds(1));
    let node = Node::new().with("private_ip_address", "node2=10.0.2.10");
    assert!(matches!(node.start().await.unwrap_err(), Error::NotHere(_)));
    let node = Node::new().with("private_ip_address", "10.0.9.9");
    assert!(matches!(node.start().await.unwrap_err(), Error::NoPrivateIp { .. }));
    let node = Node::new().with("interface", "eth7");
    assert!(matches!(node.start().await.unwrap_err(), Error::NoDevice(_)));
    let node = Node::new().with("interface", "eth0");
    assert_eq!(node.start().await.unwrap(), Report::Done);
    let node = Node::new().with("interface", "1");
    assert!(matches!(node.start().await.unwrap_err(), Error::NoInterface(_)));
}
