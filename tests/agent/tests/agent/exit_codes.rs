//! The table of exit codes: every situation with every action.

use agent_tests::{Action, Isolation, Node, Run, World, black_hole, each, mute, refusing};
use aws_sim::{CredState, FaultKind, ImdsState, InstanceSpec, Tls, Validity};

use crate::trouble::{SHORT_MS, all_silence, break_ec2};

/// The codes of start, stop, recurring monitor, probe and `validate-all` at level 10.
type Codes = [i32; 5];

/// What a situation changes about a run.
type Change = Box<dyn Fn(Run) -> Run>;

/// Puts a node into a situation.
type Situation = fn(&World, &Node) -> Change;

/// Runs every action in a situation, each in a world of its own, and asserts its code and that nothing was changed.
#[track_caller]
fn check(situation: impl Fn() -> (World, Node, Change) + Sync, codes: Codes) {
    let actions: [(&str, Action); 5] = [
        ("start", Node::start),
        ("stop", Node::stop),
        ("monitor", Node::settled_monitor),
        ("probe", Node::probe),
        ("validate-all", Node::validate),
    ];
    let rows = actions.into_iter().zip(codes).map(|((name, action), code)| (name, (action, code)));
    each(rows, |(action, code)| {
        let (world, node, change) = situation();
        let before = world.cloud.holder(&world.address);
        change(action(&node).timeout_ms(SHORT_MS)).expect(code);
        assert_eq!(world.cloud.holder(&world.address), before, "something was changed");
    });
}

/// Makes two nodes, of which the second holds the address.
fn held_by_the_peer() -> (World, Node) {
    let (world, [a, b]) = World::new();
    world.give(&b);
    (world, a)
}

/// Makes two nodes, of which the first holds the address.
fn held_here() -> (World, Node) {
    let (world, [a, _]) = World::new();
    world.give(&a);
    (world, a)
}

/// Makes two nodes, neither of which holds the address.
fn held_by_nobody() -> (World, Node) {
    let (world, [a, _]) = World::new();
    (world, a)
}

/// Names a URL at which EC2 can't be reached.
type Place = fn(&World, &Node) -> String;

/// Leaves runs as they are.
fn as_usual() -> Change {
    Box::new(|run| run)
}

/// Sets a parameter.
fn with(name: &'static str, value: impl Into<String>) -> Change {
    let value = value.into();
    Box::new(move |run| run.param(name, &value))
}

/// Gives the agent a key that the account knows, so that it needs the metadata for nothing else than the metadata.
fn with_a_key(world: &World) -> Change {
    let secret = "0123456789012345678901234567890123456789";
    world.cloud.add_access_key("AKIDSTATIC", secret);
    Box::new(move |run| {
        let run = run.env("AWS_ACCESS_KEY_ID", "AKIDSTATIC").env("AWS_SECRET_ACCESS_KEY", secret);
        run.param("region", "eu-west-1").secret(secret)
    })
}

#[test]
fn a_parameter_is_missing_or_malformed() {
    let rows: [(&str, Situation); 5] = [
        ("missing", |_, _| Box::new(|run| run.no_param("elastic_ip"))),
        ("empty", |_, _| with("elastic_ip", "")),
        ("malformed address", |_, _| with("elastic_ip", "203.0.113")),
        ("malformed allocation", |_, _| with("allocation_id", "eipalloc-xyz")),
        ("malformed choice", |_, _| with("on_stop", "explode")),
    ];
    each(rows, |change| {
        let situation = || {
            let (world, a) = held_here();
            let change = change(&world, &a);
            (world, a, change)
        };
        check(situation, [6, 0, 6, 7, 6]);
        // Level 0 of validate-all says so too.
        let (_world, a, change) = situation();
        change(a.run("validate-all")).expect(6);
    });
}

#[test]
fn the_two_names_of_the_address_contradict_each_other() {
    let situation = || {
        let (world, a) = held_by_nobody();
        let other = world.cloud.allocate(None).allocation_id;
        (world, a, with("allocation_id", other.as_str()))
    };
    check(situation, [6, 0, 7, 7, 6]);
}

#[test]
fn the_address_is_not_found_or_not_ours() {
    let rows: [(&str, Situation); 5] = [
        ("unknown address", |_, _| with("elastic_ip", "203.0.113.99")),
        ("unknown allocation", |_, _| {
            Box::new(|run| run.no_param("elastic_ip").param("allocation_id", "eipalloc-0123456789abcdef0"))
        }),
        ("unknown allocation beside the address", |_, _| with("allocation_id", "eipalloc-0123456789abcdef0")),
        ("of another account", |world, _| {
            world.cloud.allocate_foreign([198, 51, 100, 7].into());
            with("elastic_ip", "198.51.100.7")
        }),
        ("an address that was never anybody's", |_, _| with("elastic_ip", "192.0.2.1")),
    ];
    each(rows, |change| {
        let situation = || {
            let (world, a) = held_by_nobody();
            let change = change(&world, &a);
            (world, a, change)
        };
        check(situation, [2, 0, 7, 7, 2]);
        let (_world, a, change) = situation();
        let outcome = change(a.start()).expect(2);
        let looks = outcome.calls("DescribeAddresses").len();
        assert!(looks >= 2, "a new id may need a moment\n{}", outcome.told());
    });
}

#[test]
fn the_place_is_not_on_this_node() {
    let rows: [(&str, Situation); 8] = [
        ("no such device", |_, _| with("interface", "eth99")),
        ("no such index", |_, _| with("interface", "7")),
        ("no such MAC", |_, _| with("interface", "02:00:00:00:00:99")),
        ("no such interface id", |_, _| with("interface", "eni-0123456789abcdef0")),
        ("no such private address", |_, _| with("private_ip_address", "10.0.1.99")),
        ("no such private address on that interface", |_, node| {
            let (index, ip) = ("1", node.ip(0).to_string());
            Box::new(move |run| run.param("interface", index).param("private_ip_address", &ip))
        }),
        ("no entry for this node", |_, _| with("private_ip_address", "node8=10.0.1.10,node9=10.0.2.10")),
        ("wrong border group", |world, _| {
            world.cloud.set_border_group(&world.address, "eu-west-1-lax-1");
            as_usual()
        }),
    ];
    each(rows, |change| {
        for held in [held_by_nobody, held_by_the_peer] {
            let situation = || {
                let (world, a) = held();
                let change = change(&world, &a);
                (world, a, change)
            };
            check(situation, [2, 0, 7, 7, 2]);
        }
    });
}

#[test]
fn the_network_has_no_way_to_the_internet() {
    let situation = || {
        let (world, a) = held_by_nobody();
        world.cloud.attach_gateway(false);
        (world, a, as_usual())
    };
    check(situation, [2, 0, 7, 7, 2]);
    let (_world, a, _) = situation();
    a.start().expect(2).reason("Gateway.NotAttached");
}

#[test]
fn iam_denies() {
    let all = ["DescribeAddresses", "AssociateAddress", "DisassociateAddress"];
    let rows: [(&str, &[&str]); 2] = [("to look", &all[..1]), ("everything", &all)];
    each(rows, |denied| {
        let situation = |held: fn() -> (World, Node)| {
            move || {
                let (world, a) = held();
                for action in denied {
                    world.cloud.deny(action);
                }
                (world, a, as_usual())
            }
        };
        // By the metadata alone: not here, so there is nothing to stop either; here.
        check(situation(held_by_the_peer), [4, 0, 7, 7, 4]);
        let (_world, a, _) = situation(held_here)();
        for (run, code) in [(a.stop(), 1), (a.settled_monitor(), 0), (a.validate(), 4)] {
            run.timeout_ms(SHORT_MS).expect(code);
        }
        a.stop().timeout_ms(SHORT_MS).expect(1).reason("UnauthorizedOperation");
    });
}

#[test]
fn iam_denies_to_take() {
    let situation = || {
        let (world, a) = held_by_the_peer();
        world.cloud.deny("AssociateAddress");
        (world, a, as_usual())
    };
    check(situation, [4, 0, 7, 7, 4]);
    let (_world, a, _) = situation();
    a.start().expect(4).reason("AssociateAddress").reason("UnauthorizedOperation");
}

#[test]
fn iam_denies_and_the_metadata_is_silent() {
    let rows: [(&str, (Action, i32)); 3] =
        [("stop", (Node::stop, 1)), ("monitor", (Node::settled_monitor, 1)), ("probe", (Node::probe, 7))];
    each(rows, |(action, code)| {
        let (world, [a]) = World::new();
        let change = with_a_key(&world);
        a.start().ok();
        world.cloud.deny("DescribeAddresses");
        world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
        change(action(&a).timeout_ms(SHORT_MS)).expect(code);
    });
}

#[test]
fn credentials_are_missing_or_rejected() {
    each([("missing", CredState::Missing404), ("expired", CredState::Expired)], |state| {
        let situation = || {
            let (world, a) = held_by_the_peer();
            world.cloud.set_credentials(a.id(), state);
            (world, a, as_usual())
        };
        check(situation, [4, 0, 7, 7, 4]);
        let (world, a) = held_here();
        world.cloud.set_credentials(a.id(), state);
        for (run, code) in [(a.stop(), 1), (a.settled_monitor(), 0), (a.validate(), 4)] {
            run.timeout_ms(SHORT_MS).expect(code);
        }
    });
}

#[test]
fn a_key_that_aws_does_not_know() {
    let situation = || {
        let (world, a) = held_by_the_peer();
        let secret = "0123456789012345678901234567890123456789";
        let change: Change = Box::new(move |run| {
            run.env("AWS_ACCESS_KEY_ID", "AKIDUNKNOWN").env("AWS_SECRET_ACCESS_KEY", secret).secret(secret)
        });
        (world, a, change)
    };
    check(situation, [4, 0, 7, 7, 4]);
    let (_world, a, change) = situation();
    let outcome = change(a.start()).timeout_ms(SHORT_MS).expect(4);
    assert!(outcome.ec2().len() >= 2, "a fresh key needs a moment\n{}", outcome.told());
}

#[test]
fn a_fresh_role_needs_a_moment() {
    let (world, [a]) = World::new();
    world.cloud.set_credentials(a.id(), CredState::Missing404);
    let starting = a.start().spawn();
    let asked = |request: &aws_sim::Request| request.operation.ends_with("/iam/security-credentials/");
    assert!(world.cloud.wait_for_request(std::time::Duration::from_secs(5), asked).is_some());
    world.cloud.set_credentials(a.id(), CredState::Valid);
    starting.wait().exits(0);
    world.held_by(&a);
}

#[test]
fn ec2_gives_no_answer() {
    // A slow answer takes effect, so the table's "nothing changed" is not for it; `start` and `stop` have tests with it.
    each(all_silence().into_iter().filter(|(name, _)| *name != "slow"), |kind| {
        let situation = || {
            let (world, a) = held_by_the_peer();
            a.probe().expect(7);
            break_ec2(&world.cloud, kind.clone());
            (world, a, as_usual())
        };
        check(situation, [1, 0, 7, 7, 1]);
    });
}

#[test]
fn ec2_gives_no_answer_and_the_metadata_says_that_it_is_elsewhere() {
    let rows = all_silence().into_iter().flat_map(|(name, kind)| {
        ["disassociate", "strict"].map(|policy| (format!("{name}, {policy}"), (kind.clone(), policy)))
    });
    each(rows, |(kind, policy)| {
        let (world, [a, b]) = World::new();
        world.give(&b);
        a.probe().expect(7);
        break_ec2(&world.cloud, kind);
        a.stop().param("on_stop", policy).timeout_ms(SHORT_MS).ok();
    });
}

#[test]
fn ec2_cannot_be_reached() {
    let rows: [(&str, Place); 6] = [
        ("refused", |_, _| format!("http://{}", refusing())),
        ("black hole", |_, _| format!("http://{}", black_hole())),
        ("mute", |_, _| format!("http://{}", mute())),
        ("mute with TLS", |_, _| format!("https://{}", mute())),
        ("TLS, unknown issuer", |world, _| {
            let tls = Tls::new(&["127.0.0.1"], Validity::Now).unwrap();
            format!("https://{}", world.sim.serve_ec2_tls(world.bind(), &tls).unwrap())
        }),
        ("TLS where there is none", |_, node| format!("https://{}", node.ec2)),
    ];
    each(rows, |url| {
        let situation = || {
            let (world, a) = held_by_the_peer();
            a.probe().expect(7);
            let url = url(&world, &a);
            (world, a, with("endpoint_url", url))
        };
        check(situation, [1, 0, 7, 7, 1]);
    });
}

#[test]
fn the_name_of_ec2_cannot_be_looked_up() {
    // Nobody answers for a name server in these namespaces.
    let Some(_) = Isolation::new("") else { return };
    let situation = || {
        let isolation = Isolation::new("").unwrap();
        let (world, [a, b]) = World::setup().inside(isolation).make();
        world.give(&b);
        a.probe().expect(7);
        (world, a, with("endpoint_url", "https://ec2.invalid"))
    };
    check(situation, [1, 0, 7, 7, 1]);
}

#[test]
fn taking_is_not_allowed_and_someone_else_holds_it() {
    let (world, [a, b]) = World::new();
    world.give(&b);
    let run = |run: Run| run.param("allow_reassociation", "false").timeout_ms(SHORT_MS);
    run(a.start()).expect(1).reason(b.id());
    world.held_by(&b);
    run(a.stop()).expect(0).wrote_nothing();
    run(a.settled_monitor()).expect(7).reason(b.id());
    run(a.probe()).expect(7);
    world.held_by(&b);
}

#[test]
fn this_is_not_an_ec2_instance() {
    let Some(_) = Isolation::new("") else { return };
    let rows = [ImdsState::Refuse, ImdsState::Hang].into_iter().flat_map(|state| {
        [false, true].map(|outage| (format!("{state:?}, EC2 away: {outage}"), (state, outage)))
    });
    each(rows, |(state, outage)| {
        let situation = || {
            let (world, [a]) = World::setup().inside(Isolation::new("").unwrap()).make();
            world.cloud.set_imds_state(a.id(), state);
            if outage {
                break_ec2(&world.cloud, FaultKind::Reset);
            }
            (world, a, as_usual())
        };
        check(situation, [5, 0, 1, 7, 5]);
    });
}

#[test]
fn this_is_not_an_ec2_instance_after_a_stop_either() {
    let Some(isolation) = Isolation::new("") else { return };
    let (world, [a]) = World::setup().inside(isolation).make();
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    for (run, code) in [(a.start(), 5), (a.stop(), 0), (a.start(), 5), (a.probe(), 7)] {
        run.timeout_ms(SHORT_MS).expect(code);
    }
}

#[test]
fn the_action_is_unknown() {
    let (_world, [a]) = World::new();
    for action in ["restart", "START", "", "--help", "-h", "--version", "promote", "notify", "recover"] {
        a.run(action).expect(3).no_requests();
    }
}

#[test]
fn the_process_gets_no_file_descriptors() {
    check(
        || {
            let (world, node) = held_by_the_peer();
            let limited = ["/bin/sh", "-c", "ulimit -n 4; exec \"$0\" \"$@\""];
            (
                world,
                node,
                Box::new(move |run: Run| run.wrapped_in(&limited).param("on_stop", "strict")) as Change,
            )
        },
        [1, 1, 1, 7, 1],
    );
}

#[test]
fn the_instance_is_not_ready() {
    let (world, [a]) = World::setup().instances(|_| InstanceSpec::default()).make();
    world.cloud.set_instance_state(a.id(), aws_sim::InstanceState::Pending);
    a.start().timeout_ms(SHORT_MS).expect(1).reason("IncorrectInstanceState");
    let starting = a.start().spawn();
    let refused = |r: &aws_sim::Request| r.code.as_deref() == Some("IncorrectInstanceState");
    world.cloud.clear_log();
    assert!(world.cloud.wait_for_request(std::time::Duration::from_secs(5), refused).is_some());
    world.cloud.set_instance_state(a.id(), aws_sim::InstanceState::Running);
    starting.wait().exits(0);
    world.held_by(&a);
}
