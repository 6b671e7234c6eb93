//! Hostile and invalid values in parameters and variables. The agent's own crate tests which values are malformed.

use agent_tests::{Isolation, Run, SimulatedWorld};
use aws_sim::Bind;

/// [reason-1] [reason-2]
#[test]
fn whatever_is_in_a_value_the_reason_is_one_line_that_pacemaker_keeps_whole() {
    let (_world, [a]) = SimulatedWorld::new();
    for value in [
        "x".repeat(5000),
        "a\nocf-exit-reason:something else".to_owned(),
        "\u{1b}[2J\u{7}\t".to_owned(),
        "\u{e4}\u{6f22}\u{1f600}".repeat(40),
        "%s%n$(reboot)`reboot`".to_owned(),
    ] {
        for name in ["elastic_ip", "interface", "on_stop", "settle_window", "endpoint_url"] {
            // The harness checks the form of every reason.
            a.run("validate-all").param(name, &value).expect(6).reason(name);
        }
    }
}

#[test]
fn invalid_values_in_variables_are_warnings_and_the_action_goes_on() {
    let (world, [a]) = SimulatedWorld::new();
    for (name, value) in [
        ("AWS_REGION", "No Region"),
        ("AWS_DEFAULT_REGION", "\u{1f600}"),
        ("AWS_ENDPOINT_URL", "nonsense"),
        ("AWS_ENDPOINT_URL", "http://[::1"),
        ("AWS_ENDPOINT_URL", "http://a:b:c"),
        ("AWS_USE_FIPS_ENDPOINT", "perhaps"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "perhaps"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv5"),
        ("HA_LOGFACILITY", "nonsense"),
        ("HA_DATEFMT", "%"),
        ("OCF_CHECK_LEVEL", "ten"),
        ("OCF_RESKEY_CRM_meta_timeout", "soon"),
        ("OCF_RESKEY_CRM_meta_timeout", "-5"),
        ("OCF_RA_VERSION_MINOR", "x"),
    ] {
        a.start().env(name, value).ok().logged(&["WARN", name]);
        world.held_by(&a);
        a.stop().env(name, value).ok().logged(&["WARN", name]);
        world.is_unassigned();
    }
}

#[test]
fn an_invalid_endpoint_leaves_the_next_one_in_force() {
    let address = "ip address add 169.254.169.254/32 dev lo";
    let Some(isolation) = Isolation::new(address) else { return };
    let (world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    let bind = Bind { addr: "169.254.169.254:80".parse().unwrap(), ..world.bind() };
    world.sim.serve_imds(a.id(), bind).unwrap();
    let run = a.start().by_environment().env("AWS_ENDPOINT_URL", format!("http://{}", a.ec2));
    let run = run
        .env("AWS_ENDPOINT_URL_EC2", "http://[::1")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://a:b:c");
    let outcome = run.ok().logged(&["WARN", "AWS_ENDPOINT_URL_EC2"]);
    outcome.logged(&["WARN", "AWS_EC2_METADATA_SERVICE_ENDPOINT"]);
    world.held_by(&a);
}

#[test]
fn invalid_values_in_other_variables_change_nothing() {
    let (world, [a]) = SimulatedWorld::new();
    for (name, value) in [
        ("AWS_MAX_ATTEMPTS", "many"),
        ("AWS_RETRY_MODE", "never"),
        ("AWS_DEFAULTS_MODE", "nonsense"),
        ("AWS_EC2_METADATA_DISABLED", "perhaps"),
        ("AWS_EC2_METADATA_V1_DISABLED", "perhaps"),
        ("AWS_CONFIG_FILE", "/no/such/file"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/no/such/file"),
        ("AWS_SDK_UA_APP_ID", "\u{1f600}"),
        ("AWS_SIGV4A_SIGNING_REGION_SET", "nonsense"),
        ("AWS_ACCESS_KEY_ID", ""),
        ("HA_debug", "perhaps"),
        ("HA_LOGD", "perhaps"),
        ("HA_DEBUGLOG", "/no/such/folder/file"),
        ("HA_RSCTMP", "/proc/nowhere"),
        ("OCF_OUTPUT_FORMAT", "nonsense"),
        ("OCF_ROOT", "/no/such/folder"),
        ("OCF_TRACE_RA", "perhaps"),
        ("TZ", "Nowhere/Never"),
        ("HTTPS_PROXY", ""),
        ("LC_ALL", "xx_XX"),
    ] {
        a.start().env(name, value).ok();
        world.held_by(&a);
        a.settled_monitor().env(name, value).ok();
        a.stop().env(name, value).ok();
        world.is_unassigned();
    }
}

/// [code-9]
#[test]
fn another_version_of_the_standard_is_refused_by_name() {
    let (_world, [a]) = SimulatedWorld::new();
    let other = |run: Run| run.env("OCF_RA_VERSION_MAJOR", "2").env("OCF_RA_VERSION_MINOR", "0");
    for action in ["start", "migrate_to", "migrate_from", "validate-all", "reload-agent"] {
        other(a.run(action)).expect(5).reason("2").no_requests();
    }
    other(a.monitor()).expect(1).reason("2").no_requests();
    other(a.probe()).expect(7).no_requests();
    other(a.stop()).ok().no_requests();
}
