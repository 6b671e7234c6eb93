//! `meta-data`: printed with nothing set, in the form that the caller understands. The schemas are tried in `tools`.

use agent_tests::{Isolation, Outcome, Run, World};

/// Returns the `parameter` elements.
fn parameters(xml: &str) -> Vec<&str> {
    xml.split("<parameter ").skip(1).map(|rest| rest.split("</parameter>").next().unwrap()).collect()
}

/// Returns the value of an attribute in an element that the text begins in.
fn attribute<'x>(element: &'x str, name: &str) -> Option<&'x str> {
    let tag = element.split('>').next()?;
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}

fn version(run: Run, major: &str, minor: &str) -> Outcome {
    run.env("OCF_RA_VERSION_MAJOR", major).env("OCF_RA_VERSION_MINOR", minor).ok()
}

/// [call-4]
#[test]
fn needs_no_environment_no_network_and_no_rights() {
    let Some(isolation) = Isolation::new("ip link set lo down") else { return };
    let (world, [a]) = World::setup().inside(isolation).make();
    let outcome = a.run("meta-data").bare().as_nobody().ok().no_requests();
    assert!(outcome.stdout.starts_with("<?xml version=\"1.0\"?>\n"), "{}", outcome.told());
    assert!(
        outcome.stdout.contains("<version>1.0</version>") && outcome.stdout.ends_with("</resource-agent>\n")
    );
    assert_eq!(outcome.stderr, "");
    // Neither a socket nor a second thread nor a file of credentials.
    let calls = world.folder().path().join("calls");
    let calls_text = calls.display().to_string();
    a.run("meta-data").bare().wrapped_in(&["strace", "-f", "-o", &calls_text]).ok();
    let calls = std::fs::read_to_string(calls).unwrap();
    for unwanted in
        ["socket(", "connect(", "clone(", "clone3(", "epoll_create", ".aws", "/dev/log", "/etc/resolv"]
    {
        assert!(!calls.contains(unwanted), "{unwanted}:\n{calls}");
    }
}

#[test]
fn nonsense_in_the_environment_changes_nothing() {
    let (_world, [a]) = World::new();
    let plain = a.run("meta-data").ok().stdout;
    let run = a.run("meta-data").param("elastic_ip", "nonsense").param("CRM_meta_timeout", "x");
    let outcome =
        run.env("OCF_OUTPUT_FORMAT", "xml").env("AWS_REGION", "No Region").env("OCF_CHECK_LEVEL", "x").ok();
    assert_eq!((outcome.stdout, outcome.stderr), (plain, String::new()));
}

/// [meta-1]
#[test]
fn is_ascii_without_a_named_encoding() {
    let (_world, [a]) = World::new();
    for minor in ["0", "1"] {
        let xml = version(a.run("meta-data"), "1", minor).stdout;
        let declaration = xml.lines().next().unwrap();
        assert!(declaration.starts_with("<?xml ") && !declaration.contains("encoding"), "{declaration}");
        assert!(xml.is_ascii());
    }
}

/// [meta-1]
#[test]
fn the_older_form_has_nothing_that_older_tools_refuse() {
    let (_world, [a]) = World::new();
    let unversioned = a.run("meta-data").no_env("OCF_RA_VERSION_MAJOR").no_env("OCF_RA_VERSION_MINOR").ok();
    for outcome in [unversioned, version(a.run("meta-data"), "1", "0"), version(a.run("meta-data"), "", "")] {
        let xml = outcome.stdout;
        assert!(xml.contains("<version>1.0</version>"), "{xml}");
        for unwanted in ["reload", "unique-group", "reloadable", "<deprecated", "<option", "<special"] {
            assert!(
                !xml.contains(&format!(" {unwanted}=")) && !xml.contains(&format!("name=\"{unwanted}")),
                "{unwanted}"
            );
        }
        assert!(
            !xml.contains("unique-group") && !xml.contains("reloadable=") && !xml.contains("reload-agent")
        );
    }
}

/// [meta-2]
#[test]
fn the_newer_form_has_reload_agent_and_groups_beside_unique() {
    let (_world, [a]) = World::new();
    for (major, minor) in [("1", "1"), ("1", "2"), ("1", "10"), ("2", "0")] {
        let xml = version(a.run("meta-data"), major, minor).stdout;
        assert!(xml.contains("<version>1.1</version>"), "{major}.{minor}: {xml}");
        assert!(xml.contains("name=\"reload-agent\""), "{xml}");
        for parameter in parameters(&xml) {
            assert!(attribute(parameter, "reloadable").is_some(), "{parameter}");
            let unique = attribute(parameter, " unique") == Some("1");
            assert_eq!(unique, attribute(parameter, "unique-group").is_some(), "{parameter}");
        }
    }
}

/// [param-1]
#[test]
fn every_parameter_of_the_behaviour_is_described() {
    let (_world, [a]) = World::new();
    let xml = version(a.run("meta-data"), "1", "1").stdout;
    let parameters = parameters(&xml);
    let mut names: Vec<_> =
        parameters.iter().map(|parameter| attribute(parameter, "name").unwrap()).collect();
    names.sort_unstable();
    let expected = [
        "allocation_id",
        "allow_reassociation",
        "api_delay",
        "attempt_timeout",
        "auth_type",
        "awscli",
        "ca_bundle",
        "connect_timeout",
        "curl_retries",
        "curl_sleep",
        "elastic_ip",
        "endpoint_url",
        "imds_endpoint",
        "interface",
        "max_backoff",
        "on_stop",
        "private_ip_address",
        "profile",
        "region",
        "restore_displaced",
        "role_arn",
        "settle_window",
    ];
    assert_eq!(names, expected);
    for parameter in &parameters {
        for part in ["<longdesc", "<shortdesc", "<content type=\""] {
            assert_eq!(parameter.matches(part).count(), 1, "{parameter}");
        }
        assert_eq!(
            attribute(parameter, "required"),
            Some("0"),
            "either name of the address suffices: {parameter}"
        );
    }
    let default = |name: &str, value: &str| {
        let parameter =
            parameters.iter().find(|parameter| attribute(parameter, "name") == Some(name)).unwrap();
        assert!(parameter.contains(&format!("default=\"{value}\"")), "{parameter}");
    };
    default("allow_reassociation", "true");
    default("restore_displaced", "true");
    default("on_stop", "disassociate");
    default("settle_window", "120");
}

#[test]
fn what_the_address_is_and_where_it_goes_needs_a_restart() {
    let (_world, [a]) = World::new();
    let xml = version(a.run("meta-data"), "1", "1").stdout;
    for parameter in parameters(&xml) {
        let name = attribute(parameter, "name").unwrap();
        let fixed = ["elastic_ip", "allocation_id", "interface", "private_ip_address"].contains(&name);
        let api = [
            "region",
            "profile",
            "role_arn",
            "endpoint_url",
            "imds_endpoint",
            "ca_bundle",
            "connect_timeout",
            "attempt_timeout",
            "settle_window",
            "max_backoff",
        ];
        let reloadable = attribute(parameter, "reloadable").unwrap();
        assert!(!fixed || reloadable == "0", "{name}");
        assert!(!api.contains(&name) || reloadable == "1", "{name}");
    }
}

#[test]
fn the_advised_times_are_those_of_the_behaviour() {
    let (_world, [a]) = World::new();
    for minor in ["0", "1"] {
        let xml = version(a.run("meta-data"), "1", minor).stdout;
        let actions: Vec<&str> =
            xml.split("<action ").skip(1).map(|rest| rest.split('>').next().unwrap()).collect();
        let has =
            |parts: &[&str]| actions.iter().any(|action| parts.iter().all(|part| action.contains(part)));
        for parts in [
            &["name=\"start\"", "timeout=\"60s\""][..],
            &["name=\"stop\"", "timeout=\"60s\""],
            &["name=\"monitor\"", "timeout=\"20s\"", "interval=\"10s\"", "depth=\"0\""],
            &["name=\"migrate_to\"", "timeout=\"60s\""],
            &["name=\"migrate_from\"", "timeout=\"60s\""],
            &["name=\"validate-all\"", "timeout=\"10s\""],
            &["name=\"meta-data\"", "timeout=\"5s\""],
        ] {
            assert!(has(parts), "{parts:?} in {actions:?}");
        }
        for action in &actions {
            let timeout = action.split("timeout=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            assert!(timeout.ends_with('s'), "{action}");
        }
        for unwanted in ["usage", "methods", "status", "help"] {
            assert!(
                !has(&[&format!("name=\"{unwanted}\"")]),
                "pcs would copy {unwanted} into the configuration"
            );
        }
    }
}
