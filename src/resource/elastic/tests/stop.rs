//! `stop`.

use super::*;

/// [stop-2] [stop-3]
#[tokio::test(start_paused = true)]
async fn our_association_is_ended_and_a_second_stop_does_nothing() {
    let node = Node::new().settled().await;
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.ec2.holder(EIP), None);
    assert_eq!(node.phase(), Some(Phase::Stopped));
    let before = node.ec2.calls().len();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.calls_since(before), [format!("DescribeAddresses {ALLOCATION}")]);
}

/// [stop-1]
#[tokio::test(start_paused = true)]
async fn a_peers_address_is_not_touched() {
    let node = Node::new().settled().await;
    node.ec2.give(EIP, &target(2));
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.holds(2));
    assert!(!node.ec2.calls().iter().any(|call| call.starts_with("Disassociate")));
}

/// [stop-2]
#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_over_between_look_and_order_keeps_the_address() {
    let node = Node::new().settled().await;
    // The look shows ours; by the time the order arrives the peer has it, under another association id.
    node.ec2.freeze_describes(1);
    node.ec2.give(EIP, &target(2));
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.holds(2));
}

/// [stop-4]
#[tokio::test(start_paused = true)]
async fn silence_is_success_after_a_quarter_of_the_budget_when_the_metadata_says_not_here() {
    let node = Node::new().settled().await;
    node.ec2.give(EIP, &target(2));
    node.imds.hide(EIP);
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    let began = Instant::now();
    assert_eq!(node.run_within(Action::Stop, 60).await.unwrap(), Report::Done);
    assert!(began.elapsed() < Duration::from_secs(16), "{:?}", began.elapsed());
}

/// [stop-5]
#[tokio::test(start_paused = true)]
async fn silence_to_the_deadline_is_what_on_stop_says() {
    for (on_stop, succeeds) in [("disassociate", true), ("strict", false)] {
        let node = Node::new().with("on_stop", on_stop).settled().await;
        node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
        let outcome = node.stop().await;
        assert_eq!(outcome.is_ok(), succeeds, "{on_stop}: {outcome:?}");
        assert_eq!(node.logged("may still be associated"), succeeds);
        assert!(node.holds(1));
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_was_left_is_told_by_the_next_probe() {
    let node = Node::new().settled().await;
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    node.stop().await.unwrap();
    node.ec2.recover();
    assert_eq!(node.probe().await.unwrap(), Report::Done, "so that the cluster stops it again");
}

/// [stop-7]
#[tokio::test(start_paused = true)]
async fn leave_asks_nobody_and_monitors_say_not_here_until_the_next_start() {
    let node = Node::new().with("on_stop", "leave").settled().await;
    let before = node.ec2.calls().len();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.calls_since(before).is_empty());
    assert!(node.holds(1));
    assert!(reason(node.monitor().await).contains("on_stop=leave"));
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
    node.start().await.unwrap();
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
}

/// [stop-6]
#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_error_while_the_address_is_here_and_none_while_it_is_not() {
    for fault in [Ec2Fault::Denied, Ec2Fault::Credentials] {
        let node = Node::new().settled().await;
        node.ec2.fail("*", fault, Strike::Before);
        assert!(node.stop().await.is_err(), "{fault:?}");
        node.imds.hide(EIP);
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_the_order_is_no_failure() {
    let node = Node::new().settled().await;
    node.ec2.fail_once("DisassociateAddress", Ec2Fault::Silent, Strike::After);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.ec2.holder(EIP), None);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_loses_its_way_to_ec2_with_the_address_still_stops() {
    let node = Node::new().settled().await;
    node.ec2.fail_once("DisassociateAddress", Ec2Fault::Silent, Strike::After);
    // The describe that finds ours is let through; nothing after the order is.
    let ec2 = node.ec2.clone();
    let imds = node.imds.clone();
    let cut = async move {
        while ec2.holder(EIP).is_some() {
            tokio::task::yield_now().await;
        }
        ec2.fail("*", Ec2Fault::Silent, Strike::Before);
        imds.hide(EIP);
    };
    let (outcome, ()) = tokio::join!(node.stop(), cut);
    assert_eq!(outcome.unwrap(), Report::Done);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_address_has_nothing_to_let_go() {
    let node = Node::new().with("elastic_ip", "203.0.113.77");
    assert_eq!(node.stop().await.unwrap(), Report::Done);
}

#[tokio::test(start_paused = true)]
async fn an_address_on_the_wrong_interface_of_this_instance_is_let_go() {
    let node = Node::new();
    let second = Target { interface: "eni-000000000000000aa".parse().unwrap(), ..target(3) };
    node.ec2.attach(&instance(1), &second);
    node.ec2.give(EIP, &second);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.ec2.holder(EIP), None);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_while_the_metadata_may_be_late_is_an_error() {
    let node = Node::new();
    node.start().await.unwrap();
    node.ec2.fail("*", Ec2Fault::Denied, Strike::Before);
    // The metadata does not show it yet, which means nothing right after a start.
    assert!(node.stop().await.is_err());
    assert!(node.holds(1));
}

/// [stale-3]
#[tokio::test(start_paused = true)]
async fn a_late_describe_right_after_a_start_does_not_end_a_strict_stop() {
    let node = Node::new().with("on_stop", "strict");
    node.ec2.freeze_describes(0);
    node.start().await.unwrap();
    node.imds.show(EIP, "10.0.1.10");
    node.ec2.free(EIP);
    node.ec2.freeze_describes(3);
    node.ec2.give(EIP, &target(1));
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.ec2.holder(EIP), None);
}

#[tokio::test(start_paused = true)]
async fn off_ec2_there_is_nothing_to_let_go() {
    let mut node = Node::new().with("on_stop", "strict");
    node.world.host.ec2 = false;
    node.imds.set_silent(true);
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
}

#[tokio::test(start_paused = true)]
async fn metadata_that_answer_are_a_sign_of_ec2() {
    let mut node = Node::new().with("on_stop", "strict");
    node.world.host.ec2 = false;
    node.imds.show(EIP, "10.0.1.10");
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    assert!(node.stop().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_missing_device_does_not_hide_the_address_from_a_strict_stop() {
    let node = Node::new().with("on_stop", "strict").settled().await.with("interface", "eth7");
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    assert!(node.stop().await.is_err());
    node.ec2.recover();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.ec2.holder(EIP), None);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_rejected_for_some_seconds_do_not_fail_a_stop() {
    let node = Node::new().settled().await;
    node.ec2.fail("*", Ec2Fault::Credentials, Strike::Before);
    let ec2 = node.ec2.clone();
    let fresh = async move {
        tokio::time::sleep(Duration::from_secs(6)).await;
        ec2.recover();
    };
    let (outcome, ()) = tokio::join!(node.stop(), fresh);
    assert_eq!(outcome.unwrap(), Report::Done);
    assert_eq!(node.ec2.holder(EIP), None);
}

#[tokio::test(start_paused = true)]
async fn an_association_that_ended_by_itself_is_not_told_as_our_doing() {
    let node = Node::new().settled().await;
    node.ec2.freeze_describes(1);
    node.ec2.give(EIP, &target(2));
    let before = node.world.records.durable().history.len();
    node.stop().await.unwrap();
    assert_eq!(node.world.records.durable().history.len(), before);
    assert!(node.logged("had ended already"));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_cut_itself_off_by_letting_go_sees_it_when_the_time_is_up() {
    let node = Node::new().with("on_stop", "strict").settled().await;
    node.ec2.fail_once("DisassociateAddress", Ec2Fault::Silent, Strike::After);
    // The answer was lost, and the order that is sent again never comes back.
    node.ec2.fail("DisassociateAddress", Ec2Fault::Silent, Strike::Hang);
    node.imds.hide(EIP);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.phase(), Some(Phase::Stopped));
}
