//! `restore_displaced`: an address that had to make way comes back.

use agent_tests::World;

use crate::trouble::ec2;

#[test]
fn an_address_that_made_way_is_put_back_by_stop() {
    let (world, [a]) = World::new();
    let own = world.cloud.allocate(Some([203, 0, 113, 50].into()));
    world.cloud.associate(&own, a.eni(), None);
    a.start().ok().logged(&["INFO", &own.public_ip.to_string()]);
    world.held_by(&a);
    assert_eq!(world.cloud.holder(&own), None, "there is room for one");
    let durable = std::fs::read_to_string(a.durable_file()).unwrap();
    assert!(durable.contains(&own.public_ip.to_string()), "remembered durably: {durable}");
    a.stop().ok();
    world.held_by_nobody();
    assert_eq!(world.cloud.holder(&own).map(|holder| holder.private_ip), Some(a.private_ip()));
    // Put back once is enough: who takes it off later has a reason.
    world.cloud.disassociate(&own);
    a.stop().ok();
    assert_eq!(world.cloud.holder(&own), None);
}

#[test]
fn it_makes_way_and_comes_back_each_time() {
    let (world, [a]) = World::new();
    let own = world.cloud.allocate(Some([203, 0, 113, 50].into()));
    world.cloud.associate(&own, a.eni(), None);
    for _ in 0..3 {
        a.start().ok();
        world.held_by(&a);
        a.stop().ok();
        assert!(world.cloud.holder(&own).is_some_and(|holder| holder.private_ip == a.private_ip()));
    }
}

#[test]
fn it_is_put_back_also_after_a_takeover_by_the_peer() {
    let (world, [a, b]) = World::new();
    let own = world.cloud.allocate(Some([203, 0, 113, 50].into()));
    world.cloud.associate(&own, a.eni(), None);
    a.start().ok();
    b.start().ok();
    a.stop().ok();
    world.held_by(&b);
    assert!(world.cloud.holder(&own).is_some_and(|holder| holder.instance == *a.id()));
}

#[test]
fn it_is_not_taken_from_who_has_it_by_then() {
    let (world, [a, b]) = World::new();
    let own = world.cloud.allocate(Some([203, 0, 113, 50].into()));
    world.cloud.associate(&own, a.eni(), None);
    a.start().ok();
    world.cloud.associate(&own, b.eni(), None);
    a.stop().ok();
    assert!(world.cloud.holder(&own).is_some_and(|holder| holder.instance == *b.id()));
}

#[test]
fn what_cannot_be_put_back_now_is_put_back_later_and_fails_nothing() {
    let (world, [a]) = World::new();
    let own = world.cloud.allocate(Some([203, 0, 113, 50].into()));
    world.cloud.associate(&own, a.eni(), None);
    a.start().ok();
    world.cloud.deny("AssociateAddress");
    a.stop().ok().logged(&["WARN", &own.public_ip.to_string()]);
    world.cloud.allow("AssociateAddress");
    a.stop().ok();
    assert!(world.cloud.holder(&own).is_some_and(|holder| holder.instance == *a.id()));
}

#[test]
fn switched_off_it_stays_away() {
    let (world, [a]) = World::new();
    let own = world.cloud.allocate(Some([203, 0, 113, 50].into()));
    world.cloud.associate(&own, a.eni(), None);
    a.start().param("restore_displaced", "false").ok();
    a.stop().param("restore_displaced", "false").ok();
    assert_eq!(world.cloud.holder(&own), None);
}

#[test]
fn switched_off_meanwhile_it_stays_away() {
    let (world, [a]) = World::new();
    let own = world.cloud.allocate(Some([203, 0, 113, 50].into()));
    world.cloud.associate(&own, a.eni(), None);
    a.start().ok();
    a.stop().param("restore_displaced", "false").ok();
    assert_eq!(world.cloud.holder(&own), None);
}

#[test]
fn an_automatic_public_address_is_none_of_ours() {
    let setup = World::setup().instances(|_| {
        let mut spec = aws_sim::InstanceSpec::with_ip([10, 0, 1, 10].into());
        spec.interfaces[0].auto_public_ip = true;
        spec
    });
    let (world, [a]) = setup.make();
    a.start().ok();
    world.held_by(&a);
    let outcome = a.stop().ok();
    world.held_by_nobody();
    assert!(outcome.calls("AssociateAddress").is_empty(), "{}", outcome.told());
    assert!(a.settled_monitor().expect(7).reasons().len() == 1);
}

#[test]
fn it_is_remembered_before_the_order_goes_out() {
    let (world, [a]) = World::new();
    let own = world.cloud.allocate(Some([203, 0, 113, 50].into()));
    world.cloud.associate(&own, a.eni(), None);
    world.cloud.fault(ec2("AssociateAddress", aws_sim::FaultKind::EffectThenHang));
    let starting = a.start().spawn();
    let limit = std::time::Duration::from_secs(5);
    assert!(world.cloud.wait_for_holder(limit, &world.address, |holder| holder.is_some()));
    starting.kill();
    world.cloud.clear_faults();
    a.stop().ok();
    assert!(world.cloud.holder(&own).is_some_and(|holder| holder.instance == *a.id()));
}
