//! `meta-data`: printed with an empty environment. The agent's own crate tests its contents, and `tools` the schemas.

use agent_tests::{Isolation, SimulatedWorld};

/// [call-4]
#[test]
fn needs_no_environment_no_network_and_no_rights() {
    let Some(isolation) = Isolation::new("ip link set lo down") else { return };
    let (world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    let outcome = a.run("meta-data").bare().as_nobody().ok().no_requests();
    assert!(outcome.stdout.starts_with("<?xml version=\"1.0\"?>\n"), "{}", outcome.told());
    assert!(
        outcome.stdout.contains("<version>1.0</version>") && outcome.stdout.ends_with("</resource-agent>\n")
    );
    assert_eq!(outcome.stderr, "");
    // No socket, no second thread, no credentials file.
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
fn invalid_values_in_the_environment_change_nothing() {
    let (_world, [a]) = SimulatedWorld::new();
    let plain = a.run("meta-data").ok().stdout;
    let run = a.run("meta-data").param("elastic_ip", "nonsense").param("CRM_meta_timeout", "x");
    let outcome =
        run.env("OCF_OUTPUT_FORMAT", "xml").env("AWS_REGION", "No Region").env("OCF_CHECK_LEVEL", "x").ok();
    assert_eq!((outcome.stdout, outcome.stderr), (plain, String::new()));
}
