//! `stop`.

use super::*;

/// [stop-2] [stop-3]
async fn our_address_is_released_and_a_second_stop_does_nothing<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!((K::holder(&node.account), node.device()), (None, None));
    assert_eq!((node.phase(), node.changes()), (Some(Phase::Stopped), 2));
    let done = node.world.host.network.done();
    node.account.clear_calls();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(node.account.calls(), [format!("{} {}", K::WORDS.querying, K::OBJECT)]);
    assert_eq!(node.world.host.network.done(), done);
}

/// [stop-1]
async fn a_peers_address_is_not_touched<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    K::give(&node.account, 2);
    node.account.clear_calls();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.holds(2) && node.device().is_none());
    assert_eq!((node.account.calls().len(), node.sent(K::WORDS.querying)), (1, 1), "a query and no call");
}

/// [stop-2] The query shows ours; by the time the call arrives the peer has it.
async fn a_peer_that_takes_over_between_query_and_call_keeps_the_address<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    node.account.pin(Reads::Describes, 1);
    K::give(&node.account, 2);
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.holds(2) && node.device().is_none());
    assert_eq!(node.changes(), 1, "the end of the assignment was not this node's doing");
    assert!(node.logged("had already ended"), "{:?}", node.world.log.lines());
}

/// [start-12] It had waited for half of its budget, or failed and had the node fenced.
async fn the_stop_after_a_refused_start_does_not_wait<K: InMetadata>() {
    for of_all in [false, true] {
        for holder in [None, Some(2)] {
            let account = account();
            if let Some(number) = holder {
                K::give(&account, number);
            }
            let node = Resource::<K>::on(&account, 1).probed().await;
            if of_all {
                account.fail_ec2(denied());
            } else {
                account.fail(K::WORDS.taking, denied());
            }
            assert_eq!(code(&node.start().await, Action::Start), ExitCode::Permission);
            assert_eq!(takes(0..1, node.stop()).await.unwrap(), Report::Done, "{holder:?}");
        }
    }
}

/// [stop-4]
async fn silence_is_success_after_a_quarter_of_the_budget_if_metadata_does_not_show_the_address<
    K: InMetadata,
>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    K::give(&node.account, 2);
    node.account.fail_ec2(silent());
    assert_eq!(takes(0..16, node.run_within(Action::Stop, 60)).await.unwrap(), Report::Done);
}

/// [stop-4] A peer takes the address over meanwhile.
async fn a_stop_in_silence_ends_soon_after_metadata_has_ceased_to_show_the_address<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).with("on_stop", "strict").settled().await;
    node.account.fail_ec2(silent());
    let stopping = takes(20..30, node.run_within(Action::Stop, 60));
    let (outcome, ()) = tokio::join!(stopping, after(20, || K::give(&node.account, 2)));
    assert_eq!(outcome.unwrap(), Report::Done);
}

/// [stop-5] [stop-9]
async fn silence_to_the_deadline_is_what_on_stop_says<K: InMetadata>() {
    for (on_stop, succeeds) in [(K::RELEASES, true), ("strict", false)] {
        let node = Resource::<K>::on(&account(), 1).with("on_stop", on_stop).settled().await;
        node.account.fail_ec2(silent());
        let outcome = node.stop().await;
        assert_eq!(outcome.is_ok(), succeeds, "{on_stop}: {outcome:?}");
        assert_eq!(node.logged(&format!("may still be {} this node", K::WORDS.held)), succeeds);
        if succeeds {
            assert_eq!(node.phase(), Some(Phase::Left), "the next start asks whether it is here");
        } else {
            assert_eq!(code(&outcome, Action::Stop), ExitCode::Generic);
        }
        assert!(node.holds(1) && node.device().is_none(), "{on_stop}");
    }
}

/// [stop-7]
async fn leave_sends_no_query_and_monitors_report_not_here_until_the_next_start<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).with("on_stop", "leave").settled().await;
    node.account.clear_calls();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert!(node.account.calls().is_empty() && node.holds(1) && node.device().is_none());
    assert!(reason(node.monitor().await).contains("on_stop=leave"));
    assert!(reason(node.probe().await).contains("on_stop=leave"));
    let node = node.started().await;
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
}

/// [stop-6]
async fn a_refusal_is_an_error_while_the_address_is_here_and_none_while_it_is_not<K: InMetadata>() {
    for kind in [denied(), rejected()] {
        let node = Resource::<K>::on(&account(), 1).settled().await;
        node.account.fail_ec2(kind.clone());
        assert_eq!(code(&node.stop().await, Action::Stop), ExitCode::Generic, "{kind:?}");
        assert!(node.holds(1) && node.device().is_none());
        K::take_away(&node.account);
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{kind:?}");
    }
}

/// [stop-6] Metadata that does not show the address right after a start proves nothing.
async fn a_refusal_while_metadata_may_be_late_is_an_error<K: InMetadata>() {
    let account = account();
    account.freeze(Reads::Metadata);
    let node = Resource::<K>::on(&account, 1).started().await;
    account.fail_ec2(denied());
    assert_eq!(code(&node.stop().await, Action::Stop), ExitCode::Generic);
    assert!(node.holds(1));
}

async fn credentials_that_are_rejected_for_some_seconds_do_not_fail_a_stop<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    node.account.fail_ec2(rejected());
    let (outcome, ()) = tokio::join!(node.stop(), after(6, || node.account.clear_faults()));
    assert_eq!(outcome.unwrap(), Report::Done);
    assert_eq!(K::holder(&node.account), None);
}

async fn an_address_on_another_interface_of_this_instance_is_released<K: InMetadata>() {
    let account = account();
    attach(&account, "10.0.0.7");
    K::give(&account, 7);
    assert_eq!(Resource::<K>::on(&account, 1).stop().await.unwrap(), Report::Done);
    assert_eq!(K::holder(&account), None);
}

async fn a_missing_device_does_not_hide_the_address_from_a_strict_stop<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).with("on_stop", "strict").settled().await;
    let node = node.with("interface", "eth7");
    node.account.fail_ec2(silent());
    assert!(node.stop().await.is_err());
    node.account.clear_faults();
    assert_eq!(node.stop().await.unwrap(), Report::Done);
    assert_eq!(K::holder(&node.account), None);
}

async fn off_ec2_there_is_nothing_to_release_unless_metadata_answers<K: InMetadata>() {
    for metadata in [false, true] {
        let account = account();
        K::give(&account, 1);
        account.fail_ec2(silent());
        if !metadata {
            account.fail_metadata(FaultKind::Reset);
        }
        let node = Resource::<K>::on(&account, 1).with("on_stop", "strict").off_ec2();
        let outcome = node.stop().await;
        assert_eq!(outcome.is_err(), metadata, "{outcome:?}");
    }
}

/// [stale-3]
async fn a_stop_right_after_a_start_releases_what_replicas_do_not_show_yet<K: InMetadata>() {
    for on_stop in [K::RELEASES, "strict"] {
        let account = account();
        K::give(&account, 2);
        let before = account.elapsed();
        account.freeze(Reads::Metadata);
        let node = Resource::<K>::on(&account, 1).with("on_stop", on_stop).started().await;
        account.freeze_at(Reads::Describes, before);
        let (stopped, ()) = tokio::join!(node.stop(), after(6, || account.thaw(Reads::Describes)));
        assert_eq!(stopped.unwrap(), Report::Done);
        assert_eq!(K::holder(&account), None, "{on_stop}");
    }
}

/// [displaced-4] [stale-3]
async fn a_stop_right_after_a_claim_releases_what_replicas_do_not_show_yet<K: Tested>() {
    let account = account();
    K::give(&account, 2);
    let before = account.elapsed();
    account.freeze(Reads::Metadata);
    let claim = Resource::<K>::on(&account, 1).started().await;
    let node = Resource::<K>::on(&account, 1).next_to("eipctl-claimed", &claim);
    account.freeze_at(Reads::Describes, before);
    let (stopped, ()) = tokio::join!(node.stop(), after(6, || account.thaw(Reads::Describes)));
    assert_eq!(stopped.unwrap(), Report::Done);
    assert_eq!(K::holder(&account), None);
}

/// [time-5] EC2 has carried out the releasing call, whose answer never comes: the call that is sent again is refused, or its
/// answer is lost too.
async fn a_releasing_call_whose_answer_was_lost_has_ended_the_stop<K: InMetadata>() {
    for on_stop in [K::RELEASES, "strict"] {
        for lost in [FaultKind::EffectThenHang, FaultKind::LoseAnswer, FaultKind::TruncatedXml] {
            for (settled, for_ever) in [(false, false), (false, true), (true, false), (true, true)] {
                let account = account();
                let mut node = Resource::<K>::on(&account, 1).with("on_stop", on_stop);
                node.world.ec2 = node.world.ec2.clone().attempt(Duration::from_secs(3));
                let node = if settled { node.settled().await } else { node.started().await };
                if for_ever {
                    account.fail(K::WORDS.releasing, lost.clone());
                    // Instance metadata does not help.
                    account.freeze(Reads::Metadata);
                } else {
                    account.fail_once(K::WORDS.releasing, lost.clone());
                }
                let outcome = node.stop().await;
                let case = format!("{on_stop} {} settled: {settled} {for_ever}", lost.name());
                assert_eq!(outcome.unwrap(), Report::Done, "{case}");
                assert_eq!(K::holder(&account), None, "{case}");
                assert_eq!(node.phase(), Some(Phase::Stopped), "{case}");
            }
        }
    }
}

/// [time-5] A lost answer alone is no success.
async fn a_releasing_call_that_never_arrived_is_sent_again<K: InMetadata>() {
    for kind in [FaultKind::Reset, FaultKind::Garbage] {
        let node = Resource::<K>::on(&account(), 1).settled().await;
        node.account.fail_once(K::WORDS.releasing, kind);
        assert_eq!(node.stop().await.unwrap(), Report::Done);
        assert_eq!((K::holder(&node.account), node.sent(K::WORDS.releasing)), (None, 2));
    }
}

async fn a_release_that_ec2_accepted_and_never_shows_ends_the_stop<K: InMetadata>() {
    for silence in [false, true] {
        let node = Resource::<K>::on(&account(), 1).with("on_stop", "strict").settled().await;
        if silence {
            node.account.fault(fault(K::WORDS.querying, silent()).skip(1));
        } else {
            node.account.freeze(Reads::Describes);
        }
        // A quarter of the budget.
        assert_eq!(takes(3..6, node.stop()).await.unwrap(), Report::Done);
        assert_eq!(K::holder(&node.account), None);
        assert!(node.logged("released, but not confirmed"), "{:?}", node.world.log.lines());
    }
}

/// [time-5] Without the address the node does not reach EC2 any more.
async fn a_node_that_cut_itself_off_from_ec2_by_releasing_the_address_stops<K: InMetadata>() {
    for (on_stop, again) in [(K::RELEASES, silent()), ("strict", silent()), ("strict", FaultKind::Hang)] {
        let node = Resource::<K>::on(&account(), 1).with("on_stop", on_stop).settled().await;
        node.account.fault(fault(K::WORDS.querying, again.clone()).skip(1));
        node.account.fail_once(K::WORDS.releasing, FaultKind::LoseAnswer);
        node.account.fail(K::WORDS.releasing, again);
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{on_stop}");
        assert_eq!(K::holder(&node.account), None);
        assert_eq!(node.phase(), Some(Phase::Stopped), "{on_stop}");
    }
}

async fn the_record_names_the_instance_if_metadata_is_silent<K: InMetadata>() {
    for path in ["/latest/meta-data/instance-id", "/latest/"] {
        for kind in [FaultKind::Hang, FaultKind::Reset] {
            let mut node = Resource::<K>::on(&account(), 1).with("on_stop", "strict").settled().await;
            node.world.imds = node.world.imds.metadata_attempt(Duration::from_secs(1), Duration::ZERO);
            let silence = Fault::new(Service::Imds, kind.clone()).operation(path);
            node.account.fault(silence);
            assert_eq!(node.stop().await.unwrap(), Report::Done, "{path} {}", kind.name());
            assert_eq!(K::holder(&node.account), None);
        }
    }
}

/// [time-3] Firmware or record know what the item says, so EC2 is queried in time.
async fn an_item_of_metadata_that_hangs_is_outlasted<K: InMetadata>() {
    let interface = "/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01";
    for path in [
        "/latest/meta-data/instance-id".to_owned(),
        "/latest/meta-data/mac".to_owned(),
        format!("{interface}/interface-id"),
        format!("{interface}/local-ipv4s"),
        format!("{interface}/subnet-id"),
    ] {
        let node = Resource::<K>::on(&account(), 1).settled().await;
        node.account.fault(Fault::new(Service::Imds, FaultKind::Hang).exactly(&path));
        assert_eq!(takes(0..12, node.stop()).await.unwrap(), Report::Done, "{path}");
        assert_eq!(K::holder(&node.account), None, "{path}");
    }
}

/// [stale-3] In a split cluster both nodes take the address in turns, and each stop would add half of its time to the outage.
async fn a_stop_after_a_monitor_that_found_the_address_gone_does_not_wait_again<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).started().await;
    K::take_away(&node.account);
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
    assert_eq!(takes(0..1, node.stop()).await.unwrap(), Report::Done);
}

/// [imds-1] The configured interface is just being detached, and the address is on another one. Firmware and record name nothing.
async fn an_interface_without_its_items_does_not_hide_the_address_from_a_stop<K: InMetadata>() {
    let account = account();
    let mac = attach(&account, "10.0.0.7");
    let absent = FaultKind::Error { status: 404, code: String::new(), message: String::new() };
    let path = format!("/latest/meta-data/network/interfaces/macs/{mac}/");
    account.fault(Fault::new(Service::Imds, absent).operation(&path));
    K::give(&account, 1);
    let node = Resource::<K>::on(&account, 1).with("interface", &mac);
    assert_eq!(takes(0..1, node.stop()).await.unwrap(), Report::Done);
    assert_eq!(K::holder(&account), None);
}

for_kinds_in_metadata![
    an_interface_without_its_items_does_not_hide_the_address_from_a_stop,
    a_stop_after_a_monitor_that_found_the_address_gone_does_not_wait_again,
    an_item_of_metadata_that_hangs_is_outlasted,
    our_address_is_released_and_a_second_stop_does_nothing,
    a_peers_address_is_not_touched,
    a_peer_that_takes_over_between_query_and_call_keeps_the_address,
    the_stop_after_a_refused_start_does_not_wait,
    silence_is_success_after_a_quarter_of_the_budget_if_metadata_does_not_show_the_address,
    a_stop_in_silence_ends_soon_after_metadata_has_ceased_to_show_the_address,
    silence_to_the_deadline_is_what_on_stop_says,
    leave_sends_no_query_and_monitors_report_not_here_until_the_next_start,
    a_refusal_is_an_error_while_the_address_is_here_and_none_while_it_is_not,
    a_refusal_while_metadata_may_be_late_is_an_error,
    credentials_that_are_rejected_for_some_seconds_do_not_fail_a_stop,
    an_address_on_another_interface_of_this_instance_is_released,
    a_missing_device_does_not_hide_the_address_from_a_strict_stop,
    off_ec2_there_is_nothing_to_release_unless_metadata_answers,
    a_stop_right_after_a_start_releases_what_replicas_do_not_show_yet,
    a_stop_right_after_a_claim_releases_what_replicas_do_not_show_yet,
    a_releasing_call_whose_answer_was_lost_has_ended_the_stop,
    a_releasing_call_that_never_arrived_is_sent_again,
    a_release_that_ec2_accepted_and_never_shows_ends_the_stop,
    a_node_that_cut_itself_off_from_ec2_by_releasing_the_address_stops,
    the_record_names_the_instance_if_metadata_is_silent,
];
