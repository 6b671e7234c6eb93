//! `start` and `migrate_from`.

use super::*;

/// [start-9]
#[tokio::test(start_paused = true)]
async fn a_free_address_is_assigned_first_and_put_on_the_device_second() {
    let node = Node::new().started().await;
    assert!(node.holds(1) && node.on_device());
    assert_eq!(node.phase(), Some(Phase::Started));
    assert_eq!(node.network.done(), [format!("add {VIP}/24 dev eth0"), format!("announce {VIP} dev eth0")]);
    assert!(node.logged("moved from nobody to"), "{:?}", node.world.log.lines());
    assert_eq!(node.world.records.durable().history.len(), 1);
    assert_eq!(node.world.records.durable().region.as_deref(), Some("eu-west-1"));
}

/// [start-1]
#[tokio::test(start_paused = true)]
async fn a_second_start_writes_nothing() {
    let node = Node::new().settled().await;
    let (before, done) = (node.ec2.calls().len(), node.network.done().len());
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert_eq!(node.calls_since(before), [format!("DescribeNetworkInterfaces {VIP}")]);
    assert_eq!(node.network.done().len(), done);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_only_the_device_lost_is_put_back_without_an_order() {
    let node = Node::new().settled().await;
    node.network.lose(VIP);
    let before = node.ec2.calls().len();
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.on_device());
    assert_eq!(node.calls_since(before).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn it_is_taken_from_the_holder_who_is_named() {
    let node = Node::new();
    node.ec2.give_private(VIP, &eni(2));
    node.ec2.put_public(VIP, PUBLIC);
    let node = node.started().await;
    assert!(node.holds(1));
    assert!(node.logged(&format!("moved from {} ({}) to {} ({})", instance(2), eni(2), instance(1), eni(1))));
    assert!(node.logged(&format!("Elastic IP {PUBLIC} moves with {VIP}")));
}

#[tokio::test(start_paused = true)]
async fn an_elastic_ip_is_told_from_the_metadata_where_ec2_was_not_asked_who_held_it() {
    let node = Node::new().started().await;
    node.imds.show(PUBLIC, VIP);
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.logged(&format!("Elastic IP {PUBLIC} moves with {VIP}")));
    assert!(node.logged("is here according to instance metadata alone"));
}

#[tokio::test(start_paused = true)]
async fn metadata_that_confirm_are_enough_and_are_waited_for() {
    let node = Node::new();
    let began = Instant::now();
    let imds = node.imds.clone();
    let late = async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        imds.show_private(MAC, VIP, true);
    };
    let (outcome, ()) = tokio::join!(node.start(), late);
    assert_eq!(outcome.unwrap(), Report::Done);
    assert!(began.elapsed() >= Duration::from_secs(2) && began.elapsed() < Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn metadata_that_stay_behind_do_not_hold_up_what_ec2_shows() {
    let node = Node::new();
    let began = Instant::now();
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(began.elapsed() >= Duration::from_secs(5) && began.elapsed() < Duration::from_secs(8));
    assert!(node.logged("instance metadata has not caught up"));
}

#[tokio::test(start_paused = true)]
async fn metadata_that_showed_it_before_the_order_confirm_nothing() {
    let node = Node::new();
    node.ec2.give_private(VIP, &eni(2));
    node.imds.show_private(MAC, VIP, true);
    // Both what the start finds and the first look after the order are from before it.
    node.ec2.freeze_enis(3);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    let describes = node.ec2.calls().iter().filter(|call| call.starts_with("Describe")).count();
    assert!(describes >= 4, "{:?}", node.ec2.calls());
    assert!(node.holds(1));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_nobody_confirms_is_an_error() {
    let node = Node::new();
    node.ec2.freeze_enis(1000);
    let outcome = node.start().await;
    assert!(matches!(outcome, Err(Error::Unconfirmed { .. })), "{outcome:?}");
    assert_eq!(code(&outcome, Attempt::Start), ExitCode::Generic);
}

#[tokio::test(start_paused = true)]
async fn another_subnet_is_refused_before_anybody_is_asked() {
    let node = Node::new().with("secondary_private_ip", "10.0.1.100");
    let outcome = node.start().await;
    assert_eq!(code(&outcome, Attempt::Start), ExitCode::Args);
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "10.0.1.100 is not in this node's subnet 10.0.0.0/24: a subnet lies in one zone; \
         use ocf:heartbeat:eip across zones"
    );
    assert!(node.ec2.calls().is_empty() && node.network.done().is_empty());
}

#[tokio::test(start_paused = true)]
async fn another_subnet_that_only_ec2_knows_of_is_the_same_refusal() {
    let node = Node::new();
    node.ec2.fail("AssignPrivateIpAddresses", Ec2Fault::Target, Strike::Before);
    let outcome = node.start().await;
    assert_eq!(code(&outcome, Attempt::Start), ExitCode::Args);
}

#[tokio::test(start_paused = true)]
async fn a_primary_address_never_moves() {
    for (address, whose) in [("10.0.0.1", "this node's"), ("10.0.0.2", &instance(2))] {
        let node = Node::new().with("secondary_private_ip", address);
        let outcome = node.start().await;
        assert_eq!(code(&outcome, Attempt::Start), ExitCode::Args);
        let text = outcome.unwrap_err().to_string();
        assert!(text.starts_with(&format!("{address} is the primary address of {whose}")), "{text}");
        assert!(node.network.done().is_empty());
    }
}

/// [start-8]
/// [stop-10]
#[tokio::test(start_paused = true)]
async fn the_own_address_of_another_interface_is_refused_and_the_stop_leaves_it_on_its_device() {
    let node = Node::new();
    let mac = "02:00:00:00:00:07";
    node.ec2.add_eni(&instance(1), &eni(7), SUBNET, VIP);
    let private_ips = vec![VIP.parse().unwrap()];
    node.imds.attach(Interface { mac: mac.parse().unwrap(), id: eni(7).parse().unwrap(), private_ips });
    node.network.plug("eth1", mac, &[VIP]);
    let refused = node.start().await;
    assert_eq!(code(&refused, Attempt::Start), ExitCode::Args);
    assert!(refused.unwrap_err().to_string().contains(&eni(7)));
    assert_eq!(orders(&node), 0);
    assert_eq!((node.phase(), node.world.records.volatile().interface), (None, None), "nothing is recorded");
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.network.device_with(VIP).as_deref(), Some("eth1"));
}

#[tokio::test(start_paused = true)]
async fn without_reassignment_a_holder_keeps_it() {
    let node = Node::new().with("allow_reassignment", "false");
    node.ec2.give_private(VIP, &eni(2));
    let outcome = node.start().await;
    assert_eq!(code(&outcome, Attempt::Start), ExitCode::Generic);
    assert!(outcome.unwrap_err().to_string().contains(&instance(2)));
    assert!(node.holds(2) && !node.on_device());
    node.ec2.free_private(VIP);
    assert_eq!(node.start().await.unwrap(), Report::Done);
}

/// [time-5]
#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_after() {
    let node = Node::new().with("allow_reassignment", "false");
    node.ec2.fail_once("AssignPrivateIpAddresses", Ec2Fault::Silent, Strike::After);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.holds(1) && node.on_device());
}

#[tokio::test(start_paused = true)]
async fn refusals_are_told_apart_by_their_exit_codes() {
    let rows = [
        (Ec2Fault::Denied, ExitCode::Permission),
        (Ec2Fault::Credentials, ExitCode::Permission),
        (Ec2Fault::Target, ExitCode::Args),
        (Ec2Fault::Throttled, ExitCode::Generic),
        (Ec2Fault::Silent, ExitCode::Generic),
        (Ec2Fault::Refused, ExitCode::Generic),
    ];
    for (fault, expected) in rows {
        let node = Node::new();
        node.ec2.fail("*", fault, Strike::Before);
        assert_eq!(code(&node.start().await, Attempt::Start), expected, "{fault:?}");
        assert!(!node.on_device(), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_that_ends_in_time_is_no_failure() {
    let node = Node::new();
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    let ec2 = node.ec2.clone();
    let back = async move {
        tokio::time::sleep(Duration::from_secs(6)).await;
        ec2.recover();
    };
    let (outcome, ()) = tokio::join!(node.start(), back);
    assert_eq!(outcome.unwrap(), Report::Done);
}

#[tokio::test(start_paused = true)]
async fn with_the_metadata_silent_what_was_right_before_will_do() {
    let node = Node::new().settled().await;
    node.stop().await.unwrap();
    node.imds.set_silent(true);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.holds(1) && node.on_device());
    let node = Node::new();
    node.imds.set_silent(true);
    assert_eq!(code(&node.start().await, Attempt::Start), ExitCode::Generic);
}

#[tokio::test(start_paused = true)]
async fn off_ec2_there_is_nothing_to_start() {
    let mut node = Node::new();
    node.world.host.ec2 = false;
    node.imds.set_silent(true);
    assert_eq!(code(&node.start().await, Attempt::Start), ExitCode::Installed);
}

#[tokio::test(start_paused = true)]
async fn an_interface_without_a_device_is_refused_before_the_order() {
    for (name, value) in [("interface", "eth7"), ("interface", "02:00:00:00:00:77")] {
        let node = Node::new().with(name, value);
        assert_eq!(code(&node.start().await, Attempt::Start), ExitCode::Args, "{value}");
        assert!(node.ec2.calls().is_empty());
    }
    let node = Node::new().with("iflabel", "thirteen-char");
    assert_eq!(code(&node.start().await, Attempt::Start), ExitCode::Args);
    assert!(node.ec2.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_label_stands_behind_the_device() {
    let node = Node::new().with("iflabel", "web");
    node.start().await.unwrap();
    assert_eq!(node.network.done()[0], format!("add {VIP}/24 dev eth0 label eth0:web"));
}

#[tokio::test(start_paused = true)]
async fn of_devices_with_one_hardware_address_the_one_in_use_gets_it() {
    let node = Node::new();
    node.network.plug("br0", MAC, &[]);
    node.network.lose("10.0.0.1");
    node.network.plug("br1", MAC, &["10.0.0.1"]);
    node.start().await.unwrap();
    assert_eq!(node.network.device_with(VIP).as_deref(), Some("br1"));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_somebody_elses_business_is_left_alone() {
    let node = Node::new().with("add_to_device", "false").settled().await;
    assert!(node.holds(1) && node.network.done().is_empty());
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    node.stop().await.unwrap();
    assert!(node.network.done().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_address_that_another_tool_put_on_another_device_stays_there() {
    let node = Node::new();
    node.network.plug("eth1", "02:00:00:00:00:09", &[VIP]);
    node.start().await.unwrap();
    assert_eq!(node.network.device_with(VIP).as_deref(), Some("eth1"));
    assert!(node.logged("is on eth1 already"));
}

#[tokio::test(start_paused = true)]
async fn a_kernel_that_refuses_is_an_error() {
    let node = Node::new();
    node.network.set_broken(true);
    let outcome = node.start().await;
    assert_eq!(code(&outcome, Attempt::Start), ExitCode::Generic);
}

#[tokio::test(start_paused = true)]
async fn a_migration_takes_it_in_one_call_while_the_source_still_holds_it() {
    let source = Node::new().settled().await;
    assert_eq!(source.run(Action::MigrateTo).await.unwrap(), Report::Done);
    assert!(source.holds(1) && source.on_device());
    source.lose_to(2);
    assert!(matches!(source.run(Action::MigrateTo).await, Err(Error::NotHeld(_))));
    let target = Node::new();
    target.ec2.give_private(VIP, &eni(2));
    assert_eq!(target.run(Action::MigrateFrom).await.unwrap(), Report::Done);
    assert!(target.holds(1));
}

/// Does something as soon as node 1 holds the address.
async fn once_held(ec2: FakeEc2, then: impl FnOnce(&FakeEc2)) {
    while ec2.private_holder(VIP) != Some(eni(1)) {
        tokio::task::yield_now().await;
    }
    then(&ec2);
}

fn orders(node: &Node) -> usize {
    node.ec2.calls().iter().filter(|call| call.starts_with("Assign")).count()
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_answer_was_lost_is_not_sent_again_once_a_later_start_has_taken_the_address() {
    for before in [None, Some(3)] {
        let node = Node::new();
        if let Some(before) = before {
            node.ec2.give_private(VIP, &eni(before));
        }
        node.ec2.fail_once("AssignPrivateIpAddresses", Ec2Fault::Silent, Strike::After);
        let taken = once_held(node.ec2.clone(), |ec2| ec2.give_private(VIP, &eni(2)));
        let (outcome, ()) = tokio::join!(node.start(), taken);
        let error = outcome.unwrap_err();
        assert!(
            matches!(&error, Error::TakenMeanwhile { holder, .. } if holder.contains(&instance(2))),
            "{error}"
        );
        assert!(node.holds(2) && !node.on_device());
        assert_eq!(orders(&node), 1, "held before: {before:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_was_lost_on_its_way_is_sent_again() {
    for before in [None, Some(2)] {
        let node = Node::new();
        if let Some(before) = before {
            node.ec2.give_private(VIP, &eni(before));
        }
        node.ec2.fail_once("AssignPrivateIpAddresses", Ec2Fault::Silent, Strike::Before);
        assert_eq!(node.start().await.unwrap(), Report::Done);
        assert!(node.holds(1));
        assert_eq!(orders(&node), 2, "held before: {before:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_answer_was_lost_for_good_is_told_by_the_metadata() {
    let node = Node::new();
    node.ec2.fail_once("AssignPrivateIpAddresses", Ec2Fault::Silent, Strike::After);
    let (ec2, imds) = (node.ec2.clone(), node.imds.clone());
    let cut = async move {
        // A look and the order are under way.
        while ec2.calls().len() < 2 {
            tokio::task::yield_now().await;
        }
        ec2.fail("*", Ec2Fault::Silent, Strike::Hang);
        imds.show_private(MAC, VIP, true);
    };
    let ((), outcome) = tokio::join!(biased; cut, node.start());
    assert_eq!(outcome.unwrap(), Report::Done);
    assert!(node.on_device() && node.logged("is here according to instance metadata"));
}

#[tokio::test(start_paused = true)]
async fn the_refusal_before_is_named_where_the_time_runs_out_during_an_attempt() {
    let node = Node::new();
    node.ec2.fail_once("AssignPrivateIpAddresses", Ec2Fault::Silent, Strike::Before);
    node.ec2.fail("AssignPrivateIpAddresses", Ec2Fault::Silent, Strike::Hang);
    let error = node.start().await.unwrap_err().to_string();
    assert!(error.ends_with("no answer in time, Silent before"), "{error}");
}
