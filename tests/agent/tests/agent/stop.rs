//! `stop`: lets go of exactly what is its own, and succeeds whenever that is honest.

use std::time::Duration;

use agent_tests::{World, each};
use aws_sim::{CredState, FaultKind, ImdsState};

use crate::trouble::{LONGER_MS, SHORT_MS, all_silence, break_ec2, ec2};

/// Parameters by name.
type Parameters = &'static [(&'static str, &'static str)];

/// The budget of [`SHORT_MS`]: a second less.
const BUDGET: Duration = Duration::from_millis(SHORT_MS - 1000);

#[test]
fn lets_go_of_the_association_just_read_and_confirms_it() {
    let (world, [a]) = World::new();
    a.start().ok();
    let held = world.cloud.holder(&world.address).unwrap().association_id;
    let outcome = a.stop().ok();
    world.held_by_nobody();
    let outcome = outcome.asked_ec2(&["DescribeAddresses", "DisassociateAddress", "DescribeAddresses"]);
    let sent = &outcome.calls("DisassociateAddress")[0].params;
    assert_eq!(sent.iter().collect::<Vec<_>>(), [(&"AssociationId".to_owned(), &held.to_string())]);
    let change: [&str; 4] = ["INFO", a.id(), "nobody", &held];
    outcome.logged(&change);
}

#[test]
fn twice_changes_nothing_the_second_time() {
    let (world, [a]) = World::new();
    a.start().ok();
    a.stop().ok();
    a.stop().ok().asked_ec2(&["DescribeAddresses"]);
    a.stop().ok().asked_ec2(&["DescribeAddresses"]);
    world.held_by_nobody();
}

#[test]
fn what_was_never_started_needs_one_look() {
    let (_world, [a]) = World::new();
    a.stop().ok().asked_ec2(&["DescribeAddresses"]);
}

#[test]
fn what_is_elsewhere_stays_there() {
    let (world, [a, b]) = World::new();
    a.start().ok();
    b.start().ok();
    let before = world.cloud.holder(&world.address);
    a.stop().ok().asked_ec2(&["DescribeAddresses"]);
    assert_eq!(world.cloud.holder(&world.address), before);
}

#[test]
fn an_interface_that_no_instance_here_has_is_elsewhere() {
    let (world, [a, b]) = World::new();
    world.give(&b);
    a.stop().ok().asked_ec2(&["DescribeAddresses"]);
    world.held_by(&b);
}

#[test]
fn a_peer_that_takes_it_over_in_between_is_not_robbed() {
    let (world, [a, b]) = World::new();
    a.start().ok();
    world.cloud.fault(ec2("DisassociateAddress", FaultKind::Delay(Duration::from_millis(800))).times(1));
    let stopping = a.stop().spawn();
    let limit = Duration::from_secs(5);
    assert!(world.cloud.wait_for_request(limit, |request| request.is("DisassociateAddress")).is_some());
    b.start().ok();
    let taken = world.cloud.holder(&world.address);
    stopping.wait().exits(0);
    assert_eq!(world.cloud.holder(&world.address), taken, "the peer's own association");
    world.held_by(&b);
}

#[test]
fn an_answer_that_was_lost_is_no_failure() {
    for kind in
        [FaultKind::LoseAnswer, FaultKind::EffectThenHang, FaultKind::TruncatedXml, FaultKind::ShortBody]
    {
        let (world, [a]) = World::new();
        a.start().ok();
        world.cloud.fault(ec2("DisassociateAddress", kind.clone()).times(1));
        a.stop().param("attempt_timeout", "1").ok();
        world.held_by_nobody();
    }
}

#[test]
fn waits_until_ec2_shows_it() {
    let (world, [a]) = World::new();
    a.start().ok();
    world.cloud.set_describe_lag(Duration::from_secs(1));
    std::thread::sleep(Duration::from_millis(1100));
    a.stop().ok().not_before(Duration::from_millis(900)).within(Duration::from_secs(4));
    world.held_by_nobody();
}

#[test]
fn with_ec2_silent_the_metadata_is_believed_after_a_quarter_of_the_time() {
    each(all_silence(), |kind| {
        let (world, [a, b]) = World::new();
        world.give(&b);
        a.probe().expect(7);
        break_ec2(&world.cloud, kind);
        let outcome = a.stop().timeout_ms(LONGER_MS).ok().logged(&["WARN"]);
        assert!(!outcome.ec2().is_empty(), "EC2 was not asked\n{}", outcome.told());
        outcome.within(Duration::from_millis(LONGER_MS) / 2);
        world.held_by(&b);
    });
}

#[test]
fn with_ec2_silent_on_stop_decides() {
    let policies: [(&str, Parameters, i32); 5] = [
        ("nothing set", &[], 0),
        ("disassociate", &[("on_stop", "disassociate")], 0),
        ("strict", &[("on_stop", "strict")], 1),
        ("no reassociation", &[("allow_reassociation", "false")], 1),
        (
            "no reassociation, disassociate",
            &[("allow_reassociation", "false"), ("on_stop", "disassociate")],
            1,
        ),
    ];
    let rows = all_silence().into_iter().flat_map(|(silence, kind)| {
        policies.map(|(policy, params, code)| (format!("{silence}, {policy}"), (kind.clone(), params, code)))
    });
    each(rows, |(kind, params, code)| {
        let (world, [a]) = World::new();
        a.start().ok();
        break_ec2(&world.cloud, kind);
        let run = a.stop().param("settle_window", "0").timeout_ms(SHORT_MS);
        let run = params.iter().fold(run, |run, (name, value)| run.param(name, value));
        let address = if code == 0 { "203.0.113.10" } else { &world.address.allocation_id };
        let outcome = run.expect(code).logged(&["ERROR", address]);
        let outcome = outcome.not_before(BUDGET / 2);
        assert!(outcome.ec2().len() >= 2, "it tried once\n{}", outcome.told());
        world.held_by(&a);
    });
}

#[test]
fn an_address_that_a_stop_could_not_let_go_is_seen_by_the_next_probe() {
    let (world, [a]) = World::new();
    a.start().ok();
    break_ec2(&world.cloud, FaultKind::Reset);
    a.stop().timeout_ms(SHORT_MS).ok();
    world.cloud.clear_faults();
    a.probe().ok();
    a.monitor().ok();
    a.stop().ok();
    world.held_by_nobody();
    a.probe().expect(7);
}

#[test]
fn with_both_silent_on_stop_decides() {
    each([("disassociate", 0), ("strict", 1)].map(|row| (row.0, row)), |(policy, code)| {
        let (world, [a]) = World::new();
        a.start().ok();
        break_ec2(&world.cloud, FaultKind::Hang);
        world.cloud.set_imds_state(a.id(), ImdsState::Hang);
        let outcome = a.stop().timeout_ms(SHORT_MS).param("on_stop", policy).expect(code);
        outcome.logged(&["ERROR"]).not_before(BUDGET / 2);
    });
}

#[test]
fn goes_on_when_ec2_comes_back_in_time() {
    let (world, [a]) = World::new();
    a.start().ok();
    break_ec2(&world.cloud, FaultKind::Reset);
    let stopping = a.stop().timeout_ms(10_000).spawn();
    world.wait(Duration::from_secs(5), |cloud| cloud.log().iter().filter(|r| r.fault.is_some()).count() > 2);
    world.cloud.clear_faults();
    stopping.wait().exits(0);
    world.held_by_nobody();
}

#[test]
fn a_takeover_by_the_peer_ends_the_wait_for_ec2() {
    // This node is cut off from EC2, and the peer is not.
    let (world, [a, b]) = World::new();
    a.start().ok();
    let outage = aws_sim::Fault::new(aws_sim::Service::Ec2, FaultKind::Hang).instance(a.id());
    world.cloud.fault(outage);
    let stopping = a.stop().timeout_ms(20_000).spawn();
    b.start().ok();
    stopping.wait().exits(0).within(Duration::from_secs(12));
    world.held_by(&b);
}

#[test]
fn denied_while_it_is_here_is_an_error() {
    for action in ["DescribeAddresses", "DisassociateAddress"] {
        let (world, [a]) = World::new();
        a.start().ok();
        world.cloud.deny(action);
        a.stop().timeout_ms(SHORT_MS).expect(1).reason(action).reason("UnauthorizedOperation");
        world.held_by(&a);
    }
}

#[test]
fn denied_while_nothing_says_where_it_is_is_an_error() {
    let (world, [a]) = World::new();
    a.start().ok();
    world.cloud.deny("DescribeAddresses");
    let keys = ("AKIDSTATIC", "0123456789012345678901234567890123456789");
    world.cloud.add_access_key(keys.0, keys.1);
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    let run = a.stop().env("AWS_ACCESS_KEY_ID", keys.0).env("AWS_SECRET_ACCESS_KEY", keys.1);
    run.secret(keys.1).timeout_ms(SHORT_MS).expect(1).reason("UnauthorizedOperation");
}

#[test]
fn denied_while_it_is_elsewhere_is_none_of_its_business() {
    let (world, [a, b]) = World::new();
    world.give(&b);
    world.cloud.deny("DescribeAddresses");
    world.cloud.deny("DisassociateAddress");
    a.stop().timeout_ms(SHORT_MS).ok();
    world.cloud.allow("DescribeAddresses");
    a.stop().ok();
    world.held_by(&b);
}

#[test]
fn rejected_credentials_are_an_error_while_it_is_here() {
    each([("expired", CredState::Expired), ("missing", CredState::Missing404)], |state| {
        let (world, [a]) = World::new();
        a.start().ok();
        world.cloud.set_credentials(a.id(), state);
        a.stop().timeout_ms(SHORT_MS).expect(1);
        world.held_by(&a);
    });
}

#[test]
fn leave_never_lets_go_and_is_believed_until_the_next_start() {
    let (world, [a]) = World::new();
    let leave = |run: agent_tests::Run| run.param("on_stop", "leave");
    leave(a.start()).ok();
    leave(a.stop()).ok().ec2_calls(0);
    world.held_by(&a);
    leave(a.monitor()).expect(7);
    leave(a.settled_monitor()).expect(7);
    leave(a.probe()).expect(7);
    world.held_by(&a);
    leave(a.start()).ok();
    leave(a.monitor()).ok();
    leave(a.probe()).ok();
}

#[test]
fn leave_is_believed_only_while_it_is_configured() {
    let (_world, [a]) = World::new();
    a.start().ok();
    a.stop().param("on_stop", "leave").ok();
    a.probe().ok();
    a.monitor().ok();
}

#[test]
fn leave_where_nothing_may_be_taken_is_a_contradiction() {
    let (_world, [a]) = World::new();
    let run = |run: agent_tests::Run| run.param("on_stop", "leave").param("allow_reassociation", "false");
    run(a.start()).expect(6).reason("on_stop");
    run(a.run("validate-all")).expect(6).reason("on_stop");
}

#[test]
fn a_start_elsewhere_finds_what_was_left_and_takes_it() {
    let (world, [a, b]) = World::new();
    a.start().ok();
    a.stop().param("on_stop", "leave").ok();
    b.start().ok();
    world.held_by(&b);
}
