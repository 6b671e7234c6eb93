//! Recurring `monitor`.

use super::*;

/// [monitor-2] [holder-3]
#[tokio::test(start_paused = true)]
async fn a_settled_node_asks_only_the_metadata_service_and_the_kernel() {
    let node = Node::new().settled().await;
    let (calls, questions) = (node.ec2.calls().len(), node.imds.questions());
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert!(node.calls_since(calls).is_empty());
    assert_eq!(node.imds.questions() - questions, 2, "which is primary; what it has");
}

/// [stale-8]
#[tokio::test(start_paused = true)]
async fn a_settling_node_asks_ec2_as_well() {
    let node = Node::new();
    node.start().await.unwrap();
    let before = node.ec2.calls().len();
    assert_eq!(node.monitor().await.unwrap(), Report::Done, "instance metadata has not caught up");
    assert_eq!(node.calls_since(before).len(), 1);
}

/// [monitor-1]
#[tokio::test(start_paused = true)]
async fn an_address_that_was_taken_is_told_with_its_holder() {
    let node = Node::new().settled().await;
    node.lose_to(2);
    let text = reason(node.monitor().await);
    assert_eq!(text, format!("{VIP} is held by {} ({})", instance(2), eni(2)));
    node.ec2.free_private(VIP);
    assert!(reason(node.monitor().await).contains("assigned to no interface"));
}

/// [monitor-6]
#[tokio::test(start_paused = true)]
async fn an_address_that_the_device_lost_is_not_here() {
    let node = Node::new().settled().await;
    node.network.lose(VIP);
    assert!(reason(node.monitor().await).contains("on none of its network devices"));
}

/// [stale-9]
#[tokio::test(start_paused = true)]
async fn stale_metadata_alone_is_no_reason_for_a_recovery() {
    let node = Node::new().settled().await;
    node.imds.show_private(MAC, VIP, false);
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
}

/// [stale-1]
#[tokio::test(start_paused = true)]
async fn a_stale_describe_alone_is_no_reason_for_a_recovery() {
    let node = Node::new();
    node.ec2.give_private(VIP, &eni(2));
    let node = node.started().await;
    node.ec2.give_private(VIP, &eni(2));
    node.ec2.freeze_enis(3);
    node.ec2.give_private(VIP, &eni(1));
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
}

#[tokio::test(start_paused = true)]
async fn stale_metadata_do_not_hide_a_loss_while_settling() {
    let node = Node::new().started().await;
    node.ec2.give_private(VIP, &eni(2));
    let began = Instant::now();
    assert!(reason(node.monitor().await).contains(&instance(2)));
    assert!(began.elapsed() <= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn silent_metadata_are_made_up_for_by_ec2() {
    let node = Node::new().settled().await;
    node.imds.set_silent(true);
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    node.ec2.give_private(VIP, &eni(2));
    assert!(reason(node.monitor().await).contains(&instance(2)));
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
    node.lose_to(2);
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    let began = Instant::now();
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
    assert!(began.elapsed() > Duration::from_secs(15), "EC2 was given its time");
}

#[tokio::test(start_paused = true)]
async fn denied_permissions_do_not_fail_a_monitor_that_sees_the_address() {
    let node = Node::new().settled().await;
    node.ec2.fail("*", Ec2Fault::Denied, Strike::Before);
    assert_eq!(node.run(Action::Monitor { level: 10 }).await.unwrap(), Report::Done);
    assert!(node.logged("EC2 could not confirm it"));
    node.imds.show_private(MAC, VIP, false);
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
    node.imds.set_silent(true);
    assert_eq!(code(&node.monitor().await, Attempt::Monitor), ExitCode::Generic);
}

/// [monitor-5]
#[tokio::test(start_paused = true)]
async fn level_ten_asks_ec2_and_ec2_decides() {
    let node = Node::new().settled().await;
    let before = node.ec2.calls().len();
    assert_eq!(node.run(Action::Monitor { level: 10 }).await.unwrap(), Report::Done);
    assert_eq!(node.calls_since(before).len(), 1);
    node.ec2.give_private(VIP, &eni(2));
    for level in [10, 20] {
        assert!(reason(node.run(Action::Monitor { level }).await).contains(&instance(2)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_nodes_own_address_is_not_the_resource() {
    let node = Node::new().with("secondary_private_ip", "10.0.0.1");
    assert!(reason(node.monitor().await).contains("10.0.0.1"));
}

#[tokio::test(start_paused = true)]
async fn without_the_interface_that_is_configured_nothing_is_in_place() {
    for value in ["eth7", "eni-0000000000000007f"] {
        let node = Node::new().settled().await.with("interface", value);
        assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)), "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_old_denial_before_ec2_falls_silent_does_not_stop_what_the_metadata_show() {
    let node = Node::new().settled().await;
    node.ec2.give_private(VIP, &eni(2));
    node.ec2.freeze_enis(1);
    node.ec2.give_private(VIP, &eni(1));
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
    let node = Node::new().started().await;
    node.ec2.free_private(VIP);
    node.ec2.freeze_enis(2);
    node.ec2.give_private(VIP, &eni(1));
    node.imds.set_silent(true);
    let imds = node.imds.clone();
    let back = async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        imds.set_silent(false);
    };
    let (outcome, ()) = tokio::join!(node.monitor(), back);
    assert_eq!(outcome.unwrap(), Report::Done);
}
