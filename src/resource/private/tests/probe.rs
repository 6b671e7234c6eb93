//! `monitor` without interval.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_standby_asks_nobody_but_the_metadata_service() {
    let node = Node::new();
    node.ec2.give_private(VIP, &eni(2));
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
    assert!(node.ec2.calls().is_empty());
    assert!(!node.logged("WARN"), "{:?}", node.world.log.lines());
}

#[tokio::test(start_paused = true)]
async fn a_holder_is_found() {
    let node = Node::new().settled().await;
    let before = node.ec2.calls().len();
    assert_eq!(node.probe().await.unwrap(), Report::Done);
    assert!(node.calls_since(before).is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_a_reboot_ec2_alone_has_it_and_that_is_not_running() {
    let node = Node::new().settled().await;
    node.network.lose(VIP);
    assert!(reason(node.probe().await).contains("none of its network devices"));
}

#[tokio::test(start_paused = true)]
async fn a_leftover_on_a_device_is_a_warning_and_stays() {
    let node = Node::new().settled().await;
    node.lose_to(2);
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
    assert!(node.on_device());
    assert!(node.logged("a stop of the resource takes it off"));
}

/// [probe-4]
#[tokio::test(start_paused = true)]
async fn silence_is_not_running_with_a_warning() {
    let node = Node::new().settled().await;
    node.imds.set_silent(true);
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Before);
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
    assert!(node.logged("could not tell who holds"));
}

#[tokio::test(start_paused = true)]
async fn a_settling_probe_asks_ec2_but_not_for_long() {
    let node = Node::new().started().await;
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Hang);
    let began = Instant::now();
    assert_eq!(node.probe().await.unwrap(), Report::Done);
    assert!(began.elapsed() <= Duration::from_secs(6), "{:?}", began.elapsed());
}
