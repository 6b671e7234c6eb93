//! crmsh: `configure` and `ra validate`.

use crate::cib::CibFile;
use crate::node::{ELASTIC_IP, PacemakerNode};

fn primitive<'a>(parameters: &[&'a str], operation: &[&'a str]) -> Vec<&'a str> {
    let primitive = ["configure", "primitive", "eip", "ocf:heartbeat:eip", "params"];
    [&primitive, parameters, &["op", "monitor"], operation].concat()
}

const ADVISED: [&str; 2] = ["interval=10s", "timeout=20s"];

#[test]
fn primitive_is_configured_and_verified_without_a_complaint_about_the_agent() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    let elastic_ip = format!("elastic_ip={ELASTIC_IP}");
    let answer = cib.crm(&primitive(&[&elastic_ip], &ADVISED)).exits(0);
    answer.never_says("eip").never_says("ERROR");
    assert_eq!(cib.parameter("eip", "elastic_ip"), ELASTIC_IP.to_string());
    cib.crm(&["configure", "verify"]).exits(0).never_says("eip").never_says("ERROR");
    cib.crm(&["configure", "show", "eip"]).exits(0).says(&format!("params {elastic_ip}"));
}

#[test]
fn shorter_timeout_than_advised_is_warned_of() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    let answer = cib.crm(&primitive(&["elastic_ip=203.0.113.10"], &["interval=10s", "timeout=5s"]));
    answer.says("specified timeout 5s for monitor is smaller than the advised 20s");
}

#[test]
fn misspelt_parameter_is_refused() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    let answer = cib.crm(&primitive(&["elasticip=203.0.113.10"], &ADVISED)).exits(1);
    answer.says("parameter \"elasticip\" is not known");
    assert_eq!(cib.resources(), [""; 0]);
}

#[test]
fn second_resource_with_the_same_address_is_warned_of() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    cib.create(&["elastic_ip=203.0.113.10"]).exits(0);
    let second =
        ["configure", "primitive", "second", "ocf:heartbeat:eip", "params", "elastic_ip=203.0.113.10"];
    cib.crm(&second).says("violate uniqueness for parameter \"elastic_ip\"");
}

/// It runs the agent itself, with the parameters and little else, and shows every line as it comes.
#[test]
fn validation_reports_what_the_agent_reports() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    let validate = |parameter| cib.crm(&["ra", "validate", "ocf:heartbeat:eip", parameter]);
    let answer = validate("elastic_ip=203.0.113.10").exits(0);
    assert_eq!(answer.both(), "");
    let answer = validate("elastic_ip=203.0.113.300");
    assert_ne!(answer.code, 0, "{}", answer.told());
    answer.says("ocf-exit-reason:elastic_ip=203.0.113.300: expected an IPv4 address");
}
