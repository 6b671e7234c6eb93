//! Sources of credentials and their order.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use agent_tests::{Isolation, Node, Run, SimulatedWorld, each};
use aws_sim::{CredState, Fault, FaultKind, Service};

use crate::trouble::SHORT_MS;

/// A key that exists in the account.
pub(crate) const KNOWN: (&str, &str) = ("AKIDKNOWNTOAWS", "knownSecret+0123456789/0123456789abcdef");
/// A key that does not exist in the account.
const UNKNOWN: (&str, &str) = ("AKIDUNKNOWN", "unknownSecret+0123456789/0123456789abcd");
/// A role of the account.
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/eip-mover";

/// A node whose instance has a role or none, in an account with the key [`KNOWN`].
pub(crate) fn account(role: bool) -> (SimulatedWorld, Node) {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.add_access_key(KNOWN.0, KNOWN.1);
    if !role {
        world.cloud.set_credentials(a.id(), CredState::Missing404);
    }
    (world, a)
}

/// Makes a key available to a run by one of the sources.
type GiveKey = fn(&Node, Run, (&str, &str)) -> Run;

/// The sources of keys; the first three in their order of precedence.
const SOURCES: [(&str, GiveKey); 5] = [
    ("environment", |_, run, key| in_environment(run, key)),
    ("profile file", |node, run, key| {
        write_profile(&node.home(), key);
        run
    }),
    (".awssecret", |node, run, key| {
        write_secret(&node.home(), key);
        run
    }),
    ("config file", |node, run, key| {
        write_private(&node.home().join(".aws/config"), profile("default", key));
        run
    }),
    ("named file", |node, run, key| {
        let path = node.folder().join("keys");
        write_private(&path, profile("default", key));
        run.env("AWS_SHARED_CREDENTIALS_FILE", path.display().to_string())
    }),
];

pub(crate) fn start(node: &Node) -> Run {
    node.start().timeout_ms(SHORT_MS).secret(KNOWN.1).secret(UNKNOWN.1)
}

pub(crate) fn in_environment(run: Run, key: (&str, &str)) -> Run {
    run.env("AWS_ACCESS_KEY_ID", key.0).env("AWS_SECRET_ACCESS_KEY", key.1)
}

pub(crate) fn write_private(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn profile(name: &str, key: (&str, &str)) -> String {
    format!("[{name}]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.0, key.1)
}

fn write_profile(home: &Path, key: (&str, &str)) {
    write_private(&home.join(".aws/credentials"), profile("default", key));
}

fn write_secret(home: &Path, key: (&str, &str)) {
    write_private(&home.join(".awssecret"), format!("{}\n{}\n", key.0, key.1));
}

/// [cred-4]
#[test]
fn one_token_of_the_metadata_is_enough_for_a_process() {
    let (_world, a) = account(true);
    let actions = [a.probe(), a.validate(), a.start(), a.monitor(), a.run("migrate_to"), a.stop()];
    for run in actions {
        let outcome = run.go();
        // On a machine so busy that an attempt is given up, another one is necessary.
        let limit = if outcome.took.as_millis() < 500 { 1 } else { 3 };
        assert!(outcome.imds("/latest/api/token").len() <= limit, "{}", outcome.told());
    }
}

#[test]
fn the_instance_role_is_the_last_resort_and_enough() {
    let (world, a) = account(true);
    let outcome = start(&a).ok();
    assert_eq!(outcome.imds("/iam/security-credentials/node").len(), 1, "read once\n{}", outcome.told());
    world.held_by(&a);
}

#[test]
fn each_source_is_enough_by_itself() {
    each(SOURCES, |source| {
        let (world, a) = account(false);
        source(&a, start(&a), KNOWN).ok();
        world.held_by(&a);
    });
}

#[test]
fn a_containers_key_is_enough_and_takes_precedence_over_the_role() {
    let (world, a) = account(true);
    let key = a.role_key();
    world.cloud.set_credentials(a.id(), CredState::Missing404);
    let run = |key: &[String; 3]| {
        start(&a).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", container(key)).secret(&key[1])
    };
    run(&key).ok();
    world.held_by(&a);
    world.cloud.set_credentials(a.id(), CredState::Valid);
    world.cloud.disassociate(&world.address);
    run(&[UNKNOWN.0.to_owned(), UNKNOWN.1.to_owned(), "token".to_owned()]).expect(4);
}

/// Serves a key as a container's credentials, and returns the URL.
pub fn container([id, secret, token]: &[String; 3]) -> String {
    answering(format!(
        r#"{{"AccessKeyId":"{id}","SecretAccessKey":"{secret}","Token":"{token}","Expiration":"2099-01-01T00:00:00Z"}}"#
    ))
}

/// Serves a body, once for each connection, and returns the URL.
pub fn answering(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let reader = BufReader::new(stream.try_clone().unwrap());
            let _head: Vec<_> =
                reader.lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}",
                body.len()
            );
            let _ = stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes());
        }
    });
    url
}

/// [cred-1]
#[test]
fn the_first_source_that_has_a_key_is_the_one() {
    let pairs = [(0, 1), (0, 2), (1, 2)].map(|(first, second)| (SOURCES[first], SOURCES[second]));
    let rows = pairs.map(|(first, second)| (format!("{} before {}", first.0, second.0), (first.1, second.1)));
    each(rows, |(first, second)| {
        let (world, a) = account(true);
        second(&a, first(&a, start(&a), KNOWN), UNKNOWN).ok();
        world.held_by(&a);
        let (_world, a) = account(true);
        second(&a, first(&a, start(&a), UNKNOWN), KNOWN).expect(4);
    });
    // Each of them takes precedence over the role.
    each(SOURCES, |source| {
        let (_world, a) = account(true);
        source(&a, start(&a), UNKNOWN).expect(4);
    });
}

#[test]
fn a_profile_that_is_named_is_the_one_whatever_else_there_is() {
    let (world, a) = account(true);
    let text = profile("default", UNKNOWN) + &profile("mover", KNOWN);
    write_private(&a.home().join(".aws/credentials"), &text);
    in_environment(start(&a).param("profile", "mover"), UNKNOWN).ok();
    world.held_by(&a);
    // Even if the SDK's variable names it.
    a.stop().secret(KNOWN.1).param("profile", "mover").ok();
    start(&a).env("AWS_PROFILE", "mover").ok();
}

#[test]
fn the_role_of_awseip_is_the_instance_role_alone() {
    let (world, a) = account(true);
    write_profile(&a.home(), UNKNOWN);
    write_secret(&a.home(), UNKNOWN);
    let keys = |run: Run| run.env("AWS_ACCESS_KEY_ID", UNKNOWN.0).env("AWS_SECRET_ACCESS_KEY", UNKNOWN.1);
    keys(start(&a)).param("auth_type", "role").param("profile", "default").ok();
    world.held_by(&a);
}

/// [cred-1]
#[test]
fn the_home_of_root_is_found_without_a_variable() {
    each(["profile", ".awssecret"].map(|name| (name, name)), |name| {
        let Some(isolation) = Isolation::new("") else { return };
        let (world, [a]) = SimulatedWorld::setup().inside(isolation).make();
        world.cloud.add_access_key(KNOWN.0, KNOWN.1);
        world.cloud.set_credentials(a.id(), CredState::Missing404);
        let root = world.isolation().unwrap().outside("/root");
        if name == "profile" {
            write_profile(&root, KNOWN);
        } else {
            write_secret(&root, KNOWN);
        }
        start(&a).no_env("HOME").ok();
        world.held_by(&a);
    });
}

/// [cred-1]
#[test]
fn awssecret_that_others_can_read_is_not_used() {
    for (role, code) in [(true, 0), (false, 4)] {
        let (_world, a) = account(role);
        write_secret(&a.home(), KNOWN);
        fs::set_permissions(a.home().join(".awssecret"), fs::Permissions::from_mode(0o640)).unwrap();
        start(&a).expect(code).logged(&["WARN", ".awssecret"]);
    }
}

#[test]
fn a_role_is_assumed_with_whatever_key_there_is() {
    let (world, a) = account(true);
    let outcome = start(&a).param("role_arn", ROLE).ok();
    world.held_by(&a);
    let assumed: Vec<_> =
        outcome.requests.iter().filter(|request| request.operation == "AssumeRole").collect();
    assert_eq!(assumed.len(), 1, "{}", outcome.told());
    assert_eq!(assumed[0].params["RoleArn"], ROLE);
    assert!(assumed[0].at < outcome.ec2()[0].at, "{}", outcome.told());
    // The role needs the permission, not the instance's own role.
    world.cloud.deny_role("node", "DisassociateAddress");
    a.stop().param("role_arn", ROLE).ok();
    world.is_unassigned();
    world.cloud.deny_role("eip-mover", "AssociateAddress");
    start(&a).param("role_arn", ROLE).expect(4).reason("AssociateAddress");
    // With a key from the environment instead of the instance's.
    world.cloud.allow_role("eip-mover", "AssociateAddress");
    in_environment(start(&a), KNOWN).param("role_arn", ROLE).ok();
}

#[test]
fn a_role_that_may_not_be_assumed_is_a_denial() {
    let (world, a) = account(true);
    world.cloud.deny("AssumeRole");
    start(&a).param("role_arn", ROLE).expect(4);
    let (_world, a) = account(true);
    start(&a).param("role_arn", "arn:aws:iam::999999999999:role/other").expect(4);
}

/// What STS refuses for a reason other than permissions, such as a session longer than the role allows. [code-6], [stop-6]
#[test]
fn a_role_that_sts_refuses_with_any_code_is_no_outage() {
    let (world, a) = account(true);
    world.give(&a);
    let (code, message) = ("ValidationError".to_owned(), "exceeds the MaxSessionDuration".to_owned());
    world.cloud.fault(Fault::new(Service::Sts, FaultKind::Error { status: 400, code, message }));
    start(&a).param("role_arn", ROLE).expect(4).reason("ValidationError");
    a.stop().param("role_arn", ROLE).expect(1).reason("ValidationError");
    world.held_by(&a);
}

#[test]
fn sts_that_does_not_answer_is_an_outage_and_no_denial() {
    let kinds = [("hung", FaultKind::Hang), ("throttled", FaultKind::Throttle), ("reset", FaultKind::Reset)];
    each(kinds, |kind| {
        let (world, a) = account(true);
        world.cloud.fault(Fault::new(Service::Sts, kind));
        start(&a).param("role_arn", ROLE).expect(1);
        world.give(&a);
        start(&a).param("role_arn", ROLE).ok().logged(&["WARN"]);
    });
}

#[test]
fn credentials_of_the_metadata_that_change_at_each_reading_are_taken() {
    let (world, a) = account(true);
    world.cloud.set_credentials(a.id(), CredState::Rotate);
    start(&a).ok();
    a.monitor().ok();
    a.stop().ok();
    world.is_unassigned();
}

#[test]
fn a_clock_that_is_wrong_is_corrected_from_the_answer() {
    let (world, a) = account(true);
    world.cloud.set_clock_skew(3600.0);
    a.start().ok();
    world.held_by(&a);
}
