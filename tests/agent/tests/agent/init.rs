//! The init face: the name `elastic-ip`, as called by Heartbeat, init and users.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use agent_tests::{Isolation, Node, Run, RunOutcome, SimulatedWorld, each, records_in};
use aws_sim::{CredState, Fault, FaultKind, ImdsState, Service};

use crate::trouble::break_ec2;

/// The article's settings, and a timeout that a test can wait for.
const SETTINGS: &str = "AWS_PARAMS=\"--region=eu-west-1\"\nELASTIC_IP=203.0.113.10\nTIMEOUT=6\n";

/// Prepares a call on a node with this text in its settings file.
fn call(node: &Node, action: &str, settings: &str) -> Run {
    let file = node.folder().join("settings");
    fs::write(&file, settings).unwrap();
    bare(node, action).env("ELASTIC_IP_SETTINGS", file.display().to_string())
}

/// Prepares a call without a settings file, as made by Heartbeat, which is not an OCF cluster.
fn bare(node: &Node, action: &str) -> Run {
    node.run(action).called("elastic-ip").outside_ocf()
}

fn usual(node: &Node, action: &str) -> Run {
    call(node, action, SETTINGS)
}

/// Interprets the output of `status` as Heartbeat's `ResourceManager` does.
fn heartbeat_reads(outcome: &RunOutcome) -> bool {
    let text = &outcome.stdout;
    let lower = text.to_lowercase();
    !lower.contains("not running")
        && (text.contains("running") || text.contains("Running") || text.contains("OK"))
}

#[track_caller]
fn first_line(outcome: &RunOutcome, line: &str) {
    assert_eq!(outcome.stdout.lines().next(), Some(line), "{}", outcome.told());
}

/// [init-4]
#[test]
fn the_settings_of_the_article_start_and_stop_the_address_with_its_own_words() {
    let (world, [a]) = SimulatedWorld::new();
    let id = a.id().to_string();
    first_line(&usual(&a, "status").expect(3), "elastic-ip remapper: I do not have 203.0.113.10");
    let outcome = usual(&a, "start").expect(0);
    assert_eq!(outcome.stdout, format!("elastic-ip remapper: IP 203.0.113.10 associated with {id}\n"));
    world.held_by(&a);
    let outcome = usual(&a, "status").expect(0);
    assert_eq!(outcome.stdout, "elastic-ip remapper: I have 203.0.113.10\nelastic-ip remapper: running\n");
    let outcome = usual(&a, "stop").expect(0);
    assert_eq!(outcome.stdout, "elastic-ip remapper: IP 203.0.113.10 disowned\n");
    world.is_unassigned();
}

#[test]
fn a_repeated_start_or_stop_succeeds_and_writes_nothing() {
    let (world, [a, b]) = SimulatedWorld::new();
    usual(&a, "start").ok();
    usual(&a, "start").ok().wrote_nothing();
    world.held_by(&a);
    usual(&a, "stop").ok();
    usual(&a, "stop").ok().wrote_nothing();
    usual(&b, "start").ok();
    usual(&a, "stop").ok().wrote_nothing();
    world.held_by(&b);
}

#[test]
fn heartbeats_form_has_the_arguments_before_the_action() {
    let (world, [a]) = SimulatedWorld::new();
    let other = world.cloud.allocate(Some([203, 0, 113, 77].into()));
    let eni = a.instance.interfaces[1].eni.to_string();
    bare(&a, "start").before("203.0.113.77").before(&eni).ok();
    let holder = world.cloud.holder(&other).unwrap();
    assert_eq!(holder.private_ip, a.ip(2));
    bare(&a, "status").before("203.0.113.77").before(&eni).expect(0);
    bare(&a, "status").before("203.0.113.77").expect(3);
    // By its allocation, as a parameter; arguments take precedence over the file's address.
    let id = other.allocation_id.to_string();
    usual(&a, "stop").before(&id).before("on_stop=strict").before(&eni).ok();
    assert!(world.cloud.holder(&other).is_none());
    let outcome = usual(&a, "start").before(&id).before("private_ip_address=10.0.1.11").ok();
    first_line(&outcome, &format!("elastic-ip remapper: IP 203.0.113.77 associated with {}", a.id()));
    assert_eq!(world.cloud.holder(&other).unwrap().private_ip, a.ip(1));
    world.is_unassigned();
}

#[test]
fn names_of_links_below_rc_d_are_the_same_program() {
    let (world, [a]) = SimulatedWorld::new();
    usual(&a, "start").called("S99elastic-ip").ok();
    world.held_by(&a);
    usual(&a, "stop").called("K01elastic-ip").ok();
    world.is_unassigned();
}

#[test]
fn a_restart_releases_and_takes_again_according_to_the_new_settings() {
    let (world, [a]) = SimulatedWorld::new();
    usual(&a, "restart").ok();
    world.held_by(&a);
    let outcome = call(&a, "restart", &format!("{SETTINGS}PRIVATE_IP_ADDRESS={}\n", a.ip(1))).ok();
    world.held_at(&a, a.ip(1));
    let lines: Vec<_> = outcome.stdout.lines().collect();
    assert!(lines[0].ends_with(" disowned") && lines[1].contains(" associated with "), "{}", outcome.told());
}

#[test]
fn force_reload_takes_nothing_from_the_peer_and_writes_nothing_if_all_is_in_place() {
    let (world, [a, b]) = SimulatedWorld::new();
    usual(&a, "start").ok();
    usual(&a, "force-reload").ok().wrote_nothing();
    usual(&b, "force-reload").ok().wrote_nothing();
    world.held_by(&a);
}

/// [init-3]
#[test]
fn the_exit_codes_are_those_of_the_standard() {
    /// What fails, and the call.
    type Row = (&'static str, i32, fn(&SimulatedWorld, &Node) -> Run);
    let rows: [Row; 15] = [
        ("no action", 2, |_, a| usual(a, "")),
        ("unknown action", 2, |_, a| usual(a, "strat")),
        ("action first", 2, |_, a| usual(a, "start").arguments(&["203.0.113.10"])),
        ("malformed argument", 2, |_, a| bare(a, "start").before("203.0.113.999")),
        ("argument that sets nothing", 2, |_, a| usual(a, "start").before("colour=blue")),
        ("not implemented", 3, |_, a| usual(a, "reload")),
        ("denied", 4, |world, a| {
            world.cloud.deny("AssociateAddress");
            usual(a, "start")
        }),
        ("no credentials", 4, |world, a| {
            world.cloud.set_credentials(a.id(), CredState::Missing404);
            usual(a, "start")
        }),
        ("no settings", 6, |_, a| call(a, "start", "")),
        ("no settings file", 6, |_, a| bare(a, "start").env("ELASTIC_IP_SETTINGS", "/nowhere/elastic-ip")),
        ("malformed setting", 6, |_, a| call(a, "start", "ELASTIC_IP=203.0.113")),
        ("malformed setting at stop", 6, |_, a| call(a, "stop", "ELASTIC_IP=203.0.113")),
        ("unknown address", 6, |_, a| call(a, "start", "ELASTIC_IP=203.0.113.99\nTIMEOUT=6")),
        ("no such interface", 6, |_, a| usual(a, "start").before("eth77")),
        ("silent API", 1, |world, a| {
            break_ec2(&world.cloud, FaultKind::Reset);
            call(a, "start", "ELASTIC_IP=203.0.113.10\nTIMEOUT=2")
        }),
    ];
    each(rows.map(|(name, code, run)| (name, (code, run))), |(code, run)| {
        let (world, [a]) = SimulatedWorld::new();
        let outcome = run(&world, &a).expect(code);
        assert!(!outcome.stderr.is_empty(), "silent\n{}", outcome.told());
        world.is_unassigned();
    });
}

#[test]
fn a_failure_is_reported_in_the_old_words_with_the_reason_in_one_line() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.deny("AssociateAddress");
    let outcome = usual(&a, "start").expect(4).logged(&["ERROR", "AssociateAddress"]);
    first_line(&outcome, &format!("elastic-ip remapper: Could not map IP 203.0.113.10 to {}", a.id()));
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.told());
    assert!(outcome.stderr.starts_with("elastic-ip remapper: AssociateAddress"), "{}", outcome.told());
    world.give(&a);
    world.cloud.deny("DisassociateAddress");
    let outcome = usual(&a, "stop").expect(4);
    first_line(&outcome, "elastic-ip remapper: Could not disown 203.0.113.10");
    world.held_by(&a);
}

/// [init-4]
#[test]
fn an_unknown_status_is_neither_running_nor_the_reason_in_words_that_heartbeat_knows() {
    let (world, [a]) = SimulatedWorld::new();
    world.give(&a);
    // The reason contains the metadata service's TOKEN, in which Heartbeat finds "OK" and assumes running.
    world.cloud.set_imds_state(a.id(), ImdsState::Hang);
    world.cloud.fault(Fault::new(Service::Ec2, FaultKind::Reset));
    let outcome = call(&a, "status", "ELASTIC_IP=203.0.113.10\nTIMEOUT=2\n").expect(4);
    assert_eq!(
        outcome.stdout,
        "elastic-ip remapper: I cannot tell who has 203.0.113.10\nelastic-ip remapper: unknown\n"
    );
    assert!(!heartbeat_reads(&outcome) && !outcome.stderr.is_empty(), "{}", outcome.told());
    // Invalid settings say nothing either.
    let outcome = call(&a, "status", "ELASTIC_IP=$(reboot)").expect(4);
    assert!(!heartbeat_reads(&outcome) && outcome.stdout.ends_with(": unknown\n"), "{}", outcome.told());
}

/// [start-6]
#[test]
fn a_start_on_a_split_succeeds_if_the_metadata_show_the_address_and_otherwise_fails_in_time() {
    let (world, [a, b]) = SimulatedWorld::new();
    usual(&a, "start").ok();
    break_ec2(&world.cloud, FaultKind::Hang);
    let settings = format!("{SETTINGS}SETTLE_WINDOW=0\nTIMEOUT=3\n");
    usual(&a, "status").expect(0);
    let outcome = call(&a, "start", &settings).expect(0).logged(&["WARN", "metadata"]);
    first_line(&outcome, &format!("elastic-ip remapper: IP 203.0.113.10 associated with {}", a.id()));
    let outcome = call(&b, "start", &settings).expect(1).within(Duration::from_secs(3));
    // It has no record of the address, and does not learn its own id in time.
    first_line(&outcome, "elastic-ip remapper: Could not map IP 203.0.113.10 to this instance");
    world.held_by(&a);
    // A stop that can't reach AWS succeeds, so that Heartbeat does not reboot the node, and does not report what is not the case.
    let outcome = call(&a, "stop", &settings).expect(0).logged(&["ERROR", "203.0.113.10"]);
    first_line(
        &outcome,
        &format!("elastic-ip remapper: IP 203.0.113.10 may still be associated with {}", a.id()),
    );
}

#[test]
fn without_an_address_the_sentences_are_about_none() {
    let (_world, [a]) = SimulatedWorld::new();
    for (action, code, line) in [
        ("start", 6, "Could not map an IP address to this instance"),
        ("stop", 6, "Could not disown an IP address"),
        ("status", 4, "I cannot tell who has an IP address"),
    ] {
        let outcome = call(&a, action, "TIMEOUT=6\n").expect(code).logged(&["no address"]);
        first_line(&outcome, &format!("elastic-ip remapper: {line}"));
    }
}

#[test]
fn an_address_that_is_to_stay_is_left() {
    let (world, [a]) = SimulatedWorld::new();
    let settings = format!("{SETTINGS}ON_STOP=leave\n");
    call(&a, "start", &settings).ok();
    first_line(&call(&a, "stop", &settings).ok(), "elastic-ip remapper: IP 203.0.113.10 left where it is");
    world.held_by(&a);
    call(&a, "status", &settings).expect(3);
}

/// [init-1]
#[test]
fn nothing_in_the_settings_is_ever_run() {
    let (world, [a]) = SimulatedWorld::new();
    let proof = a.folder().join("proof");
    let touch = format!("touch {}", proof.display());
    for hostile in [
        format!("ELASTIC_IP=203.0.113.10$({touch})"),
        format!("ELASTIC_IP=203.0.113.10 ; AWS_PARAMS='--region=`{touch}`'"),
        format!("{touch}\nELASTIC_IP="),
    ] {
        let outcome = call(&a, "start", &hostile).expect(6);
        assert!(!proof.exists(), "it was run: {hostile}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{hostile:?}\n{}", outcome.told());
    }
    // Beside the settings it is harmless, and is reported.
    let beside = format!("{SETTINGS}MY_ID=$({touch})\n{touch}\n[ -x /bin/true ] && {touch}\nWHO=`{touch}`\n");
    call(&a, "start", &beside).ok().logged(&["WARN", "line 5"]).logged(&["line 6"]).logged(&["WHO"]);
    world.held_by(&a);
    assert!(!proof.exists());
}

#[test]
fn the_address_of_the_environment_is_the_last_choice() {
    let (world, [a]) = SimulatedWorld::new();
    bare(&a, "start").env("ELASTIC_IP", "203.0.113.10").env("AWS_PARAMS", "--region=eu-west-1").ok();
    world.held_by(&a);
    usual(&a, "stop").env("ELASTIC_IP", "203.0.113.99").ok();
    world.is_unassigned();
}

#[test]
fn the_first_of_the_usual_settings_files_is_read() {
    let places = [("Debian", "default"), ("RHEL", "sysconfig")];
    each(places, |folder| {
        let script = format!(
            "mkdir \"$FOLDER/{folder}\"; mkdir -p /etc/{folder}; mount --bind \"$FOLDER/{folder}\" /etc/{folder}\n"
        );
        let Some(isolation) = Isolation::new(&format!("mount -t tmpfs tmpfs /etc\n{script}")) else { return };
        isolation.folder().write(&format!("{folder}/elastic-ip"), SETTINGS);
        let (world, [a]) = SimulatedWorld::setup().inside(isolation).make();
        bare(&a, "start").ok();
        world.held_by(&a);
    });
}

#[test]
fn each_address_is_remembered_by_itself() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.allocate(Some([203, 0, 113, 77].into()));
    usual(&a, "start").ok();
    let names = || records_in(&a.state().join("volatile"));
    assert_eq!(names(), ["elastic-ip-203.0.113.10.json"]);
    // At the same private address it would displace the first one.
    let outcome = usual(&a, "start").before("203.0.113.77").expect(6);
    assert!(outcome.stderr.contains("elastic-ip-203.0.113.10"), "{}", outcome.told());
    usual(&a, "start").before("203.0.113.77").before("private_ip_address=10.0.1.11").ok();
    assert_eq!(names(), ["elastic-ip-203.0.113.10.json", "elastic-ip-203.0.113.77.json"]);
    world.held_by(&a);
}

#[test]
fn help_is_for_people_and_needs_nothing() {
    let (_world, [a]) = SimulatedWorld::new();
    for action in ["help", "--help"] {
        let outcome = bare(&a, action).env("ELASTIC_IP_SETTINGS", "/nowhere").ok().no_requests();
        assert!(outcome.stdout.starts_with("usage: elastic-ip"), "{}", outcome.told());
    }
}

/// [init-2] The agent's own crate tests the other owners.
#[test]
fn a_settings_file_that_others_could_have_written_is_refused() {
    let (world, [a]) = SimulatedWorld::new();
    let run = usual(&a, "start");
    let file = a.folder().join("settings");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
    let outcome = run.clone().expect(6).no_requests();
    assert!(outcome.stderr.contains("writable by others: chmod go-w"), "{}", outcome.told());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    world.is_unassigned();
    run.ok();
    world.held_by(&a);
}
