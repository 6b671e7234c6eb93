//! Addresses that ours displaces are restored.

use super::*;

/// [displaced-1] [displaced-2] [target-1]
#[tokio::test(start_paused = true)]
async fn a_displaced_address_is_restored_by_the_stop_whatever_metadata_shows_at_the_start() {
    let faults = [None, Some(FaultKind::Reset)];
    for silent in faults {
        let node = with_displaced().await;
        // From here on instance metadata is silent, or shows ours.
        node.account.freeze(Reads::Metadata);
        for _ in 0..3 {
            node.stop().await.unwrap();
            assert_eq!(node.account.place(OTHER).as_deref(), Some(OWN));
            if let Some(kind) = &silent {
                minutes(5).await;
                node.account.fail_metadata(kind.clone());
            }
            assert_eq!(node.start().await.unwrap(), Report::Done);
            assert_eq!(node.account.place(OTHER), None);
            node.account.clear_faults();
        }
        node.stop().await.unwrap();
        assert_eq!(node.account.place(OTHER).as_deref(), Some(OWN));
    }
}

#[tokio::test(start_paused = true)]
async fn our_address_before_a_change_of_the_configuration_is_not_restored() {
    let node = ElasticNode::on(&account(), 1).started().await;
    node.account.freeze(Reads::Metadata);
    node.stop().await.unwrap();
    let node = node.with("elastic_ip", OTHER).started().await;
    node.stop().await.unwrap();
    assert_eq!((node.account.place(EIP), node.account.place(OTHER)), (None, None));
}

/// [displaced-2]
#[tokio::test(start_paused = true)]
async fn a_displaced_address_is_remembered_when_two_resources_take_turns_on_its_target() {
    let first = with_displaced().await;
    let second = ElasticNode::on(&first.account, 1).with("elastic_ip", SECOND).next_to("first", &first);
    let id = first.account.fail("AssociateAddress", denied());
    first.stop().await.unwrap();
    first.account.clear_fault(id);
    let second = second.settled().await;
    assert_eq!(first.account.place(OTHER), None);
    second.stop().await.unwrap();
    assert_eq!(first.account.place(OTHER).as_deref(), Some(OWN));
}

/// [displaced-1] What `eipctl claim` gave to the node is one of its own addresses, in the boot of the claim and later.
#[tokio::test(start_paused = true)]
async fn an_address_that_was_claimed_by_hand_is_displaced_and_restored() {
    let account = account();
    let claim = ElasticNode::on(&account, 1).with("elastic_ip", OTHER).settled().await;
    for rebooted in [false, true] {
        if rebooted {
            claim.world.records.update_volatile(|record| *record = Volatile::default());
        }
        let node = ElasticNode::on(&account, 1).next_to("eipctl-203.0.113.99", &claim).settled().await;
        assert_eq!((account.place(EIP).as_deref(), account.place(OTHER)), (Some(OWN), None));
        node.stop().await.unwrap();
        assert_eq!(account.place(OTHER).as_deref(), Some(OWN), "{rebooted}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_restore_displaced_off_it_is_forgotten() {
    for stopped in [false, true] {
        let node = with_displaced().await.with("restore_displaced", "false");
        let outcome = if stopped {
            node.stop().await
        } else {
            node.account.disassociate(EIP);
            node.start().await
        };
        assert_eq!(outcome.unwrap(), Report::Done);
        assert_eq!((node.displaced(), node.account.place(OTHER)), (vec![], None));
    }
}

#[tokio::test(start_paused = true)]
async fn how_aws_was_reached_is_on_record() {
    let (account, role) = (account(), "arn:aws:iam::123456789012:role/net");
    account.give(OTHER, OWN);
    let node = ElasticNode::on(&account, 1).with("role_arn", role).started().await;
    assert_eq!(node.displaced().len(), 1);
    assert_eq!(node.world.records.durable().reach.unwrap().role_arn.as_deref(), Some(role));
}

/// [displaced-3]
#[tokio::test(start_paused = true)]
async fn a_denied_call_that_restores_an_address_is_repeated_once() {
    let node = with_displaced().await;
    node.account.fail("AssociateAddress", denied());
    node.account.clear_calls();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.sent("AssociateAddress"), 2, "{:?}", node.account.calls());
}

/// As with an automatic public address, which EC2 took back.
#[tokio::test(start_paused = true)]
async fn a_displaced_address_that_the_account_does_not_have_is_dropped_from_the_record() {
    let node = with_displaced().await;
    let automatic = "198.51.100.7".parse().unwrap();
    node.world
        .records
        .durable
        .borrow_mut()
        .displaced
        .iter_mut()
        .for_each(|entry| entry.public_ip = automatic);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.logged("nothing to restore"), "{:?}", node.world.log.lines());
    assert_eq!(node.displaced(), []);
}

/// [displaced-3]
#[tokio::test(start_paused = true)]
async fn a_stop_that_cannot_restore_what_was_displaced_succeeds_and_keeps_it_on_record() {
    for kind in [denied(), FaultKind::Reset, FaultKind::Hang] {
        let node = with_displaced().await;
        node.account.fail("AssociateAddress", kind.clone());
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{}", kind.name());
        assert_eq!(node.account.holder(EIP), None);
        assert!(node.displaced().iter().any(|entry| !entry.put_back), "{}", kind.name());
    }
}

/// [record-4], [target-2]
#[tokio::test(start_paused = true)]
async fn the_stop_of_a_node_made_from_an_image_leaves_the_originals_interface_alone() {
    let original = with_displaced().await;
    let copy = ElasticNode::on(&original.account, 2);
    *copy.world.records.durable.borrow_mut() = original.world.records.durable();
    assert_eq!(copy.stop().await.unwrap(), Report::Done);
    assert!(original.holds(1));
    assert_eq!(original.account.place(OTHER), None);
}

/// [target-2]
#[tokio::test(start_paused = true)]
async fn a_displaced_address_stays_away_from_a_target_that_an_administrator_has_used_meanwhile() {
    let node = with_displaced().await;
    node.account.give(EIP, "10.0.0.2");
    node.account.give(ADMIN, OWN);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.account.place(ADMIN).as_deref(), Some(OWN));
    assert_eq!(node.account.place(OTHER), None);
    assert_eq!(node.displaced(), [], "said once");
}
