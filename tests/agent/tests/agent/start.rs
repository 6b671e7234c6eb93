//! `start`: the address is here afterwards, taken with as few and as early calls as can be.

use std::time::Duration;

use agent_tests::{World, each};
use aws_sim::{Fault, FaultKind, ImdsState, Service};

use crate::trouble::{SHORT_MS, all_silence, break_ec2, ec2, unavailable};

#[test]
fn takes_an_address_that_nobody_holds() {
    let (world, [a]) = World::new();
    let outcome = a.start().ok();
    world.held_by(&a);
    let outcome = outcome.asked_ec2(&["DescribeAddresses", "AssociateAddress", "DescribeAddresses"]);
    let order = outcome.calls("AssociateAddress")[0];
    let expected = [
        ("AllocationId", a.address.allocation_id.to_string()),
        ("AllowReassociation", "true".to_owned()),
        ("NetworkInterfaceId", a.eni().to_string()),
        ("PrivateIpAddress", a.private_ip().to_string()),
    ];
    let sent: Vec<_> = order.params.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    assert_eq!(sent, expected, "each of them explicit, and nothing else");
    let id = order.association_id.clone().unwrap();
    let change: [&str; 6] = ["INFO", "203.0.113.10", "nobody", a.id(), &id, " ms"];
    outcome.logged(&change);
}

#[test]
fn twice_changes_nothing_the_second_time() {
    let (world, [a]) = World::new();
    a.start().ok();
    let before = world.cloud.holder(&world.address);
    a.start().ok().wrote_nothing();
    a.start().param("settle_window", "0").ok().wrote_nothing();
    assert_eq!(world.cloud.holder(&world.address), before, "not even a new association of the same pair");
}

#[test]
fn adopts_an_address_that_is_here_already() {
    let (world, [a]) = World::new();
    world.give(&a);
    a.start().ok().wrote_nothing();
    a.forget();
    a.start().by_allocation().ok().wrote_nothing();
}

#[test]
fn moves_it_from_another_place_on_the_same_instance() {
    let places = [("another private address", 0, 1), ("another interface", 1, 2)];
    each(places.map(|place| (place.0, place)), |(_, interface, ip)| {
        let (world, [a]) = World::new();
        let eni = &a.instance.interfaces[interface].eni;
        world.cloud.associate(&world.address, eni, Some(a.ip(ip)));
        a.start().ok();
        world.held_by(&a);
    });
}

#[test]
fn takes_over_and_names_the_previous_holder() {
    let (world, [a, b]) = World::new();
    a.start().ok();
    let outcome = b.start().ok();
    world.held_by(&b);
    let parts: [&str; 4] = ["INFO", a.id(), b.id(), "eipassoc-"];
    outcome.logged(&parts);
}

#[test]
fn with_ids_on_record_the_order_leaves_before_any_answer_of_ec2() {
    // Order and look are under way at once. Which of them EC2 comes to first decides whether the look can still name the previous holder.
    let firsts = [
        ("the look", "AssociateAddress", None),
        ("the order", "DescribeAddresses", Some("an unknown holder")),
    ];
    each(firsts.map(|first| (first.0, first)), |(_, held_up, holder)| {
        let (world, [a, b]) = World::new();
        a.start().ok();
        b.probe().expect(7);
        world.cloud.set_latency(Duration::from_secs(1));
        // Twice, so that the look that confirms the order does not end the action before the look beside it is answered.
        world.cloud.fault(ec2(held_up, FaultKind::Delay(Duration::from_secs(1))).times(2));
        let outcome = b.start().ok();
        world.held_by(&b);
        let order = outcome.calls("AssociateAddress")[0].at;
        let answers: Vec<f64> = outcome.ec2().iter().filter_map(|request| request.answered_at).collect();
        assert!(!answers.is_empty() && answers.iter().all(|&at| order < at), "{}", outcome.told());
        let looks = outcome.calls("DescribeAddresses");
        assert!(looks[0].answered_at.is_some_and(|at| at > order), "beside it\n{}", outcome.told());
        let from = format!("moved from {} ", holder.unwrap_or(a.id()));
        outcome.logged(&["INFO", &from, b.id()]);
    });
}

#[test]
fn never_orders_by_a_pair_that_was_not_checked() {
    let (world, [a, b]) = World::new();
    let others = world.cloud.allocate(None);
    world.cloud.associate(&others, b.eni(), None);
    a.probe().expect(7);
    // What is on record belongs to the address, and now the configuration names another allocation beside it.
    let run = || a.start().param("allocation_id", &others.allocation_id);
    run().expect(6).reason("allocation_id").wrote_nothing();
    a.forget();
    run().expect(6).reason("203.0.113.10").wrote_nothing();
    assert!(world.cloud.holder(&others).is_some_and(|holder| holder.instance == *b.id()));
    world.held_by_nobody();
    // Nothing on record: the look comes first.
    world.cloud.set_latency(Duration::from_millis(50));
    a.forget();
    let outcome = a.start().by_allocation().ok();
    let look = outcome.calls("DescribeAddresses")[0].answered_at.unwrap();
    assert!(look < outcome.calls("AssociateAddress")[0].at, "{}", outcome.told());
}

#[test]
fn returns_when_ec2_shows_the_association_and_not_before() {
    let (world, [a]) = World::new();
    world.cloud.set_describe_lag(Duration::from_millis(1500));
    let outcome = a.start().ok().not_before(Duration::from_millis(1450)).within(Duration::from_secs(4));
    world.held_by(&a);
    assert_eq!(outcome.calls("AssociateAddress").len(), 1, "{}", outcome.told());
    let shown = outcome.calls("DescribeAddresses").len();
    assert!((3..=30).contains(&shown), "polled, neither once nor all the time\n{}", outcome.told());
}

#[test]
fn an_outage_of_ec2_does_not_take_down_an_address_that_works() {
    each(all_silence(), |kind| {
        let (world, [a]) = World::new();
        world.give(&a);
        break_ec2(&world.cloud, kind);
        a.start().timeout_ms(SHORT_MS).ok().wrote_nothing().logged(&["WARN", "203.0.113.10"]);
        world.held_by(&a);
    });
}

#[test]
fn retries_an_outage_of_ec2_up_to_the_deadline() {
    each(all_silence(), |kind| {
        let (world, [a, b]) = World::new();
        world.give(&b);
        break_ec2(&world.cloud, kind);
        let outcome =
            a.start().timeout_ms(SHORT_MS).expect(1).not_before(Duration::from_millis(SHORT_MS / 3));
        assert!(outcome.ec2().len() >= 2, "it tried once\n{}", outcome.told());
        world.held_by(&b);
    });
}

#[test]
fn goes_on_when_ec2_comes_back_in_time() {
    let rows = all_silence().into_iter().map(|(name, kind)| (name, (name, kind)));
    each(rows, |(name, kind)| {
        // One byte a second is an answer too, in the end: it is here as a time-out of the attempt.
        let (world, [a]) = World::new();
        for operation in ["DescribeAddresses", "AssociateAddress"] {
            world.cloud.fault(ec2(operation, kind.clone()).times(1));
        }
        a.start().ok().within(Duration::from_secs(15));
        world.held_by(&a);
        assert!(world.cloud.history(&world.address).len() == 2, "{name}: moved more than once");
    });
}

#[test]
fn an_answer_that_was_lost_is_looked_up_before_anything_else_is_done() {
    for (kind, by_record) in [
        (FaultKind::LoseAnswer, false),
        (FaultKind::LoseAnswer, true),
        (FaultKind::EffectThenHang, true),
        (FaultKind::ShortBody, true),
        (FaultKind::TruncatedXml, true),
    ] {
        let (world, [a]) = World::new();
        if by_record {
            a.probe().expect(7);
        }
        world.cloud.fault(ec2("AssociateAddress", kind.clone()).times(1));
        let outcome = a.start().param("attempt_timeout", "1").ok();
        world.held_by(&a);
        assert_eq!(outcome.calls("AssociateAddress").len(), 1, "{kind:?}\n{}", outcome.told());
        outcome.logged(&["INFO", a.id(), "eipassoc-"]);
    }
}

#[test]
fn an_allocation_on_record_that_ec2_no_longer_knows_is_looked_up_again() {
    let (world, [a]) = World::new();
    a.start().ok();
    a.stop().ok();
    let durable = std::fs::read_to_string(a.durable_file()).unwrap();
    let stale = durable.replace(a.address.allocation_id.as_str(), "eipalloc-0123456789abcdef0");
    assert_ne!(durable, stale, "the record has the allocation");
    std::fs::write(a.durable_file(), stale).unwrap();
    a.start().ok();
    world.held_by(&a);
    let durable = std::fs::read_to_string(a.durable_file()).unwrap();
    assert!(durable.contains(a.address.allocation_id.as_str()), "the record is right again: {durable}");
}

#[test]
fn two_resources_do_not_evict_each_other_from_one_private_address() {
    let (world, [a]) = World::new();
    let second = world.cloud.allocate(None);
    a.start().ok();
    let other = || a.start().env("OCF_RESOURCE_INSTANCE", "vip2").param("elastic_ip", second.public_ip);
    other().expect(2).reason("private_ip_address").wrote_nothing();
    world.held_by(&a);
    other().param("private_ip_address", a.ip(1)).ok();
    world.held_by(&a);
    assert_eq!(world.cloud.holder(&second).unwrap().private_ip, a.ip(1));
}

#[test]
fn the_place_of_a_resource_that_was_stopped_is_free() {
    let (world, [a]) = World::new();
    let second = world.cloud.allocate(None);
    a.start().ok();
    a.stop().ok();
    a.start().env("OCF_RESOURCE_INSTANCE", "vip2").param("elastic_ip", second.public_ip).ok();
}

#[test]
fn where_taking_is_not_allowed_the_holder_keeps_it() {
    for on_record in [false, true] {
        let (world, [a, b]) = World::new();
        if on_record {
            b.probe().expect(7);
        }
        world.give(&a);
        let run = || b.start().param("allow_reassociation", "false").timeout_ms(SHORT_MS);
        let outcome = run().expect(1).reason("203.0.113.10").reason(a.id());
        assert!(outcome.took < Duration::from_secs(2), "there is nothing to wait for\n{}", outcome.told());
        for order in outcome.calls("AssociateAddress") {
            assert_eq!(order.params["AllowReassociation"], "false");
        }
        world.held_by(&a);
        world.cloud.disassociate(&world.address);
        run().ok();
        world.held_by(&b);
    }
}

#[test]
fn where_taking_is_not_allowed_a_lost_answer_is_no_refusal() {
    let (world, [a]) = World::new();
    a.probe().expect(7);
    world.cloud.fault(ec2("AssociateAddress", FaultKind::LoseAnswer).times(1));
    a.start().param("allow_reassociation", "false").ok();
    world.held_by(&a);
}

#[test]
fn the_metadata_may_need_a_moment() {
    let (world, [a]) = World::new();
    for kind in [FaultKind::Reset, FaultKind::Throttle, unavailable(), FaultKind::Hang] {
        world.cloud.fault(Fault::new(Service::Imds, kind).times(1));
    }
    a.start().ok();
    world.held_by(&a);
}

#[test]
fn the_metadata_may_be_away_where_it_was_there_before() {
    let (world, [a, b]) = World::new();
    a.start().ok();
    b.start().ok();
    let keys = ("AKIDSTATIC", "0123456789012345678901234567890123456789");
    world.cloud.add_access_key(keys.0, keys.1);
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    let run = a.start().env("AWS_ACCESS_KEY_ID", keys.0).env("AWS_SECRET_ACCESS_KEY", keys.1).secret(keys.1);
    run.ok().logged(&["WARN"]);
    world.held_by(&a);
}

#[test]
fn a_takeover_asks_for_no_more_than_it_needs() {
    let (world, [a, b]) = World::new();
    a.start().ok();
    b.probe().expect(7);
    let outcome = b.start().ok();
    world.held_by(&b);
    let mut asked: Vec<_> = outcome.ec2().iter().map(|request| request.operation.as_str()).collect();
    asked.sort_unstable();
    assert_eq!(asked, ["AssociateAddress", "DescribeAddresses", "DescribeAddresses"], "{}", outcome.told());
}

#[test]
fn what_is_on_record_after_a_start_makes_the_next_monitor_cheap() {
    let (_world, [a]) = World::new();
    a.start().by_allocation().ok();
    a.settled_monitor().by_allocation().ok().ec2_calls(0);
}
