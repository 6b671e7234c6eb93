//! The recurring `monitor`: cheap while all is well, and never "gone" because a look failed.

use std::time::Duration;

use agent_tests::{Run, World, each};
use aws_sim::{CredState, Fault, FaultKind, ImdsState, Service};

use crate::trouble::{LONGER_MS, SHORT_MS, all_silence, break_ec2};

/// The budget of [`SHORT_MS`]: a second less.
const BUDGET: Duration = Duration::from_millis(SHORT_MS - 1000);
/// Further behind than any test lasts.
const STALE: Duration = Duration::from_mins(10);

/// The ways in which the cluster asks for a closer look.
const LEVELS: [(&str, &str); 4] = [
    ("OCF_CHECK_LEVEL", "10"),
    ("OCF_RESKEY_OCF_CHECK_LEVEL", "10"),
    ("OCF_CHECK_LEVEL", "20"),
    ("OCF_CHECK_LEVEL", "15"),
];

#[test]
fn healthy_and_settled_asks_the_metadata_alone_and_reads_no_credentials() {
    let (_world, [a]) = World::new();
    a.start().ok();
    for run in
        [a.settled_monitor(), a.settled_monitor().by_allocation(), a.settled_monitor().by_environment()]
    {
        let outcome = run.ok().ec2_calls(0);
        assert!(outcome.imds("iam/").is_empty(), "credentials were read\n{}", outcome.told());
        assert!(outcome.requests.len() <= 5, "more than token, place and association\n{}", outcome.told());
        assert!(outcome.log.is_empty(), "a line every ten seconds\n{}", outcome.told());
    }
}

#[test]
fn status_is_the_same() {
    let (world, [a]) = World::new();
    a.start().ok();
    a.run("status").interval_ms(10_000).param("settle_window", "0").ok().ec2_calls(0);
    world.cloud.disassociate(&world.address);
    a.run("status").interval_ms(10_000).expect(7).reason("203.0.113.10");
}

#[test]
fn soon_after_a_change_ec2_is_asked_as_well() {
    let (world, [a]) = World::new();
    a.start().ok();
    a.monitor().ok().asked_ec2(&["DescribeAddresses"]);
    a.stop().ok();
    // Metadata that does not show the new address yet.
    world.cloud.set_imds_lag(a.id(), STALE);
    a.start().ok();
    let outcome = a.monitor().ok();
    assert!(!outcome.calls("DescribeAddresses").is_empty(), "{}", outcome.told());
}

#[test]
fn metadata_that_still_shows_it_soon_after_a_stop_is_not_believed() {
    let (world, [a]) = World::new();
    a.start().ok();
    world.cloud.set_imds_lag(a.id(), STALE);
    a.stop().ok();
    world.held_by_nobody();
    a.monitor().timeout_ms(LONGER_MS).expect(7);
    a.probe().timeout_ms(LONGER_MS).expect(7);
}

#[test]
fn elsewhere_names_the_holder() {
    let (world, [a, b]) = World::new();
    a.start().ok();
    world.give(&b);
    for run in [a.monitor(), a.settled_monitor()] {
        run.expect(7).reason("203.0.113.10").reason(b.id());
    }
}

#[test]
fn nobody_is_said_to_be_nobody() {
    let (world, [a]) = World::new();
    a.start().ok();
    world.cloud.disassociate(&world.address);
    for run in [a.monitor(), a.settled_monitor()] {
        run.expect(7).reason("203.0.113.10");
    }
}

#[test]
fn another_private_address_or_interface_of_this_node_is_not_the_place() {
    each([("private address", (0, 1)), ("interface", (1, 2))], |(interface, ip)| {
        let (world, [a]) = World::new();
        a.start().ok();
        let eni = &a.instance.interfaces[interface].eni;
        world.cloud.associate(&world.address, eni, Some(a.ip(ip)));
        let run = |run: Run| run.param("private_ip_address", a.private_ip());
        run(a.settled_monitor()).expect(7).reason("203.0.113.10");
        run(a.monitor()).expect(7).reason("203.0.113.10");
    });
}

#[test]
fn metadata_that_no_longer_shows_it_is_confirmed_by_ec2() {
    let (world, [a, b]) = World::new();
    // Administrators move it away and back; the metadata is behind at the wrong moment.
    a.start().ok();
    world.give(&b);
    world.cloud.set_imds_lag(a.id(), STALE);
    world.give(&a);
    let outcome = a.settled_monitor().ok();
    assert!(!outcome.calls("DescribeAddresses").is_empty(), "{}", outcome.told());
}

#[test]
fn metadata_that_shows_it_is_enough_outside_the_window() {
    let (world, [a, b]) = World::new();
    a.start().ok();
    world.cloud.set_imds_lag(a.id(), STALE);
    world.give(&b);
    a.settled_monitor().ok().ec2_calls(0);
}

#[test]
fn with_ec2_silent_the_metadata_is_read_again_before_it_is_believed() {
    each(all_silence(), |kind| {
        let (world, [a]) = World::new();
        a.start().ok();
        world.cloud.disassociate(&world.address);
        break_ec2(&world.cloud, kind);
        let outcome = a.settled_monitor().timeout_ms(SHORT_MS).expect(7).reason("203.0.113.10");
        let looks = outcome.imds("ipv4-associations/203.0.113.10").len();
        assert!(looks >= 2, "{looks} look(s)\n{}", outcome.told());
        assert!(!outcome.ec2().is_empty(), "EC2 was not asked\n{}", outcome.told());
    });
}

#[test]
fn with_ec2_silent_metadata_that_catches_up_in_time_is_believed() {
    let (world, [a]) = World::new();
    a.start().ok();
    world.cloud.disassociate(&world.address);
    break_ec2(&world.cloud, FaultKind::Throttle);
    let looking = a.settled_monitor().timeout_ms(8_000).spawn();
    let path = "ipv4-associations/203.0.113.10";
    let first = |request: &aws_sim::Request| request.operation.contains(path);
    assert!(world.cloud.wait_for_request(Duration::from_secs(5), first).is_some());
    world.give(&a);
    looking.wait().exits(0);
}

#[test]
fn with_both_silent_it_is_unknown_at_the_deadline() {
    let states = [
        ("hung", ImdsState::Hang),
        ("refused", ImdsState::Refuse),
        ("500", ImdsState::Error500),
        ("switched off", ImdsState::Off403),
        ("no tokens", ImdsState::TokenRefused),
        ("garbage", ImdsState::Garbage),
        ("slow", ImdsState::Slow),
    ];
    let rows = states.into_iter().flat_map(|(name, state)| {
        ["settled", "settling"].map(|when| (format!("{name}, {when}"), (state, when == "settled")))
    });
    each(rows, |(state, settled)| {
        let (world, [a]) = World::new();
        a.start().ok();
        world.cloud.set_imds_state(a.id(), state);
        break_ec2(&world.cloud, FaultKind::Hang);
        let run = if settled { a.settled_monitor() } else { a.monitor() };
        let outcome = run.timeout_ms(SHORT_MS).expect(1);
        // The last pause, of at most a second, is not begun where it would not end in time.
        outcome.not_before(BUDGET / 2);
    });
}

#[test]
fn a_short_silence_of_the_metadata_is_waited_out() {
    let (world, [a]) = World::new();
    a.start().ok();
    world.cloud.fault(Fault::new(Service::Imds, FaultKind::Reset).times(3));
    a.settled_monitor().ok();
    world.cloud.set_imds_state(a.id(), ImdsState::Hang);
    let looking = a.settled_monitor().spawn();
    let asked = |request: &aws_sim::Request| request.fault.as_deref() == Some("hang");
    assert!(world.cloud.wait_for_request(Duration::from_secs(5), asked).is_some());
    world.cloud.set_imds_state(a.id(), ImdsState::On);
    looking.wait().exits(0);
}

#[test]
fn without_the_metadata_ec2_decides() {
    let keys = ("AKIDSTATIC", "0123456789012345678901234567890123456789");
    let (world, [a, b]) = World::new();
    world.cloud.add_access_key(keys.0, keys.1);
    let run = || {
        let run = a.settled_monitor().env("AWS_ACCESS_KEY_ID", keys.0).env("AWS_SECRET_ACCESS_KEY", keys.1);
        run.secret(keys.1)
    };
    a.start().ok();
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    run().ok();
    world.give(&b);
    run().expect(7).reason(b.id());
}

#[test]
fn a_closer_look_lets_ec2_decide() {
    each(LEVELS.map(|level| (format!("{level:?}"), level)), |(name, level)| {
        let (world, [a, b]) = World::new();
        a.start().ok();
        let run = || a.settled_monitor().timeout_ms(LONGER_MS).env(name, level);
        run().ok().asked_ec2(&["DescribeAddresses"]);
        world.cloud.set_imds_lag(a.id(), STALE);
        world.give(&b);
        let outcome = run().expect(7).reason(b.id());
        assert!(!outcome.calls("DescribeAddresses").is_empty(), "{name}={level}\n{}", outcome.told());
    });
}

#[test]
fn the_plain_variable_for_the_level_goes_first() {
    let (_world, [a]) = World::new();
    a.start().ok();
    let run = a.settled_monitor().env("OCF_CHECK_LEVEL", "0").env("OCF_RESKEY_OCF_CHECK_LEVEL", "10");
    run.ok().ec2_calls(0);
    a.settled_monitor().env("OCF_CHECK_LEVEL", "").ok().ec2_calls(0);
    a.settled_monitor().env("OCF_CHECK_LEVEL", "5").ok().ec2_calls(0);
}

#[test]
fn a_closer_look_that_ec2_does_not_answer_is_a_warning() {
    let mut rows: Vec<(&str, Option<FaultKind>)> =
        all_silence().into_iter().map(|(name, kind)| (name, Some(kind))).collect();
    rows.push(("denied", None));
    let rows = rows.into_iter().flat_map(|(name, kind)| {
        ["10", "20"].map(|level| (format!("{name}, {level}"), (kind.clone(), level)))
    });
    each(rows, |(kind, level)| {
        let (world, [a]) = World::new();
        a.start().ok();
        match kind {
            Some(kind) => break_ec2(&world.cloud, kind),
            None => world.cloud.deny("DescribeAddresses"),
        }
        let run = a.settled_monitor().timeout_ms(SHORT_MS).env("OCF_CHECK_LEVEL", level);
        run.ok().logged(&["WARN", "203.0.113.10"]);
    });
}

#[test]
fn a_closer_look_without_credentials_is_a_warning() {
    each([("expired", CredState::Expired), ("missing", CredState::Missing404)], |state| {
        let (world, [a]) = World::new();
        a.start().ok();
        world.cloud.set_credentials(a.id(), state);
        let run = a.settled_monitor().timeout_ms(LONGER_MS).env("OCF_CHECK_LEVEL", "10");
        run.ok().logged(&["WARN", "203.0.113.10"]);
    });
}

#[test]
fn in_the_window_an_outage_of_ec2_changes_nothing() {
    each(all_silence(), |kind| {
        let (world, [a]) = World::new();
        a.start().ok();
        break_ec2(&world.cloud, kind);
        a.monitor().timeout_ms(SHORT_MS).ok();
    });
}

#[test]
fn the_window_is_as_long_as_it_is_set() {
    let (_world, [a]) = World::new();
    a.start().ok();
    a.monitor().param("settle_window", "3600").ok().ec2_calls(1);
    a.monitor().param("settle_window", "0").ok().ec2_calls(0);
    let until = std::time::Instant::now() + Duration::from_secs(5);
    while a.monitor().param("settle_window", "1").ok().ec2().len() == 1 {
        assert!(std::time::Instant::now() < until, "a window of a second is open after five");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_metadata_service_that_forgot_its_tokens_is_asked_for_a_new_one() {
    let (world, [a]) = World::new();
    a.start().ok();
    world.cloud.forget_tokens();
    a.settled_monitor().ok();
}

#[test]
fn an_address_whose_allocation_was_never_seen_is_looked_up() {
    let (world, [a, b]) = World::new();
    world.give(&a);
    a.monitor().by_allocation().ok();
    world.give(&b);
    a.forget();
    a.monitor().by_allocation().expect(7).reason(b.id());
}
