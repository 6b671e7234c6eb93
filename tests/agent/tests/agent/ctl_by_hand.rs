//! `eipctl claim` and `eipctl release`.

use std::os::unix::fs::PermissionsExt as _;

use agent_tests::{Run, SimulatedWorld};

use crate::ctl::{configured, only_saved, primitive};

#[test]
fn an_address_is_taken_and_released() {
    let (world, [a, b]) = SimulatedWorld::new();
    world.give(&b);
    a.ctl("claim", &["203.0.113.10"]).ok().prints("is on this node now").says("moved from");
    world.held_by(&a);
    let again = a.ctl("claim", &["203.0.113.10"]).ok().wrote_nothing();
    again.prints("already");
    b.ctl("release", &["203.0.113.10"]).ok().prints("not on this node").wrote_nothing();
    world.held_by(&a);
    let allocation = world.address.allocation_id.to_string();
    a.ctl("release", &[&allocation]).ok().prints("released");
    world.is_unassigned();
    let place = ["203.0.113.10", "--interface", "1", "--private-ip-address", "10.0.1.13"];
    a.ctl("claim", &place).ok();
    world.held_at(&a, a.ip(3));
}

/// [ctl-2]
#[test]
fn a_dry_run_shows_what_would_be_done_and_does_nothing() {
    let (world, [a, b]) = SimulatedWorld::new();
    world.own_address(&a);
    world.give(&b);
    let outcome = a.ctl("claim", &["203.0.113.10", "--dry-run"]).ok().wrote_nothing();
    outcome.prints_line(&["would move from", b.id(), a.eni(), "203.0.113.50 would be displaced"]);
    let outcome = b.ctl("release", &["203.0.113.10", "--dry-run"]).ok().wrote_nothing();
    outcome.prints_line(&["would be released", "eipassoc-"]);
    a.ctl("release", &["203.0.113.10", "--dry-run"]).ok().prints("nothing would be done");
    assert!(!a.state().exists() && !b.state().exists(), "it wrote a record");
    world.held_by(&b);
    world.cloud.deny("AssociateAddress");
    a.ctl("claim", &["203.0.113.10", "--dry-run"]).expect(1).complains("eipctl", "UnauthorizedOperation");
}

/// [ctl-3]
#[test]
fn what_the_cluster_runs_here_is_refused_unless_forced() {
    let (world, [a, b]) = SimulatedWorld::new();
    a.start().ok();
    let allocation = world.address.allocation_id.to_string();
    for address in ["203.0.113.10", &allocation] {
        for command in ["claim", "release"] {
            let outcome = a.ctl(command, &[address]).expect(1).complains("eipctl", "vip runs with");
            outcome.no_requests();
        }
    }
    world.held_by(&a);
    a.ctl("release", &["203.0.113.10", "--force"]).ok().prints("released");
    world.is_unassigned();
    // Another node does not know it without the cluster's configuration.
    b.ctl("claim", &["203.0.113.10"]).ok();
    a.stop().ok();
    let outcome = a.ctl("claim", &["203.0.113.10"]).expect(1);
    outcome
        .complains("eipctl", "vip has had 203.0.113.10 on this node, and may run on another one (cibadmin");
    let known = |resources: &str| configured(&world, a.ctl("claim", &["203.0.113.10"]), resources);
    let own = primitive("web-ip", "eip", &[("elastic_ip", "203.0.113.10")]);
    let outcome =
        known(&own).expect(1).complains("eipctl", "the cluster has 203.0.113.10 in its resource web-ip");
    outcome.wrote_nothing();
    configured(&world, b.ctl("claim", &[&allocation]), &own).expect(1).complains("eipctl", "web-ip");
    // A cluster that answers and does not manage it is not in the way.
    known("").ok();
    world.held_by(&a);
}

/// As after a forgotten sudo: the records are root's, and what is not known to run here may run here.
///
/// [ctl-3] [ctl-12]
#[test]
fn a_user_who_cannot_read_the_records_is_refused_and_told_nothing_untrue() {
    let (world, [a]) = SimulatedWorld::new();
    a.start().ok();
    let page = world.folder().write("page.prom", "written by root\n");
    std::fs::set_permissions(&page, std::fs::Permissions::from_mode(0o666)).unwrap();
    let output = page.display().to_string();
    let acting: [(&str, &[&str]); 6] = [
        ("claim", &["203.0.113.10"]),
        ("claim", &["203.0.113.10", "--force"]),
        ("release", &["203.0.113.10"]),
        ("release", &["203.0.113.10", "--force"]),
        ("restore", &[]),
        ("drill", &["vip", "--yes"]),
    ];
    for (command, arguments) in acting {
        let outcome =
            a.ctl(command, arguments).as_nobody().expect(1).complains("eipctl", "cannot be written");
        outcome.says("run it as root").no_requests();
    }
    let reading: [(&str, &[&str]); 5] = [
        ("claim", &["203.0.113.10", "--dry-run"]),
        ("release", &["203.0.113.10", "--dry-run"]),
        ("history", &[]),
        ("history", &["--resource", "vip"]),
        ("metrics", &["--output", &output]),
    ];
    for (command, arguments) in reading {
        let outcome = a.ctl(command, arguments).as_nobody().expect(1).complains("eipctl", "cannot be read");
        outcome.says("run it as root").no_requests();
    }
    assert_eq!(std::fs::read_to_string(&page).unwrap(), "written by root\n");
    let shown = a.ctl("show", &["203.0.113.10"]).as_nobody().ok();
    shown.prints_line(&["record", "unknown", "cannot be read", "run it as root"]);
    world.held_by(&a);
    // Records of the user's own serve.
    let own = world.folder().path().join("own");
    std::fs::create_dir(&own).unwrap();
    std::os::unix::fs::chown(&own, Some(65534), Some(65534)).unwrap();
    let own = own.display().to_string();
    a.ctl("release", &["203.0.113.10"]).env("EIP_STATE_DIR", &own).as_nobody().ok().prints("released");
    a.ctl("claim", &["203.0.113.10"]).env("EIP_STATE_DIR", &own).as_nobody().ok().prints("on this node now");
    // root goes on without a disk, and says what it did.
    let none = |run: Run| run.env("EIP_STATE_DIR", "/dev/null");
    none(a.ctl("release", &["203.0.113.10"])).expect(1).complains("eipctl", "a resource may run with");
    none(a.ctl("release", &["203.0.113.10", "--force"])).ok().prints("203.0.113.10 released");
    none(a.ctl("claim", &["203.0.113.10", "--force"])).ok().prints("on this node now");
}

/// During a migration from another agent, and on a node whose Pacemaker is down.
///
/// [ctl-3]
#[test]
fn the_address_of_a_running_cluster_is_refused_whatever_its_agent_and_if_only_saved() {
    let (world, [a, b]) = SimulatedWorld::new();
    world.give(&b);
    let allocation = world.address.allocation_id.to_string();
    let vip: &[&str] = &["10.0.1.100", "--vip"];
    let overlay: &[&str] = &["192.168.10.1", "--route-table", "rtb-00000000000000001"];
    // Agent, its parameter, and the claimed address.
    let rows: [(&str, &str, &str, &[&str]); 8] = [
        ("awseip", "elastic_ip", "203.0.113.10", &["203.0.113.10"]),
        ("awseip", "elastic_ip", "203.0.113.10", &[&allocation]),
        ("awseip", "allocation_id", &allocation, &[&allocation]),
        ("awseip", "allocation_id", &allocation, &["203.0.113.10"]),
        ("awsvip", "secondary_private_ip", "10.0.1.100", vip),
        ("IPaddr2", "ip", "10.0.1.100", vip),
        ("aws-vpc-move-ip", "ip", "192.168.10.1", overlay),
        ("eip", "elastic_ip", "203.0.113.10/32", &["203.0.113.10"]),
    ];
    for (agent, name, value, arguments) in rows {
        let old = primitive("old", agent, &[(name, value)]);
        let outcome = configured(&world, a.ctl("claim", arguments), &old).expect(1).wrote_nothing();
        outcome.complains("eipctl", format!("the cluster has {} in its resource old", arguments[0]));
    }
    let old = primitive("old", "awseip", &[("elastic_ip", "203.0.113.10")]);
    let saved = |run: Run| only_saved(&world, run, &old);
    let outcome = saved(a.ctl("claim", &["203.0.113.10"])).expect(1).wrote_nothing();
    outcome.complains("eipctl", "the cluster has 203.0.113.10 in its resource old");
    world.held_by(&b);
    saved(a.ctl("claim", &["203.0.113.11", "--dry-run"])).expect(1).says("203.0.113.11");
    saved(a.ctl("claim", &["203.0.113.10", "--force"])).ok();
    world.held_by(&a);
}

/// [ctl-6] [ctl-7]
#[test]
fn while_pacemaker_is_down_the_parameters_are_those_that_it_saved() {
    let (world, [a]) = SimulatedWorld::new();
    let place = a.ip(3).to_string();
    let parameters = [("elastic_ip", "203.0.113.10"), ("interface", "1"), ("private_ip_address", &place)];
    let own = primitive("web-ip", "eip", &parameters);
    let saved = |run: Run| only_saved(&world, run, &own);
    saved(a.ctl("claim", &["--force"])).ok();
    world.held_at(&a, a.ip(3));
    let shown = saved(a.ctl("show", &[])).ok();
    shown.prints_line(&["EC2", "ours", &place]);
    let lines = saved(a.ctl("check", &[])).ok();
    lines.prints_line(&["interface", &place]).prints_line(&["live moves", "allow-migrate is not set"]);
    saved(a.ctl("release", &["203.0.113.10"])).ok().prints("released");
    // What the saved configuration does not have may still be a resource's of another node.
    a.start().ok();
    a.stop().ok();
    let outcome = only_saved(&world, a.ctl("claim", &["203.0.113.10"]), "").expect(1);
    outcome
        .complains("eipctl", "vip has had 203.0.113.10 on this node, and may run on another one (cibadmin");
}

/// [ctl-11]
#[test]
fn a_rule_on_a_parameter_is_in_the_way_only_if_the_answer_depends_on_it() {
    let (world, [a]) = SimulatedWorld::new();
    world.give(&a);
    let by_date = |name: &str, value: &str| {
        let own = primitive("web-ip", "eip", &[("elastic_ip", "203.0.113.10")]);
        let set = format!(
            r#"<instance_attributes id="s" score="2"><rule id="r" score="0">
            <date_expression id="d" operation="gt" start="2030-01-01"/></rule>
            <nvpair id="n" name="{name}" value="{value}"/></instance_attributes></primitive>"#
        );
        own.replacen("</primitive>", &set, 1)
    };
    for (name, value) in [("on_stop", "leave"), ("allow_reassociation", "false"), ("max_backoff", "1")] {
        let own = by_date(name, value);
        configured(&world, a.ctl("show", &[]), &own).ok().prints_line(&["EC2", "ours"]);
        let held = configured(&world, a.ctl("metrics", &[]), &own).ok();
        held.prints_line(&["eip_address_held{", "} 1"]);
    }
    let refused = |command: &str, name: &str, value: &str, advice: &str| {
        let run = a.ctl(command, &["203.0.113.10"]);
        let outcome = configured(&world, run, &by_date(name, value)).expect(1).wrote_nothing();
        outcome.complains(
            "eipctl",
            format!("{name} depends on a rule that only Pacemaker can evaluate{advice}"),
        );
    };
    refused("show", "private_ip_address", "10.0.1.11", ": give it as an option");
    refused("release", "settle_window", "60", ": --force uses one of its values");
    // A release is strict whatever the cluster's stop would be, and the address is the operator's choice.
    configured(&world, a.ctl("release", &["203.0.113.10"]), &by_date("on_stop", "leave"))
        .ok()
        .prints("released");
    configured(&world, a.ctl("show", &["203.0.113.10"]), &by_date("elastic_ip", "203.0.113.10")).ok();
}

/// [displaced-1] [displaced-4]
#[test]
fn what_a_claim_displaced_is_restored_by_a_release_or_by_the_stop_of_the_cluster_that_takes_over() {
    for end in ["release", "stop", "start and stop"] {
        let (world, [a]) = SimulatedWorld::new();
        let own = world.own_address(&a);
        a.ctl("claim", &["203.0.113.10"]).ok().says("203.0.113.50 is displaced from");
        if end == "start and stop" {
            a.start().ok();
            let shown = a.ctl("show", &["203.0.113.10"]).ok();
            shown.prints_line(&["record", "vip: started", "203.0.113.50 displaced"]);
        }
        if end == "release" {
            a.ctl("release", &[world.address.allocation_id.as_ref()]).ok();
        } else {
            // Without a start, if the cluster's probe has found the address here.
            a.stop().ok();
        }
        assert!(world.has(&a, &own), "{end}");
    }
}

#[test]
fn a_holder_is_left_alone_if_that_is_configured() {
    let (world, [a, b]) = SimulatedWorld::new();
    world.give(&b);
    let arguments = ["203.0.113.10", "--allow-reassociation", "false"];
    a.ctl("claim", &arguments).expect(1).says(b.id());
    a.ctl("claim", &arguments).arguments(&["--dry-run"]).expect(1).complains("eipctl", "is held by");
    world.held_by(&b);
}

#[test]
fn a_release_that_cannot_be_done_fails() {
    let (world, [a]) = SimulatedWorld::new();
    a.ctl("claim", &["203.0.113.10"]).ok();
    world.cloud.deny("DisassociateAddress");
    a.ctl("release", &["203.0.113.10", "--timeout", "5"]).expect(1).says("UnauthorizedOperation");
    world.held_by(&a);
}
