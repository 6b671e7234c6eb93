//! `start`.

use super::*;

async fn a_free_address_is_taken_confirmed_and_recorded<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).started().await;
    assert!(node.holds(1));
    assert_eq!((node.phase(), node.changes()), (Some(Phase::Started), 1));
    assert!(node.logged(&format!("moved from {} to", K::FREE)), "{:?}", node.world.log.lines());
}

/// [start-1]
async fn a_second_start_writes_nothing<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    let done = node.world.host.network.done();
    node.account.clear_calls();
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert_eq!(node.account.calls(), [format!("{} {}", K::WORDS.querying, K::OBJECT)]);
    assert_eq!(node.world.host.network.done(), done);
}

/// [start-1] [alert-3] After a reboot no record of this boot says that the address is here.
async fn a_start_that_finds_the_address_in_its_place_after_a_reboot_is_no_move<K: Tested>() {
    for on_record in [true, false] {
        if on_record && !K::METADATA_KNOWS {
            // The call is sent at once, and the query beside it may show its effect already: see docs/monitoring.md.
            continue;
        }
        let mut node = Resource::<K>::on(&account(), 1).settled().await;
        node.world.host.boot.push_str(", the next");
        if !on_record {
            node.world.records = MemoryRecords::default();
        }
        let before = node.changes();
        let node = node.started().await;
        assert!(node.holds(1) && node.phase() == Some(Phase::Started));
        assert_eq!(node.changes(), before, "on record: {on_record} {:?}", node.world.log.lines());
        assert!(node.logged("is here already"), "{:?}", node.world.log.lines());
    }
}

/// [start-3]
async fn a_takeover_sends_few_calls_and_names_the_previous_holder<K: Tested>() {
    let account = account();
    K::give(&account, 2);
    let node = Resource::<K>::on(&account, 1).probed().await;
    account.clear_calls();
    let node = node.started().await;
    assert!(node.holds(1));
    let calls = account.calls();
    assert_eq!((calls.len(), node.sent(K::WORDS.taking)), (K::TAKEOVER, 1), "{calls:?}");
    let moved = format!("{} moved from {} to {}", K::ADDRESS, K::named(2), K::here());
    assert!(node.logged(&moved), "{:?}", node.world.log.lines());
}

/// [start-3]
async fn a_takeover_on_record_does_not_wait_for_the_query_beside_it<K: Tested>() {
    let account = account();
    K::give(&account, 2);
    let node = Resource::<K>::on(&account, 1).probed().await;
    account.fail_once(K::WORDS.querying, FaultKind::Hang);
    let node = takes(0..1, node.started()).await;
    assert!(node.holds(1));
    assert!(node.logged("moved from an unknown holder to"), "{:?}", node.world.log.lines());
}

/// [start-8]
async fn without_leave_to_take_it_a_holder_keeps_the_address<K: InMetadata>() {
    for on_record in [false, true] {
        let account = account();
        K::give(&account, 2);
        let node = Resource::<K>::on(&account, 1).with(K::WORDS.may_take, "false");
        let node = if on_record { node.probed().await } else { node };
        let outcome = node.start().await;
        assert_eq!(code(&outcome, Action::Start), ExitCode::Generic);
        assert!(
            matches!(&outcome, Err(Error::Held { holder, .. }) if holder.contains(&instance(2))),
            "{outcome:?}"
        );
        assert!(node.holds(2) && node.device().is_none());
        K::take_away(&account);
        assert!(node.started().await.holds(1));
    }
}

/// [time-5] A call that took effect is not sent again, a call that was lost is.
async fn a_taking_call_without_an_answer_is_followed_by_a_query<K: Tested>() {
    for (fault, sent) in [(FaultKind::LoseAnswer, 1), (FaultKind::TruncatedXml, 1), (FaultKind::Reset, 2)] {
        for before in [None, Some(2)] {
            let account = account();
            if let Some(number) = before {
                K::give(&account, number);
            }
            let node = Resource::<K>::on(&account, 1);
            let node = if before.is_none() { node.with(K::WORDS.may_take, "false") } else { node };
            account.fail_once(K::WORDS.taking, fault.clone());
            let node = node.started().await;
            assert!(node.holds(1));
            assert_eq!(node.sent(K::WORDS.taking), sent, "{} held before: {before:?}", fault.name());
        }
    }
}

/// [start-7] The answer to the taking call is lost, and a peer takes the address before the query that follows.
async fn a_start_whose_call_was_overtaken_by_a_peer_does_not_take_the_address_back<K: Tested>() {
    for before in [None, Some(3)] {
        let account = account();
        if let Some(number) = before {
            K::give(&account, number);
        }
        let node = Resource::<K>::on(&account, 1).probed().await;
        account.fail_once(K::WORDS.taking, FaultKind::LoseAnswer);
        let peer = async {
            until(|| node.holds(1)).await;
            K::give(&account, 2);
        };
        let (outcome, ()) = tokio::join!(node.start(), peer);
        assert!(
            matches!(&outcome, Err(Error::TakenMeanwhile { holder, .. }) if holder.contains(&instance(2))),
            "held before: {before:?} {outcome:?}"
        );
        assert!(node.holds(2) && node.device().is_none());
        assert_eq!(node.sent(K::WORDS.taking), 1);
    }
}

async fn throttling_and_outages_are_outlasted<K: Tested>() {
    for kind in [FaultKind::Throttle, silent(), FaultKind::Reset, FaultKind::HtmlProxy(403)] {
        let account = account();
        for operation in [K::WORDS.querying, K::WORDS.taking] {
            account.fault(fault(operation, kind.clone()).times(3));
        }
        assert!(Resource::<K>::on(&account, 1).started().await.holds(1), "{}", kind.name());
    }
}

/// [code-4] [code-5] [code-6] [code-7]
async fn a_refused_start_has_the_exit_code_of_its_cause<K: Tested>() {
    let managed = FaultKind::Error {
        status: 400,
        code: "AuthFailure".to_owned(),
        message: "You do not have permission to access the specified resource.".to_owned(),
    };
    let rows = [
        (denied(), ExitCode::Permission, false),
        (rejected(), ExitCode::Permission, false),
        (FaultKind::code("InvalidParameterValue"), ExitCode::Args, true),
        (managed, ExitCode::Args, true),
        (refused(), ExitCode::Generic, true),
        (FaultKind::Throttle, ExitCode::Generic, false),
        (silent(), ExitCode::Generic, false),
    ];
    for (kind, expected, at_once) in rows {
        let account = account();
        account.fail(K::WORDS.taking, kind.clone());
        let node = Resource::<K>::on(&account, 1);
        let began = Instant::now();
        assert_eq!(code(&node.start().await, Action::Start), expected, "{kind:?}");
        assert_eq!(began.elapsed().is_zero(), at_once, "{kind:?}");
        assert!(!node.holds(1) && node.device().is_none(), "{kind:?}");
    }
}

async fn the_refusal_before_is_named_if_the_time_runs_out_during_an_attempt<K: Tested>() {
    let account = account();
    account.fail_once(K::WORDS.taking, silent());
    account.fail(K::WORDS.taking, FaultKind::Hang);
    let error = Resource::<K>::on(&account, 1).start().await.unwrap_err().to_string();
    assert!(error.ends_with("no answer in time, Unavailable before"), "{error}");
}

/// [start-5]
async fn a_start_waits_until_ec2_shows_the_change<K: Tested>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1).settled().await;
    K::give(&account, 2);
    minutes(3).await;
    account.clear_calls();
    account.pin(Reads::Describes, 6);
    assert_eq!(node.start().await.unwrap(), Report::Done);
    assert!(node.holds(1));
    assert!(node.sent(K::WORDS.querying) > 5, "{:?}", account.calls());
}

/// [start-5] Instance metadata that showed the address before the call proves nothing.
async fn a_call_that_ec2_never_shows_is_an_error<K: Tested>() {
    for shown_before in [false, true] {
        let account = account();
        let node = Resource::<K>::on(&account, 1);
        let node = if shown_before { node.settled().await } else { node };
        account.freeze(Reads::Metadata);
        K::give(&account, 2);
        account.freeze(Reads::Describes);
        let outcome = node.start().await;
        assert!(
            matches!(&outcome, Err(Error::Unconfirmed { shown, .. }) if shown.contains(&instance(2))),
            "{outcome:?}"
        );
        assert_eq!(code(&outcome, Action::Start), ExitCode::Generic);
    }
}

async fn a_query_that_fails_right_after_an_accepted_call_is_repeated<K: Tested>() {
    for kind in [rejected(), unknown()] {
        let account = account();
        let node = Resource::<K>::on(&account, 1).probed().await;
        // The concurrent query, by allocation and then by address, and the first one to confirm.
        account.fault(fault(K::WORDS.querying, kind).times(3));
        assert!(node.started().await.holds(1));
    }
}

/// [start-6]
async fn an_outage_does_not_fail_a_start_that_finds_the_address_here<K: InMetadata>() {
    for started_before in [false, true] {
        let account = account();
        let node = Resource::<K>::on(&account, 1);
        let node = if started_before { node.settled().await } else { node };
        K::give(&account, 1);
        account.fail_ec2(silent());
        let node = node.started().await;
        assert!(node.logged("according to instance metadata alone"), "{:?}", node.world.log.lines());
    }
}

async fn a_call_whose_answer_was_lost_for_good_is_confirmed_by_instance_metadata<K: InMetadata>() {
    let account = account();
    account.fail_once(K::WORDS.taking, FaultKind::LoseAnswer);
    // Before the call EC2 answers.
    account.fault(fault(K::WORDS.querying, silent()).skip(1));
    account.fault(fault(K::WORDS.taking, FaultKind::Hang));
    let node = Resource::<K>::on(&account, 1).started().await;
    assert!(node.logged("is here according to instance metadata"), "{:?}", node.world.log.lines());
}

/// [stale-4]
async fn a_second_start_that_ec2_contradicts_takes_the_address_after_half_of_its_budget<K: Tested>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1).started().await;
    account.freeze(Reads::Metadata);
    // An administrator took it away; for this node it looks like an answer from before its start.
    K::take_away(&account);
    account.clear_calls();
    let node = takes(8..12, node.started()).await;
    assert!(node.holds(1));
    assert_eq!(node.sent(K::WORDS.taking), 1);
}

/// [stale-4] Metadata that is behind shows the address to the end.
async fn a_second_start_takes_the_address_if_ec2_falls_silent_after_a_contradicted_answer<K: Tested>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1).started().await;
    account.freeze(Reads::Metadata);
    K::take_away(&account);
    account.fault(fault(K::WORDS.querying, silent()).skip(1));
    let (outcome, ()) = tokio::join!(node.start(), after(12, || account.clear_faults()));
    assert_eq!(outcome.unwrap(), Report::Done);
    assert!(node.holds(1));
}

/// [start-3] [stale-5]
async fn a_start_right_after_a_start_takes_at_once_what_metadata_no_longer_show<K: InMetadata>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1).started().await;
    K::give(&account, 2);
    let node = takes(0..1, node.started()).await;
    assert!(node.holds(1));
    assert_eq!(node.sent(K::WORDS.taking), 2);
}

/// [stale-5]
async fn a_start_that_two_stale_answers_show_in_place_takes_the_address_all_the_same<K: Tested>() {
    for before in ["nothing", "a stop", "a monitor"] {
        let account = account();
        let node = Resource::<K>::on(&account, 1);
        if before != "nothing" {
            assert_eq!(node.start().await.unwrap(), Report::Done);
            advance(Duration::from_secs(130)).await;
            K::give(&account, 2);
            if before == "a stop" {
                assert_eq!(node.stop().await.unwrap(), Report::Done);
            } else {
                assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
            }
        }
        K::give(&account, 1);
        minutes(10).await;
        account.freeze(Reads::Metadata);
        account.pin(Reads::Describes, 2);
        K::give(&account, 2);
        assert_eq!(node.start().await.unwrap(), Report::Done);
        assert!(node.holds(1), "after {before}");
    }
}

/// [stale-5] EC2 contradicts instance metadata that shows the address in its old place, and then the taking call gets no
/// response.
async fn a_start_without_an_answer_is_no_success_because_late_metadata_shows_the_address<K: InMetadata>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1).started().await;
    minutes(1).await;
    account.freeze(Reads::Metadata);
    K::give(&account, 2);
    account.fail(K::WORDS.taking, silent());
    let outcome = node.start().await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert!(node.holds(2));
}

async fn silent_metadata_is_an_error_at_the_first_start<K: Tested>() {
    let account = account();
    account.fail_metadata(FaultKind::Reset);
    let node = Resource::<K>::on(&account, 1);
    let outcome = node.start().await;
    assert!(matches!(outcome, Err(Error::Imds(_))), "{outcome:?}");
    assert_eq!(code(&outcome, Action::Start), ExitCode::Generic);
    let outcome = node.off_ec2().start().await;
    assert!(matches!(outcome, Err(Error::NotEc2(_))), "{outcome:?}");
    assert_eq!(code(&outcome, Action::Start), ExitCode::Installed);
}

async fn silent_metadata_is_made_up_for_by_the_record_of_an_earlier_start<K: Tested>() {
    for stopped in [false, true] {
        let account = account();
        let node = Resource::<K>::on(&account, 1).settled().await;
        if stopped {
            node.stop().await.unwrap();
        } else {
            K::give(&account, 2);
        }
        account.fail_metadata(FaultKind::Reset);
        assert!(node.started().await.holds(1));
    }
}

async fn an_interface_that_is_not_there_is_refused_before_ec2_is_queried<K: Tested>() {
    let rows = [
        ("eth7", "eth7"),
        ("02:00:00:00:00:77", "02:00:00:00:00:77"),
        ("1", "number 1"),
        ("eni-00000000000000009", "eni-00000000000000009"),
        ("br0", "br0 (02:00:00:00:00:77)"),
    ];
    for (value, named) in rows {
        let node = Resource::<K>::on(&account(), 1).with("interface", value);
        node.world.host.network.plug("br0", "02:00:00:00:00:77", &[]);
        let outcome = node.start().await;
        assert_eq!(code(&outcome, Action::Start), ExitCode::Args, "{value}");
        assert_eq!(node.account.calls(), [""; 0], "{value}");
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(&format!("interface {named}: ")), "{error}");
    }
    for value in ["eth0", "02:00:00:00:00:01", "0", &eni(1)] {
        assert!(Resource::<K>::on(&account(), 1).with("interface", value).started().await.holds(1));
    }
}

/// [imds-1] Another interface is listed, but its items are not there yet.
async fn an_interface_that_is_being_attached_does_not_get_in_the_way<K: Tested>() {
    for interface in [eni(1), "0".to_owned()] {
        let account = account();
        let path = format!("/latest/meta-data/network/interfaces/macs/{}/", attach(&account, "10.0.0.7"));
        let absent = FaultKind::Error { status: 404, code: String::new(), message: String::new() };
        account.fault(Fault::new(Service::Imds, absent).operation(&path));
        let node = Resource::<K>::on(&account, 1).with("interface", &interface);
        let began = Instant::now();
        let node = node.settled().await;
        assert_eq!(node.monitor().await.unwrap(), Report::Done, "{interface}");
        assert_eq!(node.stop().await.unwrap(), Report::Done, "{interface}");
        assert!(node.has_given_it_up());
        assert!(began.elapsed() < Duration::from_secs(140), "{:?}", began.elapsed());
    }
}

/// [record-4]
async fn a_node_made_from_an_image_drops_the_originals_record_and_says_so_once<K: Tested>() {
    let account = account();
    let original = Resource::<K>::on(&account, 1).started().await;
    let mut copy = Resource::<K>::on(&account, 2);
    copy.world.host.instance = instance(2).parse().ok();
    *copy.world.records.durable.borrow_mut() = original.world.records.durable();
    *copy.world.records.volatile.borrow_mut() = original.world.records.volatile();
    for action in [Action::Probe { level: 0 }, Action::Start, Action::Start] {
        copy.run(action).await.unwrap();
        assert_eq!(copy.changes(), usize::from(action == Action::Start), "the history is the original's");
    }
    assert!(copy.holds(2));
    assert_eq!(copy.world.records.durable().instance.map(|id| id.to_string()), Some(instance(2)));
    let dropped = format!("record of {} dropped: this is {}", instance(1), instance(2));
    let lines = copy.world.log.lines();
    assert_eq!(lines.iter().filter(|line| line.contains(&dropped)).count(), 1, "{lines:?}");
}

/// [imds-2] An interface is hot-plugged: instance metadata lists it seconds after EC2, and its items seconds after that.
async fn an_interface_not_there_yet_is_not_taken_for_one_that_is_not_there<K: Tested>() {
    let account = account();
    let other = add_interface(&account, 7, "10.0.0.7");
    let mac = account.mac_of(&other).unwrap().to_string();
    let node = Resource::<K>::on(&account, 1).with("interface", &eni(7));
    node.world.host.network.plug("eth1", &mac, &["10.0.0.7"]);
    let path = format!("/latest/meta-data/network/interfaces/macs/{mac}/");
    let absent = FaultKind::Error { status: 404, code: String::new(), message: String::new() };
    let missing = account.fault(Fault::new(Service::Imds, absent).operation(&path));
    let attaching = async {
        after(3, || account.attach(&other, &instance(1).parse().unwrap())).await;
        after(2, || account.clear_fault(missing)).await;
    };
    let (started, ()) = tokio::join!(takes(0..8, node.start()), attaching);
    assert_eq!(started.unwrap(), Report::Done, "{}", K::NAME);
    assert!(node.holds(7));

    // One that never comes: a start looks for half of its budget, monitor and stop for none of it.
    let node = Resource::<K>::on(&account, 2).with("interface", &eni(8));
    let error = takes(7..10, node.start()).await.unwrap_err();
    assert!(matches!(error, Error::NoInterface(_)), "{error}");
    assert!(matches!(takes(0..1, node.monitor()).await.unwrap(), Report::NotHere(_)));
    assert_eq!(takes(0..1, node.stop()).await.unwrap(), Report::Done);
}

/// [param-4] Each network card of an instance counts its interfaces from 0 again.
async fn a_device_index_that_fits_two_interfaces_is_card_0s_or_refused<K: Tested>() {
    for (cards, expected) in [((1, 0), Some(8)), ((0, 1), Some(7)), ((1, 2), None), ((0, 0), None)] {
        let account = account();
        let node = Resource::<K>::on(&account, 1).with("interface", "1");
        for (number, card) in [(7, cards.0), (8, cards.1)] {
            let ip = format!("10.0.0.{number}");
            let interface = add_interface(&account, number, &ip);
            account.attach(&interface, &instance(1).parse().unwrap());
            account.put_on_card(&interface, card, 1);
            node.world.host.network.plug(&format!("eth{number}"), &mac(number), &[&ip]);
        }
        let outcome = node.start().await;
        if let Some(number) = expected {
            assert_eq!(outcome.unwrap(), Report::Done);
            assert!(node.holds(number), "{cards:?}");
        } else {
            assert_eq!(code(&outcome, Action::Start), ExitCode::Args);
            let error = outcome.unwrap_err().to_string();
            assert!(error.contains("fits several interfaces"), "{cards:?}: {error}");
            assert_eq!(account.calls(), [""; 0]);
        }
    }
}

/// [start-7] The concurrent query was lost, and the next one shows the address unassigned: any holder after that is newer.
async fn a_start_whose_first_query_was_lost_does_not_take_the_address_back_either<K: Tested>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1).probed().await;
    let unavailable = |operation| fault(operation, silent()).times(1);
    for fault in [
        unavailable(K::WORDS.querying),
        unavailable(K::WORDS.querying).skip(1),
        unavailable(K::WORDS.taking),
        fault(K::WORDS.taking, FaultKind::LoseAnswer).times(1),
    ] {
        account.fault(fault);
    }
    let peer = async {
        while K::holder(&account).is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        K::give(&account, 2);
    };
    let (outcome, ()) = tokio::join!(node.start(), peer);
    assert!(matches!(outcome, Err(Error::TakenMeanwhile { .. })), "{outcome:?}");
    assert!(node.holds(2));
}

/// [stale-5]
async fn a_start_after_a_probe_that_ec2_denied_the_address_takes_it_at_once<K: Tested>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1).started().await;
    K::take_away(&account);
    assert!(matches!(node.run(Action::Probe { level: 0 }).await.unwrap(), Report::NotHere(_)));
    takes(0..2, node.start()).await.unwrap();
}

for_every_kind![
    a_start_after_a_probe_that_ec2_denied_the_address_takes_it_at_once,
    an_interface_not_there_yet_is_not_taken_for_one_that_is_not_there,
    a_device_index_that_fits_two_interfaces_is_card_0s_or_refused,
    a_start_whose_first_query_was_lost_does_not_take_the_address_back_either,
    a_free_address_is_taken_confirmed_and_recorded,
    a_second_start_writes_nothing,
    a_start_that_finds_the_address_in_its_place_after_a_reboot_is_no_move,
    a_takeover_sends_few_calls_and_names_the_previous_holder,
    a_takeover_on_record_does_not_wait_for_the_query_beside_it,
    a_taking_call_without_an_answer_is_followed_by_a_query,
    a_start_whose_call_was_overtaken_by_a_peer_does_not_take_the_address_back,
    throttling_and_outages_are_outlasted,
    a_refused_start_has_the_exit_code_of_its_cause,
    the_refusal_before_is_named_if_the_time_runs_out_during_an_attempt,
    a_start_waits_until_ec2_shows_the_change,
    a_call_that_ec2_never_shows_is_an_error,
    a_query_that_fails_right_after_an_accepted_call_is_repeated,
    a_second_start_that_ec2_contradicts_takes_the_address_after_half_of_its_budget,
    a_second_start_takes_the_address_if_ec2_falls_silent_after_a_contradicted_answer,
    a_start_that_two_stale_answers_show_in_place_takes_the_address_all_the_same,
    silent_metadata_is_an_error_at_the_first_start,
    silent_metadata_is_made_up_for_by_the_record_of_an_earlier_start,
    an_interface_that_is_not_there_is_refused_before_ec2_is_queried,
    an_interface_that_is_being_attached_does_not_get_in_the_way,
    a_node_made_from_an_image_drops_the_originals_record_and_says_so_once,
];

for_kinds_in_metadata![
    without_leave_to_take_it_a_holder_keeps_the_address,
    an_outage_does_not_fail_a_start_that_finds_the_address_here,
    a_call_whose_answer_was_lost_for_good_is_confirmed_by_instance_metadata,
    a_start_right_after_a_start_takes_at_once_what_metadata_no_longer_show,
    a_start_without_an_answer_is_no_success_because_late_metadata_shows_the_address,
];
