//! `ocft` of the package resource-agents, with the cases of `ocf/ocft/eip`.

use std::fs;

use crate::agent::repository;
use crate::node::{ELASTIC_IP, PacemakerNode};
use crate::program::CommandOutput;

/// Limit for all cases, in seconds. The tool waits a second for each of its calls of the agent.
const LIMIT: &str = "500";

fn cases() -> String {
    fs::read_to_string(repository().join("ocf/ocft/eip")).expect("ocf/ocft/eip")
}

/// The names of the cases, in their order.
fn names(cases: &str) -> Vec<&str> {
    cases.lines().filter_map(|line| line.strip_prefix("CASE \"")?.strip_suffix('"')).collect()
}

/// Makes the tool generate its scripts from the cases and run them.
fn test(node: &PacemakerNode, cases: &str) -> CommandOutput {
    node.write("/mnt/ocft/eip", cases);
    node.run("ocft", &["make", "-d", "/mnt/ocft", "eip"]).exits(0).never_says("ERROR");
    node.run_for(LIMIT, &[format!("OCFT_elastic_ip={ELASTIC_IP}")], "ocft", &["test", "eip"])
}

#[test]
fn every_case_passes() {
    let node = PacemakerNode::new();
    let cases = cases();
    let answer = test(&node, &cases).exits(0).never_says("FAILED").never_says("ERROR");
    for name in names(&cases) {
        // The name of a case is followed by its result.
        let passed = answer.stdout.split(&format!("eip: {name} - ")).nth(1);
        let passed = passed.and_then(|rest| rest.lines().next()).unwrap_or_default();
        assert!(passed.contains("OK"), "{name}: {}", answer.told());
    }
    let checked = |line: &&str| line.trim().starts_with("AgentRun ") && line.contains(" OCF_");
    assert_eq!(
        answer.stdout.matches("OK").count(),
        cases.lines().filter(checked).count(),
        "{}",
        answer.told()
    );
    assert_eq!(node.holder(), None, "it is released in the end");
    assert!(!node.has("/var/lib/eip/ocft.json"), "no record of it stays");
}

/// A test that can't fail proves nothing.
#[test]
fn a_case_that_expects_something_else_fails() {
    let node = PacemakerNode::new();
    let cases = cases();
    let (head, _) = cases.split_once("CASE \"").expect("a case");
    let wrong = format!("{head}CASE \"wrong\"\n\tInclude prepare\n\tAgentRun start OCF_ERR_PERM\n");
    test(&node, &wrong).exits(1).says("FAILED").says("OCF_SUCCESS");
}

/// The user should read the cause, not twenty failures that follow from it.
#[test]
fn nothing_is_tried_if_the_role_lacks_a_permission() {
    let node = PacemakerNode::new();
    node.cloud().deny("DisassociateAddress");
    node.cloud().associate(&node.address, &node.other.interfaces[0].eni, None);
    let before = node.holder();
    test(&node, &cases())
        .exits(1)
        .says("UnauthorizedOperation")
        .says("SETUP failed")
        .never_says("normal start");
    assert_eq!(node.holder(), before);
}
