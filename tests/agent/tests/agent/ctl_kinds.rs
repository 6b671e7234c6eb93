//! `eipctl` and the kinds of address: how a command finds out which kind is meant, and what it shows of each.

use agent_tests::{AddressKind, KINDS, OVERLAY, ROUTE_TABLE, Run, SimulatedWorld, TwoNodes};
use aws_sim::{RouteTableId, RouteTableSpec, parsed};

use crate::ctl::{configured, primitive};

const ROLE: &str = "arn:aws:iam::210987654321:role/cluster-routes";

fn address(kind: &AddressKind) -> &'static str {
    kind.by_hand[0]
}

/// The cluster's resource `ip` with the address of this kind, configured to leave the devices alone.
fn resource(kind: &AddressKind) -> String {
    let mut parameters = vec![(kind.address, address(kind))];
    if kind.name == "overlay-ip" {
        parameters.push(("routing_table", ROUTE_TABLE));
    }
    if kind.name != "eip" {
        parameters.push(("add_to_device", "false"));
    }
    primitive("ip", kind.name, &parameters)
}

/// [ctl-2] [ctl-6] By options, as without a cluster.
#[test]
fn every_kind_is_shown_checked_taken_and_released() {
    for kind in &KINDS {
        let two = kind.nodes();
        two.give(&two.peer);
        let run = |command| two.here.ctl(command, kind.by_hand);
        let peer = two.logged_as(&two.peer);
        let shown = run("show").ok().wrote_nothing().prints_line(&["EC2", "elsewhere", &peer]);
        shown.prints_line(&["record", "none on this node"]);
        let checked = run("check").ok().prints_line(&["ok", "permission to take", kind.take, "dry run"]);
        checked.prints_line(&["ok", "credentials"]).prints_line(&["ok", "interface", two.here.eni()]);
        run("claim").arguments(&["--dry-run"]).ok().prints_line(&["would move from", &peer]);
        two.held_by(&two.peer);
        run("claim").ok().prints("is on this node now").says("moved from");
        two.held_by(&two.here);
        run("show").ok().prints_line(&["EC2", "ours"]).prints_line(&["record", "eipctl-", "started"]);
        run("claim").ok().prints("already");
        let history = two.here.ctl("history", &[]).ok();
        history.prints_line(&["eipctl-", "start: from", &peer]);
        let released = run("release").ok();
        if kind.is_released {
            released.prints("released");
            assert_eq!(two.holder(), None, "{}", kind.name);
        } else {
            released.prints("its routes stay until another node replaces them").wrote_nothing();
            two.held_by(&two.here);
        }
        run("show").ok().prints_line(&["EC2", if kind.is_released { "unassigned" } else { "ours" }]);
    }
}

/// [ctl-6] [ctl-7]
#[test]
fn the_cluster_configures_which_address_it_is_and_its_parameters() {
    for kind in &KINDS {
        let two = kind.nodes();
        two.give(&two.peer);
        let run = |command, arguments: &[&str]| {
            configured(&two.world, two.here.ctl(command, arguments), &resource(kind))
        };
        for arguments in [&[] as &[&str], &[address(kind)]] {
            run("show", arguments).ok().prints_line(&["EC2", "elsewhere", &two.logged_as(&two.peer)]);
            let checked = run("check", arguments).ok();
            checked.prints_line(&["warn", "live moves", "allow-migrate is not set"]);
        }
        // [ctl-3] On any node.
        let refused = run("claim", &[]).expect(1).wrote_nothing();
        refused.complains("eipctl", format!("the cluster has {} in its resource ip", address(kind)));
        run("claim", &["--force"]).ok();
        two.held_by(&two.here);
    }
}

/// [ctl-7]
#[test]
fn of_several_addresses_the_choices_are_listed() {
    let (world, [a]) = SimulatedWorld::new();
    let several: String =
        KINDS.iter().map(|kind| resource(kind).replace("\"ip", &format!("\"{}-ip", kind.name))).collect();
    for command in ["show", "check", "claim", "release", "policy", "drill"] {
        let outcome = configured(&world, a.ctl(command, &[]), &several).expect(2).no_requests();
        let outcome = outcome.complains("eipctl", "is needed: the cluster has");
        outcome.says("203.0.113.10").says("vip-ip").says("192.168.10.1");
        let outcome = configured(&world, a.ctl(command, &[]), "").expect(2);
        outcome.complains("eipctl", "the cluster has no address");
    }
}

/// [ctl-6]
#[test]
fn an_option_of_another_kind_than_the_clusters_is_refused() {
    let (world, [a]) = SimulatedWorld::new();
    let run = a.ctl("check", &["192.168.10.1", "--vip"]);
    let outcome = configured(&world, run, &resource(&KINDS[2])).expect(2);
    outcome.complains(
        "eipctl",
        "192.168.10.1 belongs to ocf:heartbeat:overlay-ip (ip), not to ocf:heartbeat:vip",
    );
}

/// [ctl-6] [ctl-7] A record is enough when the cluster is down.
#[test]
fn what_this_node_has_started_is_known_without_the_cluster() {
    for kind in &KINDS {
        let two = kind.nodes();
        two.run(two.here.start()).ok();
        let shown = two.here.ctl("show", &[]).ok().prints_line(&["EC2", "ours"]);
        shown.prints_line(&["record", "vip: started"]);
        for command in ["claim", "release"] {
            let refused = two.here.ctl(command, &[address(kind)]).expect(1).no_requests();
            refused.complains("eipctl", format!("vip runs with {} on this node", address(kind)));
        }
    }
}

/// Two nodes, and a second route table of the overlay address.
fn two_tables() -> (TwoNodes, RouteTableId) {
    let two = KINDS[2].nodes();
    let table = two.world.cloud.add_route_table(RouteTableSpec::numbered(2));
    (two, table)
}

/// [overlay-1]
#[test]
fn each_route_table_is_shown_with_where_it_leads() {
    let (two, table) = two_tables();
    let (here, peer) = (&two.here, &two.peer);
    let arguments = ["192.168.10.1", "--route-table", ROUTE_TABLE, "--route-table", table.as_ref()];
    let show = || here.ctl("show", &arguments);
    two.give(here);
    two.world.cloud.route_shown_as_blackhole(&table, OVERLAY.into(), peer.eni());
    let shown = show().ok().wrote_nothing().prints_line(&["EC2", "only partly here", peer.eni()]);
    let shown = shown.prints_line(&[ROUTE_TABLE, here.eni(), here.id(), "active", "this node"]);
    shown.prints_line(&[table.as_ref(), peer.eni(), peer.id(), "blackhole"]);
    two.world.cloud.delete_route(&table, OVERLAY.into());
    let missing = show().ok().prints_line(&["EC2", "only partly here", "no route", table.as_ref()]);
    missing.prints_line(&[table.as_ref(), "no route, or no such table"]);
    let document = show().arguments(&["--json"]).ok();
    let document: serde_json::Value = serde_json::from_str(&document.stdout).unwrap();
    let tables = &document["ec2"]["holder"]["tables"];
    assert_eq!((&tables[0]["here"], &tables[0]["state"]), (&true.into(), &"active".into()), "{document}");
    assert!(tables[1]["interface"].is_null() && document["metadata"].is_null(), "{document}");
}

/// [ctl-2] [overlay-6] [overlay-7] [overlay-12]
#[test]
fn what_would_fail_an_overlay_address_is_found_by_check() {
    let (two, table) = two_tables();
    let (here, cloud) = (&two.here, &two.world.cloud);
    two.give(&two.peer);
    cloud.route(&table, OVERLAY.into(), two.peer.eni());
    for id in [&parsed(ROUTE_TABLE), &table] {
        cloud.tag_route_table(id, &[("cluster", "web")]);
    }
    let arguments = ["192.168.10.1", "--route-table", "tag:cluster=web", "--add-to-device", "false"];
    let check = || here.ctl("check", &arguments);
    let good = check().ok().wrote_nothing().prints_line(&["ok", "route tables", ROUTE_TABLE, table.as_ref()]);
    good.prints_line(&["ok", "source/dest check", "off on", here.eni()]);
    // A start records the table that it found; then the tag is removed.
    here.start().overlay().param("routing_table", "tag:cluster=web").ok();
    cloud.delete_route_table(&table);
    let gone =
        check().ok().prints_line(&["warn", "route tables", table.as_ref(), "is on record and no longer"]);
    gone.prints_line(&["ok", "agent"]);
    cloud.set_source_dest_check(&parsed(here.eni()), true);
    let checked = check().expect(1).says("--no-source-dest-check");
    checked.prints_line(&["FAIL", "source/dest check", "is on", "standard error has the command"]);
    cloud.set_source_dest_check(&parsed(here.eni()), false);
    cloud.delete_route(&parsed(ROUTE_TABLE), OVERLAY.into());
    let missing = check().expect(1).says("aws ec2 create-route");
    let missing = missing.prints_line(&["FAIL", "route tables", "has no route for 192.168.10.1/32"]);
    missing.prints_line(&["-", "permission to take", "needs route tables"]);
    let absent = here.ctl("check", &["192.168.10.1", "--route-table", "rtb-0fedcba9876543210"]).expect(1);
    absent.prints_line(&["FAIL", "route tables", "no such table"]);
}

/// [overlay-12]
#[test]
fn the_role_for_route_tables_is_checked() {
    let (two, _) = two_tables();
    let spec = RouteTableSpec { owner: Some("210987654321".to_owned()), ..RouteTableSpec::numbered(3) };
    let table = two.world.cloud.add_route_table(spec);
    two.world.cloud.route(&table, OVERLAY.into(), two.peer.eni());
    let arguments = ["192.168.10.1", "--route-table", table.as_ref(), "--routing-table-role", ROLE];
    let check = || two.here.ctl("check", &arguments).arguments(&["--add-to-device", "false"]);
    check().ok().prints_line(&["ok", "role", ROLE]);
    two.world.cloud.deny("AssumeRole");
    check().expect(1).prints_line(&["FAIL", "credentials", "routing_table_role"]);
}

#[test]
fn the_policy_is_that_of_the_clusters_address() {
    let (world, [a]) = SimulatedWorld::new();
    for (kind, action, part) in [
        (&KINDS[1], "ec2:AssignPrivateIpAddresses", "network-interface/*"),
        (&KINDS[2], "ec2:ReplaceRoute", "route-table/rtb-00000000000000001"),
    ] {
        let run = a.ctl("policy", &[address(kind), "--region", "eu-west-1", "--account", "210987654321"]);
        let policy = configured(&world, run, &resource(kind)).ok().no_requests().prints(action).prints(part);
        assert!(!policy.stdout.contains("AssociateAddress"), "{}", policy.stdout);
    }
}

/// [ctl-7]
#[test]
fn the_policy_without_an_address_is_that_of_the_clusters_only_one() {
    let (world, [a]) = SimulatedWorld::new();
    let given = ["--region", "eu-west-1", "--account", "210987654321"];
    for kind in &KINDS {
        let policy = |arguments: &[&str]| {
            configured(&world, a.ctl("policy", arguments).arguments(&given), &resource(kind)).ok().stdout
        };
        assert_eq!(policy(&[]), policy(&[address(kind)]), "{}", kind.name);
    }
}

#[test]
fn the_policy_for_a_kind_needs_no_address() {
    let (world, [a]) = SimulatedWorld::new();
    let run = a.ctl("policy", &["--vip", "--region", "eu-west-1", "--account", "210987654321"]);
    let policy = configured(&world, run, &resource(&KINDS[2])).ok();
    assert!(!policy.stdout.contains("ReplaceRoute"), "{}", policy.stdout);
}

/// [ctl-5]
#[test]
fn only_an_elastic_ip_has_something_to_restore() {
    let (_world, [a]) = SimulatedWorld::new();
    let outcome = a.ctl("restore", &["10.0.1.100", "--vip"]).expect(2);
    outcome.complains("eipctl", "--vip");
    let unknown = a.ctl("restore", &["10.0.0.1"]).expect(2).complains("eipctl", "records know it\n");
    assert!(
        !unknown.stderr.contains("--"),
        "advises an option that restore does not have: {}",
        unknown.stderr
    );
    a.start().vip(agent_tests::VIP).ok();
    let outcome = a.ctl("restore", &["10.0.1.100"]).expect(2).no_requests();
    outcome.complains("eipctl", "only an Elastic IP displaces another, nothing to restore");
    a.ctl("restore", &[]).ok();
}

/// [metrics-2] No device shows it, on any node.
#[test]
fn the_metrics_of_an_overlay_address_on_no_device_follow_the_record() {
    let kind = KINDS.iter().find(|kind| kind.name == "overlay-ip").unwrap();
    let two = kind.nodes();
    let held = |value: u8| {
        let page = configured(&two.world, two.here.ctl("metrics", &[]), &resource(kind)).ok().stdout;
        let line = page.lines().find(|line| line.starts_with("eip_address_held{")).unwrap_or_default();
        assert!(line.contains(r#"resource="ip""#) && line.ends_with(&format!(" {value}")), "{page}");
    };
    held(0);
    let run =
        |run: Run| run.overlay().param("add_to_device", "false").env("OCF_RESOURCE_INSTANCE", "ip").ok();
    run(two.here.start());
    held(1);
    run(two.here.stop());
    held(0);
}
