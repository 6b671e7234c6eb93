//! Subnet, primary addresses, instance metadata, and the Elastic IP on the address.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_start_waits_some_seconds_for_metadata_that_ec2_is_ahead_of() {
    for (lag, range) in [(2, 2..4), (600, 5..8)] {
        let account = account();
        account.set_lag(Reads::Metadata, Lag::Fixed(Duration::from_secs(lag)));
        minutes(15).await;
        let node = takes(range, PrivateNode::on(&account, 1).started()).await;
        assert_eq!(node.logged("instance metadata has not caught up"), lag > 5);
        assert_eq!(node.world.records.durable().region.as_deref(), Some("eu-west-1"));
    }
}

#[tokio::test(start_paused = true)]
async fn another_subnet_is_refused_before_ec2_is_queried() {
    let node = PrivateNode::on(&account(), 1).with("secondary_private_ip", "10.0.1.100");
    let outcome = node.start().await;
    assert_eq!(code(&outcome, Action::Start), ExitCode::Args);
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "10.0.1.100 is not in this node's subnet 10.0.0.0/24: a subnet lies in one zone; \
         use ocf:heartbeat:eip across zones"
    );
    assert_eq!(node.account.calls(), [""; 0]);
}

/// [imds-2]
#[tokio::test(start_paused = true)]
async fn a_subnet_that_comes_later_than_the_id_of_a_hot_plugged_interface_is_waited_for() {
    let node = PrivateNode::on(&account(), 1);
    let mac = attach(&node.account, "10.0.0.7");
    node.network().plug("eth1", &mac, &["10.0.0.7"]);
    let path = format!("/latest/meta-data/network/interfaces/macs/{mac}/subnet-id");
    let absent = FaultKind::Error { status: 404, code: String::new(), message: String::new() };
    let missing = node.account.fault(Fault::new(Service::Imds, absent).operation(&path));
    let node = node.with("interface", &eni(7));
    let (started, ()) = tokio::join!(node.start(), after(3, || node.account.clear_fault(missing)));
    assert_eq!(started.unwrap(), Report::Done);
    assert!(node.holds(7));
}

/// [stop-10]
#[tokio::test(start_paused = true)]
async fn a_primary_address_never_moves() {
    for (address, whose) in [(OWN, "this node's"), ("10.0.0.2", &instance(2))] {
        let node = PrivateNode::on(&account(), 1).with("secondary_private_ip", address);
        let outcome = node.start().await;
        assert_eq!(code(&outcome, Action::Start), ExitCode::Args);
        let text = outcome.unwrap_err().to_string();
        assert!(text.starts_with(&format!("{address} is the primary address of {whose}")), "{text}");
        assert!(reason(node.monitor().await).contains(address), "it is not the resource");
        let holder = node.account.interface_with(address.parse().unwrap());
        assert_eq!(node.stop().await.unwrap(), Report::Done);
        // Also if nothing says that it is the node's own.
        node.account.fail_metadata(FaultKind::Reset);
        assert_eq!(node.stop().await.unwrap(), Report::Done);
        assert_eq!(node.account.interface_with(address.parse().unwrap()), holder);
        assert_eq!(
            (node.network().device_with(OWN).as_deref(), node.network().done()),
            (Some("eth0"), vec![])
        );
    }
}

/// [start-8] [stop-10]
#[tokio::test(start_paused = true)]
async fn the_primary_address_of_another_interface_is_refused_and_the_stop_leaves_it_on_its_device() {
    let node = PrivateNode::on(&account(), 1);
    let mac = attach(&node.account, VIP);
    node.network().plug("eth1", &mac, &[VIP]);
    let refused = node.start().await;
    assert_eq!(code(&refused, Action::Start), ExitCode::Args);
    assert!(refused.unwrap_err().to_string().contains(&eni(7)));
    assert_eq!(node.sent("AssignPrivateIpAddresses"), 0);
    assert_eq!((node.phase(), node.world.records.volatile().interface), (None, None), "nothing is recorded");
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.device().as_deref(), Some("eth1"));
}

#[tokio::test(start_paused = true)]
async fn an_elastic_ip_on_the_address_is_named_when_it_moves_with_it_and_when_it_is_disassociated() {
    let account = account();
    let moves = format!("Elastic IP {EIP} moves with {VIP}");
    Private::give(&account, 2);
    account.give(EIP, VIP);
    let node = PrivateNode::on(&account, 1).started().await;
    assert!(node.logged(&moves), "according to EC2: {:?}", node.world.log.lines());

    let mut node = node;
    node.world.log = crate::base::log::Log::memory();
    account.fail_ec2(silent());
    let node = node.settled().await;
    assert!(node.logged(&moves), "according to instance metadata: {:?}", node.world.log.lines());

    account.clear_faults();
    node.stop().await.unwrap();
    assert!(node.logged(&format!("this disassociates Elastic IP {EIP} from {VIP}")));
}

#[tokio::test(start_paused = true)]
async fn a_standby_queries_only_instance_metadata() {
    let node = PrivateNode::on(&account(), 1);
    Private::give(&node.account, 2);
    let node = node.probed().await;
    assert_eq!(node.account.calls(), [""; 0]);
    assert!(!node.logged("WARN"), "{:?}", node.world.log.lines());
}
