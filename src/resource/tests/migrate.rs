//! `migrate_to` and `migrate_from`.

use super::*;

/// [migrate-2]
async fn a_migration_takes_one_call_and_the_source_then_stops_without_one<K: Tested>() {
    let account = account();
    let source = Resource::<K>::on(&account, 1).settled().await;
    let target = Resource::<K>::on(&account, 2).probed().await;
    account.clear_calls();
    let device = source.device();
    assert_eq!(source.run(Action::MigrateTo).await.unwrap(), Report::Done);
    assert!(source.holds(1), "nothing is released before the target takes it");
    assert_eq!(account.calls().len(), source.sent(K::WORDS.querying));
    assert_eq!(target.run(Action::MigrateFrom).await.unwrap(), Report::Done);
    assert_eq!(source.device(), device);
    assert_eq!(source.stop().await.unwrap(), Report::Done);
    assert!(target.holds(2) && source.device().is_none());
    assert_eq!((target.sent(K::WORDS.taking), source.sent(K::WORDS.releasing)), (1, 0));
    assert!(matches!(source.run(Action::MigrateTo).await, Err(Error::NotHeld(_))));
}

/// [migrate-1]
async fn a_migration_that_the_target_may_not_complete_is_refused_by_the_source<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).with(K::WORDS.may_take, "false").settled().await;
    let outcome = node.run(Action::MigrateTo).await;
    assert_eq!(code(&outcome, Action::Start), ExitCode::Generic);
    let error = outcome.unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}=false", K::WORDS.may_take)), "{error}");
    assert!(node.holds(1));
    assert_eq!(node.monitor().await.unwrap(), Report::Done, "it is here until the stop");
}

for_every_kind![a_migration_takes_one_call_and_the_source_then_stops_without_one];

for_kinds_in_metadata![a_migration_that_the_target_may_not_complete_is_refused_by_the_source,];
