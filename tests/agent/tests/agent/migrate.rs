//! `migrate_to` and `migrate_from`: a planned move in which the address is never without a holder.

use agent_tests::World;
use aws_sim::FaultKind;

use crate::trouble::{SHORT_MS, break_ec2};

#[test]
fn a_planned_move_has_no_moment_without_a_holder() {
    let (world, [a, b]) = World::new();
    a.start().ok();
    let before = world.cloud.history(&world.address).len();
    let names = |run: agent_tests::Run| {
        run.param("CRM_meta_migrate_source", "node1").param("CRM_meta_migrate_target", "node2")
    };
    names(a.run("migrate_to")).ok().wrote_nothing();
    world.held_by(&a);
    let outcome = names(b.run("migrate_from")).ok();
    world.held_by(&b);
    assert_eq!(outcome.calls("AssociateAddress").len(), 1, "{}", outcome.told());
    assert!(outcome.calls("DisassociateAddress").is_empty(), "{}", outcome.told());
    let change: [&str; 4] = ["INFO", a.id(), b.id(), "migrate_from"];
    outcome.logged(&change);
    a.stop().ok().wrote_nothing();
    world.held_by(&b);
    let history = world.cloud.history(&world.address);
    let moves = &history[before..];
    assert!(moves.len() == 1 && moves[0].holder.is_some(), "{moves:?}");
    b.monitor().ok();
    a.monitor().expect(7).reason(b.id());
}

#[test]
fn what_is_not_here_cannot_be_moved_from_here() {
    let (world, [a, b]) = World::new();
    let outcome = a.run("migrate_to").expect(1);
    outcome.reason("203.0.113.10").wrote_nothing();
    world.give(&b);
    a.run("migrate_to").expect(1).reason(b.id()).wrote_nothing();
}

#[test]
fn migrate_from_twice_changes_nothing_the_second_time() {
    let (world, [a]) = World::new();
    a.run("migrate_from").ok();
    let before = world.cloud.holder(&world.address);
    a.run("migrate_from").ok().wrote_nothing();
    assert_eq!(world.cloud.holder(&world.address), before);
}

#[test]
fn an_outage_during_a_move_leaves_it_where_it_is() {
    let (world, [a, b]) = World::new();
    a.start().ok();
    break_ec2(&world.cloud, FaultKind::Hang);
    b.run("migrate_from").timeout_ms(SHORT_MS).expect(1);
    world.held_by(&a);
    a.run("migrate_to").param("settle_window", "0").timeout_ms(SHORT_MS).ok();
}
