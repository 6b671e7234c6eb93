//! The table of exit codes: every situation with every action, for every kind of address. The matrix has the faults of EC2, instance metadata
//! and credentials.

use std::time::Duration;

use agent_tests::{
    AddressKind, Isolation, KINDS, Node, NodeAction, Run, SHOWN, SimulatedWorld, TwoNodes, each,
};
use aws_sim::{Fault, FaultKind, ImdsState, Service};

use crate::trouble::{SHORT_MS, break_ec2};

/// Exit codes of start, stop, recurring monitor, probe and `validate-all` at level 10.
type Codes = [i32; 5];

/// Instead of a code: the row does not test this action.
const ANY: i32 = -1;

/// Brings a situation about, and returns the run in it.
type Situation = fn(&TwoNodes, Run) -> Run;

/// Runs every action of these kinds in every situation, each in its own world, and asserts its exit code and that nothing was changed.
#[track_caller]
fn check(kinds: &'static [AddressKind], codes: Codes, rows: &[(&str, Situation)]) {
    check_in(kinds, |kind| Some(kind.nodes()), codes, rows);
}

/// As `check`, in worlds made by `nodes`, which returns `None` without the privileges for them.
#[track_caller]
fn check_in(
    kinds: &'static [AddressKind],
    nodes: fn(&'static AddressKind) -> Option<TwoNodes>,
    codes: Codes,
    rows: &[(&str, Situation)],
) {
    let actions: [(&str, NodeAction); 5] = [
        ("start", Node::start),
        ("stop", Node::stop),
        ("monitor", Node::settled_monitor),
        ("probe", Node::probe),
        ("validate-all", Node::validate),
    ];
    // One kind after the other: all at once would be more than a small machine can start in time.
    for kind in kinds {
        let mut runs = Vec::new();
        for (name, situation) in rows {
            for ((action_name, action), code) in actions.into_iter().zip(codes) {
                if code != ANY {
                    runs.push((format!("{}, {name}, {action_name}", kind.name), (*situation, action, code)));
                }
            }
        }
        each(runs, |(situation, action, code)| {
            let Some(nodes) = nodes(kind) else { return };
            let run = situation(&nodes, nodes.run(action(&nodes.here)).timeout_ms(SHORT_MS));
            let before = nodes.holder();
            run.expect(code);
            assert_eq!(nodes.holder(), before, "something was changed");
        });
    }
}

/// Namespaces in which this does not look like an EC2 instance and no name is resolved.
fn inside(kind: &'static AddressKind) -> Option<TwoNodes> {
    Isolation::new("").map(|isolation| kind.nodes_inside(isolation))
}

/// The kind for Elastic IPs, for situations that exist only for these.
fn elastic() -> &'static [AddressKind] {
    &KINDS[..1]
}

/// The kind for secondary private addresses.
fn private() -> &'static [AddressKind] {
    &KINDS[1..2]
}

/// The kind for overlay addresses. Its stop queries nothing, and without an answer from EC2 its monitor relies on the host.
fn overlay() -> &'static [AddressKind] {
    &KINDS[2..]
}

/// [code-1]
#[test]
fn a_parameter_is_missing_or_malformed() {
    const CODES: Codes = [6, 0, 6, 7, 6];
    /// The address is here nevertheless.
    fn here(nodes: &TwoNodes, run: Run, name: &str, value: &str) -> Run {
        nodes.give(&nodes.here);
        run.param(name, value)
    }
    check(
        &KINDS,
        CODES,
        &[
            ("missing", |nodes, run| run.no_param(nodes.kind.address)),
            ("empty", |nodes, run| here(nodes, run, nodes.kind.address, "")),
            ("malformed address", |nodes, run| here(nodes, run, nodes.kind.address, "203.0.113")),
        ],
    );
    check(SHOWN, CODES, &[("choice", |nodes, run| here(nodes, run, "on_stop", "explode"))]);
    check(
        overlay(),
        CODES,
        &[
            ("no table", |nodes, run| here(nodes, run, "routing_table", "")),
            ("malformed table", |nodes, run| here(nodes, run, "routing_table", "rtb-1")),
            ("malformed role", |nodes, run| here(nodes, run, "routing_table_role", "routes")),
        ],
    );
    let malformed: Situation = |nodes, run| here(nodes, run, "allocation_id", "eipalloc-xyz");
    check(elastic(), CODES, &[("malformed id", malformed)]);
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
    let contradiction: Situation =
        |nodes, run| run.param("allocation_id", nodes.world.cloud.allocate(None).allocation_id);
    check(elastic(), [6, 0, 7, 7, 6], &[("another allocation", contradiction)]);
}

/// [code-2]
#[test]
fn the_address_is_not_found_or_not_ours() {
    const UNKNOWN: &str = "eipalloc-0123456789abcdef0";
    check(
        elastic(),
        [2, 0, 7, 7, 2],
        &[
            ("unknown address", |_, run| run.param("elastic_ip", "203.0.113.99")),
            ("unknown allocation", |_, run| run.no_param("elastic_ip").param("allocation_id", UNKNOWN)),
            ("unknown allocation beside the address", |_, run| run.param("allocation_id", UNKNOWN)),
            ("of another account", |nodes, run| {
                nodes.world.cloud.allocate_foreign([198, 51, 100, 7].into());
                run.param("elastic_ip", "198.51.100.7")
            }),
        ],
    );
    let (_world, [a]) = SimulatedWorld::new();
    let outcome = a.start().param("elastic_ip", "203.0.113.99").expect(2);
    assert!(outcome.calls("DescribeAddresses").len() >= 2, "a new id may need a moment\n{}", outcome.told());
}

/// [code-3] The other ways to name an interface are tested in the agent's own crate.
#[test]
fn the_target_is_not_on_this_node() {
    const CODES: Codes = [2, 0, 7, 7, 2];
    check(
        &KINDS,
        CODES,
        &[
            ("no such interface", |_, run| run.param("interface", "eni-0123456789abcdef0")),
            ("no such device, address at the peer", |nodes, run| {
                nodes.give(&nodes.peer);
                run.param("interface", "eth99")
            }),
        ],
    );
    check(
        elastic(),
        CODES,
        &[
            ("no such private address", |_, run| run.param("private_ip_address", "10.0.1.99")),
            ("no such private address on that interface", |_, run| {
                run.param("interface", "1").param("private_ip_address", "10.0.1.10")
            }),
            ("no entry for this node", |_, run| {
                run.param("private_ip_address", "node8=10.0.1.10,node9=10.0.2.10")
            }),
            ("wrong border group", |nodes, run| {
                nodes.world.cloud.set_border_group(&nodes.world.address, "eu-west-1-lax-1");
                run
            }),
            ("no gateway", |nodes, run| {
                nodes.world.cloud.attach_gateway(false);
                run
            }),
        ],
    );
    check(
        private(),
        CODES,
        &[
            ("another subnet", |nodes, run| run.param(nodes.kind.address, "10.0.2.100")),
            ("its own address", |nodes, run| run.param(nodes.kind.address, "10.0.1.10")),
            ("the peer's own address", |nodes, run| run.param(nodes.kind.address, "10.0.1.20")),
        ],
    );
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.attach_gateway(false);
    a.start().expect(2).reason("Gateway.NotAttached");
}

/// [code-4]
#[test]
fn the_address_is_used_by_an_aws_service() {
    check(
        elastic(),
        [2, 0, 7, 7, 2],
        &[
            ("a load balancer", |nodes, run| {
                nodes.world.cloud.set_managed_by(&nodes.world.address, Some("alb"));
                run
            }),
            ("a NAT gateway", |nodes, run| {
                let message = "You do not have permission to access the specified resource.".to_owned();
                let kind = FaultKind::Error { status: 400, code: "AuthFailure".to_owned(), message };
                nodes.world.cloud.fault(Fault::new(Service::Ec2, kind).operation("AssociateAddress"));
                run
            }),
        ],
    );
}

/// [overlay-6]
#[test]
fn the_route_tables_are_not_fit() {
    check(overlay(), [6, 0, ANY, 7, 6], &[("inside the VPC", |_, run| run.param("overlay_ip", "10.0.1.77"))]);
    check(
        overlay(),
        [2, 0, ANY, 7, 2],
        &[
            ("no such table", |_, run| run.param("routing_table", "rtb-00000000000000009")),
            ("source/dest check", |nodes, run| {
                nodes.world.cloud.set_source_dest_check(nodes.here.eni(), true);
                run
            }),
        ],
    );
}

/// [code-8] [start-8]
#[test]
fn taking_is_not_allowed_and_another_node_holds_it() {
    let situation: Situation = |nodes, run| {
        nodes.give(&nodes.peer);
        run.param(nodes.kind.may_take, "false")
    };
    check(SHOWN, [1, 0, 7, 7, ANY], &[("held by the peer", situation)]);
    for kind in SHOWN {
        let nodes = kind.nodes();
        let outcome = situation(&nodes, nodes.run(nodes.here.start())).expect(1);
        outcome.reason(nodes.peer.id()).within(Duration::from_secs(5));
    }
}

/// [code-9]
#[test]
fn this_is_not_an_ec2_instance() {
    fn without(nodes: &TwoNodes, run: Run, state: ImdsState, outage: bool) -> Run {
        nodes.world.cloud.set_imds_state(nodes.here.id(), state);
        if outage {
            break_ec2(&nodes.world.cloud, FaultKind::Reset);
        }
        run
    }
    let rows: [(&str, Situation); 4] = [
        ("refused", |nodes, run| without(nodes, run, ImdsState::Refuse, false)),
        ("hung", |nodes, run| without(nodes, run, ImdsState::Hang, false)),
        ("refused, EC2 away", |nodes, run| without(nodes, run, ImdsState::Refuse, true)),
        ("hung, EC2 away", |nodes, run| without(nodes, run, ImdsState::Hang, true)),
    ];
    check_in(SHOWN, inside, [5, 0, 1, 7, 5], &rows);
    check_in(overlay(), inside, [5, 0, 0, 7, 5], &rows);
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
    let situation: Situation = |nodes, run| {
        nodes.give(&nodes.peer);
        run.wrapped_in(&["/bin/sh", "-c", "ulimit -n 4; exec \"$0\" \"$@\""]).param("on_stop", "strict")
    };
    check(elastic(), [1, 1, 1, 7, 1], &[("four descriptors", situation)]);
}
