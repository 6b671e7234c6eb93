//! Checks of the files that don't require running them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

mod rehearsal;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pcs-examples")
}

fn scripts(tool: Tool) -> BTreeSet<String> {
    let entries = fs::read_dir(folder().join(tool.folder())).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

#[test]
fn every_file_is_run_and_every_folder_has_the_same_ones() {
    for tool in [Tool::Pcs, Tool::Pcs09, Tool::Crmsh] {
        let cases = CASES.iter().filter(|case| case.tool == tool).map(|case| case.file.to_owned());
        // Each of the others begins with this one.
        let run: BTreeSet<String> = cases.chain(["each-node.sh".to_owned()]).collect();
        assert_eq!(scripts(tool), run, "{}", tool.folder());
    }
}

#[test]
fn the_readme_names_every_file() {
    let readme = text("README.md");
    for file in scripts(Tool::Pcs) {
        assert!(readme.contains(&format!("| `{file}` |")), "{file}");
    }
}

#[test]
fn the_arithmetic_of_the_outage_is_the_same_everywhere_and_right() {
    for tool in [Tool::Pcs, Tool::Pcs09, Tool::Crmsh] {
        let text = text(&format!("{}/fast.sh", tool.folder()));
        assert!(text.contains("outage       3.2 s   2.2 x token + 1 s"), "{}", tool.folder());
        let parts: f64 =
            text.lines().skip_while(|line| !line.contains("token        1.0 s")).take(4).map(seconds).sum();
        assert!((parts - 3.2).abs() < 0.01, "{}: the parts are {parts} s", tool.folder());
        for (token, outage) in [("500 ms", 2.1), ("2000 ms", 5.4)] {
            let token_s: f64 = token.trim_end_matches(" ms").parse::<f64>().unwrap() / 1000.0;
            assert!((2.2 * token_s + 1.0 - outage).abs() < 0.01);
            assert!(text.contains(&format!("{token}: {outage} s")), "{}: {token}", tool.folder());
        }
    }
}

fn seconds(line: &str) -> f64 {
    line.split_whitespace().find_map(|word| word.parse().ok()).unwrap()
}

#[test]
fn the_policy_for_fencing_lets_stop_and_start_the_nodes_and_nothing_else() {
    let policy: serde_json::Value = serde_json::from_str(&text("fence-aws-policy.json")).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let write = statements.iter().find(|statement| statement["Resource"] != "*").unwrap();
    assert_eq!(write["Action"], serde_json::json!(["ec2:StopInstances", "ec2:StartInstances"]));
    let open: Vec<_> = statements.iter().filter(|statement| statement["Resource"] == "*").collect();
    assert!(open.iter().all(|statement| statement["Action"] == "ec2:DescribeInstances"));
}
