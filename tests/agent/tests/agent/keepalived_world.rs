//! Shared by the tests of the name `eip-keepalived`: calls as keepalived makes them.

use std::fs;
use std::time::Duration;

use agent_tests::{Node, Run};

/// The settings file of tests that do not concern it: claims are not verified.
pub(crate) const USUAL: &str = "VERIFY=0\n";
/// Limit for work that continues in a background process.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Prepares a call without an OCF environment, on a node with this text in its settings file.
pub(crate) fn call(node: &Node, settings: &str, arguments: &[&str]) -> Run {
    let file = node.folder().join("aws.conf");
    fs::write(&file, settings).unwrap();
    let run = node.run("").called("eip-keepalived").outside_ocf().arguments(arguments);
    // The timeout is the harness's: how long it waits.
    run.env("EIP_KEEPALIVED_CONF", file.display().to_string()).timeout_ms(40_000)
}

/// Prepares the command that keepalived runs for `notify "eip-keepalived 203.0.113.10"`.
pub(crate) fn notify(node: &Node, state: &str) -> Run {
    notify_with(node, USUAL, state)
}

/// The same with these settings.
pub(crate) fn notify_with(node: &Node, settings: &str, state: &str) -> Run {
    call(node, settings, &["203.0.113.10", "INSTANCE", "VI_1", state, "100"])
}

/// Prepares a call with a single argument, as made by a user and `vrrp_script`.
pub(crate) fn word(node: &Node, word: &str) -> Run {
    call(node, USUAL, &["203.0.113.10", word])
}
