//! Probes: a `monitor` before anything was started.

use super::*;

/// [probe-2]
#[tokio::test(start_paused = true)]
async fn a_first_probe_fills_the_record_and_the_next_asks_nobody() {
    let node = Node::new();
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
    assert_eq!(node.world.records.durable().pair.unwrap().allocation.as_str(), ALLOCATION);
    let before = node.ec2.calls().len();
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
    assert!(node.calls_since(before).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_could_not_take_over_says_so_within_two_seconds() {
    let node = Node::new();
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Hang);
    let began = Instant::now();
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
    assert!(began.elapsed() <= Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(node.logged("could not take"), "{:?}", node.world.log.lines());
}

/// [probe-1]
#[tokio::test(start_paused = true)]
async fn an_address_in_sight_is_told_without_ec2() {
    let node = Node::new();
    node.ec2.give(EIP, &target(1));
    node.imds.show(EIP, "10.0.1.10");
    assert_eq!(node.probe().await.unwrap(), Report::Done);
    assert!(node.ec2.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn right_after_a_stop_stale_metadata_is_not_believed() {
    let node = Node::new().settled().await;
    node.stop().await.unwrap();
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)), "the metadata still shows it");
}

#[tokio::test(start_paused = true)]
async fn right_after_a_start_late_metadata_is_not_believed() {
    let node = Node::new();
    node.start().await.unwrap();
    assert_eq!(node.probe().await.unwrap(), Report::Done);
}

/// [probe-4]
#[tokio::test(start_paused = true)]
async fn a_probe_with_everything_silent_says_not_here_and_warns() {
    let node = Node::new();
    node.imds.set_silent(true);
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Hang);
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
    assert!(node.logged("could not tell"));
}

/// [probe-3]
#[tokio::test(start_paused = true)]
async fn silent_metadata_is_made_up_for_by_ec2_where_the_firmware_names_the_instance() {
    let mut node = Node::new();
    node.world.host.instance = instance(1).parse().ok();
    node.ec2.give(EIP, &target(1));
    node.imds.set_silent(true);
    assert_eq!(node.probe().await.unwrap(), Report::Done);
}

/// [probe-5]
#[tokio::test(start_paused = true)]
async fn errors_of_any_kind_are_not_here() {
    for fault in [Ec2Fault::Denied, Ec2Fault::Credentials, Ec2Fault::Unknown, Ec2Fault::Refused] {
        let node = Node::new();
        node.ec2.fail("*", fault, Strike::Before);
        assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_waits_for_nobody_to_agree() {
    let node = Node::new().settled().await;
    node.stop().await.unwrap();
    let began = Instant::now();
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
    assert_eq!(began.elapsed(), Duration::ZERO);
}
