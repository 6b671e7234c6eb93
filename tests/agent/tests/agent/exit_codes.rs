//! The table of exit codes: every situation with every action.

use agent_tests::{Isolation, Node, Run, World, black_hole, each, mute, refusing};
use aws_sim::{CredState, FaultKind, ImdsState, InstanceSpec, Tls, Validity};

use crate::trouble::{SHORT_MS, all_silence, break_ec2};

/// The codes of start, stop, recurring monitor, probe and `validate-all` at level 10.
type Codes = [i32; 5];

/// Runs every action in a situation and asserts its code, and that none of them changed anything.
#[track_caller]
fn check(world: &World, node: &Node, change: impl Fn(Run) -> Run, codes: Codes) {
    let before = world.cloud.holder(&world.address);
    let runs = [node.start(), node.stop(), node.settled_monitor(), node.probe(), node.validate()];
    for (run, code) in runs.into_iter().zip(codes) {
        change(run.timeout_ms(SHORT_MS)).expect(code);
    }
    assert_eq!(world.cloud.holder(&world.address), before, "something was changed");
}

/// Ways to put a node into a situation, each with what it changes about a run.
type Situation = fn(&World, &Node) -> Box<dyn Fn(Run) -> Run>;

/// Leaves runs as they are.
fn as_usual() -> Box<dyn Fn(Run) -> Run> {
    Box::new(|run| run)
}

/// Sets a parameter.
fn with(name: &'static str, value: impl ToString) -> Box<dyn Fn(Run) -> Run> {
    let value = value.to_string();
    Box::new(move |run| run.param(name, &value))
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
    each(rows, |situation| {
        let (world, [a]) = World::new();
        world.give(&a);
        check(&world, &a, situation(&world, &a), [6, 0, 6, 7, 6]);
        // Level 0 of validate-all says so too.
        situation(&world, &a)(a.run("validate-all")).expect(6);
    });
}

#[test]
fn the_two_names_of_the_address_contradict_each_other() {
    let (world, [a]) = World::new();
    let other = world.cloud.allocate(None).allocation_id;
    check(&world, &a, |run| run.param("allocation_id", &other), [6, 0, 7, 7, 6]);
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
    each(rows, |situation| {
        let (world, [a]) = World::new();
        let change = situation(&world, &a);
        check(&world, &a, &change, [2, 0, 7, 7, 2]);
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
    each(rows, |situation| {
        let (world, [a, b]) = World::new();
        let change = situation(&world, &a);
        check(&world, &a, &change, [2, 0, 7, 7, 2]);
        // The same while the other node holds it, as far as it can.
        if world.cloud.try_associate(&world.address, b.eni(), None).is_ok() {
            check(&world, &a, &change, [2, 0, 7, 7, 2]);
        }
    });
}

#[test]
fn the_network_has_no_way_to_the_internet() {
    let (world, [a]) = World::new();
    world.cloud.attach_gateway(false);
    check(&world, &a, |run| run, [2, 0, 7, 7, 2]);
    a.start().expect(2).reason("Gateway.NotAttached");
}

#[test]
fn iam_denies() {
    let all = ["DescribeAddresses", "AssociateAddress", "DisassociateAddress"];
    let rows: [(&str, &[&str]); 2] = [("to look", &all[..1]), ("everything", &all)];
    each(rows, |denied| {
        let deny = |world: &World| denied.iter().for_each(|action| world.cloud.deny(action));
        // By the metadata alone: not here, so there is nothing to stop either.
        let (world, [a, b]) = World::new();
        world.give(&b);
        deny(&world);
        check(&world, &a, |run| run, [4, 0, 7, 7, 4]);
        // By the metadata alone: here.
        let (world, [a]) = World::new();
        world.give(&a);
        deny(&world);
        let codes =
            [a.stop(), a.settled_monitor(), a.validate()].map(|run| run.timeout_ms(SHORT_MS).go().code);
        assert_eq!(codes, [1, 0, 4]);
        a.stop().timeout_ms(SHORT_MS).expect(1).reason("UnauthorizedOperation");
    });
}

#[test]
fn iam_denies_to_take() {
    let (world, [a, b]) = World::new();
    world.give(&b);
    world.cloud.deny("AssociateAddress");
    check(&world, &a, |run| run, [4, 0, 7, 7, 4]);
    a.start().expect(4).reason("AssociateAddress").reason("UnauthorizedOperation");
}

#[test]
fn iam_denies_and_the_metadata_is_silent() {
    let keys = ("AKIDSTATIC", "0123456789012345678901234567890123456789");
    let (world, [a]) = World::new();
    world.cloud.add_access_key(keys.0, keys.1);
    a.start().ok();
    world.cloud.deny("DescribeAddresses");
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    let change = |run: Run| {
        let run = run.env("AWS_ACCESS_KEY_ID", keys.0).env("AWS_SECRET_ACCESS_KEY", keys.1);
        run.param("region", "eu-west-1").secret(keys.1)
    };
    for (run, code) in [(a.stop(), 1), (a.settled_monitor(), 1), (a.probe(), 7)] {
        change(run.timeout_ms(SHORT_MS)).expect(code);
    }
}

#[test]
fn credentials_are_missing_or_rejected() {
    let states = [("missing", CredState::Missing404), ("expired", CredState::Expired)];
    each(states, |state| {
        let (world, [a, b]) = World::new();
        world.give(&b);
        world.cloud.set_credentials(a.id(), state);
        check(&world, &a, |run| run, [4, 0, 7, 7, 4]);
        let (world, [a]) = World::new();
        world.give(&a);
        world.cloud.set_credentials(a.id(), state);
        for (run, code) in [(a.stop(), 1), (a.settled_monitor(), 0), (a.validate(), 4)] {
            run.timeout_ms(SHORT_MS).expect(code);
        }
    });
}

#[test]
fn a_key_that_aws_does_not_know() {
    let (world, [a, b]) = World::new();
    world.give(&b);
    let secret = "0123456789012345678901234567890123456789";
    let change = |run: Run| {
        run.env("AWS_ACCESS_KEY_ID", "AKIDUNKNOWN").env("AWS_SECRET_ACCESS_KEY", secret).secret(secret)
    };
    check(&world, &a, change, [4, 0, 7, 7, 4]);
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
        let (world, [a, b]) = World::new();
        world.give(&b);
        a.probe().expect(7);
        break_ec2(&world.cloud, kind);
        check(&world, &a, |run| run, [1, 0, 7, 7, 1]);
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
    let rows: [(&str, fn(&World, &Node) -> String); 6] = [
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
        let (world, [a, b]) = World::new();
        world.give(&b);
        a.probe().expect(7);
        let url = url(&world, &a);
        check(&world, &a, |run| run.ec2_at(&url), [1, 0, 7, 7, 1]);
    });
}

#[test]
fn the_name_of_ec2_cannot_be_looked_up() {
    let Some(isolation) = Isolation::new("") else { return };
    let (world, [a, b]) = World::setup().inside(isolation).make();
    world.give(&b);
    a.probe().expect(7);
    check(&world, &a, |run| run.ec2_at("https://ec2.invalid"), [1, 0, 7, 7, 1]);
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
    for state in [ImdsState::Refuse, ImdsState::Hang] {
        let Some(isolation) = Isolation::new("") else { return };
        let (world, [a]) = World::setup().inside(isolation).make();
        world.cloud.set_imds_state(a.id(), state);
        check(&world, &a, |run| run, [5, 0, 1, 7, 5]);
    }
}

#[test]
fn this_is_not_an_ec2_instance_and_ec2_is_away_too() {
    let Some(isolation) = Isolation::new("") else { return };
    let (world, [a]) = World::setup().inside(isolation).make();
    break_ec2(&world.cloud, FaultKind::Reset);
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    check(&world, &a, |run| run, [5, 0, 1, 7, 5]);
}

#[test]
fn the_action_is_unknown() {
    let (_world, [a]) = World::new();
    for action in ["restart", "START", "", "--help", "-h", "--version", "promote", "notify", "recover"] {
        a.run(action).expect(3).no_requests();
    }
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
