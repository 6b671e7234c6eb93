//! The documents and examples against the agent: each parameter they name exists, each that exists is in the table, and
//! the commands they print work.

use std::fs;
use std::path::{Path, PathBuf};

use crate::agent::{MetaDataForm, meta_data, meta_data_of, repository};
use crate::cib::CibFile;
use crate::node::{ELASTIC_IP, PacemakerNode};
use crate::xml;

fn parameters() -> Vec<String> {
    xml::values(&meta_data(MetaDataForm::V1_1), "//parameter/@name")
}

fn readme() -> String {
    fs::read_to_string(repository().join("README.md")).expect("README.md")
}

/// Returns what users read or copy: the documents, the examples, and what is installed beside the agent.
fn shipped() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = below(&repository(), 0);
    files.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    for folder in ["pcs-examples", "ocf", "docs", "packaging"] {
        files.extend(below(&repository().join(folder), 4));
    }
    files
}

fn below(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        if path.is_file() {
            files.push(path);
        } else if depth > 0 {
            files.extend(below(&path, depth - 1));
        }
    }
    files
}

/// Returns the commands of a text, those over several lines as one.
fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    joined.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Returns the parameters of the agent that a command sets.
fn set_by(command: &str) -> Vec<String> {
    let name = |word: &str| {
        let (name, _) = word.trim_matches(['\'', '"']).split_once('=')?;
        Some(name.to_owned())
    };
    let words: Vec<&str> = command.split(' ').collect();
    let mut names: Vec<String> = words
        .windows(2)
        .filter(|pair| matches!(pair[0], "--option" | "-o"))
        .filter(|_| {
            command.contains("eip")
                && ["crm_resource", "ocf-tester"].iter().any(|tool| command.contains(tool))
        })
        .filter_map(|pair| name(pair[1]))
        .collect();
    if let Some(agent) = words.iter().position(|word| *word == "ocf:heartbeat:eip") {
        // What follows is not about the agent but about its operations and the cluster.
        let ends =
            |word: &&&str| matches!(**word, "op" | "meta" | "clone" | "--group" | "bundle" | "utilization");
        names.extend(words[agent + 1..].iter().take_while(|word| !ends(word)).filter_map(|word| name(word)));
    }
    // The other agents' parameters have tests of their own.
    if !words.iter().any(|word| ["/vip", "/overlay-ip"].iter().any(|agent| word.ends_with(agent))) {
        names.extend(
            words.iter().filter_map(|word| name(word)?.strip_prefix("OCF_RESKEY_").map(str::to_owned)),
        );
    }
    names.retain(|name| !name.starts_with("CRM_meta_"));
    names
}

#[test]
fn every_parameter_in_a_command_exists() {
    let known = parameters();
    let mut seen = 0;
    for path in shipped() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for command in commands(&text) {
            for name in set_by(&command) {
                seen += 1;
                assert!(known.contains(&name), "{}: no parameter {name}\n{command}", path.display());
            }
        }
    }
    assert!(seen > 0, "no command of the documents was recognised");
}

#[test]
fn commands_are_taken_apart_as_the_test_above_needs_it() {
    let text = "pcs resource create eip ocf:heartbeat:eip elastic_ip=203.0.113.10 \\\n   region=eu-west-1 op monitor interval=10s meta a=b";
    assert_eq!(set_by(&commands(text)[0]), ["elastic_ip", "region"]);
    assert_eq!(
        set_by("crm_resource --validate --agent eip --option elastic_ip=203.0.113.10"),
        ["elastic_ip"]
    );
    assert_eq!(set_by("OCF_RESKEY_region=x OCF_RESKEY_CRM_meta_timeout=1 ./eip start"), ["region"]);
    assert!(
        set_by("OCF_RESKEY_secondary_private_ip=10.0.1.12 /usr/lib/ocf/resource.d/heartbeat/vip start")
            .is_empty()
    );
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

/// Returns the commands of the README's code blocks that begin with a word and concern the agent.
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
