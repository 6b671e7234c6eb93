//! Probes: a `monitor` before anything was started.

use super::*;

/// [probe-1]
async fn an_address_that_metadata_shows_is_reported_without_ec2<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    node.account.clear_calls();
    assert_eq!(node.probe().await.unwrap(), Report::Done);
    assert_eq!(node.account.calls(), [""; 0]);
}

/// A probe does not wait for the sources to agree.
async fn right_after_a_stop_metadata_that_still_shows_the_address_is_not_believed<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    node.account.freeze(Reads::Metadata);
    node.stop().await.unwrap();
    let began = Instant::now();
    assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

/// [stale-1] Metadata and EC2's replicas are both behind.
async fn right_after_a_stop_a_stale_answer_of_ec2_is_not_believed<K: InMetadata>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1).settled().await;
    account.freeze(Reads::Metadata);
    account.freeze(Reads::Describes);
    node.stop().await.unwrap();
    let (probed, ()) = tokio::join!(node.probe(), after(1, || account.thaw(Reads::Describes)));
    assert!(matches!(probed.unwrap(), Report::NotHere(_)));
}

async fn right_after_a_start_metadata_that_does_not_show_the_address_is_not_believed<K: InMetadata>() {
    let account = account();
    account.freeze(Reads::Metadata);
    let node = Resource::<K>::on(&account, 1).started().await;
    assert_eq!(node.probe().await.unwrap(), Report::Done);
}

async fn a_settling_probe_does_not_wait_long_for_ec2<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).started().await;
    node.account.fail_ec2(FaultKind::Hang);
    let began = Instant::now();
    assert_eq!(node.probe().await.unwrap(), Report::Done);
    assert!(began.elapsed() <= Duration::from_secs(6), "{:?}", began.elapsed());
}

/// [probe-4]
async fn a_probe_with_everything_silent_reports_not_here_and_warns<K: InMetadata>() {
    for started_before in [false, true] {
        let node = Resource::<K>::on(&account(), 1);
        let node = if started_before { node.settled().await } else { node };
        node.account.fail_metadata(FaultKind::Reset);
        node.account.fail_ec2(if started_before { silent() } else { FaultKind::Hang });
        assert!(matches!(node.probe().await.unwrap(), Report::NotHere(_)));
        assert!(node.logged("unknown, reported as not here"), "{:?}", node.world.log.lines());
    }
}

/// [probe-5]
async fn errors_of_any_kind_are_not_here<K: Tested>() {
    for level in [0, 10] {
        for kind in [denied(), rejected(), unknown(), refused()] {
            let account = account();
            account.fail_ec2(kind.clone());
            let outcome = Resource::<K>::on(&account, 1).run(Action::Probe { level }).await;
            assert!(matches!(outcome, Ok(Report::NotHere(_))), "{kind:?} at level {level}: {outcome:?}");
        }
    }
}

for_every_kind![a_settling_probe_does_not_wait_long_for_ec2, errors_of_any_kind_are_not_here,];

for_kinds_in_metadata![
    an_address_that_metadata_shows_is_reported_without_ec2,
    right_after_a_stop_metadata_that_still_shows_the_address_is_not_believed,
    right_after_a_stop_a_stale_answer_of_ec2_is_not_believed,
    right_after_a_start_metadata_that_does_not_show_the_address_is_not_believed,
    a_probe_with_everything_silent_reports_not_here_and_warns,
];
