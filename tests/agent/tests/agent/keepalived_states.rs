//! States of which keepalived notifies `eip-keepalived`: what each does with the address, and which one wins if they overlap.

use std::fs;
use std::time::{Duration, Instant};

use agent_tests::{Node, SimulatedWorld, each};
use aws_sim::FaultKind;

use crate::keepalived_world::*;
use crate::trouble::{break_ec2, ec2};

/// The last notification on record on a node.
fn turn(node: &Node) -> String {
    fs::read_to_string(node.state().join("volatile/keepalived-203.0.113.10.turn")).unwrap_or_default()
}

/// Waits until the node has a notification of this state on record.
fn wait_for_turn(world: &SimulatedWorld, node: &Node, state: &str) {
    world.wait(SOON, |_| turn(node).contains(state));
}

fn refused(name: &str) -> FaultKind {
    FaultKind::Error { status: 400, code: name.to_owned(), message: "no".to_owned() }
}

#[test]
fn master_claims_by_notification_and_by_hand() {
    let forms: [(&str, &[&str]); 4] = [
        ("notify", &["203.0.113.10", "INSTANCE", "VI_1", "MASTER", "100"]),
        ("the article's form", &["203.0.113.10", "start"]),
        ("a word", &["203.0.113.10", "master"]),
        ("a parameter beside it", &["elastic_ip=203.0.113.10", "interface=0", "start"]),
    ];
    each(forms, |arguments| {
        let (world, [a]) = SimulatedWorld::new();
        let outcome = call(&a, USUAL, arguments).ok().logged(&["INFO", "MASTER: 203.0.113.10 is here"]);
        world.held_by(&a);
        let says = if arguments.contains(&"start") || arguments.len() == 2 { "started\n" } else { "" };
        assert_eq!(outcome.stdout, says);
        // A repetition changes nothing.
        call(&a, USUAL, arguments).ok().wrote_nothing();
    });
}

/// [keepalived-2]
#[test]
fn losing_states_leave_the_address_and_query_nothing() {
    each(["BACKUP", "FAULT", "STOP", "DELETED"].map(|state| (state, state)), |state| {
        let (world, [a]) = SimulatedWorld::new();
        notify(&a, "MASTER").ok();
        notify(&a, state).ok().no_requests().logged(&["INFO", "stays here until another node takes it"]);
        world.held_by(&a);
        // An address that was released is taken again, not assumed to be here.
        notify(&a, "MASTER").ok();
        world.held_by(&a);
    });
}

/// [keepalived-2]
#[test]
fn losing_states_release_it_if_the_settings_say_so() {
    let rows = [("BACKUP", "ON_BACKUP"), ("FAULT", "ON_FAULT"), ("STOP", "ON_STOP")];
    each(rows.map(|row| (row.0, row)), |(state, setting)| {
        let (world, [a, b]) = SimulatedWorld::new();
        let settings = format!("VERIFY=0\n{setting}=release\n");
        notify(&a, "MASTER").ok();
        notify_with(&a, &settings, state).ok();
        world.is_unassigned();
        for (other, _) in rows.iter().filter(|(other, _)| *other != state) {
            notify(&a, "MASTER").ok();
            notify_with(&a, &settings, other).ok();
            world.held_by(&a);
        }
        // An address that the peer holds stays with the peer.
        notify(&b, "MASTER").ok();
        notify_with(&a, &settings, state).ok().wrote_nothing();
        world.held_by(&b);
    });
}

/// [keepalived-3]
#[test]
fn the_loser_gets_its_own_address_back_when_the_peer_has_taken_the_floating_one() {
    each(["BACKUP", "FAULT", "STOP"].map(|state| (state, state)), |state| {
        let (world, [a, b]) = SimulatedWorld::new();
        let own = world.own_address(&a);
        notify(&a, "MASTER").ok();
        assert_eq!(world.cloud.holder(&own), None, "there is room for one");
        // The peer is slower than keepalived on this node.
        let losing = notify(&a, state).spawn();
        wait_for_turn(&world, &a, state);
        notify(&b, "MASTER").ok();
        losing.wait().exits(0).logged(&["203.0.113.50", "restored"]);
        world.held_by(&b);
        assert!(world.has(&a, &own));
    });
}

#[test]
fn what_gives_the_address_back_outlives_the_script_that_keepalived_kills() {
    let (world, [a, b]) = SimulatedWorld::new();
    let own = world.own_address(&a);
    notify(&a, "MASTER").ok();
    let stopping = notify(&a, "STOP").spawn();
    wait_for_turn(&world, &a, "STOP");
    // Its own background process works once it has the lock.
    let lock = fs::File::open(a.state().join("volatile/keepalived-203.0.113.10.lock")).unwrap();
    world.wait(SOON, |_| lock.try_lock().map(|()| lock.unlock().unwrap()).is_err());
    stopping.kill();
    notify(&b, "MASTER").ok();
    world.wait(SOON, |_| world.has(&a, &own));
    world.held_by(&b);
}

#[test]
fn with_notify_master_alone_the_loser_gets_its_address_back_too() {
    let (world, [a, b]) = SimulatedWorld::new();
    let own = world.own_address(&a);
    word(&a, "start").ok();
    assert_eq!(world.cloud.holder(&own), None);
    // Node 1 gets no notification.
    word(&b, "start").ok();
    world.wait(SOON, |_| world.has(&a, &own));
    world.held_by(&b);
}

/// [keepalived-1]
#[test]
fn a_later_state_wins_over_a_claim_that_hangs_and_takes_effect_late() {
    let (world, [a, b]) = SimulatedWorld::new();
    notify(&a, "MASTER").ok();
    notify(&b, "MASTER").ok();
    world
        .cloud
        .fault(ec2("AssociateAddress", FaultKind::Delay(Duration::from_secs(2))).instance(a.id()).times(1));
    let claim = notify(&a, "MASTER").spawn();
    world.cloud.wait_for_request(SOON, |r| r.operation == "AssociateAddress" && r.fault.is_some()).unwrap();
    let settings = "VERIFY=0\nON_BACKUP=release\n";
    let began = Instant::now();
    call(&a, settings, &["203.0.113.10", "INSTANCE", "VI_1", "BACKUP", "90"]).ok();
    // It did not end before it knew the outcome of the call, and then undid it.
    assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
    claim.wait().exits(1).logged(&["superseded by a later state meanwhile"]);
    world.is_unassigned();
    assert!(turn(&a).contains("\"told\":\"BACKUP\"") && turn(&a).contains("true"), "{}", turn(&a));
}

#[test]
fn an_older_state_that_waits_for_the_lock_ends_when_a_later_one_comes() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.fault(ec2("AssociateAddress", FaultKind::Delay(Duration::from_secs(3))).times(1));
    let first = notify(&a, "MASTER").spawn();
    world.cloud.wait_for_request(SOON, |r| r.operation == "AssociateAddress").unwrap();
    let second = notify(&a, "BACKUP").spawn();
    wait_for_turn(&world, &a, "BACKUP");
    let third = notify(&a, "MASTER").spawn();
    second.wait().exits(1).logged(&["BACKUP: superseded by a later state meanwhile"]);
    first.wait().exits(1);
    third.wait().exits(0);
    world.held_by(&a);
}

/// [keepalived-1]
#[test]
fn flapping_ends_in_the_state_that_was_reported_last() {
    let states = ["MASTER", "BACKUP"];
    each([("ends as master", 0), ("ends as backup", 1)], |last: usize| {
        let (world, [a]) = SimulatedWorld::new();
        world.cloud.set_latency(Duration::from_millis(150));
        let settings = "VERIFY=0\nON_BACKUP=release\n";
        // As keepalived does: one after the other, without waiting for any.
        let all: Vec<_> = (0..6)
            .map(|index| {
                let state = states[(index + last + 1) % 2];
                notify_with(&a, settings, state).spawn()
            })
            .collect();
        let mut codes: Vec<i32> = all.into_iter().map(|running| running.wait().code).collect();
        assert_eq!(codes.pop(), Some(0), "the last one is done");
        assert!(turn(&a).contains(states[last]), "{}", turn(&a));
        if last == 0 {
            world.held_by(&a);
        } else {
            world.is_unassigned();
        }
    });
}

#[test]
fn a_script_that_is_killed_delays_nothing() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.fault(ec2("AssociateAddress", FaultKind::Hang).times(1));
    let hung = notify(&a, "MASTER").spawn();
    world.cloud.wait_for_request(SOON, |r| r.operation == "AssociateAddress").unwrap();
    hung.kill();
    notify(&a, "MASTER").ok();
    world.held_by(&a);
}

/// [keepalived-4]
#[test]
fn an_older_call_of_the_peer_that_is_carried_out_late_is_corrected() {
    let (world, [a, b]) = SimulatedWorld::new();
    notify(&b, "MASTER").ok();
    let claim = notify_with(&a, "VERIFY=5\n", "MASTER").spawn();
    // Not while the claim is being verified: that is another way of taking it again.
    world.wait(SOON, |_| turn(&a).contains("true"));
    world.give(&b);
    claim.wait().exits(0).logged(&["WARN", "taking it again"]);
    world.held_by(&a);
}

#[test]
fn a_node_that_does_not_know_of_the_loss_queries_for_a_shorter_time() {
    let (world, [a, b]) = SimulatedWorld::new();
    call(&a, "VERIFY=10\n", &["203.0.113.10", "start"]).ok().within(Duration::from_secs(8));
    world.give(&b);
    world.held_by(&b);
}

/// [keepalived-4]
#[test]
fn two_masters_do_not_take_it_from_each_other_forever() {
    let (world, [a, b]) = SimulatedWorld::new();
    let claims = [&a, &b].map(|node| notify_with(node, "VERIFY=3\nDEADLINE=9\n", "MASTER").spawn());
    for claim in claims {
        let outcome = claim.wait();
        assert!(matches!(outcome.code, 0 | 1), "{}", outcome.told());
    }
    // Each claims three times, and takes it back twice.
    let moves = world.cloud.history(&world.address).len();
    assert!(moves <= 12, "{moves} moves");
    assert!(world.cloud.holder(&world.address).is_some());
}

#[test]
fn a_claim_that_is_refused_is_reported_and_ends() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.deny("AssociateAddress");
    notify(&a, "MASTER").expect(1).logged(&["ERROR", "UnauthorizedOperation"]);
    world.is_unassigned();
    assert!(turn(&a).contains("false"), "{}", turn(&a));
    world.cloud.allow("AssociateAddress");
    world.cloud.fault(ec2("AssociateAddress", refused("InvalidParameterValue")));
    notify(&a, "MASTER").expect(1);
}

#[test]
fn with_ec2_silent_a_claim_ends_at_its_own_deadline() {
    let (world, [a]) = SimulatedWorld::new();
    break_ec2(&world.cloud, FaultKind::Hang);
    notify_with(&a, "DEADLINE=4\n", "MASTER")
        .expect(1)
        .within(Duration::from_secs(5))
        .not_before(Duration::from_secs(2));
}

#[test]
fn if_the_state_folder_cannot_be_made_the_losing_states_release_it_all_the_same() {
    each([("BACKUP", "ON_BACKUP"), ("FAULT", "ON_FAULT"), ("STOP", "ON_STOP")], |setting| {
        let (world, [a]) = SimulatedWorld::new();
        notify(&a, "MASTER").ok();
        let state = setting.strip_prefix("ON_").unwrap();
        // It cannot be created, like below /run/resource-agents by a script_user other than root.
        let settings = format!("VERIFY=0\n{setting}=release\nSTATE_DIR=/proc/no-such-folder\n");
        notify_with(&a, &settings, state)
            .ok()
            .logged(&["WARN", "cannot use the state directory"])
            .not_logged("a later state has come");
        world.is_unassigned();
        // If the address is left to the peer, there is nothing to put back and so nothing to wait for.
        notify_with(&a, &settings.replace("release", "leave"), state).ok();
    });
}

#[test]
fn a_loss_that_cannot_be_corrected_is_reported_once_and_tried_more_rarely() {
    let (world, [a, b]) = SimulatedWorld::new();
    let own = world.own_address(&a);
    let log = a.folder().join("log/follow");
    word(&a, "start").env("HA_LOGFILE", log.display().to_string()).ok();
    assert_eq!(world.cloud.holder(&own), None);
    world.cloud.clear_log();
    world.cloud.deny("DescribeAddresses");
    world.give(&b);
    let refusals = || {
        let log = world.cloud.log();
        log.iter().filter(|r| r.is("DescribeAddresses")).map(|r| r.at).collect::<Vec<f64>>()
    };
    // Every refusal is repeated once, soon. The pauses between the attempts to put things right are longer, and grow.
    let pauses = || {
        let at = refusals();
        at.windows(2).map(|pair| pair[1] - pair[0]).filter(|pause| *pause > 1.5).collect::<Vec<f64>>()
    };
    world.wait(SOON, |_| pauses().len() >= 2);
    let pauses = pauses();
    assert!(pauses[1] > pauses[0] * 1.3, "{pauses:?} in {:?}", refusals());
    world.cloud.allow("DescribeAddresses");
    world.wait(SOON, |_| world.has(&a, &own));
    let told = fs::read_to_string(log).unwrap();
    assert_eq!(told.matches("UnauthorizedOperation").count(), 1, "{told}");
}
