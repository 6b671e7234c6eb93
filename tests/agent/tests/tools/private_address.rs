//! The agent `vip` in the field's tools: as `eip` in the other modules, where it could differ.

use crate::agent::{MetaDataForm, meta_data, meta_data_of, repository};
use crate::cib::CibFile;
use crate::node::PacemakerNode;
use crate::xml;

const VIP: &str = "10.0.1.100";
pub(crate) const ADDRESS: &str = "secondary_private_ip=10.0.1.100";

/// A node with a network device for its interface.
pub(crate) fn wired() -> PacemakerNode {
    let node = PacemakerNode::new();
    let mac = &node.instance.interfaces[0].mac.to_string();
    node.run("ip", &["link", "add", "eth0", "address", mac, "type", "veth", "peer", "name", "peer0"])
        .exits(0);
    node.run("ip", &["link", "set", "peer0", "up"]).exits(0);
    node.run("ip", &["address", "add", "10.0.1.10/24", "dev", "eth0"]).exits(0);
    node.run("ip", &["link", "set", "eth0", "up"]).exits(0);
    node
}

pub(crate) fn holder(node: &PacemakerNode) -> Option<String> {
    node.cloud().private_holder(VIP.parse().unwrap()).map(|(instance, _)| instance.to_string())
}

pub(crate) fn on_device(node: &PacemakerNode) -> bool {
    node.run("ip", &["-4", "-o", "address", "show", "dev", "eth0"]).stdout.contains(" 10.0.1.100/24 ")
}

/// What it shares with `eip` is the same in its meta-data; what only `eip` has is not there.
#[test]
fn it_is_an_agent_of_its_own() {
    let document = meta_data_of("vip", MetaDataForm::V1_1);
    assert_eq!(xml::string(&document, "/resource-agent/@name"), "vip");
    let names = |document: &str, what: &str| xml::values(document, what);
    assert_eq!(names(&document, "//action/@name"), names(&meta_data(MetaDataForm::V1_1), "//action/@name"));
    let parameters = names(&document, "//parameter/@name");
    assert!(!parameters.iter().any(|name| name == "elastic_ip" || name == "private_ip_address"));
    assert_eq!(names(&document, "//parameter[@required='1']/@name"), ["secondary_private_ip"]);
}

#[test]
fn pcs_describes_and_creates_it() {
    let node = PacemakerNode::new();
    let described = node.run("pcs", &["resource", "describe", "ocf:heartbeat:vip"]).exits(0);
    assert!(described.stdout.starts_with("ocf:heartbeat:vip - "), "{}", described.told());
    for name in xml::values(&meta_data_of("vip", MetaDataForm::V1_1), "//parameter/@name") {
        assert!(described.stdout.contains(&format!("  {name}")), "{name}: {}", described.told());
    }
    let cib = CibFile::new(&node);
    let create = ["resource", "create", "private", "ocf:heartbeat:vip"];
    let missing = cib.pcs(&[&create[..], &["--agent-validation"]].concat()).exits(1);
    missing.says("secondary_private_ip");
    let answer = cib.pcs(&[&create[..], &[ADDRESS, "--agent-validation"]].concat()).exits(0);
    assert_eq!(answer.both(), "");
    assert_eq!(cib.parameter("private", "secondary_private_ip"), VIP);
}

#[test]
fn crmsh_accepts_it_silently() {
    let node = PacemakerNode::new();
    let cib = CibFile::new(&node);
    let primitive = ["configure", "primitive", "private", "ocf:heartbeat:vip", "params", ADDRESS];
    let answer =
        cib.crm(&[&primitive[..], &["op", "monitor", "interval=10s", "timeout=20s"]].concat()).exits(0);
    answer.never_says("ERROR").never_says("vip");
    cib.crm(&["configure", "verify"]).exits(0).never_says("ERROR");
    node.run("crm", &["ra", "info", "ocf:heartbeat:vip"]).exits(0).says("secondary_private_ip");
}

fn text(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The commands in a document's code blocks, one line each.
fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.strip_prefix("    "));
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect()
}

/// Every command of the page is run on one node, in order.
#[test]
fn the_page_on_the_script_works_command_by_command() {
    let node = wired();
    let cib = CibFile::new(&node);
    let mut run = 0;
    for command in commands(&text("docs/from-private-ip-script.md")) {
        run += 1;
        let command = command
            .replace("10.0.1.12", VIP)
            .replace("i-100ffad8", &node.instance.id)
            .replace("i-200ffad8", &node.other.id);
        let words: Vec<&str> = command.split(' ').filter(|word| *word != "sudo").collect();
        match words[0] {
            "pcs" if matches!(words[1], "resource" | "constraint") => {
                cib.pcs(&words[1..]).exits(0);
            }
            "crm_resource" => {
                node.run("crm_resource", &words[1..]).exits(0);
            }
            "eipctl" | "./assign_private_ip.sh" => {
                let program = format!("/mnt/sbin/{}", words[0].trim_start_matches("./"));
                let line = format!("{program} {}", words[1..].join(" ").replace('\'', ""));
                node.run("sh", &["-c", &line]).exits(0);
                let target = words[words.len() - 1].trim_matches('\'');
                assert_eq!(holder(&node).as_deref(), Some(target), "{command}");
            }
            "ln" => {
                let line = command.trim_start_matches("sudo ").replace("/usr/sbin/", "/mnt/sbin/");
                let line = line.replace("./assign", "/mnt/sbin/assign");
                node.run("sh", &["-c", &line]).exits(0);
            }
            "ip" => {
                node.run("ip", &words[1..]).exits(0);
            }
            // The agent without the cluster's tools; the page prints its exit code.
            first if first.starts_with("OCF_ROOT=") => {
                let answer = node.run("sh", &["-c", &command]).exits(0);
                assert_eq!(answer.stdout.trim_end(), "0", "{}", answer.told());
            }
            other => panic!("the page has a command that this test cannot run: {other}"),
        }
    }
    assert!(run >= 5, "{run} commands");
    assert_eq!(cib.parameter("private", "secondary_private_ip"), VIP);
}
