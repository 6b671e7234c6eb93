//! What `eipctl claim --dry-run` and `eipctl release --dry-run` report.

use super::*;

/// The sentence, or the code and text of the error.
async fn would<K: Tested>(node: &Resource<K>, action: Action) -> Result<String, (ExitCode, String)> {
    let request = node.request(action, 20);
    let op = op::<K, _>(&node.world, &request);
    let sentence: Pin<Box<dyn Future<Output = Result<String, Error>> + '_>> =
        if action == Action::Start { Box::pin(op.would_start()) } else { Box::pin(op.would_stop()) };
    sentence.await.map_err(|error| (exit_code(&error, action), error.to_string()))
}

async fn a_dry_claim_names_the_holder_and_changes_nothing<K: Tested>() {
    let account = account();
    let node = Resource::<K>::on(&account, 1);
    let unassigned = would(&node, Action::Start).await.unwrap();
    let expected = format!("{} would move from {} to", K::ADDRESS, K::FREE);
    assert!(unassigned.starts_with(&expected), "{unassigned}");
    K::give(&account, 2);
    let held = would(&node, Action::Start).await.unwrap();
    assert!(held.contains(&format!("would move from {}", K::named(2))), "{held}");
    assert!(K::holder(&account) == Some(eni(2)) && node.device().is_none() && node.phase().is_none());
}

async fn a_dry_claim_of_what_may_not_be_taken_names_the_parameter_and_the_holder<K: InMetadata>() {
    let account = account();
    K::give(&account, 2);
    let node = Resource::<K>::on(&account, 1);
    let (code, why) = would(&node.with(K::WORDS.may_take, "false"), Action::Start).await.unwrap_err();
    assert_eq!(code, ExitCode::Generic);
    assert!(why.contains(K::WORDS.may_take) && why.contains(&K::named(2)), "{why}");
}

async fn a_dry_claim_of_what_is_here_says_so<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    assert!(would(&node, Action::Start).await.unwrap().contains("is here already"));
}

async fn a_dry_claim_that_ec2_would_deny_fails<K: Tested>() {
    let account = account();
    account.fail(K::WORDS.taking, denied());
    let (code, why) = would(&Resource::<K>::on(&account, 1), Action::Start).await.unwrap_err();
    assert_eq!(code, ExitCode::Permission);
    assert!(why.contains(K::WORDS.taking), "{why}");
}

async fn a_dry_release_says_whether_anything_would_end<K: InMetadata>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    assert!(would(&node, Action::Stop).await.unwrap().contains("would be released"));
    K::give(&node.account, 2);
    let held = would(&node, Action::Stop).await.unwrap();
    assert!(
        held.contains(&format!("is held by {}", K::named(2))) && held.contains("nothing would be done"),
        "{held}"
    );
    K::take_away(&node.account);
    assert!(would(&node, Action::Stop).await.unwrap().contains("is unassigned: nothing would be done"));
}

async fn a_dry_release_of_what_a_stop_leaves_says_so<K: Tested>() {
    let node = Resource::<K>::on(&account(), 1).settled().await;
    assert!(would(&node.with("on_stop", "leave"), Action::Stop).await.unwrap().contains(K::WORDS.left));
}

/// Metadata that is behind still shows our own address in the place it is to come to.
#[tokio::test(start_paused = true)]
async fn only_another_address_would_be_displaced() {
    let account = account();
    let node = Resource::<Elastic>::on(&account, 1).settled().await;
    account.freeze(Reads::Metadata);
    Elastic::give(&account, 2);
    let sentence = would(&node, Action::Start).await.unwrap();
    assert!(!sentence.contains("displaced"), "{sentence}");

    let account = self::account();
    account.give(OTHER, OWN);
    let sentence = would(&Resource::<Elastic>::on(&account, 1), Action::Start).await.unwrap();
    assert!(sentence.ends_with(&format!("; {OTHER} would be displaced")), "{sentence}");
}

for_every_kind![
    a_dry_claim_names_the_holder_and_changes_nothing,
    a_dry_claim_of_what_is_here_says_so,
    a_dry_claim_that_ec2_would_deny_fails,
    a_dry_release_of_what_a_stop_leaves_says_so,
];

for_kinds_in_metadata![
    a_dry_claim_of_what_may_not_be_taken_names_the_parameter_and_the_holder,
    a_dry_release_says_whether_anything_would_end,
];
