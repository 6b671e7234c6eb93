//! State files: no action depends on them, whatever they contain, and a kill at any time leaves them usable.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use agent_tests::{Isolation, KINDS, Node, NodeAction, Run, SimulatedWorld, each};

/// Named ways to spoil a file. The agent's own crate tests other contents, and `hostile` generates more.
type Spoil = fn(&Path);
const SPOILT: [(&str, Spoil); 4] = [
    ("cut off", |path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.get(..text.len() / 2).unwrap()).unwrap();
    }),
    ("other types", |path| fs::write(path, r#"{"phase": 7, "pair": "x", "at_ms": "now"}"#).unwrap()),
    ("a folder", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
    ("writable by all", |path| fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap()),
];

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

/// [record-3] As on a full file system: a record that could not be replaced says that the address was left until the next start.
#[test]
fn a_record_that_could_not_be_replaced_is_not_believed() {
    let full = ["sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"];
    let (_world, [a]) = SimulatedWorld::new();
    let leaving = |run: Run| run.param("on_stop", "leave");
    leaving(a.start()).ok();
    leaving(a.stop()).ok();
    leaving(a.start()).wrapped_in(&full).ok();
    leaving(a.monitor()).ok();
    leaving(a.probe()).ok();
}

/// [record-3]
#[test]
fn a_damaged_or_foreign_file_is_a_warning_and_the_action_goes_on() {
    let rows = SPOILT.into_iter().flat_map(|(name, spoil)| {
        [true, false].map(|volatile| {
            let which = if volatile { "volatile" } else { "durable" };
            (format!("{which}, {name}"), (spoil, volatile))
        })
    });
    each(rows, |(spoil, volatile)| {
        let actions: [NodeAction; 6] = [
            Node::monitor,
            Node::probe,
            Node::start,
            Node::stop,
            |node| node.run("migrate_to"),
            Node::validate,
        ];
        for action in actions {
            let (_world, [a]) = SimulatedWorld::new();
            a.start().ok();
            let file = if volatile { a.volatile_file() } else { a.durable_file() };
            spoil(&file);
            let outcome = action(&a).ok();
            // Each action that reads it reports it.
            if matches!(action(&a).action(), "start" | "stop") {
                outcome.logged(&["WARN", &file.display().to_string()]);
            }
        }
    });
}

/// [record-3]
#[test]
fn a_folder_that_cannot_be_written_is_a_warning_and_the_action_goes_on() {
    let (world, [a]) = SimulatedWorld::new();
    let file = world.folder().write("file", "in the way");
    for folder in ["/proc/no-such-folder".to_owned(), file.display().to_string(), "/dev/null".to_owned()] {
        let run = |run: Run| run.env("EIP_STATE_DIR", &folder);
        run(a.start()).ok().logged(&["WARN"]);
        world.held_by(&a);
        run(a.monitor()).ok();
        run(a.probe()).ok();
        run(a.run("migrate_to")).ok();
        run(a.stop()).ok().logged(&["WARN"]);
        world.is_unassigned();
        run(a.probe()).expect(7);
    }
}

/// As Pacemaker stops a resource that was removed after `crm_resource --refresh`: it no longer knows the parameters.
///
/// [stop-12]
#[test]
fn a_stop_without_parameters_ends_what_was_started_here_according_to_the_record() {
    for kind in &KINDS {
        let nodes = kind.nodes();
        let here = &nodes.here;
        let start = || nodes.run(here.start()).param("interface", "1").ok();
        let bare =
            || nodes.run(here.stop()).no_param(kind.address).no_param("routing_table").by_environment();
        bare().ok().no_requests();
        start();
        bare().ok().logged(&["WARN", "stop without an address", kind.address]);
        assert_eq!(nodes.holder().is_none(), kind.is_released, "{}", kind.name);
        assert!(
            fs::read_to_string(here.volatile_file()).unwrap().contains("\"stopped\"") || !kind.is_released
        );
        bare().ok().no_requests();
        start();
        nodes.run(here.stop()).param(kind.address, "203.0.113").ok().no_requests();
        nodes.world.cloud.deny(kind.release);
        bare().ok();
        nodes.held_by(here);
    }
    let (world, [a]) = SimulatedWorld::new();
    a.start().by_allocation().param("on_stop", "leave").ok();
    a.stop().no_param("elastic_ip").ok().wrote_nothing();
    world.held_by(&a);
    a.stop().no_param("elastic_ip").ok().no_requests();
}

/// [record-2]
#[test]
fn by_default_volatile_and_durable_state_have_their_usual_folders() {
    let Some(isolation) = Isolation::new("mkdir -p /run/resource-agents") else { return };
    let (world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    let run = |run: Run| run.no_env("EIP_STATE_DIR");
    let isolation = world.isolation().unwrap();
    run(a.start()).ok();
    for path in ["/run/resource-agents/eip/vip.json", "/var/lib/eip/vip.json"] {
        assert_eq!(mode(&isolation.outside(path)), 0o600, "{path}");
    }
    run(a.settled_monitor()).ok().ec2_calls(0);
    run(a.stop()).ok();
    // The cluster may have its own folder for files that do not survive a boot.
    run(a.start()).env("HA_RSCTMP", "/run/elsewhere").ok();
    assert!(isolation.outside("/run/elsewhere/eip/vip.json").is_file());
}

/// [record-1]
#[test]
fn records_of_another_boot_do_not_count() {
    let (world, [a]) = SimulatedWorld::new();
    a.start().ok();
    a.stop().param("on_stop", "leave").ok();
    let text = fs::read_to_string(a.volatile_file()).unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let other = text.replace(boot.trim(), "00000000-0000-0000-0000-000000000000");
    assert_ne!(text, other, "the record names its boot");
    fs::write(a.volatile_file(), other).unwrap();
    a.probe().param("on_stop", "leave").ok();
    world.held_by(&a);
}

#[test]
fn without_proc_what_was_written_is_read_again() {
    let Some(isolation) = Isolation::new("mount -t tmpfs tmpfs /proc") else { return };
    let (world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    a.start().ok();
    world.held_by(&a);
    a.start().ok().not_logged("state file");
    // By its allocation alone: the durable record contains its address.
    a.stop().by_allocation().ok().not_logged("state file");
    world.is_unassigned();
}
