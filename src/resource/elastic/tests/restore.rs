//! Putting displaced addresses back at boot.

use super::*;
use crate::resource::elastic::{Known, Left, restore};
use crate::state::Displaced;

/// Returns node 1 after a boot, with an address on record that had to make way when it ran the resource.
fn after_boot() -> Node {
    let node = Node::new().with_record();
    node.ec2.allocate(OTHER, OTHER_ALLOCATION);
    node.world.records.durable.borrow_mut().displaced.push(Displaced {
        public_ip: OTHER.parse().unwrap(),
        interface: target(1).interface,
        private_ip: target(1).private_ip,
        put_back: false,
        sent: None,
    });
    node
}

async fn restored(node: &Node, timeout: u64) -> Vec<Left> {
    let Parts { ec2, imds, host, records, log } = &node.world;
    let (ec2, imds, host) = (ec2.clone(), imds.clone(), host.clone());
    let world = Parts { ec2, imds, host, records: records.clone(), log: log.clone() };
    let resources = [Known { world, params: Params::parse(&node.params).unwrap() }];
    let deadline = Deadline::new(Instant::now(), Duration::from_secs(timeout));
    let left = restore(&resources, &deadline).await;
    assert!(deadline.with_grace().left() > Duration::ZERO);
    left
}

fn is_back(node: &Node) -> bool {
    node.ec2.holder(OTHER).is_some_and(|holder| holder.interface == Some(target(1).interface))
}

#[tokio::test(start_paused = true)]
async fn an_address_comes_back_when_the_peer_has_ours() {
    let node = after_boot();
    node.ec2.give(EIP, &target(2));
    assert!(restored(&node, 60).await.is_empty());
    assert!(is_back(&node) && node.holds(2));
    let calls = node.ec2.calls().len();
    assert!(restored(&node, 60).await.is_empty());
    assert_eq!(node.ec2.calls().len(), calls, "nothing is left to do");
}

#[tokio::test(start_paused = true)]
async fn ours_is_not_pushed_off_by_what_made_way_for_it() {
    // The node was down for a moment only. Also where the metadata do not show it.
    for shown in [true, false] {
        let node = after_boot();
        node.ec2.give(EIP, &target(1));
        if shown {
            node.imds.show(EIP, "10.0.1.10");
        }
        assert!(restored(&node, 60).await.is_empty());
        assert!(node.holds(1) && !is_back(&node));
        assert_eq!(node.world.records.durable().displaced.len(), 1, "it comes back when ours goes");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_touched_while_the_resource_runs() {
    let node = after_boot();
    node.start().await.unwrap();
    node.ec2.free(EIP);
    let calls = node.ec2.calls().len();
    assert!(restored(&node, 60).await.is_empty());
    assert_eq!(node.calls_since(calls), [""; 0]);
}

/// [record-4]
#[tokio::test(start_paused = true)]
async fn a_record_that_came_with_an_image_is_not_acted_on() {
    let image = after_boot();
    image.ec2.give(EIP, &target(1));
    let mut copy = Node::in_account(&image.ec2, 2).with_record();
    copy.world.records = image.world.records.clone();
    assert!(restored(&copy, 60).await.is_empty());
    assert!(image.holds(1), "the original still serves");
    assert_eq!(copy.world.records.durable().displaced, []);
}

/// [target-2]
#[tokio::test(start_paused = true)]
async fn a_place_that_somebody_else_got_is_left_alone_and_said() {
    let node = after_boot();
    node.ec2.allocate("203.0.113.55", "eipalloc-00000000000000055");
    node.ec2.give("203.0.113.55", &target(1));
    node.imds.show("203.0.113.55", "10.0.1.10");
    assert!(restored(&node, 60).await.is_empty());
    assert!(!is_back(&node) && node.ec2.holder("203.0.113.55").is_some());
    assert!(node.logged("203.0.113.55 is on"), "{:?}", node.world.log.lines());
    assert_eq!(node.world.records.durable().displaced, [], "said once");
}

#[tokio::test(start_paused = true)]
async fn silence_is_outlasted() {
    let node = after_boot();
    node.imds.set_silent(true);
    node.ec2.fail("*", Ec2Fault::Silent, Strike::Hang);
    let recovers = async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        node.imds.set_silent(false);
        tokio::time::sleep(Duration::from_secs(15)).await;
        node.ec2.recover();
    };
    let (left, ()) = tokio::join!(restored(&node, 60), recovers);
    assert!(left.is_empty() && is_back(&node), "{left:?}");

    let node = after_boot();
    node.imds.set_silent(true);
    assert_eq!(restored(&node, 60).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn switched_off_it_is_forgotten() {
    let node = after_boot().with("restore_displaced", "false");
    node.start().await.unwrap();
    assert_eq!(node.world.records.durable().displaced, []);
    let node = after_boot().with("restore_displaced", "false");
    node.stop().await.unwrap();
    assert_eq!(node.world.records.durable().displaced, []);
}

#[tokio::test(start_paused = true)]
async fn how_aws_was_reached_is_on_record() {
    let node = Node::new().with("role_arn", "arn:aws:iam::123456789012:role/net");
    node.ec2.allocate(OTHER, OTHER_ALLOCATION);
    node.ec2.give(OTHER, &target(1));
    node.imds.show(OTHER, "10.0.1.10");
    node.start().await.unwrap();
    let durable = node.world.records.durable();
    assert_eq!(durable.displaced.len(), 1);
    assert_eq!(durable.reach.unwrap().role_arn.as_deref(), Some("arn:aws:iam::123456789012:role/net"));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_takes_long_does_not_use_up_the_turn_of_the_next() {
    const SECOND: &str = "203.0.113.98";
    let node = after_boot();
    let place = Target { private_ip: "10.0.1.11".parse().unwrap(), ..target(1) };
    node.ec2.attach(&instance(1), &place);
    let allocation = node.ec2.allocate(SECOND, "eipalloc-00000000000000098");
    node.world.records.durable.borrow_mut().displaced.push(Displaced {
        public_ip: SECOND.parse().unwrap(),
        interface: place.interface,
        private_ip: place.private_ip,
        put_back: false,
        sent: None,
    });
    node.ec2.fail_once("DescribeAddresses", Ec2Fault::Silent, Strike::Hang);
    assert!(restored(&node, 60).await.is_empty());
    let orders: Vec<String> =
        node.ec2.calls().into_iter().filter(|call| call.starts_with("Associate")).collect();
    let expected = [format!("AssociateAddress {allocation}"), format!("AssociateAddress {OTHER_ALLOCATION}")];
    assert_eq!(orders, expected, "the second had its turn while the first was still to be had");
}
