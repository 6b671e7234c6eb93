//! The actions' requests to AWS: which calls with which parameters, how many, and in which order. The agent's own crate tests the decisions,
//! against the model.

use std::collections::BTreeMap;

use agent_tests::{Isolation, KINDS, RunOutcome, SHOWN, SimulatedWorld, VIP, records_in};
use aws_sim::ImdsState;

use crate::trouble::SHORT_MS;
use crate::vip_world;

/// Asserts that the only call of this operation had these parameters, and no others.
#[track_caller]
fn sent(outcome: &RunOutcome, operation: &str, expected: &[(&str, &str)]) {
    let [call] = outcome.calls(operation)[..] else { panic!("not one {operation}\n{}", outcome.told()) };
    let expected: BTreeMap<_, _> =
        expected.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(call.params, expected, "{}", outcome.told());
}

/// [start-2] [stop-2]
#[test]
fn an_elastic_ip_is_taken_and_released_by_explicit_ids() {
    let (world, [a]) = SimulatedWorld::new();
    for allow in ["true", "false"] {
        let start = a.start().param("allow_reassociation", allow).ok();
        world.held_by(&a);
        let start = start.asked_ec2(&["DescribeAddresses", "AssociateAddress", "DescribeAddresses"]);
        let ip = a.private_ip().to_string();
        let expected = [
            ("AllocationId", a.address.allocation_id.as_str()),
            ("AllowReassociation", allow),
            ("NetworkInterfaceId", a.eni().as_str()),
            ("PrivateIpAddress", &ip),
        ];
        sent(&start, "AssociateAddress", &expected);
        let held = world.cloud.holder(&world.address).unwrap().association_id;
        start.logged(&["INFO", "203.0.113.10", "unassigned", a.id(), &held, " ms"]);
        let stop = a.stop().ok();
        world.is_unassigned();
        let stop = stop.asked_ec2(&["DescribeAddresses", "DisassociateAddress", "DescribeAddresses"]);
        sent(&stop, "DisassociateAddress", &[("AssociationId", &held)]);
        stop.logged(&["INFO", a.id(), "unassigned", &held]);
        a.forget();
    }
}

#[test]
fn a_private_address_is_taken_and_released_on_one_interface() {
    let (world, [a]) = agent_tests::one_subnet().make();
    for allow in ["true", "false"] {
        let start = vip_world::start(&a).param("allow_reassignment", allow).ok();
        vip_world::held_by(&world, &a);
        let (interface, address) =
            (("NetworkInterfaceId", a.eni().as_str()), ("PrivateIpAddress.1", &*VIP.to_string()));
        sent(&start, "AssignPrivateIpAddresses", &[("AllowReassignment", allow), interface, address]);
        start.logged(&["INFO", "10.0.1.100 moved from unassigned to", a.id(), "reason start"]);
        let stop = vip_world::stop(&a).ok();
        vip_world::is_unassigned(&world);
        let describe = "DescribeNetworkInterfaces";
        let stop = stop.asked_ec2(&[describe, "UnassignPrivateIpAddresses", describe]);
        sent(&stop, "UnassignPrivateIpAddresses", &[interface, address]);
    }
}

/// [holder-3] [monitor-2] [monitor-5]
#[test]
fn a_healthy_settled_monitor_queries_the_metadata_alone_and_reads_no_credentials() {
    for kind in &KINDS {
        let nodes = kind.nodes();
        let run = || nodes.run(nodes.here.settled_monitor());
        nodes.run(nodes.here.start()).ok();
        let mut runs = vec![run(), run().by_environment()];
        if kind.name == "eip" {
            runs.push(run().by_allocation());
        }
        for run in runs {
            let outcome = run.ok().ec2_calls(0);
            assert!(outcome.imds("iam/").is_empty(), "credentials were read\n{}", outcome.told());
            assert!(outcome.requests.len() <= 5, "more than token, place and address\n{}", outcome.told());
            assert!(outcome.log.is_empty(), "a line every ten seconds\n{}", outcome.told());
        }
        // A deeper check queries EC2, whichever of Pacemaker's variables requests it.
        for level in ["OCF_CHECK_LEVEL", "OCF_RESKEY_OCF_CHECK_LEVEL"] {
            run().env(level, "10").ok().asked_ec2(&[kind.describe]);
        }
        // Tokens end with the metadata service's process, not only by their lifetime.
        nodes.world.cloud.forget_tokens();
        run().ok().ec2_calls(0);
    }
}

/// [call-5] [probe-1]
#[test]
fn a_monitor_without_interval_is_a_probe_and_status_is_a_monitor() {
    for kind in SHOWN {
        let nodes = kind.nodes();
        let run = |action| nodes.run(nodes.here.run(action)).param("settle_window", "0");
        nodes.run(nodes.here.start()).ok();
        for run in [run("monitor"), run("monitor").interval_ms(0), run("status")] {
            run.ok().ec2_calls(0);
        }
        nodes.give(&nodes.peer);
        run("status").interval_ms(10_000).expect(7).reason(nodes.peer.id());
        // With the ids on record.
        for run in [run("monitor"), run("monitor").interval_ms(0), run("status")] {
            run.expect(7).ec2_calls(0);
        }
    }
}

/// Firmware with the id of the first instance of a world.
const FIRMWARE: &str = "mount -t tmpfs tmpfs /sys/devices/virtual
    mkdir -p /sys/devices/virtual/dmi/id
    echo i-00000000000000001 >/sys/devices/virtual/dmi/id/board_asset_tag
    echo 'Amazon EC2' >/sys/devices/virtual/dmi/id/sys_vendor";

/// [record-9]
#[test]
fn a_region_on_record_is_not_used_by_another_instance_while_the_metadata_is_silent() {
    let Some(isolation) = Isolation::new(FIRMWARE) else { return };
    let (world, [a, b]) = SimulatedWorld::setup().inside(isolation).make();
    let run = |run: agent_tests::Run| run.by_key().timeout_ms(SHORT_MS);
    run(a.start()).ok();
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    world.give(&b);
    run(a.settled_monitor()).expect(7).reason(b.id());
    for name in records_in(&a.state().join("durable")) {
        let file = a.state().join("durable").join(name);
        let record = std::fs::read_to_string(&file).unwrap();
        assert!(record.contains("eu-west-1") && record.contains(a.id().as_str()), "{record}");
        std::fs::write(&file, record.replace(a.id().as_str(), "i-00000000000000009")).unwrap();
    }
    run(a.settled_monitor()).expect(1).ec2_calls(0);
}

/// [probe-3]
#[test]
fn without_the_metadata_the_firmware_knows_this_node() {
    let Some(isolation) = Isolation::new(FIRMWARE) else { return };
    let (world, [a, b]) = SimulatedWorld::setup().inside(isolation).make();
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    let run = |run: agent_tests::Run| run.by_key().param("region", "eu-west-1").timeout_ms(SHORT_MS);
    world.give(&a);
    run(a.probe()).ok();
    run(a.settled_monitor()).ok();
    world.give(&b);
    run(a.probe()).expect(7);
    run(a.settled_monitor()).expect(7).reason(b.id());
    // A machine that looks like EC2 is not reported as something else.
    run(a.start()).expect(1);
}
