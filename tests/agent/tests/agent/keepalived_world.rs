//! What the tests of the name `eip-keepalived` share: calls as keepalived makes them.

use std::fs;
use std::time::Duration;

use agent_tests::{Node, Run};

/// What the settings file says where a test is not about it: no look after the claim.
pub(crate) const USUAL: &str = "VERIFY=0\n";
/// Limit for something that goes on in a process of its own.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Prepares a call without an OCF cluster around it, on a node whose settings file has this text.
pub(crate) fn call(node: &Node, settings: &str, arguments: &[&str]) -> Run {
    let file = node.folder().join("aws.conf");
    fs::write(&file, settings).unwrap();
    let run = node.run("").called("eip-keepalived").outside_ocf().arguments(arguments);
    // The time-out is the harness's: for how long it waits.
    run.env("EIP_KEEPALIVED_CONF", file.display().to_string()).timeout_ms(40_000)
}

/// Prepares what keepalived runs for `notify "eip-keepalived 203.0.113.10"`.
pub(crate) fn notify(node: &Node, state: &str) -> Run {
    notify_with(node, USUAL, state)
}

/// Prepares the same with these settings.
pub(crate) fn notify_with(node: &Node, settings: &str, state: &str) -> Run {
    call(node, settings, &["203.0.113.10", "INSTANCE", "VI_1", state, "100"])
}

/// Prepares a call with one word, as a person and `vrrp_script` make it.
pub(crate) fn word(node: &Node, word: &str) -> Run {
    call(node, USUAL, &["203.0.113.10", word])
}
