//! Recurring `monitor`.

use super::*;

/// [monitor-2], [holder-3]
async fn a_healthy_monitor_queries_only_instance_metadata<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    node.account.clear_calls();
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert_eq!(node.account.calls(), [""; 0]);
    assert_eq!(node.account.questions(), K::QUERIES);
    assert_eq!(node.phase(), Some(Phase::Started));
}

/// [stale-8]
async fn a_settling_node_queries_ec2_as_well<K: Tested>() {
    let account = account();
    account.freeze(Reads::Metadata);
    let node = Resource::<K>::on(&account, 1).started().await;
    account.clear_calls();
    assert_eq!(node.monitor().await.unwrap(), Report::Done, "metadata does not show it yet");
    assert_eq!((account.calls().len(), node.sent(K::WORDS.querying)), (1, 1));
}

/// [stale-1]
async fn the_first_monitor_after_a_start_outlasts_late_metadata_and_a_late_replica<K: Tested>() {
    let account = account();
    K::give(&account, 2);
    let before = account.elapsed();
    account.freeze(Reads::Metadata);
    let node = Resource::<K>::on(&account, 1).started().await;
    account.freeze_at(Reads::Describes, before);
    let (outcome, ()) = tokio::join!(node.monitor(), after(6, || account.thaw(Reads::Describes)));
    assert_eq!(outcome.unwrap(), Report::Done);
}

/// [monitor-1]
async fn an_address_that_was_taken_is_reported_with_its_holder<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    K::give(&node.account, 2);
    assert_eq!(reason(node.monitor().await), K::absent(Some(2)));
    K::take_away(&node.account);
    minutes(1).await;
    assert!(reason(node.monitor().await).starts_with(&K::absent(None)));
}

async fn an_address_on_another_interface_of_this_node_is_not_in_place<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    attach(&node.account, "10.0.0.7");
    K::give(&node.account, 7);
    let text = reason(node.monitor().await);
    assert!(text.contains(&format!("{} {}", K::MISPLACED, eni(7))), "{text}");
}

/// [stale-9]
async fn stale_metadata_alone_is_no_reason_for_a_recovery<K: InMetadata>() {
    let account = account();
    account.freeze(Reads::Metadata);
    let node = Resource::<K>::on(&account, 1).settled().await;
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
}

/// [stale-1]
async fn stale_answers_of_ec2_alone_are_no_reason_for_a_recovery<K: Tested>() {
    let account = account();
    K::give(&account, 2);
    let node = Resource::<K>::on(&account, 1).started().await;
    K::give(&account, 2);
    account.pin(Reads::Describes, 3);
    K::give(&account, 1);
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
}

/// [metrics-3]
async fn a_contradiction_of_the_two_is_counted_once_for_each_action<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert_eq!(node.world.records.tally.borrow().disagreements, 0);
    node.account.freeze(Reads::Metadata);
    K::give(&node.account, 2);
    for count in 1..=2 {
        assert!(reason(node.run(Action::Monitor { level: 10 }).await).contains(&instance(2)));
        assert_eq!(node.world.records.tally.borrow().disagreements, count);
    }
    assert_eq!(node.world.records.tally.borrow().moves.get("start"), Some(&1));
}

async fn stale_metadata_does_not_hide_a_loss_while_settling<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).started().await;
    node.account.freeze(Reads::Metadata);
    K::give(&node.account, 2);
    let began = Instant::now();
    assert!(reason(node.monitor().await).contains(&instance(2)));
    assert!(began.elapsed() <= Duration::from_secs(10), "{:?}", began.elapsed());
}

async fn silent_metadata_is_made_up_for_by_ec2<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    node.account.fail_metadata(FaultKind::Reset);
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    K::give(&node.account, 2);
    minutes(1).await;
    assert!(reason(node.monitor().await).contains(&instance(2)));
}

async fn a_node_that_cannot_tell_itself_from_others_reports_no_loss<K: InMetadata>() {
    let account = account();
    K::give(&account, 1);
    account.fail_metadata(FaultKind::Reset);
    let outcome = Resource::<K>::on(&account, 1).monitor().await;
    assert!(matches!(outcome, Err(Error::Imds(_))), "{outcome:?}");
}

async fn metadata_that_comes_back_within_the_budget_ends_the_waiting<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    let metadata = node.account.fail_metadata(FaultKind::Reset);
    node.account.fail_ec2(silent());
    let (outcome, ()) = tokio::join!(node.monitor(), after(8, || node.account.clear_fault(metadata)));
    assert_eq!(outcome.unwrap(), Report::Done);
}

/// [monitor-4] [holder-2]
async fn two_silent_sources_are_an_error_never_a_loss<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    node.account.fail_metadata(FaultKind::Reset);
    for kind in [silent(), FaultKind::Throttle, FaultKind::Reset, FaultKind::Hang] {
        let id = node.account.fail_ec2(kind.clone());
        let outcome = node.monitor().await;
        assert!(matches!(outcome, Err(Error::BothSilent { .. })), "{}: {outcome:?}", kind.name());
        node.account.clear_fault(id);
    }
}

/// [monitor-3]
async fn a_loss_in_metadata_stands_when_ec2_is_silent_to_the_end<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    K::give(&node.account, 2);
    node.account.fail_ec2(silent());
    let began = Instant::now();
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
    assert!(began.elapsed() > Duration::from_secs(15), "EC2 was given its time");
}

async fn denied_permissions_do_not_fail_a_monitor_that_sees_the_address<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    node.account.fail_ec2(denied());
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
    assert_eq!(node.run(Action::Monitor { level: 10 }).await.unwrap(), Report::Done);
    assert!(node.logged("EC2 could not confirm it"));
}

/// [monitor-3]
async fn a_loss_in_metadata_stands_when_ec2_denies_the_query<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    node.account.fail_ec2(denied());
    K::give(&node.account, 2);
    assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)));
    node.account.fail_metadata(FaultKind::Reset);
    let outcome = node.monitor().await;
    assert!(matches!(outcome, Err(Error::Ec2(_))), "{outcome:?}");
    assert_eq!(code(&outcome, Action::Monitor { level: 0 }), ExitCode::Generic);
}

/// [monitor-5]
async fn at_level_ten_ec2_is_queried_and_decides<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    node.account.freeze(Reads::Metadata);
    node.account.clear_calls();
    assert_eq!(node.run(Action::Monitor { level: 10 }).await.unwrap(), Report::Done);
    assert_eq!(node.account.calls().len(), 1);
    K::give(&node.account, 2);
    assert_eq!(node.monitor().await.unwrap(), Report::Done, "level 0 does not ask");
    for level in [10, 20] {
        assert!(reason(node.run(Action::Monitor { level }).await).contains(&instance(2)));
    }
}

async fn without_the_configured_interface_nothing_is_in_place<K: Tested>() {
    for value in ["eth7", "eni-0000000000000007f"] {
        let node = Resource::<K>::on(&account(), 1).settled().await.with("interface", value);
        assert!(matches!(node.monitor().await.unwrap(), Report::NotHere(_)), "{value}");
    }
}

async fn one_answer_that_does_not_know_the_address_right_after_a_start_is_outlasted<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).started().await;
    // By id, and then by address.
    node.account.fault(fault(K::WORDS.querying, unknown()).times(2));
    assert_eq!(node.monitor().await.unwrap(), Report::Done);
}

async fn late_metadata_gets_its_time_if_ec2_refuses_right_after_a_start<K: InMetadata>() {
    let account = account();
    account.freeze(Reads::Metadata);
    let node = Resource::<K>::on(&account, 1).started().await;
    account.fail_ec2(denied());
    let (outcome, ()) = tokio::join!(node.monitor(), after(5, || account.thaw(Reads::Metadata)));
    assert_eq!(outcome.unwrap(), Report::Done);
}

async fn one_stale_answer_before_ec2_falls_silent_does_not_stop_what_metadata_shows<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    K::give(&node.account, 2);
    node.account.pin(Reads::Describes, 1);
    K::give(&node.account, 1);
    node.account.fault(fault(K::WORDS.querying, silent()).skip(1));
    assert_eq!(node.run(Action::Monitor { level: 10 }).await.unwrap(), Report::Done);
    assert!(node.logged("EC2 denied it, then fell silent"), "{:?}", node.world.log.lines());
}

async fn a_denial_stands_if_the_end_of_the_time_cuts_the_last_query_short<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    node.account.freeze(Reads::Metadata);
    K::take_away(&node.account);
    node.account.fault(fault(K::WORDS.querying, FaultKind::Delay(Duration::from_secs(4))));
    assert!(matches!(node.run(Action::Monitor { level: 10 }).await.unwrap(), Report::NotHere(_)));
}

/// [stale-1] [stale-2]
async fn one_stale_answer_right_after_a_start_is_not_believed_while_metadata_is_silent<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).started().await;
    K::take_away(&node.account);
    node.account.pin(Reads::Describes, 2);
    K::give(&node.account, 1);
    let metadata = node.account.fail_metadata(FaultKind::Reset);
    let (outcome, ()) = tokio::join!(node.monitor(), after(3, || node.account.clear_fault(metadata)));
    assert_eq!(outcome.unwrap(), Report::Done);
}

for_every_kind![
    a_settling_node_queries_ec2_as_well,
    the_first_monitor_after_a_start_outlasts_late_metadata_and_a_late_replica,
    an_address_that_was_taken_is_reported_with_its_holder,
    an_address_on_another_interface_of_this_node_is_not_in_place,
    stale_answers_of_ec2_alone_are_no_reason_for_a_recovery,
    stale_metadata_does_not_hide_a_loss_while_settling,
    silent_metadata_is_made_up_for_by_ec2,
    denied_permissions_do_not_fail_a_monitor_that_sees_the_address,
    at_level_ten_ec2_is_queried_and_decides,
    without_the_configured_interface_nothing_is_in_place,
    one_answer_that_does_not_know_the_address_right_after_a_start_is_outlasted,
    a_denial_stands_if_the_end_of_the_time_cuts_the_last_query_short,
    one_stale_answer_right_after_a_start_is_not_believed_while_metadata_is_silent,
];

for_kinds_in_metadata![
    a_healthy_monitor_queries_only_instance_metadata,
    stale_metadata_alone_is_no_reason_for_a_recovery,
    a_contradiction_of_the_two_is_counted_once_for_each_action,
    a_node_that_cannot_tell_itself_from_others_reports_no_loss,
    metadata_that_comes_back_within_the_budget_ends_the_waiting,
    two_silent_sources_are_an_error_never_a_loss,
    a_loss_in_metadata_stands_when_ec2_is_silent_to_the_end,
    a_loss_in_metadata_stands_when_ec2_denies_the_query,
    late_metadata_gets_its_time_if_ec2_refuses_right_after_a_start,
    one_stale_answer_before_ec2_falls_silent_does_not_stop_what_metadata_shows,
];
