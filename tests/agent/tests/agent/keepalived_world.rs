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
    let mut run = node.run("").called("eip-keepalived");
    for name in ["ROOT", "RA_VERSION_MAJOR", "RA_VERSION_MINOR", "EXIT_REASON_PREFIX"] {
        run = run.no_env(&format!("OCF_{name}"));
    }
    for name in ["INSTANCE", "TYPE", "PROVIDER"] {
        run = run.no_env(&format!("OCF_RESOURCE_{name}"));
    }
    run = run.no_param("crm_feature_set").no_param("CRM_meta_on_node").no_param("elastic_ip");
    run = run.env("EIP_KEEPALIVED_CONF", file.display().to_string());
    // This one is the harness's: for how long it waits.
    run = run.timeout_ms(40_000);
    for argument in arguments {
        run = run.argument(argument);
    }
    run
}

/// Prepares what keepalived runs for `notify "eip-keepalived 203.0.113.10"`.
pub(crate) fn notify(node: &Node, state: &str) -> Run {
    call(node, USUAL, &["203.0.113.10", "INSTANCE", "VI_1", state, "100"])
}

/// Prepares a call with one word, as a person and `vrrp_script` make it.
pub(crate) fn word(node: &Node, word: &str) -> Run {
    call(node, USUAL, &["203.0.113.10", word])
}
