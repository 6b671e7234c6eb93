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

/// [displaced-2] [displaced-4] The resource's own record says that the address has been restored, before the claim.
#[tokio::test(start_paused = true)]
async fn what_a_claim_displaces_again_after_a_stop_has_restored_it_is_restored() {
    for restarted in [false, true] {
        let node = with_displaced().await;
        node.stop().await.unwrap();
        let claim = ElasticNode::on(&node.account, 1).settled().await;
        let node = node.next_to("eipctl-203.0.113.10", &claim);
        if restarted {
            assert_eq!(node.start().await.unwrap(), Report::Done);
        }
        node.stop().await.unwrap();
        assert_eq!(node.account.place(OTHER).as_deref(), Some(OWN), "{restarted}");
    }
}

/// [displaced-2] Instance metadata does not show yet what the other one has restored.
#[tokio::test(start_paused = true)]
async fn what_another_resource_has_just_restored_is_displaced_and_restored() {
    let first = with_displaced().await;
    first.account.freeze(Reads::Metadata);
    first.stop().await.unwrap();
    assert_eq!(first.account.place(OTHER).as_deref(), Some(OWN));
    let second = ElasticNode::on(&first.account, 1).with("elastic_ip", SECOND).next_to("first", &first);
    let second = second.started().await;
    assert_eq!(first.account.place(OTHER), None);
    second.stop().await.unwrap();
    assert_eq!(first.account.place(OTHER).as_deref(), Some(OWN));
}

/// [displaced-2] The answer is from before our address displaced it.
#[tokio::test(start_paused = true)]
async fn one_stale_answer_is_no_proof_that_a_displaced_address_is_back() {
    let account = account();
    account.give(OTHER, OWN);
    let before = account.elapsed();
    let node = ElasticNode::on(&account, 1).started().await;
    account.freeze_at(Reads::Describes, before);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(account.place(OTHER).as_deref(), Some(OWN));
}

/// [displaced-2]
#[tokio::test(start_paused = true)]
async fn of_two_displaced_addresses_the_one_that_was_there_last_is_restored() {
    let node = with_displaced().await;
    let failing = node.account.fail("AssociateAddress", denied());
    node.stop().await.unwrap();
    node.account.clear_fault(failing);
    node.account.give(ADMIN, OWN);
    minutes(5).await;
    assert_eq!(node.start().await.unwrap(), Report::Done);
    node.stop().await.unwrap();
    assert_eq!((node.account.place(ADMIN).as_deref(), node.account.place(OTHER)), (Some(OWN), None));
}

/// [displaced-2]
#[tokio::test(start_paused = true)]
async fn a_displaced_address_is_kept_while_a_claimed_one_is_on_its_target() {
    let node = with_displaced().await;
    let claim = ElasticNode::on(&node.account, 1).with("elastic_ip", SECOND).settled().await;
    let node = node.next_to("eipctl-203.0.113.11", &claim);
    node.stop().await.unwrap();
    assert_eq!(node.account.place(SECOND).as_deref(), Some(OWN));
    assert!(node.displaced().iter().any(|entry| entry.public_ip.to_string() == OTHER));
}

/// Another region or account may have been queried.
#[tokio::test(start_paused = true)]
async fn not_found_with_other_settings_than_before_is_no_reason_to_forget() {
    let node = with_displaced().await;
    node.account.fail("DescribeAddresses", unknown());
    node.world
        .records
        .update_durable(|record| record.reach.as_mut().unwrap().region = Some("eu-north-1".into()));
    node.stop().await.unwrap();
    assert_eq!(node.displaced().len(), 1);
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
