//! The agent `vip` when something does not answer, refuses, or dies.

use std::time::Duration;

use agent_tests::{Node, Run, World, black_hole, each, mute};
use aws_sim::{CredState, FaultKind, ImdsState};

use crate::trouble::{LONGER_MS, SHORT_MS, all_silence, break_ec2, ec2};
use crate::vip_world::*;

#[test]
fn with_nobody_reachable_every_action_answers_in_time() {
    let rows = [5_000, 20_000].into_iter().flat_map(|timeout| {
        ACTIONS.map(|(name, action, code)| (format!("{name}, {timeout} ms"), (timeout, action, code)))
    });
    each(rows, |(timeout, action, code)| {
        let (_world, [a]) = one_subnet();
        start(&a).ok();
        let at = |address| format!("http://{address}");
        let run: Run = action(&a).timeout_ms(timeout).ec2_at(at(black_hole())).imds_at(at(black_hole()));
        run.expect(code);
    });
}

#[test]
fn with_nobody_answering_every_action_answers_in_time() {
    each(ACTIONS.map(|row| (row.0, row)), |(_, action, code)| {
        let (_world, [a]) = one_subnet();
        start(&a).ok();
        let run = action(&a).timeout_ms(SHORT_MS).ec2_at(format!("https://{}", mute()));
        run.imds_at(format!("http://{}", mute())).expect(code);
    });
}

#[test]
fn with_ec2_silent_a_working_address_stays_up() {
    each(all_silence(), |kind| {
        let (world, [a]) = one_subnet();
        start(&a).ok();
        break_ec2(&world.cloud, kind);
        settled_monitor(&a).timeout_ms(SHORT_MS).ok().ec2_calls(0);
        monitor(&a).timeout_ms(SHORT_MS).ok();
        monitor(&a).env("OCF_CHECK_LEVEL", "10").timeout_ms(SHORT_MS).ok().logged(&["WARN"]);
        start(&a).timeout_ms(SHORT_MS).ok().logged(&["WARN"]);
        probe(&a).timeout_ms(SHORT_MS).ok();
    });
}

#[test]
fn with_ec2_silent_on_stop_decides() {
    each([("unassign", 0), ("strict", 1)].map(|row| (row.0, row)), |(policy, code)| {
        let (world, [a]) = one_subnet();
        start(&a).ok();
        break_ec2(&world.cloud, FaultKind::Hang);
        stop(&a).param("on_stop", policy).timeout_ms(SHORT_MS).expect(code).logged(&["ERROR"]);
        world.cloud.clear_faults();
        probe(&a).ok();
        stop(&a).ok();
        held_by_nobody(&world);
    });
}

#[test]
fn with_ec2_silent_the_metadata_are_believed_that_it_is_elsewhere() {
    each(all_silence(), |kind| {
        let (world, [a, b]) = one_subnet();
        start(&b).ok();
        break_ec2(&world.cloud, kind);
        stop(&a).timeout_ms(LONGER_MS).ok().within(Duration::from_millis(LONGER_MS) / 2);
        held_by(&world, &b);
    });
}

#[test]
fn with_the_metadata_silent_ec2_knows() {
    each([("refused", ImdsState::Refuse), ("hung", ImdsState::Hang)], |state| {
        let (world, [a, b]) = one_subnet();
        start(&a).ok();
        world.cloud.add_access_key("AKIDSTATIC", SECRET);
        world.cloud.set_imds_state(a.id(), state);
        with_key(settled_monitor(&a)).ok();
        with_key(start(&a)).ok();
        start(&b).ok();
        with_key(settled_monitor(&a)).expect(7).reason(b.id());
        with_key(stop(&a)).ok();
        held_by(&world, &b);
    });
}

const SECRET: &str = "0123456789012345678901234567890123456789";

fn with_key(run: Run) -> Run {
    let run = run.env("AWS_ACCESS_KEY_ID", "AKIDSTATIC").env("AWS_SECRET_ACCESS_KEY", SECRET);
    run.secret(SECRET).timeout_ms(6_000)
}

#[test]
fn lost_answers_are_no_failures() {
    let kinds = [FaultKind::LoseAnswer, FaultKind::EffectThenHang, FaultKind::TruncatedXml];
    each(kinds.map(|kind| (format!("{kind:?}"), kind)), |kind| {
        let (world, [a]) = one_subnet();
        world.cloud.fault(ec2("AssignPrivateIpAddresses", kind.clone()).times(1));
        start(&a).param("attempt_timeout", "1").ok();
        held_by(&world, &a);
        world.cloud.fault(ec2("UnassignPrivateIpAddresses", kind).times(1));
        stop(&a).param("attempt_timeout", "1").ok();
        held_by_nobody(&world);
    });
}

#[test]
fn denied_permissions_have_their_exit_codes() {
    let (world, [a]) = one_subnet();
    world.cloud.deny("AssignPrivateIpAddresses");
    start(&a).timeout_ms(SHORT_MS).expect(4).reason("UnauthorizedOperation");
    world.cloud.allow("AssignPrivateIpAddresses");
    start(&a).ok();
    world.cloud.deny("UnassignPrivateIpAddresses");
    stop(&a).timeout_ms(SHORT_MS).expect(1).reason("UnauthorizedOperation");
    held_by(&world, &a);
    world.cloud.deny("DescribeNetworkInterfaces");
    settled_monitor(&a).ok();
    monitor(&a).env("OCF_CHECK_LEVEL", "10").ok().logged(&["WARN"]);
}

#[test]
fn missing_credentials_have_their_exit_codes() {
    let (world, [a]) = one_subnet();
    world.cloud.set_credentials(a.id(), CredState::Missing404);
    start(&a).timeout_ms(SHORT_MS).expect(4);
    probe(&a).timeout_ms(SHORT_MS).expect(7);
    world.cloud.assign_private_ip(a.eni(), VIP);
    settled_monitor(&a).ok();
    stop(&a).timeout_ms(SHORT_MS).expect(1);
}

/// Kills an action as soon as EC2 has got this request of it, and before it has got the answer.
fn kill_at(world: &World, node: &Node, run: Run, operation: &'static str) {
    world.cloud.fault(ec2(operation, FaultKind::EffectThenHang).times(1).instance(node.id()));
    let running = run.spawn();
    let seen = world.cloud.wait_for_request(Duration::from_secs(10), |request| request.is(operation));
    assert!(seen.is_some(), "{operation} was not asked for");
    running.kill();
    world.cloud.clear_faults();
}

#[test]
fn an_action_killed_between_two_steps_does_no_harm() {
    type Row = (&'static str, fn(&Node) -> Run, &'static str);
    let rows: [Row; 3] = [
        ("start at the order", start, "AssignPrivateIpAddresses"),
        ("stop at the look", stop, "DescribeNetworkInterfaces"),
        ("stop at the order", stop, "UnassignPrivateIpAddresses"),
    ];
    each(rows.map(|row| (row.0, row)), |(name, action, operation)| {
        let (world, [a, b]) = one_subnet();
        if name.starts_with("stop") {
            start(&a).ok();
        }
        kill_at(&world, &a, action(&a), operation);
        // Whatever was left: a stop cleans up, a start anywhere works, and nobody is robbed by the next stop.
        start(&b).ok();
        stop(&a).ok();
        held_by(&world, &b);
        start(&a).ok();
        stop(&b).ok();
        held_by(&world, &a);
    });
}
