//! The kernel's half: the address on the network device.

use super::*;

/// [start-9] [stop-9]
#[tokio::test(start_paused = true)]
async fn the_device_has_the_address_only_while_ec2_has_given_it_to_this_node() {
    let account = account();
    let ec2_shows = |node: &PrivateNode| (node.holds(1), node.network().done());
    account.fail_once("AssignPrivateIpAddresses", FaultKind::Delay(Duration::from_secs(2)));
    let node = PrivateNode::on(&account, 1);
    let (started, before) = tokio::join!(node.start(), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        ec2_shows(&node)
    });
    assert_eq!((started.unwrap(), before), (Report::Done, (false, vec![])), "EC2 is first");
    assert_eq!(node.network().done(), [format!("add {VIP}/24 dev eth0"), format!("announce {VIP} dev eth0")]);

    account.fail_once("UnassignPrivateIpAddresses", FaultKind::Delay(Duration::from_secs(2)));
    let (stopped, between) = tokio::join!(node.stop(), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        (node.holds(1), node.device())
    });
    assert_eq!((stopped.unwrap(), between), (Report::Done, (true, None)), "the device is first");
    assert_eq!(Private::holder(&account), None);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_only_the_device_lost_is_added_again_without_a_call() {
    let node = PrivateNode::on(&account(), 1).settled().await;
    node.network().lose(VIP);
    node.account.clear_calls();
    let node = node.started().await;
    assert_eq!(node.device().as_deref(), Some("eth0"));
    assert_eq!((node.account.calls().len(), node.sent("Describe")), (1, 1));
}

/// [monitor-6]
#[tokio::test(start_paused = true)]
async fn an_address_that_no_device_answers_for_is_not_here() {
    let node = PrivateNode::on(&account(), 1).settled().await;
    node.network().set_up("eth0", false);
    assert!(reason(node.monitor().await).contains("its device eth0 is down"));
    // As after a reboot.
    node.network().lose(VIP);
    assert!(reason(node.monitor().await).contains("on none of its network devices"));
    assert!(reason(node.probe().await).contains("on none of its network devices"));
}

#[tokio::test(start_paused = true)]
async fn a_leftover_on_a_device_is_a_warning_of_the_probe_and_stays() {
    let node = PrivateNode::on(&account(), 1).settled().await;
    Private::give(&node.account, 2);
    let node = node.probed().await;
    assert!(node.device().is_some());
    assert!(node.logged("stopping the resource removes it"));
}

#[tokio::test(start_paused = true)]
async fn an_interface_without_a_device_or_room_for_the_label_is_refused_before_the_call() {
    // With "eth0:", one more than the kernel takes.
    let node = PrivateNode::on(&account(), 1).with("iflabel", "eleven-char");
    assert_eq!(code(&node.start().await, Action::Start), ExitCode::Args);
    let node = PrivateNode::on(&account(), 1).with("interface", "1");
    attach(&node.account, "10.0.0.7");
    assert!(matches!(node.start().await, Err(Error::NoDeviceFor(_))));
    assert_eq!(node.account.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_label_stands_behind_the_device() {
    let node = PrivateNode::on(&account(), 1).with("iflabel", "ten-chars.").started().await;
    assert_eq!(node.network().done()[0], format!("add {VIP}/24 dev eth0 label eth0:ten-chars."));
}

#[tokio::test(start_paused = true)]
async fn of_devices_with_one_hardware_address_the_one_in_use_gets_it() {
    let node = PrivateNode::on(&account(), 1);
    node.network().plug("br0", "02:00:00:00:00:01", &[]);
    node.network().lose(OWN);
    node.network().plug("br1", "02:00:00:00:00:01", &[OWN]);
    assert_eq!(node.started().await.device().as_deref(), Some("br1"));
}

#[tokio::test(start_paused = true)]
async fn with_add_to_device_off_the_device_is_left_alone() {
    let node = PrivateNode::on(&account(), 1).with("add_to_device", "false").settled().await;
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    node.stop().await.unwrap();
    assert_eq!((Private::holder(&node.account), node.network().done()), (None, vec![]));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_another_tool_put_on_another_device_stays_there() {
    let node = PrivateNode::on(&account(), 1);
    node.network().plug("eth1", "02:00:00:00:00:09", &[VIP]);
    let node = node.started().await;
    assert_eq!(node.device().as_deref(), Some("eth1"));
    assert!(node.logged("is already on eth1"));
}

/// [monitor-6] Nothing answers on a device that is down.
#[tokio::test(start_paused = true)]
async fn an_address_on_another_device_that_is_down_is_added_to_the_own_one() {
    let node = PrivateNode::on(&account(), 1);
    node.network().plug("eth1", "02:00:00:00:00:09", &[VIP]);
    node.network().set_up("eth1", false);
    let node = node.started().await;
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
}

#[tokio::test(start_paused = true)]
async fn a_kernel_that_refuses_fails_start_and_stop_but_the_stop_releases_the_address_in_ec2() {
    let node = PrivateNode::on(&account(), 1).settled().await;
    node.network().set_broken(true);
    assert_eq!(code(&node.stop().await, Action::Stop), ExitCode::Generic);
    assert_eq!(Private::holder(&node.account), None);
    assert_eq!(code(&node.start().await, Action::Start), ExitCode::Generic);
}
