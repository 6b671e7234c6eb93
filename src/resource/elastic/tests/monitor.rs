//! Recurring `monitor`.

use super::*;

/// [monitor-2] [holder-3]
#[tokio::test(start_paused = true)]
async fn a_settled_node_asks_only_the_metadata_service() {
    let node = Node::new().settled().await;
    let (calls, questions) = (node.ec2.calls().len(), node.imds.questions());
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert!(node.calls_since(calls).is_empty());
    assert_eq!(node.imds.questions() - questions, 3, "which is primary; what it is; the association");
}

/// [stale-8]
#[tokio::test(start_paused = true)]
async fn a_settling_node_asks_ec2_as_well() {
    let node = Node::new();
    node.start().await.unwrap();
    let before = node.ec2.calls().len();
    assert_eq!(node.monitor().await.unwrap(), Report::Done, "the metadata does not show it yet");
    assert_eq!(node.calls_since(before).len(), 1);
}

/// [monitor-1]
#[tokio::test(start_paused = true)]
async fn an_address_that_was_taken_is_told_with_its_holder() {
    let node = Node::new().settled().await;
    node.ec2.give(EIP, &target(2));
    node.imds.hide(EIP);
    assert_eq!(reason(node.monitor().await), format!("{EIP} is held by {} (10.0.2.10)", instance(2)));
    node.ec2.free(EIP);
    assert_eq!(reason(node.monitor().await), format!("{EIP} is associated with nothing"));
}

/// [stale-9]
#[tokio::test(start_paused = true)]
async fn stale_metadata_alone_is_no_reason_for_a_recovery() {
    let node = Node::new().settled().await;
    node.imds.hide(EIP);
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
}

/// [stale-1]
#[tokio::test(start_paused = true)]
async fn a_stale_describe_alone_is_no_reason_for_a_recovery() {
    let node = Node::new();
    node.ec2.give(EIP, &target(2));
    node.ec2.freeze_describes(0);
    node.start().await.unwrap();
    node.imds.show(EIP, "10.0.1.10");
    node.ec2
        .address(EIP, |address| address.association.as_mut().unwrap().interface = Some(target(2).interface));
    node.ec2.address(EIP, |address| address.association.as_mut().unwrap().instance = None);
    node.ec2.freeze_describes(3);
    node.ec2.give(EIP, &target(1));
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
}

#[tokio::test(start_paused = true)]
async fn stale_metadata_does_not_hide_a_loss_while_settling() {
    let node = Node::new();
    node.start().await.unwrap();
    node.imds.show(EIP, "10.0.1.10");
    node.ec2.give(EIP, &target(2));
    let began = Instant::now();
    assert!(reason(node.monitor().await).contains(&instance(2)));
    assert!(began.elapsed() <= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn silent_metadata_is_made_up_for_by_ec2() {
    let node = Node::new().settled().await;
    node.imds.set_silent(true);
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    node.ec2.give(EIP, &target(2));
    assert!(reason(node.monitor().await).contains(&instance(2)));
}

#[tokio::test(start_paused = true)]
async fn metadata_that_comes_back_within_the_budget_ends_the_waiting() {
    let node = Node::new().settled().await;
    node.imds.set_silent(true);
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    let imds = node.imds.clone();
    let back = async move {
        tokio::time::sleep(Duration::from_secs(8)).await;
        imds.set_silent(false);
    };
    let (outcome, ()) = tokio::join!(node.monitor(), back);
    assert_eq!(outcome.unwrap(), Report::Done);
}

/// [monitor-4] [holder-2]
#[tokio::test(start_paused = true)]
async fn two_silent_sources_are_an_error_never_a_loss() {
    let node = Node::new().settled().await;
    node.imds.set_silent(true);
    for fault in [Ec2Fault::Silent, Ec2Fault::Throttled, Ec2Fault::Silent] {
        node.ec2.fail("*", fault, Strike::Before);
        let error = node.monitor().await.unwrap_err();
        assert!(matches!(error, Error::BothSilent { .. }), "{error}");
        node.ec2.recover();
    }
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Hang);
    assert!(node.monitor().await.is_err());
}

/// [monitor-3]
#[tokio::test(start_paused = true)]
async fn a_loss_in_the_metadata_stands_when_ec2_is_silent_to_the_end() {
    let node = Node::new().settled().await;
    node.imds.hide(EIP);
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    let began = Instant::now();
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
    assert!(began.elapsed() > Duration::from_secs(15), "EC2 was given its time");
}

#[tokio::test(start_paused = true)]
async fn denied_permissions_do_not_fail_a_monitor_that_sees_the_address() {
    let node = Node::new().settled().await;
    node.ec2.fail("*", Ec2Fault::Denied, Strike::Before);
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert_eq!(node.run(Action::Monitor { level: 10 }).await.unwrap(), Report::Done);
    assert!(node.logged("EC2 could not confirm it"));
    node.imds.hide(EIP);
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
    node.imds.set_silent(true);
    assert!(matches!(node.monitor().await.unwrap_err(), Error::Ec2(_)));
}

/// [monitor-5]
#[tokio::test(start_paused = true)]
async fn level_ten_asks_ec2_and_ec2_decides() {
    let node = Node::new().settled().await;
    let before = node.ec2.calls().len();
    assert_eq!(node.run(Action::Monitor { level: 10 }).await.unwrap(), Report::Done);
    assert_eq!(node.calls_since(before).len(), 1);
    node.ec2.give(EIP, &target(2));
    for level in [10, 20] {
        assert!(reason(node.run(Action::Monitor { level }).await).contains(&instance(2)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_on_another_private_address_of_the_interface_counts_unless_one_is_configured() {
    let node = Node::new().with("private_ip_address", "10.0.1.10").settled().await;
    node.imds.hide(EIP);
    let elsewhere = Target { private_ip: "10.0.1.11".parse().unwrap(), ..target(1) };
    node.ec2.attach(&instance(1), &elsewhere);
    node.ec2.give(EIP, &elsewhere);
    assert!(reason(node.monitor().await).contains("this node, but on"));
}

#[tokio::test(start_paused = true)]
async fn an_allocation_whose_address_was_never_on_record_is_looked_up() {
    let node = Node::new().without("elastic_ip").with("allocation_id", ALLOCATION);
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
    node.ec2.give(EIP, &target(1));
    node.imds.show(EIP, "10.0.1.10");
    let before = node.ec2.calls().len();
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert!(node.calls_since(before).is_empty(), "its address is on record now");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_cannot_tell_itself_from_others_does_not_report_a_loss() {
    let node = Node::new().without("elastic_ip").with("allocation_id", ALLOCATION);
    node.ec2.give(EIP, &target(1));
    node.imds.set_silent(true);
    assert!(matches!(node.monitor().await.unwrap_err(), Error::Imds(_)));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_ec2_does_not_know_is_not_here_whatever_the_metadata_shows() {
    let node = Node::new().settled().await;
    node.ec2.fail("*", Ec2Fault::Unknown, Strike::Before);
    assert!(matches!(node.run(Action::Monitor { level: 10 }).await.unwrap(), Report::NotHere(_)));
    assert_eq!(node.monitor().await.unwrap(), Report::Done, "level 0 does not ask");
}

#[tokio::test(start_paused = true)]
async fn without_the_device_that_is_configured_nothing_is_in_place() {
    for (name, value) in [("interface", "eth7"), ("private_ip_address", "node2=10.0.2.10")] {
        let node = Node::new().settled().await.with(name, value);
        assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)), "{name}={value}");
    }
}

#[tokio::test(start_paused = true)]
async fn late_metadata_get_their_time_where_ec2_refuses_right_after_a_start() {
    let node = Node::new();
    node.start().await.unwrap();
    node.ec2.fail("*", Ec2Fault::Denied, Strike::Before);
    let imds = node.imds.clone();
    let catching_up = async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        imds.show(EIP, "10.0.1.10");
    };
    let (outcome, ()) = tokio::join!(node.monitor(), catching_up);
    assert_eq!(outcome.unwrap(), Report::Done);
}

#[tokio::test(start_paused = true)]
async fn one_old_denial_before_ec2_falls_silent_does_not_stop_what_the_metadata_show() {
    let node = Node::new().settled().await;
    node.ec2.give(EIP, &target(2));
    node.ec2.freeze_describes(1);
    node.ec2.give(EIP, &target(1));
    let (ec2, before) = (node.ec2.clone(), node.ec2.calls().len());
    let falls_silent = async move {
        while ec2.calls().len() < before + 1 {
            tokio::task::yield_now().await;
        }
        ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    };
    let (outcome, ()) = tokio::join!(node.run(Action::Monitor { level: 10 }), falls_silent);
    assert_eq!(outcome.unwrap(), Report::Done);
    assert!(node.logged("EC2 denied it, then fell silent"), "{:?}", node.world.log.lines());
}

/// [stale-1] [stale-2]
#[tokio::test(start_paused = true)]
async fn one_old_answer_right_after_a_start_is_not_believed_while_the_metadata_are_silent() {
    let node = Node::new();
    node.start().await.unwrap();
    node.imds.show(EIP, "10.0.1.10");
    node.ec2.free(EIP);
    node.ec2.freeze_describes(1);
    node.ec2.give(EIP, &target(1));
    node.imds.set_silent(true);
    let imds = node.imds.clone();
    let back = async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        imds.set_silent(false);
    };
    let (outcome, ()) = tokio::join!(node.monitor(), back);
    assert_eq!(outcome.unwrap(), Report::Done);
}
