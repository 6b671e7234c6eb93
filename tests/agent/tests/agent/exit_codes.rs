//! The table of exit codes: every situation with every action, for every kind of address. Faults of EC2, instance metadata and
//! credentials are not here but in the matrix.

use std::time::Duration;

use agent_tests::{
    AddressKind, Isolation, KINDS, Node, NodeAction, Run, SHOWN, SimulatedWorld, TwoNodes, each,
};
use aws_sim::{Fault, FaultKind, ImdsState, Service};

use crate::trouble::{SHORT_MS, break_ec2};

/// The codes of start, stop, recurring monitor, probe and `validate-all` at level 10.
type Codes = [i32; 5];

/// In the place of a code: the row is not about this action.
const ANY: i32 = -1;

/// What a situation changes about a run.
type RunChange = Box<dyn Fn(Run) -> Run>;

/// Runs every action of these kinds in every situation, each in a world of its own, and asserts its code and that nothing was changed.
#[track_caller]
fn check<T: Sync>(
    kinds: &'static [AddressKind],
    rows: &[(&str, T)],
    situation: impl Fn(&TwoNodes, &T) -> RunChange + Sync,
    codes: Codes,
) {
    check_in(kinds, |kind| Some(kind.nodes()), rows, situation, codes);
}

/// As `check`, in worlds made by `nodes`, which makes none without the rights to.
#[track_caller]
fn check_in<T: Sync>(
    kinds: &'static [AddressKind],
    nodes: impl Fn(&'static AddressKind) -> Option<TwoNodes> + Sync,
    rows: &[(&str, T)],
    situation: impl Fn(&TwoNodes, &T) -> RunChange + Sync,
    codes: Codes,
) {
    let actions: [(&str, NodeAction); 5] = [
        ("start", Node::start),
        ("stop", Node::stop),
        ("monitor", Node::settled_monitor),
        ("probe", Node::probe),
        ("validate-all", Node::validate),
    ];
    // One kind after the other: all at once would be more than a small machine starts in time.
    for kind in kinds {
        let mut runs = Vec::new();
        for (name, row) in rows {
            for ((action_name, action), code) in actions.into_iter().zip(codes) {
                if code != ANY {
                    runs.push((format!("{}, {name}, {action_name}", kind.name), (row, action, code)));
                }
            }
        }
        each(runs, |(row, action, code)| {
            let Some(nodes) = nodes(kind) else { return };
            let change = situation(&nodes, row);
            let before = nodes.holder();
            change(nodes.run(action(&nodes.here)).timeout_ms(SHORT_MS)).expect(code);
            assert_eq!(nodes.holder(), before, "something was changed");
        });
    }
}

/// Namespaces in which this looks like no EC2 instance and no name is resolved.
fn inside(kind: &'static AddressKind) -> Option<TwoNodes> {
    Isolation::new("").map(|isolation| kind.nodes_inside(isolation))
}

/// The kind whose addresses are Elastic IPs, for what only these can meet.
fn elastic() -> &'static [AddressKind] {
    &KINDS[..1]
}

/// The kind whose addresses are private ones.
fn private() -> &'static [AddressKind] {
    &KINDS[1..2]
}

/// The kind whose addresses are overlay addresses. Its stop queries nothing, and without an answer its monitor goes by the host.
fn overlay() -> &'static [AddressKind] {
    &KINDS[2..]
}

fn peer_holds(nodes: &TwoNodes) -> &aws_sim::Cloud {
    nodes.give(&nodes.peer);
    &nodes.world.cloud
}

fn here_holds(nodes: &TwoNodes) -> &aws_sim::Cloud {
    nodes.give(&nodes.here);
    &nodes.world.cloud
}

/// Leaves runs as they are.
fn as_usual() -> RunChange {
    Box::new(|run| run)
}

/// Sets a parameter.
fn with(name: &'static str, value: impl Into<String>) -> RunChange {
    let value = value.into();
    Box::new(move |run| run.param(name, &value))
}

/// [code-1]
#[test]
fn a_parameter_is_missing_or_malformed() {
    let situation = |nodes: &TwoNodes, (name, value): &(Option<&'static str>, &'static str)| {
        here_holds(nodes);
        with(name.unwrap_or(nodes.kind.address), *value)
    };
    let rows = [
        ("empty", (None, "")),
        ("malformed address", (None, "203.0.113")),
        ("choice", (Some("on_stop"), "explode")),
    ];
    check(SHOWN, &rows, situation, [6, 0, 6, 7, 6]);
    let rows = [
        ("empty", (None, "")),
        ("malformed address", (None, "192.168.10.1/32")),
        ("no table", (Some("routing_table"), "")),
        ("malformed table", (Some("routing_table"), "rtb-1")),
        ("malformed role", (Some("routing_table_role"), "routes")),
    ];
    check(overlay(), &rows, situation, [6, 0, 6, 7, 6]);
    check(
        elastic(),
        &[("malformed id", (Some("allocation_id"), "eipalloc-xyz"))],
        situation,
        [6, 0, 6, 7, 6],
    );
    let missing = |nodes: &TwoNodes, (): &()| -> RunChange {
        let name = nodes.kind.address;
        Box::new(move |run| run.no_param(name))
    };
    check(&KINDS, &[("missing", ())], missing, [6, 0, 6, 7, 6]);
    // validate-all at level 0 reports it too, and queries nothing.
    for kind in &KINDS {
        let nodes = kind.nodes();
        let run = || nodes.run(nodes.here.run("validate-all"));
        run().param(kind.address, "203.0.113").expect(6).reason(kind.address).no_requests();
        run().no_param(kind.address).expect(6).reason(kind.address).no_requests();
    }
}

#[test]
fn the_two_names_of_the_address_contradict_each_other() {
    let contradiction = |nodes: &TwoNodes, (): &()| {
        let other = nodes.world.cloud.allocate(None).allocation_id;
        with("allocation_id", other.as_str())
    };
    check(elastic(), &[("another allocation", ())], contradiction, [6, 0, 7, 7, 6]);
}

/// [code-2]
#[test]
fn the_address_is_not_found_or_not_ours() {
    let situation = |nodes: &TwoNodes, (address, allocation): &(&'static str, &'static str)| -> RunChange {
        nodes.world.cloud.allocate_foreign([198, 51, 100, 7].into());
        let (address, allocation) = (*address, *allocation);
        Box::new(move |run| run.param("elastic_ip", address).param("allocation_id", allocation))
    };
    let rows = [
        ("unknown address", ("203.0.113.99", "")),
        ("unknown allocation", ("", "eipalloc-0123456789abcdef0")),
        ("unknown allocation beside the address", ("203.0.113.10", "eipalloc-0123456789abcdef0")),
        ("of another account", ("198.51.100.7", "")),
    ];
    check(elastic(), &rows, situation, [2, 0, 7, 7, 2]);
    let (_world, [a]) = SimulatedWorld::new();
    let outcome = a.start().param("elastic_ip", "203.0.113.99").expect(2);
    assert!(outcome.calls("DescribeAddresses").len() >= 2, "a new id may need a moment\n{}", outcome.told());
}

/// [code-3]
#[test]
fn the_target_is_not_on_this_node() {
    let rows = ["eth99", "7", "02:00:00:00:00:99", "eni-0123456789abcdef0"].map(|name| (name, name));
    check(&KINDS, &rows, |_, name| with("interface", *name), [2, 0, 7, 7, 2]);
    let held = |nodes: &TwoNodes, name: &&str| {
        peer_holds(nodes);
        with("interface", *name)
    };
    check(&KINDS, &rows, held, [2, 0, 7, 7, 2]);
    let rows = [
        ("no such private address", ("", "10.0.1.99")),
        ("no such private address on that interface", ("1", "10.0.1.10")),
        ("no entry for this node", ("", "node8=10.0.1.10,node9=10.0.2.10")),
    ];
    let situation = |_: &TwoNodes, (interface, address): &(&'static str, &'static str)| -> RunChange {
        let (interface, address) = (*interface, *address);
        Box::new(move |run| run.param("interface", interface).param("private_ip_address", address))
    };
    check(elastic(), &rows, situation, [2, 0, 7, 7, 2]);
    let border = |nodes: &TwoNodes, (): &()| {
        nodes.world.cloud.set_border_group(&nodes.world.address, "eu-west-1-lax-1");
        as_usual()
    };
    check(elastic(), &[("wrong border group", ())], border, [2, 0, 7, 7, 2]);
    let rows = [
        ("another subnet", "10.0.2.100"),
        ("its own address", "10.0.1.10"),
        ("the peer's own address", "10.0.1.20"),
    ];
    check(private(), &rows, |nodes, address| with(nodes.kind.address, *address), [2, 0, 7, 7, 2]);
}

/// [code-4]
#[test]
fn the_address_is_used_by_an_aws_service() {
    let managed = |nodes: &TwoNodes, (): &()| {
        nodes.world.cloud.set_managed_by(&nodes.world.address, Some("alb"));
        as_usual()
    };
    check(elastic(), &[("a load balancer", ())], managed, [2, 0, 7, 7, 2]);
    let refused = |nodes: &TwoNodes, (): &()| {
        let message = "You do not have permission to access the specified resource.".to_owned();
        let kind = FaultKind::Error { status: 400, code: "AuthFailure".to_owned(), message };
        nodes.world.cloud.fault(Fault::new(Service::Ec2, kind).operation("AssociateAddress"));
        as_usual()
    };
    check(elastic(), &[("a NAT gateway", ())], refused, [2, 0, 7, 7, 2]);
}

/// [overlay-6]
#[test]
fn the_route_tables_are_not_fit() {
    let inside = |_: &TwoNodes, (): &()| with("overlay_ip", "10.0.1.77");
    check(overlay(), &[("inside the VPC", ())], inside, [6, 0, ANY, 7, 6]);
    let missing = |_: &TwoNodes, (): &()| with("routing_table", "rtb-00000000000000009");
    check(overlay(), &[("no such table", ())], missing, [2, 0, ANY, 7, 2]);
    let checked = |nodes: &TwoNodes, (): &()| {
        nodes.world.cloud.set_source_dest_check(nodes.here.eni(), true);
        as_usual()
    };
    check(overlay(), &[("source/dest check", ())], checked, [2, 0, ANY, 7, 2]);
}

/// [code-3]
#[test]
fn the_network_has_no_way_to_the_internet() {
    let no_gateway = |nodes: &TwoNodes, (): &()| {
        nodes.world.cloud.attach_gateway(false);
        as_usual()
    };
    check(elastic(), &[("no gateway", ())], no_gateway, [2, 0, 7, 7, 2]);
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.attach_gateway(false);
    a.start().expect(2).reason("Gateway.NotAttached");
}

#[test]
fn the_interface_has_no_room_for_another_address() {
    let nodes = KINDS[1].nodes();
    for last in 200..209 {
        nodes.world.cloud.assign_private_ip(nodes.here.eni(), [10, 0, 1, last].into());
    }
    nodes.run(nodes.here.start()).expect(2).reason("PrivateIpAddressLimitExceeded");
}

/// [code-5] [stop-6] What else a denial or an outage makes of each action is in the matrix.
#[test]
fn iam_denies_to_take_or_to_release() {
    for kind in &KINDS {
        let nodes = kind.nodes();
        nodes.world.cloud.deny(kind.take);
        nodes.run(nodes.here.start()).expect(4).reason(kind.take).reason("UnauthorizedOperation");
        if !kind.is_released {
            continue;
        }
        here_holds(&nodes).deny(kind.release);
        let outcome = nodes.run(nodes.here.stop()).timeout_ms(SHORT_MS).expect(1);
        outcome.reason(kind.release).reason("UnauthorizedOperation");
        nodes.held_by(&nodes.here);
    }
}

/// [code-8] [start-8]
#[test]
fn taking_is_not_allowed_and_another_node_holds_it() {
    let situation = |nodes: &TwoNodes, (): &()| {
        peer_holds(nodes);
        with(nodes.kind.may_take, "false")
    };
    check(SHOWN, &[("held by the peer", ())], situation, [1, 0, 7, 7, ANY]);
    for kind in SHOWN {
        let nodes = kind.nodes();
        peer_holds(&nodes);
        let outcome = nodes.run(nodes.here.start()).param(kind.may_take, "false").expect(1);
        outcome.reason(nodes.peer.id()).within(Duration::from_secs(5));
    }
}

/// [code-9]
#[test]
fn this_is_not_an_ec2_instance() {
    let situation = |nodes: &TwoNodes, (state, outage): &(ImdsState, bool)| {
        nodes.world.cloud.set_imds_state(nodes.here.id(), *state);
        if *outage {
            break_ec2(&nodes.world.cloud, FaultKind::Reset);
        }
        as_usual()
    };
    let rows = [
        ("refused", (ImdsState::Refuse, false)),
        ("hung", (ImdsState::Hang, false)),
        ("refused, EC2 away", (ImdsState::Refuse, true)),
        ("hung, EC2 away", (ImdsState::Hang, true)),
    ];
    check_in(SHOWN, inside, &rows, situation, [5, 0, 1, 7, 5]);
    check_in(overlay(), inside, &rows, situation, [5, 0, 0, 7, 5]);
}

/// [code-9]
#[test]
fn this_is_not_an_ec2_instance_after_a_stop_either() {
    let Some(isolation) = Isolation::new("") else { return };
    let (world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    for (run, code) in [(a.start(), 5), (a.stop(), 0), (a.start(), 5), (a.probe(), 7)] {
        run.timeout_ms(SHORT_MS).expect(code);
    }
}

/// [reload-1]
#[test]
fn a_reload_accepts_valid_parameters_and_queries_nothing() {
    for kind in &KINDS {
        let nodes = kind.nodes();
        let run = || nodes.run(nodes.here.run("reload-agent"));
        run().param("attempt_timeout", "3").param("max_backoff", "2").ok().no_requests();
        run().param("attempt_timeout", "soon").expect(6).reason("attempt_timeout");
        run().no_param(kind.address).expect(6).reason(kind.address);
    }
}

#[test]
fn the_process_gets_no_file_descriptors() {
    let situation = |nodes: &TwoNodes, (): &()| -> RunChange {
        peer_holds(nodes);
        let limited = ["/bin/sh", "-c", "ulimit -n 4; exec \"$0\" \"$@\""];
        Box::new(move |run: Run| run.wrapped_in(&limited).param("on_stop", "strict"))
    };
    check(elastic(), &[("four descriptors", ())], situation, [1, 1, 1, 7, 1]);
}
