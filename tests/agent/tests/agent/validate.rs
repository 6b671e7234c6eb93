//! `validate-all`: form alone, or with a look around, and in neither case a change.

use agent_tests::{Isolation, World, each};
use aws_sim::{ImdsState, Service};

use crate::trouble::SHORT_MS;

/// [validate-1]
#[test]
fn by_default_looks_at_nothing_and_says_nothing() {
    let (world, [a]) = World::new();
    let run = || a.run("validate-all");
    run().ok().no_requests();
    run().env("OCF_CHECK_LEVEL", "0").ok().no_requests();
    run().env("OCF_OUTPUT_FORMAT", "xml").ok().no_requests();
    // pcs shows whatever is on standard error as a finding, also where no log is configured.
    let outcome =
        run().no_env("HA_LOGFILE").param("no_such_parameter", "1").env("AWS_REGION", "No Region").ok();
    assert_eq!(outcome.stderr, "");
    assert!(!a.state().exists(), "it wrote a record");
    world.held_by_nobody();
}

/// [validate-1]
#[test]
fn by_default_needs_no_network_and_no_rights() {
    let Some(isolation) = Isolation::new("ip link set lo down") else { return };
    let (_world, [a]) = World::setup().inside(isolation).make();
    a.run("validate-all").no_env("HOME").no_env("EIP_STATE_DIR").no_env("HA_LOGFILE").as_nobody().ok();
    a.run("validate-all").param("elastic_ip", "203.0.113").as_nobody().no_env("HA_LOGFILE").expect(6);
}

#[test]
fn by_default_does_not_ask_whether_the_interface_is_there() {
    let (_world, [a]) = World::new();
    let run = a.run("validate-all").param("interface", "eth99").param("private_ip_address", "192.0.2.1");
    run.param("ca_bundle", "/no/such/file").ok().no_requests();
    a.run("validate-all").param("private_ip_address", "elsewhere=10.9.9.9").ok().no_requests();
}

/// [validate-2]
#[test]
fn with_a_look_around_asks_whether_it_would_be_allowed() {
    let (world, [a, b]) = World::new();
    for holder in [None, Some(&a), Some(&b)] {
        world.cloud.disassociate(&world.address);
        if let Some(holder) = holder {
            world.give(holder);
        }
        let before = world.cloud.holder(&world.address);
        for level in ["10", "20"] {
            let outcome = a.validate().env("OCF_CHECK_LEVEL", level).ok().wrote_nothing();
            let dry = |name: &str| outcome.calls(name).iter().filter(|call| call.dry_run).count();
            assert_eq!(dry("AssociateAddress"), 1, "{}", outcome.told());
            assert_eq!(dry("DisassociateAddress"), 1, "{}", outcome.told());
            assert!(!outcome.imds("iam/").is_empty(), "the role's credentials\n{}", outcome.told());
        }
        assert_eq!(world.cloud.holder(&world.address), before);
    }
}

/// [validate-2]
#[test]
fn with_a_look_around_finds_what_is_denied() {
    each(
        ["DescribeAddresses", "AssociateAddress", "DisassociateAddress"].map(|name| (name, name)),
        |action| {
            let (world, [a]) = World::new();
            world.give(&a);
            world.cloud.deny(action);
            a.validate().timeout_ms(SHORT_MS).expect(4).reason(action).reason("UnauthorizedOperation");
        },
    );
}

#[test]
fn with_a_look_around_needs_the_metadata_of_this_moment() {
    let keys = ("AKIDSTATIC", "0123456789012345678901234567890123456789");
    let (world, [a]) = World::new();
    world.cloud.add_access_key(keys.0, keys.1);
    a.start().ok();
    world.cloud.set_imds_state(a.id(), ImdsState::Off403);
    a.validate().timeout_ms(SHORT_MS).expect(1);
    // Also where EC2 could be asked without it, and with a record of what was right before.
    let run =
        a.validate().env("AWS_ACCESS_KEY_ID", keys.0).env("AWS_SECRET_ACCESS_KEY", keys.1).secret(keys.1);
    run.param("region", "eu-west-1").timeout_ms(SHORT_MS).expect(1).reason("IMDS");
}

/// [validate-3]
#[test]
fn unknown_parameters_are_a_warning_with_a_look_around_and_never_an_error() {
    let (_world, [a]) = World::new();
    let outcome = a.validate().param("elastic-ip", "1").param("colour", "blue").ok();
    let lines: Vec<_> = outcome.log.lines().filter(|line| line.contains("colour")).collect();
    assert!(lines.len() == 1 && lines[0].contains("WARN") && lines[0].contains("elastic-ip"), "{lines:?}");
    for name in ["CRM_meta", "crm_feature_set", "trace_ra"] {
        assert!(!lines[0].contains(name), "{lines:?}");
    }
    a.start().param("colour", "blue").ok().not_logged("colour");
    a.settled_monitor().param("colour", "blue").ok().not_logged("colour");
    a.run("validate-all").param("colour", "blue").ok().not_logged("colour");
}

#[test]
fn with_a_look_around_a_good_node_is_found_good_in_silence() {
    let (_world, [a]) = World::new();
    let outcome = a.validate().no_env("HA_LOGFILE").ok();
    assert_eq!(outcome.stderr, "");
    assert!(outcome.requests.iter().any(|request| request.service == Service::Imds));
}
