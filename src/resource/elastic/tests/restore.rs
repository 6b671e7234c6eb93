//! `eipctl restore`: displaced addresses are restored at boot.

use std::net::Ipv4Addr;

use super::*;
use crate::resource::elastic::{Known, restore};
use crate::state::Displaced;

/// Node 1 after a boot, with an address on record that it displaced while it ran the resource.
fn after_boot() -> ElasticNode {
    let node = ElasticNode::on(&account(), 1).recorded(EIP, ALLOCATION);
    displaced(&node, OTHER, OWN);
    node
}

fn displaced(node: &ElasticNode, public_ip: &str, private_ip: &str) {
    node.world.records.durable.borrow_mut().displaced.push(Displaced {
        public_ip: public_ip.parse().unwrap(),
        interface: eni(1).parse().unwrap(),
        private_ip: private_ip.parse().unwrap(),
        put_back: false,
        sent: None,
    });
}

async fn restored(node: &ElasticNode) -> Vec<(Ipv4Addr, Error)> {
    let Parts { ec2, imds, host, records, log } = &node.world;
    let (ec2, imds, host) = (ec2.clone(), imds.clone(), host.clone());
    let world = Parts { ec2, imds, host, records: records.clone(), log: log.clone() };
    let deadline = node.request(Action::Start, 60).deadline;
    let left = restore(&[Known { world, params: node.params(), only: None }], &deadline).await;
    assert!(deadline.with_grace().left() > Duration::ZERO);
    left
}

fn is_back(node: &ElasticNode) -> bool {
    node.account.place(OTHER).as_deref() == Some(OWN)
}

#[tokio::test(start_paused = true)]
async fn an_address_comes_back_when_the_peer_has_ours() {
    let node = after_boot();
    node.account.give(EIP, "10.0.0.2");
    assert!(restored(&node).await.is_empty());
    assert!(is_back(&node) && node.holds(2));
    node.account.clear_calls();
    assert!(restored(&node).await.is_empty());
    assert_eq!(node.account.calls(), [""; 0], "nothing is left to do");
}

/// [target-2]
#[tokio::test(start_paused = true)]
async fn ours_is_not_displaced_by_what_it_had_displaced() {
    // The node was down for a moment only. Also if metadata does not show it.
    for shown in [true, false] {
        let node = after_boot();
        if !shown {
            node.account.freeze(Reads::Metadata);
        }
        node.account.give(EIP, OWN);
        assert!(restored(&node).await.is_empty());
        assert!(node.holds(1) && !is_back(&node));
        assert!(node.logged(&format!("{OTHER} waits")), "{:?}", node.world.log.lines());
        assert_eq!(node.displaced().len(), 1, "it comes back when ours goes");
    }
}

/// [ctl-5]
#[tokio::test(start_paused = true)]
async fn nothing_is_touched_while_the_resource_runs() {
    let node = after_boot().started().await;
    node.account.disassociate(EIP);
    node.account.clear_calls();
    assert!(restored(&node).await.is_empty());
    assert_eq!(node.account.calls(), [""; 0]);
    assert_eq!(node.displaced().len(), 1);
}

/// [record-4]
#[tokio::test(start_paused = true)]
async fn a_record_that_came_with_an_image_is_not_acted_on() {
    for firmware in [false, true] {
        let image = after_boot();
        image.account.give(EIP, OWN);
        image.world.records.durable.borrow_mut().instance = instance(1).parse().ok();
        let mut copy = ElasticNode::on(&image.account, 2);
        copy.world.records = image.world.records.clone();
        if firmware {
            copy.world.host.instance = instance(2).parse().ok();
        }
        image.account.clear_calls();
        assert!(restored(&copy).await.is_empty());
        assert!(image.holds(1) && !is_back(&image), "the original still serves");
        assert_eq!(copy.displaced(), []);
        assert_eq!(copy.sent("AssociateAddress"), 0);
    }
}

/// [target-2]
#[tokio::test(start_paused = true)]
async fn a_target_with_another_address_is_left_alone_and_logged() {
    let node = after_boot();
    node.account.give(ADMIN, OWN);
    assert!(restored(&node).await.is_empty());
    assert!(!is_back(&node));
    assert_eq!(node.account.place(ADMIN).as_deref(), Some(OWN));
    assert!(node.logged(&format!("{ADMIN} is on")), "{:?}", node.world.log.lines());
    assert_eq!(node.displaced(), [], "said once");
}

#[tokio::test(start_paused = true)]
async fn silence_and_denials_are_outlasted() {
    for kind in [FaultKind::Hang, denied()] {
        let node = after_boot();
        let metadata = node.account.fail_metadata(FaultKind::Reset);
        node.account.fail_ec2(kind.clone());
        let recovers = async {
            after(20, || node.account.clear_fault(metadata)).await;
            after(15, || node.account.clear_faults()).await;
        };
        let (left, ()) = tokio::join!(restored(&node), recovers);
        assert!(left.is_empty() && is_back(&node), "{}: {left:?}", kind.name());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_back_at_the_deadline_is_named_with_the_cause_and_stays_on_record() {
    for metadata in [true, false] {
        let node = after_boot();
        node.account.fail("AssociateAddress", denied());
        if !metadata {
            node.account.fail_metadata(FaultKind::Reset);
        }
        let left = restored(&node).await;
        let [(public_ip, error)] = left.as_slice() else { panic!("{left:?}") };
        assert_eq!(public_ip.to_string(), OTHER);
        assert_eq!(matches!(error, Error::Ec2(_)), metadata, "{error}");
        assert_eq!(matches!(error, Error::Imds(_)), !metadata, "{error}");
        assert_eq!(node.displaced().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_takes_long_does_not_use_up_the_turn_of_the_next() {
    let node = after_boot();
    displaced(&node, ADMIN, OWN_SECOND);
    node.account.fail_once("DescribeAddresses", FaultKind::Hang);
    assert!(restored(&node).await.is_empty());
    // The last one displaced has the first turn.
    let changes = [OTHER, ADMIN].map(|ip| node.account.elastic_ip_changes(ip).last().unwrap().at);
    assert!(is_back(&node) && node.account.place(ADMIN).as_deref() == Some(OWN_SECOND));
    assert!(changes[0] < changes[1], "the second had its turn while the first was still to be had");
}

/// [target-3] It uses the same lock as a start.
#[tokio::test(start_paused = true)]
async fn a_start_waits_for_the_call_that_a_restore_has_in_flight_for_its_target() {
    let node = with_displaced().await;
    let account = &node.account;
    account.give(EIP, "10.0.0.2");
    // The node has booted: it restores, and a start is requested meanwhile.
    *node.world.records.volatile.borrow_mut() = Volatile::default();
    account.fail_once("AssociateAddress", FaultKind::Delay(Duration::from_secs(3)));
    let later = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        node.start().await
    };
    let (left, started) = tokio::join!(restored(&node), later);
    assert_eq!((left.len(), started.unwrap()), (0, Report::Done));
    advance(Duration::from_secs(30)).await;
    assert!(node.holds(1));
    assert_eq!(account.place(OTHER), None);
    // [displaced-2] The start did not see yet what had just been restored.
    node.stop().await.unwrap();
    assert_eq!(account.place(OTHER).as_deref(), Some(OWN));
}
