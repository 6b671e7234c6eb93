//! Secrets and permissions under attack: what other users of the node can see or plant does not help them.
//!
//! `credentials` tests the sources of credentials.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, lchown, symlink};
use std::path::Path;
use std::time::Duration;

use agent_tests::{Node, NodeAction, Run, SimulatedWorld, each, of_process};
use aws_sim::{CredState, Fault, FaultKind, Service};

use crate::credentials::{KNOWN, ROLE, account, in_environment};
use crate::keepalived_world::notify_with;
use crate::tls::BehindTls;
use crate::trouble::{SHORT_MS, can_give_away, ec2};

/// A user other than the agent's.
const NOBODY: u32 = 65_534;
/// How long a process may take until its first call.
const PATIENCE: Duration = Duration::from_secs(5);

/// Prepares every action that makes requests.
fn everything(node: &Node) -> [Run; 7] {
    let runs = [
        node.probe(),
        node.validate(),
        node.start(),
        node.monitor().env("OCF_CHECK_LEVEL", "10"),
        node.run("migrate_to"),
        node.run("migrate_from"),
        node.stop(),
    ];
    runs.map(|run| run.verbose().timeout_ms(2_000))
}

/// [cred-5]
#[test]
fn a_process_at_work_shows_its_action_alone_and_starts_no_other() {
    let actions: [(&str, &str, NodeAction); 4] = [
        ("start", "AssociateAddress", Node::start),
        ("stop", "DisassociateAddress", Node::stop),
        ("validate-all", "DescribeAddresses", Node::validate),
        ("monitor", "DescribeAddresses", |node| node.monitor().env("OCF_CHECK_LEVEL", "10")),
    ];
    each(actions.map(|row| (row.0, row)), |(name, call, action)| {
        let (world, [a, b]) = SimulatedWorld::new();
        if name == "start" {
            world.give(&b);
        } else {
            world.give(&a);
        }
        let [id, secret, token] = a.role_key();
        world.cloud.fault(Fault::new(Service::Ec2, FaultKind::Hang).operation(call));
        // With the address in sight, a monitor spends a quarter of its time on EC2.
        let timeout = if name == "monitor" { 4 * SHORT_MS } else { SHORT_MS };
        let running = action(&a).timeout_ms(timeout).spawn();
        // When it has the credentials and has sent the request.
        assert!(world.cloud.wait_for_request(PATIENCE, |r| r.operation == call).is_some(), "{name}");
        let pid = running.pid();
        assert!(of_process(pid, "cmdline").ends_with(&format!("/eip\0{name}\0")), "{name}: its command line");
        for file in ["cmdline", "comm", "environ"] {
            let text = of_process(pid, file);
            for part in [&id, &secret, &token] {
                assert!(!text.contains(part.as_str()), "{name}: credentials in {file}");
            }
        }
        for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten() {
            let read = |name: &str| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
            assert_eq!(read("children"), "", "{name} started a process");
            assert!(!read("comm").contains(&id), "{name}: a thread's name");
        }
        running.wait();
    });
}

#[test]
fn what_outlives_a_script_of_keepalived_shows_no_secret() {
    let (world, [a]) = SimulatedWorld::new();
    let secret = "the-secret-of-the-article";
    world.cloud.add_access_key("AKIDOFTHEARTICLE", secret);
    let keys =
        format!("VERIFY=0\nON_STOP=release\nAWS_ACCESS_KEY=AKIDOFTHEARTICLE\nAWS_SECRET_KEY={secret}\n");
    let notify = |state| notify_with(&a, &keys, state).secret(secret);
    notify("MASTER").ok();
    world.cloud.fault(ec2("DescribeAddresses", FaultKind::Delay(PATIENCE)).times(1));
    let running = notify("STOP").spawn();
    assert!(world.cloud.wait_for_request(PATIENCE, |r| r.fault.is_some()).is_some());
    let [child] = running.children()[..] else { panic!("children: {:?}", running.children()) };
    for pid in [running.pid(), child] {
        for file in ["cmdline", "comm", "environ"] {
            let text = of_process(pid, file);
            assert!(!text.contains(secret) && !text.contains("AKIDOFTHEARTICLE"), "{file}: {text:?}");
        }
    }
    assert!(of_process(child, "cmdline").starts_with("eip-keepalived\0"));
    running.wait().exits(0);
    world.is_unassigned();
}

/// [cred-5]
#[test]
fn no_secret_is_written_whatever_the_credentials_are() {
    each(["role", "key", "assumed role"].map(|name| (name, name)), |name| {
        let (world, a) = account(true);
        let runs = everything(&a).map(|run| {
            let run = run.env("DB_PASSWORD", "hunter2-hunter2").secret("hunter2-hunter2").secret(KNOWN.1);
            match name {
                "key" => in_environment(run, KNOWN).env("HTTPS_PROXY", ""),
                "assumed role" => run.param("role_arn", ROLE),
                _ => run,
            }
        });
        let all_go = || runs.clone().map(Run::go);
        all_go();
        world.cloud.deny("AssociateAddress");
        all_go();
        world.cloud.set_credentials(a.id(), CredState::Expired);
        all_go();
    });
}

#[test]
fn an_answer_that_repeats_the_secrets_of_the_request_is_not_repeated() {
    each(["DescribeAddresses", "AssociateAddress", "DisassociateAddress"].map(|call| (call, call)), |call| {
        for code in ["SignatureDoesNotMatch", "InternalError", "UnauthorizedOperation", "SomethingNew"] {
            let (world, [a, b]) = SimulatedWorld::new();
            if call == "DisassociateAddress" {
                world.give(&a);
            } else {
                world.give(&b);
            }
            let [_, secret, token] = a.role_key();
            // AWS shows the canonical request if a signature is wrong, and a proxy may show anything.
            let message = format!(
                "The Canonical String for this request should have been 'POST / host:ec2 x-amz-security-token:{token}' \
                 and not {secret}"
            );
            let kind = FaultKind::Error { status: 403, code: code.to_owned(), message };
            let runs = everything(&a);
            world.cloud.fault(Fault::new(Service::Ec2, kind).operation(call));
            for run in runs {
                run.go();
            }
        }
    });
}

/// Replaces a file, possibly by a link to another one.
type Plant = fn(&Path, &Path);

/// What another user can do to the folder of the volatile records if it can write above it, with a name.
type Attack = fn(&Path);

const ATTACKS: [(&str, Attack); 4] = [
    ("a folder of its own", |folder| chown(folder, Some(NOBODY), Some(NOBODY)).unwrap()),
    ("open to all", |folder| fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap()),
    ("open to the group", |folder| fs::set_permissions(folder, fs::Permissions::from_mode(0o770)).unwrap()),
    ("a link of its own", |folder| {
        let elsewhere = folder.with_extension("elsewhere");
        fs::rename(folder, &elsewhere).unwrap();
        symlink(elsewhere, folder).unwrap();
        lchown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    }),
];

#[test]
fn a_user_who_can_write_to_the_folder_of_the_records_cannot_bring_an_old_one_back() {
    if !can_give_away() {
        return;
    }
    each(ATTACKS, |attack| {
        let (world, [a]) = SimulatedWorld::new();
        let left = |run: Run| run.param("on_stop", "leave").param("settle_window", "0");
        left(a.start()).ok();
        left(a.stop()).ok();
        // By that record the address counts as not here until the next start, and the record is the agent's own.
        left(a.probe()).expect(7);
        let old = a.volatile_file().with_extension("old");
        fs::hard_link(a.volatile_file(), &old).unwrap();
        left(a.start()).ok();
        fs::rename(&old, a.volatile_file()).unwrap();
        attack(&a.state().join("volatile"));
        for run in [a.monitor(), a.probe(), a.start(), a.run("migrate_to")] {
            left(run).ok().logged(&["WARN", "state file"]);
        }
        world.held_by(&a);
        a.stop().ok();
        world.is_unassigned();
    });
}

#[test]
fn nothing_is_written_to_a_place_that_another_user_chose() {
    if !can_give_away() {
        return;
    }
    let (world, [a]) = SimulatedWorld::new();
    let elsewhere = world.folder().path().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    let precious = elsewhere.join("vip.json");
    fs::write(&precious, "precious").unwrap();
    let volatile = a.state().join("volatile");
    fs::create_dir_all(a.state()).unwrap();
    symlink(&elsewhere, &volatile).unwrap();
    lchown(&volatile, Some(NOBODY), Some(NOBODY)).unwrap();
    for run in [a.start(), a.monitor(), a.stop(), a.probe()] {
        run.go();
    }
    world.is_unassigned();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    let names: Vec<_> = fs::read_dir(&elsewhere).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["vip.json"], "what was written there");
}

/// [record-3]
#[test]
fn a_file_that_another_user_planted_is_neither_used_nor_followed() {
    if !can_give_away() {
        return;
    }
    let planted: [(&str, Plant); 4] = [
        ("a link to another file", |file, precious| symlink(precious, file).unwrap()),
        ("another link to a file", |file, precious| fs::hard_link(precious, file).unwrap()),
        ("its own file", |file, _| {
            fs::write(file, "{}").unwrap();
            chown(file, Some(NOBODY), Some(NOBODY)).unwrap();
        }),
        ("a pipe", |file, _| {
            assert!(std::process::Command::new("mkfifo").arg(file).status().unwrap().success());
        }),
    ];
    each(planted, |plant| {
        let (world, [a]) = SimulatedWorld::new();
        a.start().ok();
        let precious = world.folder().write("precious", "precious");
        for file in [a.volatile_file(), a.durable_file()] {
            fs::remove_file(&file).unwrap();
            plant(&file, &precious);
        }
        a.monitor().ok();
        a.probe().ok();
        a.start().ok().logged(&["WARN", &a.durable_file().display().to_string()]);
        a.stop().ok();
        world.is_unassigned();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        for file in [a.volatile_file(), a.durable_file()] {
            let meta = fs::symlink_metadata(&file).unwrap();
            assert!(meta.is_file(), "{} is still what was planted", file.display());
            assert_eq!(meta.permissions().mode() & 0o777, 0o600, "{}", file.display());
        }
    });
}

/// [cred-3]
#[test]
fn no_parameter_file_or_variable_turns_the_verification_of_tls_off() {
    const NAMES: [&str; 4] = ["verify_ssl", "no_verify_ssl", "insecure", "curl_insecure"];
    const VARIABLES: [&str; 4] =
        ["AWS_NO_VERIFY_SSL", "AWS_INSECURE", "PYTHONHTTPSVERIFY", "NODE_TLS_REJECT_UNAUTHORIZED"];
    each(["0", "1", "true", "false", "no", "off"].map(|value| (value, value)), |value| {
        let behind = BehindTls::new();
        let a = &behind.node;
        let lines: Vec<String> = NAMES.iter().map(|name| format!("{name} = {value}\n")).collect();
        fs::create_dir_all(a.home().join(".aws")).unwrap();
        fs::write(a.home().join(".aws/config"), format!("[default]\n{}", lines.concat())).unwrap();
        let mut run = behind.at(a.start()).timeout_ms(SHORT_MS);
        for name in NAMES {
            run = run.param(name, value).env(&name.to_uppercase(), value);
        }
        for name in VARIABLES {
            run = run.env(name, value);
        }
        run.expect(1).reason("certificate").ec2_calls(0);
        behind.world.is_unassigned();
    });
}
