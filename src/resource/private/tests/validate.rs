//! `validate-all`.

use super::*;

#[tokio::test(start_paused = true)]
async fn level_ten_tries_the_calls_in_a_form_that_changes_nothing() {
    let node = PrivateNode::on(&account(), 1);
    Private::give(&node.account, 2);
    assert_eq!(node.validate().await.unwrap(), Report::Done);
    assert!(node.holds(2) && node.network().done().is_empty());
    let calls = node.account.calls();
    assert!(calls.contains(&format!("AssignPrivateIpAddresses {OWN} to {}", eni(1))), "{calls:?}");
    assert!(calls.contains(&format!("UnassignPrivateIpAddresses 192.0.2.1 from {}", eni(1))), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn an_address_or_label_that_would_fail_a_start_fails_here() {
    for address in ["10.0.1.100", "10.0.0.2"] {
        let outcome = PrivateNode::on(&account(), 1).with("secondary_private_ip", address).validate().await;
        assert_eq!(code(&outcome, Action::Validate { level: 10 }), ExitCode::Args, "{address}");
    }
    let outcome = PrivateNode::on(&account(), 1).with("iflabel", "thirteen-char").validate().await;
    assert!(matches!(outcome, Err(Error::Label { .. })), "{outcome:?}");
}
