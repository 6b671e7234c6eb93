//! The agent `overlay-ip`: the role for its route tables, and the network devices by real netlink in a namespace.

use std::net::Ipv4Addr;
use std::time::Duration;

use agent_tests::{Node, OTHER_ACCOUNT, OVERLAY, ROUTE_TABLE, Run, SimulatedWorld, TABLE_ROLE};
use aws_sim::{FaultKind, ImdsState, RouteTableId, RouteTableSpec, parsed};

use crate::trouble::{SHORT_MS, break_ec2};
use crate::vip_world::Wired;

/// A world whose route table belongs to another account, as in a shared VPC, and leads to the second node.
fn shared() -> (SimulatedWorld, [Node; 2]) {
    let (world, nodes) = SimulatedWorld::setup().route_table_of(OTHER_ACCOUNT).make();
    world.cloud.route(&parsed(ROUTE_TABLE), OVERLAY.into(), nodes[1].eni());
    (world, nodes)
}

fn with_role(run: Run) -> Run {
    run.overlay().param("routing_table_role", TABLE_ROLE)
}

/// [overlay-12]
#[test]
fn the_role_makes_the_calls_about_routes_and_no_others() {
    let (world, [a, _]) = shared();
    world.cloud.deny_role("node", "ReplaceRoute");
    world.cloud.deny_role("node", "DescribeRouteTables");
    world.cloud.deny_role("cluster-routes", "DescribeNetworkInterfaces");
    a.start().overlay().expect(4).reason("DescribeRouteTables");
    with_role(a.start()).ok().not_logged("source/dest check");
    assert_eq!(world.cloud.overlay_holder(OVERLAY.into()).unwrap().0, *a.id());
    with_role(a.validate()).ok();
    with_role(a.monitor()).ok().asked_ec2(&["DescribeRouteTables"]);
}

/// [overlay-12] [cred-6]
#[test]
fn a_role_that_is_refused_is_never_replaced_by_the_nodes_own() {
    let (world, [a, b]) = shared();
    world.cloud.deny("AssumeRole");
    let outcome = with_role(a.start()).timeout_ms(SHORT_MS).expect(4).reason("routing_table_role");
    assert!(outcome.calls("ReplaceRoute").is_empty(), "{}", outcome.told());
    assert_eq!(world.cloud.overlay_holder(OVERLAY.into()).unwrap().0, *b.id());
}

/// Adds routes that lead other addresses to a transit gateway.
fn add_other_routes(world: &SimulatedWorld, table: &RouteTableId, count: u32) {
    for number in 0..count {
        let other = Ipv4Addr::from_bits(Ipv4Addr::new(100, 64, 0, 0).to_bits() + number);
        world.cloud.route(table, other.into(), "tgw-00000000000000001");
    }
}

/// 16 tables, each as large as AWS allows.
#[test]
fn many_other_routes_in_the_tables_do_not_keep_a_start_from_reading_them() {
    let (world, [a]) = SimulatedWorld::new();
    for number in 1..=16 {
        let table = world.cloud.add_route_table(RouteTableSpec::numbered(number));
        add_other_routes(&world, &table, 1000);
        world.cloud.route(&table, OVERLAY.into(), "tgw-00000000000000001");
    }
    a.start().overlay().param("routing_table", "auto").ok();
    assert_eq!(world.cloud.overlay_holder(OVERLAY.into()).unwrap().0, *a.id());
}

#[test]
fn an_answer_that_is_too_large_is_reported_as_that_and_repeated_only_once() {
    let (world, [a]) = SimulatedWorld::new();
    add_other_routes(&world, &parsed(ROUTE_TABLE), 30_000);
    let outcome = a.start().overlay().expect(1).reason("an answer of more than 2 MiB");
    assert_eq!(outcome.calls("DescribeRouteTables").len(), 2, "{}", outcome.told());
}

/// [overlay-6] As EC2 shows it, the propagated one is the first of two.
#[test]
fn a_propagated_route_beside_the_created_one_is_not_taken_for_it() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.propagate_beside(&parsed(ROUTE_TABLE), OVERLAY.into(), "vgw-00000000000000001");
    a.start().overlay().ok();
    a.monitor().overlay().ok().asked_ec2(&["DescribeRouteTables"]);
}

/// [overlay-3] [overlay-4] [time-2]
#[test]
fn the_address_comes_alone_and_goes_without_any_answer() {
    let Some(wired) = Wired::new() else { return };
    let before = wired.addresses("eth0");
    wired.a.start().overlay().param("iflabel", "sap").ok();
    let shown = wired.addresses("eth0");
    assert!(
        shown.iter().any(|line| line.contains("192.168.10.1/32") && line.contains("eth0:sap")),
        "{shown:?}"
    );
    wired.a.settled_monitor().overlay().ok().ec2_calls(0);
    wired.inside(&["ip", "link", "set", "eth0", "down"]);
    wired.a.settled_monitor().overlay().expect(7).reason("eth0, which is down");
    wired.world.cloud.set_imds_state(wired.a.id(), ImdsState::Hang);
    break_ec2(&wired.world.cloud, FaultKind::Hang);
    wired.a.stop().overlay().param("iflabel", "sap").ok().no_requests().within(Duration::from_secs(1));
    wired.inside(&["ip", "link", "set", "eth0", "up"]);
    assert_eq!(wired.addresses("eth0"), before);
    wired.a.settled_monitor().overlay().expect(7);
}

/// [overlay-3] [overlay-4] By hand, and then by the cluster, which meets no obstacle.
#[test]
fn a_claim_adds_it_to_the_device_and_a_release_or_the_clusters_stop_removes_it() {
    let Some(wired) = Wired::new() else { return };
    let run = |command| wired.a.ctl(command, &["192.168.10.1", "--route-table", ROUTE_TABLE]);
    run("show").ok().prints_line(&["network device", "none on this node"]);
    run("claim").ok();
    run("show").ok().prints_line(&["network device", "eth0"]).prints_line(&["EC2", "ours"]);
    run("release").ok().prints("192.168.10.1 is stopped on this node");
    run("show").ok().prints_line(&["network device", "none on this node"]).prints_line(&["EC2", "ours"]);
    run("claim").ok();
    wired.a.start().overlay().ok();
    let refused = run("release").arguments(&["--force"]).expect(1).says("resource vip uses it");
    refused.says("192.168.10.1 is still on eth0 of this node");
    wired.a.stop().overlay().ok();
    run("show").ok().prints_line(&["network device", "none on this node"]);
}

#[test]
fn the_loopback_and_another_device_take_it_too() {
    let Some(wired) = Wired::new() else { return };
    wired.inside(&["ip", "link", "add", "extra0", "up", "type", "veth", "peer", "name", "extra1"]);
    for device in ["lo", "extra0"] {
        let run = |run: Run| run.overlay().param("device", device);
        run(wired.a.start()).ok();
        let on_device = || wired.addresses(device).iter().any(|line| line.contains("192.168.10.1/32"));
        assert!(on_device(), "{device}");
        run(wired.a.settled_monitor()).ok().ec2_calls(0);
        run(wired.a.stop()).ok();
        assert!(!on_device(), "{device}");
    }
}

#[test]
fn an_ipv6_address_answers_at_once() {
    let Some(wired) = Wired::new() else { return };
    let address = "fd00:10::1";
    let table = parsed(ROUTE_TABLE);
    wired.world.cloud.route(&table, address.parse().unwrap(), "tgw-00000000000000001");
    let run = |run: Run| run.overlay().param("overlay_ip", address);
    run(wired.a.start()).ok();
    let shown = wired.inside(&["ip", "-6", "-o", "address", "show", "dev", "eth0"]);
    let line = shown.lines().find(|line| line.contains("fd00:10::1/128")).expect("the address");
    assert!(!line.contains("tentative") && line.contains("nodad"), "{line}");
    run(wired.a.settled_monitor()).ok().ec2_calls(0);
    run(wired.a.stop()).ok();
    assert!(!wired.inside(&["ip", "-6", "-o", "address", "show"]).contains(address));
}
