//! The probe: `monitor` before anything was started. It always has an answer, and in doubt it is "not here".

use std::time::Duration;

use agent_tests::{Isolation, World, each};
use aws_sim::{CredState, FaultKind, ImdsState};

use crate::trouble::{SHORT_MS, all_silence, break_ec2, ec2};

#[test]
fn here_by_the_metadata_is_an_answer() {
    let (world, [a]) = World::new();
    world.give(&a);
    a.probe().ok().ec2_calls(0);
    a.probe().interval_ms(0).ok().ec2_calls(0);
    a.run("status").ok().ec2_calls(0);
}

#[test]
fn not_here_by_the_metadata_is_an_answer() {
    let (world, [a, b]) = World::new();
    world.give(&b);
    a.probe().expect(7);
    // With the ids on record.
    a.probe().expect(7).ec2_calls(0);
    a.probe().interval_ms(0).expect(7).ec2_calls(0);
    a.probe().by_allocation().expect(7).ec2_calls(0);
}

#[test]
fn the_first_probe_fills_the_record() {
    let (_world, [a]) = World::new();
    let outcome = a.probe().expect(7).asked_ec2(&["DescribeAddresses"]);
    assert!(!outcome.log.contains("WARN"), "{}", outcome.told());
    let durable = std::fs::read_to_string(a.durable_file()).unwrap();
    assert!(durable.contains(a.address.allocation_id.as_str()), "{durable}");
}

#[test]
fn a_standby_that_could_not_take_over_says_so_early_and_answers_all_the_same() {
    let mut rows: Vec<(&str, Option<FaultKind>)> =
        all_silence().into_iter().map(|(name, kind)| (name, Some(kind))).collect();
    rows.push(("denied", None));
    each(rows, |kind| {
        let (world, [a, b]) = World::new();
        world.give(&b);
        match kind {
            Some(kind) => break_ec2(&world.cloud, kind),
            None => world.cloud.deny("DescribeAddresses"),
        }
        let outcome = a.probe().expect(7).logged(&["WARN", "203.0.113.10"]);
        outcome.within(Duration::from_millis(2700));
    });
    each([("expired", CredState::Expired), ("missing", CredState::Missing404)], |state| {
        let (world, [a]) = World::new();
        world.cloud.set_credentials(a.id(), state);
        a.probe().expect(7).logged(&["WARN"]).within(Duration::from_millis(2700));
    });
}

#[test]
fn soon_after_a_change_ec2_is_asked_as_well() {
    let (world, [a]) = World::new();
    world.cloud.set_imds_lag(a.id(), Duration::from_mins(10));
    a.start().ok();
    a.probe().ok().asked_ec2(&["DescribeAddresses"]);
    a.stop().ok();
    a.probe().expect(7);
    a.probe().param("settle_window", "0").expect(7).ec2_calls(0);
}

#[test]
fn without_the_metadata_ec2_decides_where_this_node_is_known() {
    let keys = ("AKIDSTATIC", "0123456789012345678901234567890123456789");
    let (world, [a, b]) = World::new();
    world.cloud.add_access_key(keys.0, keys.1);
    let run = || {
        let run = a.probe().env("AWS_ACCESS_KEY_ID", keys.0).env("AWS_SECRET_ACCESS_KEY", keys.1);
        run.secret(keys.1).timeout_ms(SHORT_MS)
    };
    a.start().ok();
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    run().ok();
    world.give(&b);
    run().expect(7);
}

#[test]
fn without_the_metadata_the_firmware_knows_this_node() {
    let firmware = "mount -t tmpfs tmpfs /sys/devices/virtual
        mkdir -p /sys/devices/virtual/dmi/id
        echo i-00000000000000001 >/sys/devices/virtual/dmi/id/board_asset_tag
        echo 'Amazon EC2' >/sys/devices/virtual/dmi/id/sys_vendor";
    let Some(isolation) = Isolation::new(firmware) else { return };
    let keys = ("AKIDSTATIC", "0123456789012345678901234567890123456789");
    let (world, [a, b]) = World::setup().inside(isolation).make();
    world.cloud.add_access_key(keys.0, keys.1);
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    let run = |run: agent_tests::Run| {
        let run = run.env("AWS_ACCESS_KEY_ID", keys.0).env("AWS_SECRET_ACCESS_KEY", keys.1);
        run.param("region", "eu-west-1").secret(keys.1).timeout_ms(SHORT_MS)
    };
    world.give(&a);
    run(a.probe()).ok();
    run(a.settled_monitor()).ok();
    world.give(&b);
    run(a.probe()).expect(7);
    run(a.settled_monitor()).expect(7).reason(b.id());
    // What looks like EC2 is not called something else.
    run(a.start()).expect(1);
}

#[test]
fn with_all_silent_it_is_not_here_and_a_warning() {
    let states =
        [("hung", ImdsState::Hang), ("refused", ImdsState::Refuse), ("switched off", ImdsState::Off403)];
    let rows = states.into_iter().flat_map(|(name, state)| {
        [true, false].map(|known| (format!("{name}, known: {known}"), (state, known)))
    });
    each(rows, |(state, known)| {
        let (world, [a]) = World::new();
        if known {
            a.start().ok();
        }
        world.cloud.set_imds_state(a.id(), state);
        break_ec2(&world.cloud, FaultKind::Hang);
        a.probe().timeout_ms(SHORT_MS).expect(7).logged(&["WARN", "203.0.113.10"]);
    });
}

#[test]
fn never_fails_whatever_ec2_answers() {
    let codes = ["AuthFailure", "OptInRequired", "InvalidAction", "Unsupported", "NewlyInvented"];
    each(codes.map(|code| (code, code)), |code| {
        let (world, [a]) = World::new();
        let kind = FaultKind::Error { status: 400, code: code.to_owned(), message: code.to_owned() };
        world.cloud.fault(ec2("DescribeAddresses", kind));
        a.probe().expect(7);
        a.probe().by_allocation().timeout_ms(SHORT_MS).expect(7);
    });
}

#[test]
fn a_closer_look_at_a_probe_never_fails_either() {
    each(all_silence(), |kind| {
        let (world, [a]) = World::new();
        break_ec2(&world.cloud, kind);
        a.probe().env("OCF_CHECK_LEVEL", "10").timeout_ms(SHORT_MS).expect(7);
    });
}
