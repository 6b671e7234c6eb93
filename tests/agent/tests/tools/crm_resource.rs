//! `crm_resource --validate`: errors in parameters, before there is a resource.

use aws_sim::{Fault, FaultKind, ImdsState, Service};

use crate::node::{ELASTIC_IP, PacemakerNode};
use crate::program::CommandOutput;

fn validate(node: &PacemakerNode, level: &str, parameters: &[&str]) -> CommandOutput {
    let parameters: Vec<&str> = parameters.iter().flat_map(|parameter| ["--option", parameter]).collect();
    let of_eip = [level, "--class", "ocf", "--provider", "heartbeat", "--agent", "eip"];
    node.run("crm_resource", &[&of_eip, parameters.as_slice()].concat())
}

fn elastic_ip() -> String {
    format!("elastic_ip={ELASTIC_IP}")
}

#[test]
fn valid_parameters_are_valid_without_querying_aws() {
    let node = PacemakerNode::new();
    node.cloud().set_imds_state(&node.instance.id, ImdsState::Hang);
    validate(&node, "--validate", &[&elastic_ip()]).exits(0).says("returned 0 (").in_one_line();
    let log = node.cloud().log();
    assert!(log.is_empty(), "{log:?}");
}

#[test]
fn missing_and_malformed_parameters_are_named() {
    let node = PacemakerNode::new();
    let expected = [
        (&[][..], "elastic_ip is not set"),
        (&["elastic_ip=203.0.113.300"], "elastic_ip=203.0.113.300: expected"),
        (&["elastic_ip=203.0.113.010"], "elastic_ip=203.0.113.010: expected"),
        (&["allocation_id=eipalloc-xyz"], "allocation_id=eipalloc-xyz: expected"),
        (&["elastic_ip=203.0.113.10", "on_stop=sometimes"], "on_stop=sometimes: expected"),
        (&["elastic_ip=203.0.113.10", "settle_window=two"], "settle_window=two: expected"),
        (&["elastic_ip=203.0.113.10", "private_ip_address=10.0.0"], "private_ip_address=10.0.0: expected"),
    ];
    for (parameters, reason) in expected {
        let answer = validate(&node, "--validate", parameters).exits(6);
        answer.says("returned 6 (").says(reason).says(&format!("ocf-exit-reason:{reason}"));
    }
    assert!(node.cloud().log().is_empty());
}

#[test]
fn level_10_finds_what_a_takeover_would_run_into() {
    let denied = PacemakerNode::new();
    denied.cloud().deny("AssociateAddress");
    let answer = validate(&denied, "--validate=10", &[&elastic_ip()]).exits(4);
    answer.says("returned 4 (").says("UnauthorizedOperation").says("AssociateAddress");
}

/// `crm_resource` waits 20 s for an agent, and then kills it without a message.
#[test]
fn level_10_answers_in_time_while_ec2_hangs() {
    let node = PacemakerNode::new();
    node.cloud().fault(Fault::new(Service::Ec2, FaultKind::Hang));
    let answer = validate(&node, "--validate=10", &[&elastic_ip()]).exits(1);
    answer.says("returned 1 (").says("ocf-exit-reason:").never_says("Timed Out");
}
