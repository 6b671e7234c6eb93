//! `ocf-tester` of the package resource-agents: what it requires of every agent.

use std::time::Duration;

use crate::node::{ELASTIC_IP, PRIMARY, PacemakerNode, SECONDARY};
use crate::private_address;
use crate::program::CommandOutput;

/// Where the agents are installed.
const AGENTS: &str = "/usr/lib/ocf/resource.d/heartbeat";
/// All that it may remark on an agent that cannot be promoted and needs no notifications.
const REMARKS: [&str; 5] = [
    "* Your agent does not support the notify action (optional)",
    "* Your agent does not support the demote action (optional)",
    "* Your agent does not support the promote action (optional)",
    "* Your agent does not support promotable clones (optional)",
    "* Your agent does not support the reload action (optional)",
];

fn test(node: &PacemakerNode, agent: &str, options: &[&str], parameters: &[&str]) -> CommandOutput {
    let parameters: Vec<&str> = parameters.iter().flat_map(|parameter| ["-o", parameter]).collect();
    let path = format!("{AGENTS}/{agent}");
    node.run("ocf-tester", &[options, &["-n", agent], &parameters, &[&path]].concat())
}

#[track_caller]
fn assert_passes(answer: &CommandOutput, agent: &str) {
    assert_eq!(answer.code, 0, "{}", answer.told());
    let last = format!("{AGENTS}/{agent} passed all tests");
    assert_eq!(answer.stdout.lines().last(), Some(last.as_str()), "{}", answer.told());
    let remarks: Vec<&str> = answer.stdout.lines().filter(|line| line.starts_with('*')).collect();
    assert_eq!(remarks, REMARKS, "{}", answer.told());
}

/// How many times an EC2 action was called, without dry runs.
fn calls(node: &PacemakerNode, action: &str) -> usize {
    node.cloud().log().iter().filter(|request| request.is(action)).count()
}

#[test]
fn agent_passes_with_an_address_and_endpoints() {
    let node = PacemakerNode::new();
    // EC2 over HTTP; the other tests find it at its real name over HTTPS.
    let endpoints = ["endpoint_url=http://127.0.0.1:8773", "imds_endpoint=http://169.254.169.254"];
    let answer = test(&node, "eip", &[], &[&format!("elastic_ip={ELASTIC_IP}"), endpoints[0], endpoints[1]]);
    assert_passes(&answer, "eip");
    answer.without_complaint();
    // A start, a start after the stop, a migration from elsewhere; starting a running resource makes no mutating call, nor does
    // stopping a stopped one.
    assert_eq!(calls(&node, "AssociateAddress"), 3);
    assert_eq!(calls(&node, "DisassociateAddress"), 2);
    // The last thing it does is to migrate the address here.
    node.assert_holds_on(PRIMARY);
}

#[test]
fn agent_passes_with_an_allocation_alone() {
    let node = PacemakerNode::new();
    let answer = test(&node, "eip", &[], &[&format!("allocation_id={}", node.address.allocation_id)]);
    assert_passes(&answer, "eip");
    answer.without_complaint();
}

#[test]
fn agent_passes_with_a_private_address() {
    let node = PacemakerNode::new();
    let private = format!("private_ip_address={SECONDARY}");
    assert_passes(&test(&node, "eip", &[], &[&format!("elastic_ip={ELASTIC_IP}"), &private]), "eip");
    node.assert_holds_on(SECONDARY);
}

/// It checks right after each start and stop, and AWS shows both late.
#[test]
fn agent_passes_while_aws_is_behind() {
    let node = PacemakerNode::new();
    node.cloud().set_imds_lag(&node.instance.id, Duration::from_secs(4));
    node.cloud().set_describe_lag(Duration::from_secs(1));
    assert_passes(&test(&node, "eip", &[], &[&format!("elastic_ip={ELASTIC_IP}")]), "eip");
}

/// The agent's own messages are visible only with `-v`.
#[test]
fn agents_warn_of_nothing_meanwhile() {
    let elastic_ip = format!("elastic_ip={ELASTIC_IP}");
    for (agent, node, address) in [
        ("eip", PacemakerNode::new(), elastic_ip.as_str()),
        ("vip", private_address::wired(), private_address::ADDRESS),
    ] {
        let answer = test(&node, agent, &["-v"], &[address]);
        assert_eq!(answer.code, 0, "{}", answer.told());
        answer.never_says("WARN").never_says("ERROR").never_says("CRIT").never_says("xmllint");
    }
}

#[test]
fn agent_vip_passes_and_ends_with_the_address_on_the_device() {
    let node = private_address::wired();
    assert_passes(&test(&node, "vip", &[], &[private_address::ADDRESS]), "vip");
    // The last thing it does is to migrate the address here.
    assert_eq!(private_address::holder(&node), Some(node.instance.id.to_string()));
    assert!(private_address::on_device(&node));
}

/// The agent's message for a wrong parameter reaches the user of the tool.
#[test]
fn a_malformed_address_ends_the_tool_at_validate_all() {
    let node = PacemakerNode::new();
    let answer = test(&node, "eip", &[], &["elastic_ip=203.0.113.300"]).exits(1);
    answer
        .says("Validation failed")
        .says("ocf-exit-reason:elastic_ip=203.0.113.300: expected an IPv4 address");
    assert_eq!(node.ec2_requests(), 0);
}
