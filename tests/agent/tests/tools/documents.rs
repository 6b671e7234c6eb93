//! The README against the agents: its table contains each of their parameters, and the commands that it prints work.

use std::fs;

use crate::agent::{MetaDataForm, meta_data_of, repository};
use crate::cib::CibFile;
use crate::node::{ELASTIC_IP, PacemakerNode};
use crate::xml;

fn readme() -> String {
    fs::read_to_string(repository().join("README.md")).expect("README.md")
}

/// [param-1]
#[test]
fn the_tables_of_the_readme_have_every_parameter_with_its_default() {
    the_table_has_every_parameter("Parameters", "eip");
    the_table_has_every_parameter("Private addresses", "vip");
    the_table_has_every_parameter("Overlay addresses", "overlay-ip");
    the_table_has_every_parameter("Readiness of the standby", "eip-health");
}

fn the_table_has_every_parameter(heading: &str, agent: &str) {
    let readme = readme();
    let section = readme.split(&format!("\n## {heading}\n")).nth(1).expect(heading);
    let section = section.split("\n## ").next().unwrap_or(section);
    let document = meta_data_of(agent, MetaDataForm::V1_1);
    let known = xml::values(&document, "//parameter/@name");
    for name in &known {
        assert!(section.contains(&format!("`{name}`")), "README, {heading}: no {name}");
    }
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let name = cells[0].split('`').nth(1).unwrap();
        assert!(agent != "eip" || known.iter().any(|known| known == name), "README, {heading}: {name}");
        let of = |what: &str| xml::string(&document, &format!("//parameter[@name='{name}']{what}"));
        assert_eq!(of("/@reloadable") == "1", cells[0].ends_with('*'), "{name}: the mark for reloadable");
        let default = of("/content/@default");
        let shown = cells[1].trim_matches('`');
        assert!(default.is_empty() || default == shown, "{name}: {shown} is not the default");
    }
}

/// The commands in the README's code blocks that begin with a word and concern the agent.
fn readme_commands(program: &str) -> Vec<Vec<String>> {
    let indented: String = readme().replace("\\\n", " ");
    let commands: Vec<Vec<String>> = indented
        .lines()
        .filter_map(|line| line.strip_prefix("    ").filter(|line| line.starts_with(&format!("{program} "))))
        .map(|line| {
            line.split('#').next().unwrap_or(line).split_whitespace().skip(1).map(str::to_owned).collect()
        })
        .collect();
    assert!(!commands.is_empty(), "the README has no command that begins with {program}");
    commands
}

#[test]
fn pcs_commands_of_the_readme_work() {
    for words in readme_commands("pcs") {
        let node = PacemakerNode::new();
        let cib = CibFile::new(&node);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        cib.pcs(&words).exits(0).without_complaint();
        if words.contains(&"ocf:heartbeat:vip") {
            assert_eq!(cib.parameter("private", "secondary_private_ip"), "10.0.1.12");
            continue;
        }
        if words.contains(&"ocf:heartbeat:overlay-ip") {
            assert_eq!(cib.parameter("overlay", "overlay_ip"), "192.168.10.1");
            continue;
        }
        assert_eq!(cib.resources(), ["eip"], "{words:?}");
        assert_eq!(cib.parameter("eip", "elastic_ip"), ELASTIC_IP.to_string());
    }
}

#[test]
fn crm_resource_commands_of_the_readme_work() {
    for words in readme_commands("crm_resource") {
        let node = PacemakerNode::new();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        node.run("crm_resource", &words).exits(0).in_one_line();
    }
}
