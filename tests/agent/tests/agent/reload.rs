//! `reload-agent`: takes over what may change while the address is up.

use agent_tests::World;
use aws_sim::FaultKind;

use crate::trouble::break_ec2;

/// [reload-1]
#[test]
fn right_parameters_are_all_it_takes() {
    let (world, [a]) = World::new();
    a.start().ok();
    break_ec2(&world.cloud, FaultKind::Hang);
    a.run("reload-agent").param("attempt_timeout", "3").param("max_backoff", "2").ok().ec2_calls(0);
    world.held_by(&a);
}

#[test]
fn wrong_ones_are_refused() {
    let (_world, [a]) = World::new();
    a.run("reload-agent").param("attempt_timeout", "soon").expect(6).reason("attempt_timeout");
    a.run("reload-agent").no_param("elastic_ip").expect(6).reason("elastic_ip");
}
