//! `pcs resource create` and `update`, with the agent's own validation: what they accept, refuse and write.

use crate::cib::CibFile;
use crate::node::{ELASTIC_IP, PacemakerNode};
use crate::xml;

fn elastic_ip() -> String {
    format!("elastic_ip={ELASTIC_IP}")
}

/// From pcs 0.12 on every create calls the agent, and shows whatever it prints as a warning.
#[test]
fn valid_parameters_are_accepted_silently() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    let answer = cib.create(&[&elastic_ip()]).exits(0);
    assert_eq!(answer.both(), "");
    assert_eq!(cib.resources(), ["eip"]);
    assert_eq!(cib.parameter("eip", "elastic_ip"), ELASTIC_IP.to_string());
    assert!(
        node.cloud().log().is_empty(),
        "a configuration tool may run on a node that never hosts the address"
    );
}

#[test]
fn operations_in_the_configuration_are_those_advertised() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    cib.create(&[&elastic_ip()]).exits(0);
    let text = cib.text();
    let of = |attribute: &str| xml::values(&text, &format!("//primitive/operations/op/@{attribute}"));
    let mut operations: Vec<String> = of("name")
        .into_iter()
        .zip(of("interval"))
        .zip(of("timeout"))
        .map(|((name, interval), timeout)| format!("{name} every {interval} within {timeout}"))
        .collect();
    operations.sort();
    let expected = [
        "migrate_from every 0s within 60s",
        "migrate_to every 0s within 60s",
        "monitor every 10s within 20s",
        "reload-agent every 0s within 20s",
        "start every 0s within 60s",
        "stop every 0s within 60s",
    ];
    assert_eq!(operations, expected);
    // A depth other than 0 would be a level in each recurring monitor, and with it a call to EC2.
    assert_eq!(xml::values(&text, "//op//nvpair/@name"), [""; 0]);
}

#[test]
fn malformed_address_is_refused_with_the_agents_line() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    let answer = cib.create(&["elastic_ip=203.0.113.300"]).exits(1);
    let line = "  ocf-exit-reason:elastic_ip=203.0.113.300: expected an IPv4 address such as 203.0.113.10";
    assert!(answer.stderr.lines().any(|shown| shown == line), "{}", answer.told());
    answer.says("Validation result from agent");
    assert_eq!(cib.resources(), [""; 0]);
}

/// pcs 0.12 warns about it, older versions do not even call the agent: docs/operations.md says so beside the messages of code 6.
#[test]
fn malformed_address_is_created_without_agent_validation() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    let create = ["resource", "create", "eip", "ocf:heartbeat:eip", "elastic_ip=203.0.113.300"];
    let answer = cib.pcs(&create).exits(0);
    assert!(
        !answer.both().contains("ocf-exit-reason") || answer.both().contains("Warning: "),
        "{}",
        answer.told()
    );
    assert_eq!(cib.resources(), ["eip"]);
}

#[test]
fn missing_address_is_refused_with_the_agents_line() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    cib.create(&[]).exits(1).says("ocf-exit-reason:elastic_ip is not set");
    assert_eq!(cib.resources(), [""; 0]);
}

#[test]
fn misspelt_parameter_is_refused_by_pcs() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    cib.create(&["elasticip=203.0.113.10"]).exits(1).says("invalid resource option 'elasticip'");
    assert_eq!(cib.resources(), [""; 0]);
}

/// They would take the address, the allocation or the private address from each other for ever.
#[test]
fn second_resource_with_the_same_address_is_refused() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    let allocation = format!("allocation_id={}", node.address.allocation_id);
    cib.create(&[&elastic_ip(), &allocation, "private_ip_address=10.0.1.11"]).exits(0);
    let second = ["resource", "create", "second", "ocf:heartbeat:eip"];
    for (same, name) in [
        (&[elastic_ip().as_str()][..], "elastic_ip"),
        (&[&allocation], "allocation_id"),
        (&["elastic_ip=203.0.113.11", "private_ip_address=10.0.1.11"], "private_ip_address"),
    ] {
        let answer = cib.pcs(&[&second, same].concat()).exits(1);
        answer.says(&format!("of option '{name}' is not unique"));
    }
    assert_eq!(cib.resources(), ["eip"]);
    cib.pcs(&[&second, &["elastic_ip=203.0.113.11", "private_ip_address=10.0.1.10"][..]].concat()).exits(0);
    assert_eq!(cib.resources(), ["eip", "second"]);
}

#[test]
fn update_is_validated_too() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    cib.create(&[&elastic_ip()]).exits(0);
    let update = |parameter| cib.pcs(&["resource", "update", "eip", parameter, "--agent-validation"]);
    update("on_stop=strict").exits(0).without_complaint();
    assert_eq!(cib.parameter("eip", "on_stop"), "strict");
    update("on_stop=never").exits(1).says("ocf-exit-reason:on_stop=never: expected");
    assert_eq!(cib.parameter("eip", "on_stop"), "strict");
}
