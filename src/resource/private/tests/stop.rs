//! `stop`.

use super::*;

/// [stop-9]
#[tokio::test(start_paused = true)]
async fn the_device_is_first_and_ec2_second_and_a_second_stop_does_nothing() {
    let node = Node::new().settled().await;
    let before = node.ec2.calls().len();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.ec2.private_holder(VIP), None);
    assert!(!node.on_device());
    assert_eq!(node.phase(), Some(Phase::Stopped));
    let calls = node.calls_since(before);
    assert_eq!(calls[1], format!("UnassignPrivateIpAddresses {VIP} from {}", eni(1)));
    let (before, done) = (node.ec2.calls().len(), node.network.done().len());
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.calls_since(before).len(), 1, "a look, no order");
    assert_eq!(node.network.done().len(), done);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_has_it_is_not_robbed_also_where_ec2_answers_late() {
    let node = Node::new().settled().await;
    // What the stop reads is from before the peer took it.
    node.ec2.freeze_enis(1);
    node.ec2.give_private(VIP, &eni(2));
    let before = node.world.records.durable().history.len();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.holds(2) && !node.on_device());
    assert_eq!(node.world.records.durable().history.len(), before, "not told as our doing");
    assert!(node.logged("had ended already"));
}

/// [stop-1]
#[tokio::test(start_paused = true)]
async fn elsewhere_nothing_is_written_but_the_device_is_cleaned() {
    let node = Node::new().settled().await;
    node.lose_to(2);
    let before = node.ec2.calls().len();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.calls_since(before).len(), 1);
    assert!(node.holds(2) && !node.on_device());
}

#[tokio::test(start_paused = true)]
async fn on_another_interface_of_this_instance_it_is_let_go_too() {
    let node = Node::new();
    node.ec2.give_private(VIP, &eni(1));
    node.imds.show_private(MAC, VIP, true);
    let node = node.with("interface", "eth7");
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.ec2.private_holder(VIP), None);
}

#[tokio::test(start_paused = true)]
async fn an_elastic_ip_that_goes_with_it_is_told() {
    let node = Node::new().settled().await;
    node.ec2.put_public(VIP, PUBLIC);
    node.stop().await.unwrap();
    assert!(node.logged(&format!("Elastic IP {PUBLIC} on {VIP} is disassociated")));
}

/// [stop-5] [stop-9]
#[tokio::test(start_paused = true)]
async fn with_ec2_silent_the_device_is_clean_and_on_stop_decides() {
    for (on_stop, expected) in [("unassign", None), ("strict", Some(ExitCode::Generic))] {
        let node = Node::new().with("on_stop", on_stop).settled().await;
        node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
        let outcome = node.stop().await;
        match expected {
            None => assert!(outcome.is_ok() && node.logged("may still be assigned")),
            Some(expected) => assert_eq!(code(&outcome, Attempt::Stop), expected),
        }
        assert!(!node.on_device(), "{on_stop}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_ec2_silent_metadata_that_do_not_show_it_end_the_wait() {
    let node = Node::new().settled().await;
    node.lose_to(2);
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    let began = Instant::now();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_the_order_is_no_failure() {
    let node = Node::new().settled().await;
    node.ec2.fail_once("UnassignPrivateIpAddresses", Ec2Fault::Silent, Strike::After);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.ec2.private_holder(VIP), None);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_while_it_is_here_is_an_error() {
    for fault in [Ec2Fault::Denied, Ec2Fault::Credentials] {
        let node = Node::new().settled().await;
        node.ec2.fail("*", fault, Strike::Before);
        assert_eq!(code(&node.stop().await, Attempt::Stop), ExitCode::Generic, "{fault:?}");
        assert!(!node.on_device(), "the kernel's half is done all the same");
        node.imds.show_private(MAC, VIP, false);
        tokio::time::advance(Duration::from_secs(130)).await;
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{fault:?}");
    }
}

/// [stop-7]
#[tokio::test(start_paused = true)]
async fn leave_keeps_the_assignment_and_is_believed_until_the_next_start() {
    let node = Node::new().with("on_stop", "leave").settled().await;
    let before = node.ec2.calls().len();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.holds(1) && !node.on_device() && node.calls_since(before).is_empty());
    assert!(reason(node.monitor().await).contains("on_stop=leave"));
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
}

#[tokio::test(start_paused = true)]
async fn a_kernel_that_refuses_fails_the_stop_but_ec2_is_told() {
    let node = Node::new().settled().await;
    node.network.set_broken(true);
    assert_eq!(code(&node.stop().await, Attempt::Stop), ExitCode::Generic);
    assert_eq!(node.ec2.private_holder(VIP), None);
}

/// [stop-10]
#[tokio::test(start_paused = true)]
async fn a_primary_address_is_never_taken_off() {
    let node = Node::new().with("secondary_private_ip", "10.0.0.1");
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.ec2.private_holder("10.0.0.1").is_some());
    assert!(node.network.device_with("10.0.0.1").is_some(), "its own address stays on the device");
    node.imds.set_silent(true);
    node.stop().await.unwrap();
    assert!(node.network.device_with("10.0.0.1").is_some(), "also where nobody says that it is its own");
}

#[tokio::test(start_paused = true)]
async fn off_ec2_there_is_nothing_to_let_go() {
    let mut node = Node::new().with("on_stop", "strict");
    node.world.host.ec2 = false;
    node.imds.set_silent(true);
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
}

/// [stale-3]
#[tokio::test(start_paused = true)]
async fn a_late_describe_right_after_a_start_does_not_end_a_strict_stop() {
    let node = Node::new().with("on_stop", "strict").started().await;
    node.ec2.free_private(VIP);
    node.ec2.freeze_enis(3);
    node.ec2.give_private(VIP, &eni(1));
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.ec2.private_holder(VIP), None);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_cut_itself_off_by_letting_go_sees_it_when_the_time_is_up() {
    let node = Node::new().with("on_stop", "strict").settled().await;
    node.ec2.fail_once("UnassignPrivateIpAddresses", Ec2Fault::Silent, Strike::After);
    // The answer was lost, and the order that is sent again never comes back.
    node.ec2.fail("UnassignPrivateIpAddresses", Ec2Fault::Silent, Strike::Hang);
    node.imds.show_private(MAC, VIP, false);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.phase(), Some(Phase::Stopped));
}

#[tokio::test(start_paused = true)]
async fn an_interface_that_ec2_has_just_forgotten_does_not_fail_a_stop() {
    let node = Node::new().started().await;
    node.imds.attach(Interface {
        mac: "02:00:00:00:00:07".parse().unwrap(),
        id: eni(7).parse().unwrap(),
        private_ips: vec!["10.0.0.7".parse().unwrap()],
    });
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.ec2.private_holder(VIP), None);
}

#[tokio::test(start_paused = true)]
async fn with_the_metadata_silent_the_record_says_which_instance_this_is() {
    let node = Node::new().settled().await;
    node.imds.set_silent(true);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.ec2.private_holder(VIP), None);
}
