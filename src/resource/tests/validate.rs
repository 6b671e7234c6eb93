//! `validate-all`.

use super::*;

/// [validate-1]
async fn level_zero_sends_no_query<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1);
    node.account.fail_metadata(FaultKind::Reset);
    assert_eq!(node.run(Action::Validate { level: 0 }).await.unwrap(), Report::Done);
    assert_eq!((node.account.calls().len(), node.account.questions()), (0, 0));
}

async fn each_denied_permission_is_found_at_level_ten<K: Tested>() {
    let account = account();
    K::give(&account, 2);
    for operation in [K::WORDS.querying, K::WORDS.taking, K::WORDS.releasing] {
        // A stop that releases nothing in EC2 needs no permission.
        if operation == "none" {
            continue;
        }
        let id = account.fail(operation, denied());
        let outcome = Resource::<K>::on(&account, 1).validate().await;
        assert_eq!(code(&outcome, Action::Validate { level: 10 }), ExitCode::Permission, "{operation}");
        assert!(outcome.unwrap_err().to_string().contains(operation));
        account.clear_fault(id);
    }
}

async fn an_interface_that_would_fail_a_start_fails_at_level_ten<K: Tested>() {
    let outcome = Resource::<K>::on(&account(), 1).with("interface", "eth7").validate().await;
    assert_eq!(code(&outcome, Action::Validate { level: 10 }), ExitCode::Args);
}

for_every_kind![
    level_zero_sends_no_query,
    each_denied_permission_is_found_at_level_ten,
    an_interface_that_would_fail_a_start_fails_at_level_ten,
];
