//! The agent `vip`, what it does in EC2: every action in every situation. The network device is in `vip_device`.

use std::net::Ipv4Addr;
use std::time::Duration;

use agent_tests::{World, each};
use aws_sim::FaultKind;

use crate::trouble::ec2;
use crate::vip_world::*;

const DESCRIBE: &str = "DescribeNetworkInterfaces";
const ASSIGN: &str = "AssignPrivateIpAddresses";
const UNASSIGN: &str = "UnassignPrivateIpAddresses";

#[test]
fn a_free_address_is_assigned_and_shown_and_let_go() {
    let (world, [a]) = one_subnet();
    probe(&a).expect(7).ec2_calls(0);
    hold_up(&world, ASSIGN);
    let outcome = start(&a).ok().logged(&["INFO", "10.0.1.100 moved from nobody to", a.id(), "reason start"]);
    assert_eq!(outcome.calls(ASSIGN).len(), 1, "{}", outcome.told());
    held_by(&world, &a);
    monitor(&a).ok().asked_ec2(&[DESCRIBE]);
    settled_monitor(&a).ok().ec2_calls(0);
    probe(&a).ok();
    start(&a).ok().wrote_nothing();
    stop(&a).ok().asked_ec2(&[DESCRIBE, UNASSIGN, DESCRIBE]);
    held_by_nobody(&world);
    stop(&a).ok().wrote_nothing();
    probe(&a).expect(7);
    settled_monitor(&a).expect(7);
}

#[test]
fn a_healthy_idle_node_asks_ec2_nothing() {
    let (_world, [a]) = one_subnet();
    start(&a).ok();
    for _ in 0..5 {
        settled_monitor(&a).ok().ec2_calls(0);
    }
    settled_monitor(&a).env("OCF_CHECK_LEVEL", "10").ok().asked_ec2(&[DESCRIBE]);
}

#[test]
fn a_holder_is_named_and_what_it_had_is_taken_in_one_call() {
    let (world, [a, b]) = one_subnet();
    start(&a).ok();
    hold_up(&world, ASSIGN);
    let outcome = start(&b).ok().logged(&["INFO", "moved from", a.id(), b.id()]);
    assert_eq!(outcome.calls(ASSIGN).len(), 1);
    assert!(outcome.calls(UNASSIGN).is_empty());
    held_by(&world, &b);
    settled_monitor(&a).expect(7).reason(b.id());
    monitor(&a).expect(7).reason(b.id());
    stop(&a).ok().wrote_nothing();
    held_by(&world, &b);
}

#[test]
fn a_peer_that_takes_it_in_between_is_not_robbed() {
    let (world, [a, b]) = one_subnet();
    start(&a).ok();
    world.cloud.fault(ec2(UNASSIGN, FaultKind::Delay(Duration::from_millis(800))).times(1));
    let stopping = stop(&a).spawn();
    let limit = Duration::from_secs(10);
    assert!(world.cloud.wait_for_request(limit, |request| request.is(UNASSIGN)).is_some());
    start(&b).ok();
    stopping.wait().exits(0);
    held_by(&world, &b);
}

#[test]
fn an_elastic_ip_on_it_travels_and_is_told() {
    let (world, [a, b]) = one_subnet();
    start(&a).ok();
    world.cloud.associate(&world.address, a.eni(), Some(VIP));
    hold_up(&world, ASSIGN);
    start(&b).ok().logged(&["INFO", "Elastic IP 203.0.113.10 travels with 10.0.1.100"]);
    world.held_at(&b, VIP);
    start(&b).ok().logged(&["Elastic IP 203.0.113.10 travels with 10.0.1.100"]);
    stop(&b).ok().logged(&["WARN", "Elastic IP 203.0.113.10", "disassociated", "on_stop=leave"]);
    world.held_by_nobody();
}

#[test]
fn what_is_left_keeps_its_elastic_ip_for_the_next_start_elsewhere() {
    let (world, [a, b]) = one_subnet();
    start(&a).ok();
    world.cloud.associate(&world.address, a.eni(), Some(VIP));
    stop(&a).param("on_stop", "leave").ok().ec2_calls(0);
    held_by(&world, &a);
    probe(&a).param("on_stop", "leave").expect(7);
    start(&b).ok();
    world.held_at(&b, VIP);
}

#[test]
fn a_planned_move_is_one_call() {
    let (world, [a, b]) = one_subnet();
    start(&a).ok();
    world.cloud.associate(&world.address, a.eni(), Some(VIP));
    migrate_to(&a).ok().wrote_nothing();
    let outcome = migrate_from(&b).ok().logged(&["migrate_from"]);
    assert_eq!(outcome.calls(ASSIGN).len(), 1);
    stop(&a).ok().wrote_nothing();
    world.held_at(&b, VIP);
    migrate_to(&a).expect(1).reason("nothing to migrate");
}

#[test]
fn another_subnet_is_refused_and_the_alternative_named() {
    let (world, [a, b]) = World::new();
    start(&a).ok();
    let refusal = "10.0.1.100 is not in this node's subnet 10.0.2.0/24: a subnet lies in one zone; \
                   use ocf:heartbeat:eip across zones";
    start(&b).expect(2).reason(refusal).ec2_calls(0);
    validate(&b).expect(2).reason(refusal);
    monitor(&b).expect(7);
    probe(&b).expect(7);
    stop(&b).ok().wrote_nothing();
    held_by(&world, &a);
}

#[test]
fn a_primary_address_is_refused_everywhere() {
    let (_world, [a, b]) = one_subnet();
    for node in [&a, &b] {
        let run = |action: &str| node.run(action).vip(a.private_ip());
        run("start").expect(2).reason("is the primary address of");
        run("monitor").expect(7);
        run("stop").ok();
    }
}

#[test]
fn without_reassignment_it_is_never_taken() {
    let (world, [a, b]) = one_subnet();
    let run = |run: agent_tests::Run| run.param("allow_reassignment", "false");
    run(start(&a)).ok();
    run(start(&b)).expect(1).reason(a.id()).reason("allow_reassignment=false");
    held_by(&world, &a);
    run(stop(&a)).ok();
    run(start(&b)).ok();
    held_by(&world, &b);
}

#[test]
fn the_interface_can_be_named_in_every_way() {
    let names = |node: &agent_tests::Node| {
        let second = &node.instance.interfaces[1];
        [second.eni.to_string(), second.mac.to_string(), "1".to_owned()]
    };
    for index in 0..3 {
        let (world, [a]) = one_subnet();
        let name = names(&a)[index].clone();
        start(&a).param("interface", &name).ok();
        let holder = world.cloud.private_holder(VIP);
        assert_eq!(holder, Some((a.id().clone(), a.instance.interfaces[1].eni.clone())), "{name}");
        settled_monitor(&a).param("interface", &name).ok();
        settled_monitor(&a).expect(7);
        // A stop lets go of it wherever on this instance it is.
        stop(&a).ok();
        held_by_nobody(&world);
    }
    let (_world, [a]) = one_subnet();
    start(&a).param("interface", "7").expect(2).reason("number 7");
}

#[test]
fn an_interface_that_is_full_is_a_matter_of_this_node() {
    let (world, [a]) = one_subnet();
    for last in 200..209 {
        world.cloud.assign_private_ip(a.eni(), Ipv4Addr::new(10, 0, 1, last));
    }
    start(&a).expect(2).reason("PrivateIpAddressLimitExceeded");
}

#[test]
fn metadata_that_are_late_are_waited_for_and_not_for_ever() {
    let (world, [a, b]) = one_subnet();
    world.cloud.set_imds_lag(a.id(), Duration::from_secs(2));
    start(&a).ok().not_before(Duration::from_millis(1900)).within(Duration::from_secs(8));
    world.cloud.set_imds_lag(b.id(), Duration::from_hours(1));
    start(&b).ok().logged(&["the metadata do not show it yet"]).not_before(Duration::from_secs(4));
    monitor(&b).ok();
    held_by(&world, &b);
}

#[test]
fn describes_that_are_late_are_no_failure() {
    let (world, [a, b]) = one_subnet();
    start(&a).ok();
    world.cloud.set_describe_lag(Duration::from_secs(1));
    start(&b).ok();
    monitor(&b).ok();
    stop(&b).ok().not_before(Duration::from_millis(500));
    held_by_nobody(&world);
}

#[test]
fn every_parameter_of_awsvip_is_taken() {
    let (world, [a]) = one_subnet();
    let run = start(&a)
        .param("awscli", "/usr/bin/aws")
        .param("auth_type", "role")
        .param("profile", "default")
        .param("api_delay", "3")
        .param("curl_retries", "4")
        .param("curl_sleep", "1")
        .param("region", "eu-west-1");
    run.ok().within(Duration::from_secs(5));
    held_by(&world, &a);
    validate(&a)
        .param("awscli", "x")
        .param("secondry", "y")
        .ok()
        .logged(&["unknown parameters ignored: secondry"]);
}

#[test]
fn bad_parameters_are_told_in_one_line_with_nobody_asked() {
    let rows = [
        ("secondary_private_ip", "", "secondary_private_ip is not set"),
        ("secondary_private_ip", "10.0.1.300", "secondary_private_ip=10.0.1.300: expected"),
        ("add_to_device", "perhaps", "add_to_device=perhaps: expected true or false"),
        ("iflabel", "a:b", "iflabel=a:b: expected"),
        ("on_stop", "disassociate", "on_stop=disassociate: expected unassign, strict or leave"),
        ("allow_reassignment", "2", "allow_reassignment=2: expected"),
    ];
    let (_world, [a]) = one_subnet();
    for (name, value, text) in rows {
        start(&a).param(name, value).expect(6).reason(text).no_requests();
        monitor(&a).param(name, value).expect(6).no_requests();
        probe(&a).param(name, value).expect(7).no_requests();
        stop(&a).param(name, value).ok().no_requests();
        a.run("validate-all").vip(VIP).param(name, value).expect(6).reason(text).no_requests();
    }
}

#[test]
fn validation_looks_at_permissions_and_changes_nothing() {
    let (world, [a, b]) = one_subnet();
    start(&b).ok();
    a.run("validate-all").vip(VIP).ok().no_requests();
    validate(&a).ok();
    held_by(&world, &b);
    assert_eq!(world.cloud.instance(a.id()).unwrap(), a.instance, "nothing is different on the node");
    each([DESCRIBE, ASSIGN, UNASSIGN].map(|action| (action, action)), |action| {
        let (world, [a]) = one_subnet();
        world.cloud.deny(action);
        validate(&a).expect(4).reason(action);
    });
}

#[test]
fn a_reload_takes_right_parameters_and_no_others() {
    let (_world, [a]) = one_subnet();
    a.run("reload-agent").vip(VIP).ok().no_requests();
    a.run("reload-agent").vip(VIP).param("on_stop", "x").expect(6);
}

#[test]
fn it_is_another_agent_by_name_alone() {
    let (_world, [a]) = one_subnet();
    let text = a.run("usage").vip(VIP).ok().stdout;
    assert!(
        text.starts_with("usage: vip {start|stop|monitor|") && text.contains("secondary private"),
        "{text}"
    );
    a.run("promote").vip(VIP).expect(3).no_requests();
    let meta = a.run("meta-data").vip(VIP).ok().no_requests().stdout;
    assert!(meta.contains("<resource-agent name=\"vip\"") && !meta.contains("elastic_ip"), "{meta}");
    // The name in the log where the cluster does not say it.
    start(&a).no_env("OCF_RESOURCE_TYPE").ok().logged(&["vip(vip)["]);
}

#[test]
fn an_elastic_ip_resource_can_sit_on_it() {
    let (world, [a]) = one_subnet();
    start(&a).env("OCF_RESOURCE_INSTANCE", "private").ok();
    let on_it = |run: agent_tests::Run| run.param("private_ip_address", VIP);
    on_it(a.start()).ok();
    world.held_at(&a, VIP);
    on_it(a.settled_monitor()).ok();
    on_it(a.stop()).ok();
    stop(&a).env("OCF_RESOURCE_INSTANCE", "private").ok();
    held_by_nobody(&world);
}
