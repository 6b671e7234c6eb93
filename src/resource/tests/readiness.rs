//! Whether a node could take the address, for `eip-health`.

use super::*;
use crate::resource::readiness::Readiness;
use crate::state::health::{DryRun, FaultOf};

async fn assessed<K: Tested>(node: &Resource<K>) -> Readiness {
    let request = node.request(Action::Monitor { level: 0 }, 20);
    let op = op::<K, _>(&node.world, &request);
    let assessing: Pin<Box<dyn Future<Output = Readiness>>> = Box::pin(op.assess());
    assessing.await
}

async fn tried<K: Tested>(node: &Resource<K>, last: Option<&DryRun>, at: u64) -> DryRun {
    let request = node.request(Action::Monitor { level: 0 }, 20);
    let op = op::<K, _>(&node.world, &request);
    let trying: Pin<Box<dyn Future<Output = DryRun> + '_>> = Box::pin(op.dry_run(last, at));
    trying.await
}

/// [health-3]
async fn a_missing_interface_shows_without_a_call_to_ec2<K: Tested>() {
    let account = account();
    K::give(&account, 2);
    let fit = Resource::<K>::on(&account, 1).probed().await;
    account.clear_calls();
    assert_eq!(
        assessed(&fit).await,
        Readiness { ready: Some(true), here: Some(false), ..Readiness::default() }
    );
    let unfit = assessed(&fit.with("interface", "eth7")).await;
    assert_eq!((unfit.ready, unfit.fault, unfit.holds), (Some(false), FaultOf::Node, false));
    assert!(unfit.reason.contains("eth7"), "{}", unfit.reason);
    assert_eq!(account.calls(), ["credentials "]);
}

/// [health-2]
async fn the_holder_is_known_by_metadata_or_by_its_record<K: Tested>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1).settled().await;
    let found = assessed(&node).await;
    assert_eq!((found.here, found.holds), (Some(true), true));
    account.fail_metadata(FaultKind::Reset);
    let found = assessed(&node).await;
    assert_eq!((found.ready, found.here, found.holds), (None, (!K::METADATA_KNOWS).then_some(true), true));
}

/// [health-4]
async fn a_denial_is_found_by_the_dry_run_and_is_a_fault_of_this_node<K: Tested>() {
    let account = account();
    K::give(&account, 2);
    let node = Resource::<K>::on(&account, 1);
    let found = tried(&node, None, 10).await;
    assert_eq!((found.ready, found.fault, found.answered), (Some(true), FaultOf::None, Some(10)));
    account.fail(K::WORDS.taking, denied());
    let found = tried(&node, Some(&found), 20).await;
    assert_eq!((found.ready, found.fault, found.answered), (Some(false), FaultOf::Node, Some(20)));
    assert!(found.reason.contains(K::WORDS.taking), "{}", found.reason);
    assert_eq!(K::holder(&account), Some(eni(2)), "a dry run changes nothing");
}

/// [health-5]
async fn silence_of_ec2_is_remembered_with_its_beginning<K: Tested>() {
    let account = account();
    K::give(&account, 2);
    let node = Resource::<K>::on(&account, 1);
    let before = tried(&node, None, 10).await;
    let id = account.fail(K::WORDS.querying, silent());
    let first = tried(&node, Some(&before), 20).await;
    let second = tried(&node, Some(&first), 30).await;
    assert_eq!((second.ready, second.fault), (None, FaultOf::Silence));
    assert_eq!((second.at, second.silent_since, second.answered), (30, Some(20), Some(10)));
    account.clear_fault(id);
    let after = tried(&node, Some(&second), 40).await;
    assert_eq!((after.ready, after.silent_since, after.answered), (Some(true), None, Some(40)));
}

/// [health-5]
async fn a_mistake_in_the_parameters_or_an_unknown_address_is_no_fault_of_this_node<K: Tested>() {
    let account = account();
    account.fail(K::WORDS.querying, unknown());
    let found = tried(&Resource::<K>::on(&account, 1), None, 10).await;
    assert_eq!((found.ready, found.fault), (Some(false), FaultOf::Other), "{}", found.reason);
}

/// [health-6]
async fn silence_of_metadata_says_nothing_about_the_node_even_if_firmware_does_not_know_ec2<K: Tested>() {
    let account = account();
    account.fail_metadata(FaultKind::Reset);
    for node in [Resource::<K>::on(&account, 1), Resource::<K>::on(&account, 1).off_ec2()] {
        let found = assessed(&node).await;
        let here = (!K::METADATA_KNOWS).then_some(false);
        assert_eq!((found.ready, found.fault, found.here), (None, FaultOf::None, here), "{}", found.reason);
    }
}

for_every_kind![
    silence_of_metadata_says_nothing_about_the_node_even_if_firmware_does_not_know_ec2,
    a_missing_interface_shows_without_a_call_to_ec2,
    the_holder_is_known_by_metadata_or_by_its_record,
    a_denial_is_found_by_the_dry_run_and_is_a_fault_of_this_node,
    silence_of_ec2_is_remembered_with_its_beginning,
    a_mistake_in_the_parameters_or_an_unknown_address_is_no_fault_of_this_node,
];
