//! Time: every action answers before the cluster kills it, even if both services are silent. The matrix has single silent services and name servers.

use std::net::SocketAddr;
use std::time::Duration;

use agent_tests::{
    KINDS, Node, NodeAction, Run, SHARED_OVERLAY, SHOWN, SimulatedWorld, black_hole, each, mute,
};
use aws_sim::{Fault, FaultKind, ImdsState, Service};

use crate::trouble::{SHORT_MS, break_ec2};

/// Every action that makes requests, with its exit code if none is answered, after a start on this node.
const ACTIONS: [(&str, NodeAction, i32); 11] = [
    ("start", Node::start, 1),
    ("stop", Node::stop, 0),
    ("strict stop", |node| node.stop().param("on_stop", "strict"), 1),
    ("monitor", Node::monitor, 1),
    ("settled monitor", Node::settled_monitor, 1),
    ("close monitor", |node| node.monitor().env("OCF_CHECK_LEVEL", "10"), 1),
    ("probe", Node::probe, 7),
    ("validate-all", Node::validate, 1),
    ("migrate_to", |node| node.run("migrate_to"), 1),
    ("migrate_from", |node| node.run("migrate_from"), 1),
    ("status", |node| node.run("status").interval_ms(10_000), 1),
];

/// A named way in which requests go unanswered.
type Unanswered = (&'static str, fn(&SimulatedWorld, &Node, Run) -> Run);

const UNREACHABLE: Unanswered = ("nothing reachable", |_, _, run| at(run, "http", black_hole));
const MUTE: Unanswered = ("mute", |_, _, run| at(run, "https", mute));
const HANG: Unanswered =
    ("hang", |world, node, run| broken(world, node, run, ImdsState::Hang, FaultKind::Hang));
const SLOW: Unanswered =
    ("slow", |world, node, run| broken(world, node, run, ImdsState::Slow, FaultKind::Slow(1)));

/// Configures both services at addresses of this sort.
fn at(run: Run, ec2: &str, address: fn() -> SocketAddr) -> Run {
    run.ec2_at(format!("{ec2}://{}", address())).imds_at(format!("http://{}", address()))
}

fn broken(world: &SimulatedWorld, node: &Node, run: Run, imds: ImdsState, ec2: FaultKind) -> Run {
    world.cloud.set_imds_state(node.id(), imds);
    break_ec2(&world.cloud, ec2);
    run
}

/// How long before its timeout an action has to answer: half of the margin of a second or 5 %.
fn margin(timeout_ms: u64) -> Duration {
    Duration::from_millis((timeout_ms / 20).max(1000)) / 4
}

/// Checks every action of each kind, one kind after the other, with requests unanswered in these ways.
fn check_all(ways: &[Unanswered], timeouts: &[u64]) {
    for kind in &KINDS {
        // What is known of a node does not depend on the kind of its address.
        let knowns = if kind.name == "eip" { &[true, false][..] } else { &[true][..] };
        let mut rows = Vec::new();
        for (way, silence) in ways {
            for &timeout_ms in timeouts {
                for (name, action, code) in ACTIONS {
                    // If instance metadata does not show the address, only the host knows, and a stop queries that too.
                    let by_host = !matches!(name, "start" | "validate-all" | "migrate_from");
                    let code = if by_host && !kind.is_shown { 0 } else { code };
                    for &known in knowns {
                        let text = format!("{} {name}, {way}, {timeout_ms} ms, known: {known}", kind.name);
                        rows.push((text, (*silence, timeout_ms, action, code, known)));
                    }
                }
            }
        }
        // `known`: the node has a record of a start.
        each(rows, |(silence, timeout_ms, action, code, known)| {
            let nodes = kind.nodes();
            let node = &nodes.here;
            if known {
                nodes.run(node.start()).ok();
            }
            let outcome = silence(&nodes.world, node, nodes.run(action(node)).timeout_ms(timeout_ms)).go();
            // If nothing is known of this node, a machine that is not an EC2 instance reports that, and has nothing to stop.
            let codes = if known || code != 1 { vec![code] } else { vec![code, 5, 0] };
            assert!(codes.contains(&outcome.code), "exit code, not {codes:?}\n{}", outcome.told());
            // With little time the machine's own delays weigh more: in time is enough, and the harness checks that.
            if timeout_ms > SHORT_MS {
                outcome.within(Duration::from_millis(timeout_ms).saturating_sub(margin(timeout_ms)));
            }
        });
    }
}

/// [time-2]
#[test]
fn with_nothing_reachable_every_action_answers_in_time() {
    check_all(&[UNREACHABLE], &[5_000, 20_000]);
}

/// [time-2]
#[test]
fn with_no_answers_every_action_answers_in_time() {
    check_all(&[MUTE, HANG, SLOW], &[SHORT_MS]);
}

#[test]
fn very_short_timeouts_are_kept_too() {
    check_all(&[HANG], &[1_500, 2_000]);
}

/// [stale-9] The credentials come from instance metadata too, and are being loaded when its first answer arrives.
#[test]
fn slow_instance_metadata_that_are_behind_do_not_keep_ec2_from_being_queried() {
    for kind in SHOWN {
        let nodes = kind.nodes();
        let node = &nodes.here;
        nodes.give(&nodes.peer);
        nodes.world.cloud.set_imds_lag(node.id(), Duration::from_mins(10));
        nodes.run(node.start()).ok();
        let slow = FaultKind::Delay(Duration::from_millis(700));
        nodes.world.cloud.fault(Fault::new(Service::Imds, slow).instance(node.id()));
        for monitor in [node.monitor(), node.settled_monitor(), node.probe()] {
            nodes.run(monitor).timeout_ms(20_000).ok().within(Duration::from_secs(10));
        }
    }
}

/// [imds-3] A load reads the role and then its document, which together take longer than an attempt of EC2 may.
#[test]
fn slow_instance_metadata_do_not_keep_the_credentials_from_being_loaded() {
    for kind in KINDS.iter().chain([&SHARED_OVERLAY]) {
        let nodes = kind.nodes();
        let node = &nodes.here;
        nodes.run(node.start()).ok();
        nodes.run(node.stop()).ok();
        nodes.give(&nodes.peer);
        let slow = FaultKind::Delay(Duration::from_millis(600));
        nodes.world.cloud.fault(Fault::new(Service::Imds, slow).instance(node.id()));
        nodes.run(node.start()).param("attempt_timeout", "1").timeout_ms(20_000).ok();
    }
}
