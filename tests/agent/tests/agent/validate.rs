//! `validate-all`: syntax alone, or with a check of the environment, and in neither case a change.

use agent_tests::{Isolation, KINDS, SimulatedWorld};

use crate::trouble::SHORT_MS;

/// [validate-1]
#[test]
fn by_default_queries_nothing_and_prints_nothing() {
    let (world, [a]) = SimulatedWorld::new();
    let run = || a.run("validate-all");
    run().ok().no_requests();
    run().env("OCF_CHECK_LEVEL", "0").ok().no_requests();
    run().env("OCF_OUTPUT_FORMAT", "xml").ok().no_requests();
    // pcs shows all of standard error as findings, even if no log is configured.
    let outcome =
        run().no_env("HA_LOGFILE").param("no_such_parameter", "1").env("AWS_REGION", "No Region").ok();
    assert_eq!(outcome.stderr, "");
    assert!(!a.state().exists(), "it wrote a record");
    world.is_unassigned();
}

/// [validate-1]
#[test]
fn by_default_needs_no_network_and_no_rights() {
    let Some(isolation) = Isolation::new("ip link set lo down") else { return };
    let (_world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    a.run("validate-all").no_env("HOME").no_env("EIP_STATE_DIR").no_env("HA_LOGFILE").as_nobody().ok();
    a.run("validate-all").param("elastic_ip", "203.0.113").as_nobody().no_env("HA_LOGFILE").expect(6);
}

/// [validate-2]
#[test]
fn at_level_10_tries_whether_it_would_be_allowed_and_changes_nothing() {
    for kind in &KINDS {
        let nodes = kind.nodes();
        nodes.give(&nodes.peer);
        let instance = || nodes.world.cloud.instance(nodes.here.id()).unwrap();
        let before = (nodes.holder(), instance());
        let run = || nodes.run(nodes.here.validate());
        for level in ["10", "20"] {
            let outcome = run().env("OCF_CHECK_LEVEL", level).no_env("HA_LOGFILE").ok();
            assert_eq!(outcome.stderr, "");
            for name in [kind.take, kind.release] {
                // EC2 has no dry runs for private addresses: the permission is tried with the interface's own address, and with an unassigned one.
                let dry: Vec<bool> = outcome.calls(name).iter().map(|call| call.dry_run).collect();
                let called = usize::from(name == kind.take || kind.is_released);
                assert_eq!(dry, vec![kind.name != "vip"; called], "{}", outcome.told());
            }
            assert!(!outcome.imds("iam/").is_empty(), "the role's credentials\n{}", outcome.told());
        }
        assert_eq!((nodes.holder(), instance()), before);
        let all = [kind.describe, kind.take, kind.release];
        for action in if kind.is_released { &all[..] } else { &all[..2] } {
            nodes.world.cloud.deny(action);
            run().timeout_ms(SHORT_MS).expect(4).reason(action).reason("UnauthorizedOperation");
            nodes.world.cloud.allow(action);
        }
    }
}

/// [param-6] Options of the aws command have parameters of their own.
#[test]
fn options_inside_awscli_are_a_warning_at_level_10_and_never_an_error() {
    let (_world, [a]) = SimulatedWorld::new();
    let line = "/usr/bin/aws --endpoint-url=http://127.0.0.1:1 --region eu-west-9";
    let outcome = a.validate().param("awscli", line).ok();
    let warned = outcome.log.lines().filter(|line| line.contains("awscli")).count();
    outcome.logged(&["WARN", "awscli: no effect here: --endpoint-url --region"]);
    assert_eq!(warned, 1);
    a.validate().param("awscli", "/usr/bin/aws").ok().not_logged("awscli");
    a.start().param("awscli", line).ok().not_logged("awscli");
}

/// [validate-3]
#[test]
fn unknown_parameters_are_a_warning_at_level_10_and_never_an_error() {
    let (_world, [a]) = SimulatedWorld::new();
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
