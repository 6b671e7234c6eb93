//! What the metadata service, EC2 and STS say: one answer of a call is replaced, once or for ever.

use std::os::unix::fs::symlink;

use agent_tests::{Folder, Node, SimulatedWorld, binary};
use fastrand::Rng;
use hostile::call::AgentCall;
use hostile::impostor::{Impostor, ImpostorPlan};
use hostile::place::Place;
use hostile::seed::{self, HostileOutcome};
use hostile::verdict;

use crate::cluster;
use crate::scene::{PROGRAMS, allowed, usual};

/// Paths of the metadata service, by a part of them; a path that ends with a slash has nothing after it.
const PATHS: [&str; 15] = [
    "PUT /latest/api/token",
    "meta-data/instance-id",
    "placement/region",
    "meta-data/mac",
    "macs/",
    "interface-id",
    "local-ipv4s",
    "device-number",
    "security-credentials/",
    "security-credentials/eip-node",
    "ipv4-associations/203.0.113.10",
    "ipv4-associations/",
    "owner-id",
    "vpc-id",
    "vpc-ipv4-cidr-blocks",
];
/// Calls of EC2 and STS, with what makes them.
const CALLS: [(&str, &str, &str); 18] = [
    ("DescribeAddresses", "eip", "start"),
    ("DescribeAddresses", "eip", "stop"),
    ("DescribeAddresses", "eip", "monitor"),
    ("DescribeAddresses", "eipctl", "show --timeout=3 203.0.113.10"),
    ("AssociateAddress", "eip", "start"),
    ("DisassociateAddress", "eip", "stop"),
    ("AssumeRole", "eip", "start role"),
    ("AssociateAddress", "eip", "validate-all"),
    ("DescribeNetworkInterfaces", "vip", "start"),
    ("AssignPrivateIpAddresses", "vip", "start"),
    ("UnassignPrivateIpAddresses", "vip", "stop"),
    ("DescribeRouteTables", "overlay-ip", "start"),
    ("DescribeRouteTables", "overlay-ip", "monitor"),
    ("ReplaceRoute", "overlay-ip", "start"),
    ("DescribeNetworkInterfaces", "overlay-ip", "validate-all"),
    ("AssumeRole", "overlay-ip", "start routes"),
    ("DescribeAddresses", "eip-health", "start"),
    ("DescribeNetworkInterfaces", "eipctl", "check --timeout=3 203.0.113.10"),
];
/// What asks the metadata service for most of what it has.
const ASKING: [(&str, &str); 11] = [
    ("eip", "start"),
    ("eip", "start interface"),
    ("eip", "monitor"),
    ("eip", "stop"),
    ("eip", "validate-all"),
    ("vip", "start"),
    ("overlay-ip", "start"),
    ("overlay-ip", "validate-all"),
    ("eip-health", "start"),
    ("eipctl", "show --timeout=3 203.0.113.10"),
    ("eipctl", "check --timeout=3 203.0.113.10"),
];

/// Prepares a call on a node whose services are these.
fn call(
    node: &Node,
    urls: [String; 2],
    (program, words): (&str, &str),
    place: &Place,
    links: &Folder,
) -> AgentCall {
    let mut words: Vec<&str> = words.split(' ').collect();
    let with = |words: &mut Vec<&str>, word| {
        let before = words.len();
        words.retain(|other| *other != word);
        words.len() < before
    };
    let (role, interface) = (with(&mut words, "role"), with(&mut words, "interface"));
    let routes = with(&mut words, "routes");
    let call = usual(Vec::new(), &links.path().join(program), urls, node, &words, place);
    let mut call = call.set("OCF_RESKEY_settle_window", "0").set("OCF_CHECK_LEVEL", "10");
    if role {
        call = call.set("OCF_RESKEY_role_arn", "arn:aws:iam::123456789012:role/eip-mover");
    }
    if routes {
        call = call.set("OCF_RESKEY_routing_table_role", "arn:aws:iam::123456789012:role/eip-mover");
    }
    if interface {
        call = call.set("OCF_RESKEY_interface", "1");
    }
    if words[0] == "monitor" {
        call = call.set("OCF_RESKEY_CRM_meta_interval", "10000");
    }
    call
}

fn plan(rng: &mut Rng, part: &str, ends: bool) -> ImpostorPlan {
    let skip = *rng.choice(&[0, 0, 0, 1]).unwrap();
    ImpostorPlan {
        part: part.to_owned(),
        ends,
        skip,
        times: *rng.choice(&[1, 1, 1_000]).unwrap(),
        seed: rng.u64(..),
    }
}

/// The binary by all its names, outside of namespaces.
pub(crate) fn links() -> Folder {
    let folder = Folder::new();
    for name in PROGRAMS {
        symlink(binary(), folder.path().join(name)).expect("a link");
    }
    cluster::write_tools(folder.path());
    folder
}

/// Runs a case: what is done, and which answer of the metadata service or else of EC2 is another one.
fn case(
    rng: &mut Rng,
    links: &Folder,
    (program, words): (&str, &str),
    imds: Option<ImpostorPlan>,
    ec2: Option<ImpostorPlan>,
) -> Result<HostileOutcome, String> {
    let (world, [node, other]) = SimulatedWorld::new();
    let place = Place::below(world.folder().path(), "case");
    if words.starts_with("stop") || rng.bool() {
        world.give(&node);
    } else if rng.bool() {
        world.give(&other);
    }
    if program == "vip" && words == "stop" {
        let start = call(&node, urls(&node), ("vip", "start"), &place, links).run();
        assert_eq!(start.code, 0, "{start:?}");
    }
    let (imds, ec2) = (Impostor::before(node.imds, imds), Impostor::before(node.ec2, ec2));
    let urls = [format!("http://{}", ec2.addr()), format!("http://{}", imds.addr())];
    let call = call(&node, urls, (program, words), &place, links);
    let ended = call.run();
    let said = [imds.said(), ec2.said()].concat();
    match verdict::judge(&call, &ended, allowed(program)) {
        Ok(done) => Ok(HostileOutcome { struck: !said.is_empty(), ..done }),
        Err(wrong) => Err(format!("{wrong}--- said, {}\n{}", said.len(), said.join("\n"))),
    }
}

fn urls(node: &Node) -> [String; 2] {
    [format!("http://{}", node.ec2), format!("http://{}", node.imds)]
}

#[test]
fn whatever_the_metadata_service_answers() {
    let links = links();
    let sum = seed::run("metadata", 200, |rng| {
        let path = *rng.choice(&PATHS).unwrap();
        let doing = *rng.choice(&ASKING).unwrap();
        let plan = plan(rng, path, true);
        case(rng, &links, doing, Some(plan), None)
    });
    // Some calls are not made by every action.
    assert!(sum.cases < 100 || sum.struck > sum.cases / 2, "too few answers were replaced: {sum:?}");
}

#[test]
fn whatever_a_webhook_answers() {
    let links = links();
    let sum = seed::run("webhook", 40, |rng| {
        let (world, [node]) = SimulatedWorld::new();
        let place = Place::below(world.folder().path(), "case");
        let webhook = Impostor::before(node.ec2, Some(plan(rng, "/hook", false)));
        let call = usual(Vec::new(), &links.path().join("eip-alert"), urls(&node), &node, &[], &place);
        let call = call.set("CRM_alert_recipient", format!("http://{}/hook", webhook.addr()));
        let ended = call.run();
        let said = webhook.said();
        match verdict::judge(&call, &ended, allowed("eip-alert")) {
            Ok(done) => Ok(HostileOutcome { struck: !said.is_empty(), ..done }),
            Err(wrong) => Err(format!("{wrong}--- said, {}\n{}", said.len(), said.join("\n"))),
        }
    });
    assert!(sum.cases < 20 || sum.struck > sum.cases / 2, "too few answers were replaced: {sum:?}");
}

/// [holder-5]
#[test]
fn whatever_ec2_and_sts_answer() {
    let links = links();
    let sum = seed::run("ec2", 200, |rng| {
        let (operation, program, words) = *rng.choice(&CALLS).unwrap();
        let plan = plan(rng, &format!("Action={operation}&"), false);
        case(rng, &links, (program, words), None, Some(plan))
    });
    assert!(sum.cases < 100 || sum.struck > sum.cases / 2, "too few answers were replaced: {sum:?}");
}
