//! The table of exit codes: every situation with every action, for every kind of address.

use std::time::Duration;

use agent_tests::{
    AddressKind, Isolation, KINDS, Node, NodeAction, Run, SHOWN, SimulatedWorld, TwoNodes, black_hole, each,
    mute, refusing,
};
use aws_sim::{CredState, Fault, FaultKind, ImdsState, Service, Tls, Validity};

use crate::trouble::{SHORT_MS, all_silence, break_ec2};

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

const SECRET: &str = "0123456789012345678901234567890123456789";

/// Gives the agent a key, so that it needs the metadata for nothing else than the metadata.
fn with_key(id: &'static str) -> RunChange {
    Box::new(move |run| {
        let run = run.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", SECRET);
        run.param("region", "eu-west-1").secret(SECRET)
    })
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

/// [code-5]
#[test]
fn iam_denies() {
    let deny = |nodes: &TwoNodes, everything: bool| -> RunChange {
        let all = [nodes.kind.describe, nodes.kind.take, nodes.kind.release];
        for action in if everything { &all[..] } else { &all[..1] } {
            nodes.world.cloud.deny(action);
        }
        as_usual()
    };
    let rows = [("to look", false), ("everything", true)];
    // According to the metadata alone: not here, so there is nothing to stop either; here.
    let elsewhere = |nodes: &TwoNodes, everything: &bool| {
        peer_holds(nodes);
        deny(nodes, *everything)
    };
    check(SHOWN, &rows[1..], elsewhere, [4, 0, 7, 7, 4]);
    check(overlay(), &rows, elsewhere, [4, 0, 0, 7, 4]);
    check(elastic(), &rows[..1], elsewhere, [4, 0, 7, 7, 4]);
    // A private address is taken beside the look.
    check(private(), &rows[..1], elsewhere, [ANY, 0, 7, 7, 4]);
    let here = |nodes: &TwoNodes, everything: &bool| {
        here_holds(nodes);
        deny(nodes, *everything)
    };
    check(SHOWN, &rows, here, [ANY, 1, 0, ANY, 4]);
    check(overlay(), &rows, here, [4, 0, 0, 7, 4]);
    let silent = |nodes: &TwoNodes, everything: &bool| {
        nodes.run(nodes.here.start()).ok();
        nodes.world.cloud.add_access_key("AKIDSTATIC", SECRET);
        nodes.world.cloud.set_imds_state(nodes.here.id(), ImdsState::Refuse);
        let _ = deny(nodes, *everything);
        with_key("AKIDSTATIC")
    };
    check(SHOWN, &rows[..1], silent, [ANY, 1, 1, 7, ANY]);
    check(overlay(), &rows[..1], silent, [ANY, 0, 0, 0, ANY]);
}

/// [code-5] [stop-6]
#[test]
fn iam_denies_to_take_or_to_release() {
    let to_take = |nodes: &TwoNodes, (): &()| {
        peer_holds(nodes).deny(nodes.kind.take);
        as_usual()
    };
    check(&KINDS, &[("to take", ())], to_take, [4, 0, 7, 7, 4]);
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

/// [code-6]
#[test]
fn credentials_are_missing_or_rejected() {
    let rows = [("missing", CredState::Missing404), ("expired", CredState::Expired)];
    let elsewhere = |nodes: &TwoNodes, state: &CredState| {
        peer_holds(nodes).set_credentials(nodes.here.id(), *state);
        as_usual()
    };
    check(SHOWN, &rows, elsewhere, [4, 0, 7, 7, 4]);
    check(overlay(), &rows, elsewhere, [4, 0, 0, 7, 4]);
    let here = |nodes: &TwoNodes, state: &CredState| {
        here_holds(nodes).set_credentials(nodes.here.id(), *state);
        as_usual()
    };
    check(SHOWN, &rows, here, [ANY, 1, 0, ANY, 4]);
    check(overlay(), &rows, here, [4, 0, 0, 7, 4]);
    let unknown = |nodes: &TwoNodes, (): &()| {
        peer_holds(nodes);
        with_key("AKIDUNKNOWN")
    };
    check(elastic(), &[("a key that AWS does not know", ())], unknown, [4, 0, 7, 7, 4]);
    let (_world, [a]) = SimulatedWorld::new();
    let outcome = with_key("AKIDUNKNOWN")(a.start()).timeout_ms(SHORT_MS).expect(4);
    assert!(outcome.ec2().len() >= 2, "a fresh key needs a moment\n{}", outcome.told());
}

/// [code-6]
#[test]
fn a_fresh_role_needs_a_moment() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.set_credentials(a.id(), CredState::Missing404);
    let starting = a.start().spawn();
    let asked = |request: &aws_sim::LoggedRequest| request.operation.ends_with("/iam/security-credentials/");
    assert!(world.cloud.wait_for_request(Duration::from_secs(5), asked).is_some());
    world.cloud.set_credentials(a.id(), CredState::Valid);
    starting.wait().exits(0);
    world.held_by(&a);
}

/// [code-7]
#[test]
fn ec2_gives_no_answer() {
    // A slow answer takes effect, so "nothing was changed" is not for it.
    let mut rows = all_silence();
    rows.retain(|(name, _)| *name != "slow");
    let elsewhere = |nodes: &TwoNodes, fault: &FaultKind| {
        peer_holds(nodes);
        nodes.run(nodes.here.probe()).expect(7);
        break_ec2(&nodes.world.cloud, fault.clone());
        as_usual()
    };
    check(SHOWN, &rows, elsewhere, [1, 0, 7, 7, 1]);
    check(overlay(), &rows, elsewhere, [1, 0, 0, 7, 1]);
    // An outage takes down no address that works.
    let here = |nodes: &TwoNodes, fault: &FaultKind| {
        here_holds(nodes);
        nodes.run(nodes.here.probe()).ok();
        break_ec2(&nodes.world.cloud, fault.clone());
        as_usual()
    };
    check(&KINDS, &rows, here, [ANY, 0, 0, 0, 1]);
    // If instance metadata shows it elsewhere there is nothing to release.
    let strict =
        |change: RunChange| -> RunChange { Box::new(move |run| change(run).param("on_stop", "strict")) };
    let row = &rows[..1];
    check(SHOWN, row, |nodes, fault| strict(elsewhere(nodes, fault)), [ANY, 0, ANY, ANY, ANY]);
    check(SHOWN, row, |nodes, fault| strict(here(nodes, fault)), [ANY, 1, ANY, ANY, ANY]);
}

/// [code-7]
#[test]
fn ec2_cannot_be_reached() {
    type Url = fn(&TwoNodes) -> String;
    let rows: [(&str, Url); 6] = [
        ("refused", |_| format!("http://{}", refusing())),
        ("black hole", |_| format!("http://{}", black_hole())),
        ("mute", |_| format!("http://{}", mute())),
        ("mute with TLS", |_| format!("https://{}", mute())),
        ("TLS, unknown issuer", |nodes| {
            let tls = Tls::new(&["127.0.0.1"], Validity::Now).unwrap();
            format!("https://{}", nodes.world.sim.serve_ec2_tls(nodes.world.bind(), &tls).unwrap())
        }),
        ("TLS where there is none", |nodes| format!("https://{}", nodes.here.ec2)),
    ];
    let at = |nodes: &TwoNodes, url: &Url| {
        peer_holds(nodes);
        nodes.here.probe().expect(7);
        with("endpoint_url", url(nodes))
    };
    check(elastic(), &rows, at, [1, 0, 7, 7, 1]);
    // There is no name server in the namespaces.
    let nameless: [(&str, Url); 1] = [("no name server", |_| "https://ec2.invalid".to_owned())];
    check_in(elastic(), inside, &nameless, at, [1, 0, 7, 7, 1]);
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

/// [code-10]
#[test]
fn the_action_is_unknown() {
    for kind in &KINDS {
        let nodes = kind.nodes();
        for action in ["restart", "START", "", "--help", "-h", "--version", "promote", "notify", "recover"] {
            nodes.run(nodes.here.run(action)).expect(3).no_requests();
        }
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

#[test]
fn the_instance_is_not_ready() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.set_instance_state(a.id(), aws_sim::InstanceState::Pending);
    a.start().timeout_ms(SHORT_MS).expect(1).reason("IncorrectInstanceState");
    let starting = a.start().spawn();
    let refused = |r: &aws_sim::LoggedRequest| r.code.as_deref() == Some("IncorrectInstanceState");
    world.cloud.clear_log();
    assert!(world.cloud.wait_for_request(Duration::from_secs(5), refused).is_some());
    world.cloud.set_instance_state(a.id(), aws_sim::InstanceState::Running);
    starting.wait().exits(0);
    world.held_by(&a);
}
