//! Parameters that lack their form: exit 6, and one line that names the parameter, the value and what is expected.

use agent_tests::{Isolation, World};
use aws_sim::Bind;

/// Parameter, value, and a part of what is expected instead.
const MALFORMED: [(&str, &str, &str); 32] = [
    ("elastic_ip", "203.0.113", "IPv4"),
    ("elastic_ip", "203.0.113.256", "IPv4"),
    ("elastic_ip", "203.0.113.010", "IPv4"),
    ("elastic_ip", "2001:db8::1", "IPv4"),
    ("elastic_ip", "203.0.113.10/32", "IPv4"),
    ("elastic_ip", "web.example", "IPv4"),
    ("elastic_ip", "0.0.0.0", "IPv4"),
    ("allocation_id", "eipassoc-0123456789abcdef0", "eipalloc-"),
    ("allocation_id", "203.0.113.10", "eipalloc-"),
    ("interface", "eni-xyz", "eni-"),
    ("interface", "eth/0", "MAC"),
    ("private_ip_address", "10.0.1", "IPv4"),
    ("private_ip_address", "node1=10.0.1", "NODE=ADDRESS"),
    ("private_ip_address", "node1=10.0.1.10,node1=10.0.1.11", "once"),
    ("region", "eu-west-1a", "region"),
    ("region", "evil.example/", "region"),
    ("role_arn", "admin", "arn:aws:iam"),
    ("endpoint_url", "ec2.example", "http"),
    ("endpoint_url", "file:///etc/passwd", "http"),
    ("imds_endpoint", "169.254.169.254", "http"),
    ("ca_bundle", "ca.pem", "absolute"),
    ("allow_reassociation", "maybe", "true or false"),
    ("restore_displaced", "2", "true or false"),
    ("on_stop", "explode", "disassociate, strict or leave"),
    ("connect_timeout", "0", "1 to"),
    ("connect_timeout", "2s", "seconds"),
    ("attempt_timeout", "-1", "seconds"),
    ("attempt_timeout", "1e3", "seconds"),
    ("settle_window", "soon", "seconds"),
    ("settle_window", "99999999999999999999", "seconds"),
    ("max_backoff", "1.5", "seconds"),
    ("auth_type", "none", "key"),
];

#[test]
fn a_malformed_value_is_named_with_what_is_expected() {
    let (world, [a]) = World::new();
    for (name, value, expected) in MALFORMED {
        let run = |action| a.run(action).param(name, value);
        let outcome = run("start").expect(6).no_requests();
        let reason = outcome.reasons()[0];
        // Of a list, the entry that is wrong.
        let shown: String = value.rsplit(',').next().unwrap().chars().take(20).collect();
        for part in [name, shown.as_str(), expected] {
            assert!(reason.contains(part), "no {part:?} in {reason:?}");
        }
        run("validate-all").expect(6).no_requests();
        run("stop").ok().no_requests();
        run("monitor").expect(7).no_requests();
        run("monitor").interval_ms(10_000).expect(6).no_requests();
        run("reload-agent").expect(6);
    }
    world.held_by_nobody();
}

#[test]
fn the_address_must_be_named_in_one_way_or_the_other() {
    let (_world, [a]) = World::new();
    let outcome = a.start().no_param("elastic_ip").expect(6).no_requests();
    let reason = outcome.reasons()[0];
    assert!(reason.contains("elastic_ip") && reason.contains("allocation_id"), "{reason}");
    a.monitor().no_param("elastic_ip").expect(6);
    a.probe().no_param("elastic_ip").expect(7);
    a.stop().no_param("elastic_ip").ok();
}

/// [reason-1] [reason-2]
#[test]
fn whatever_is_in_a_value_the_reason_is_one_line_that_pacemaker_keeps_whole() {
    let (_world, [a]) = World::new();
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
fn a_password_in_a_url_is_not_repeated() {
    let (_world, [a]) = World::new();
    let run = a.run("validate-all").param("endpoint_url", "http://operator:correct-horse@127.0.0.1");
    run.secret("correct-horse").expect(6).reason("endpoint_url");
}

#[test]
fn nonsense_in_variables_is_a_warning_and_the_action_goes_on() {
    let (world, [a]) = World::new();
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
        world.held_by_nobody();
    }
}

#[test]
fn nonsense_for_an_endpoint_leaves_the_next_one_in_force() {
    let address = "ip address add 169.254.169.254/32 dev lo";
    let Some(isolation) = Isolation::new(address) else { return };
    let (world, [a]) = World::setup().inside(isolation).make();
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
fn nonsense_in_other_variables_changes_nothing() {
    let (world, [a]) = World::new();
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
        world.held_by_nobody();
    }
}

#[test]
fn nonsense_in_the_interval_counts_as_a_probe() {
    let (_world, [a]) = World::new();
    a.run("monitor").param("CRM_meta_interval", "often").expect(7);
}

#[test]
fn a_log_file_that_cannot_be_written_changes_nothing() {
    let (world, [a]) = World::new();
    for file in ["/no/such/folder/log", "/dev/full", "/proc/self/mem", "/"] {
        a.start().env("HA_LOGFILE", file).ok();
        a.settled_monitor().env("HA_LOGFILE", file).ok();
        a.stop().env("HA_LOGFILE", file).ok();
        world.held_by_nobody();
    }
}

#[test]
fn another_version_of_the_standard_is_refused_by_name() {
    let (_world, [a]) = World::new();
    let run = a.start().env("OCF_RA_VERSION_MAJOR", "2").env("OCF_RA_VERSION_MINOR", "0");
    run.expect(5).reason("2").no_requests();
}
