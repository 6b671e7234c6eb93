//! How a user finds the agent and reads about it: `crm_resource`, pcs, crmsh.

use crate::agent::{MetaDataForm, meta_data};
use crate::node::PacemakerNode;
use crate::program::CommandOutput;
use crate::xml;

fn parameters() -> Vec<String> {
    xml::values(&meta_data(MetaDataForm::V1_1), "//parameter/@name")
}

fn text_of(parameter: &str, part: &str) -> String {
    xml::string(&meta_data(MetaDataForm::V1_1), &format!("//parameter[@name='{parameter}']/{part}"))
}

/// A text in one line, because the tools break lines as they like.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Pacemaker's tools speak OCF 1.1, and print what the agent prints.
#[test]
fn crm_resource_lists_it_and_shows_the_new_form() {
    let node = PacemakerNode::new();
    let answer = node.run("crm_resource", &["--list-agents", "ocf:heartbeat"]).exits(0);
    assert!(answer.stdout.lines().any(|line| line.trim() == "eip"), "{}", answer.told());
    let answer = node.run("crm_resource", &["--show-metadata", "ocf:heartbeat:eip"]).exits(0);
    assert_eq!(answer.stdout.trim(), meta_data(MetaDataForm::V1_1).trim());
    answer.without_complaint();
}

/// A parameter begins a line: before 0.12 with its description behind it, since then with its description in the lines below.
fn assert_describes_every_parameter(answer: &CommandOutput) {
    let described = flat(&answer.stdout);
    for parameter in parameters() {
        let line = answer.stdout.lines().find(|line| {
            let rest = line.trim_start().strip_prefix(&parameter);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', ' ']))
        });
        assert!(line.is_some(), "{parameter} is not described\n{}", answer.told());
        let long = flat(&text_of(&parameter, "longdesc"));
        assert!(described.contains(&long), "{parameter} is not explained\n{}", answer.told());
    }
}

#[test]
fn pcs_lists_it_and_describes_every_parameter() {
    let node = PacemakerNode::new();
    let answer = node.run("pcs", &["resource", "describe", "ocf:heartbeat:eip"]).exits(0);
    assert_describes_every_parameter(&answer);
    assert!(answer.stdout.starts_with("ocf:heartbeat:eip - "), "{}", answer.told());
    let shown = flat(&answer.without_complaint().never_says("(required)").stdout);
    assert!(shown.contains("elastic_ip (unique group: elastic_ip)"), "{shown}");
    assert!(shown.contains("monitor: interval=10s timeout=20s"), "{shown}");
    let full = node.run("pcs", &["resource", "describe", "ocf:heartbeat:eip", "--full"]).exits(0);
    assert_describes_every_parameter(&full);
    full.without_complaint().says("trace_ra");
    // With only one provider that has an `eip`, the type alone is enough.
    let by_type = node.run("pcs", &["resource", "describe", "eip"]).exits(0);
    by_type.says("'ocf:heartbeat:eip' (deduced from 'eip')");
    node.run("pcs", &["resource", "list", "ocf:heartbeat:eip"]).exits(0).says("ocf:heartbeat:eip - ");
}

/// pcs shows the descriptions and not the attribute.
#[test]
fn every_default_is_in_what_pcs_describes() {
    for parameter in parameters() {
        let default = text_of(&parameter, "content/@default");
        let long = text_of(&parameter, "longdesc");
        assert!(default.is_empty() || long.contains(&format!("default is {default}")), "{parameter}: {long}");
    }
}

#[test]
fn crmsh_lists_it_and_shows_every_parameter_with_its_default() {
    let node = PacemakerNode::new();
    let answer = node.run("crm", &["--display", "plain", "ra", "info", "ocf:heartbeat:eip"]).exits(0);
    for parameter in parameters() {
        let short = text_of(&parameter, "shortdesc");
        let kind = text_of(&parameter, "content/@type");
        let default = text_of(&parameter, "content/@default");
        let kind = if default.is_empty() { kind } else { format!("{kind}, [{default}]") };
        let line = format!("{parameter} ({kind}): {short}");
        assert!(answer.stdout.lines().any(|shown| shown.trim() == line), "no line {line}\n{}", answer.told());
    }
    // crmsh 5 has it at the beginning of the first line, older versions at its end.
    let heading = answer.stdout.lines().next().unwrap_or_default();
    let named = heading.starts_with("ocf:heartbeat:eip - ") || heading.ends_with("(ocf:heartbeat:eip)");
    assert!(named, "{}", answer.told());
    answer.without_complaint().never_says("parse");
    let answer = node.run("crm", &["--display", "plain", "ra", "list", "ocf", "heartbeat"]).exits(0);
    assert!(answer.stdout.split_whitespace().any(|name| name == "eip"), "{}", answer.told());
}
