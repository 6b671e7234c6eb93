//! The trace: requests, answers and decisions, with their times.

use std::fs;

use agent_tests::{Isolation, SimulatedWorld};

/// [log-2] [cred-5] Every run asserts that it contains no secret.
#[test]
fn has_requests_answers_decisions_and_times() {
    let (world, [a, b]) = SimulatedWorld::new();
    let trace = || fs::read_to_string(a.folder().join("trace/all")).unwrap();
    a.start().verbose().ok();
    let text = trace();
    for part in [
        "start",
        "OCF_RESKEY_elastic_ip=203.0.113.10",
        "DescribeAddresses",
        "AssociateAddress",
        a.address.allocation_id.as_str(),
        a.id(),
        a.eni(),
        "INFO: 203.0.113.10 moved",
        " ms",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    for line in text.lines() {
        assert!(line.contains(" ms ") || line.contains('+'), "no time: {line}");
    }
    world.give(&b);
    a.settled_monitor().verbose().expect(7);
    let text = trace();
    assert!(text.contains(b.id().as_str()) && text.contains("ipv4-associations"), "{text}");
}

#[test]
fn a_parameter_of_the_resource_turns_it_on_too() {
    let Some(isolation) = Isolation::new("") else { return };
    let (world, [a]) = SimulatedWorld::setup().inside(isolation).make();
    let isolation = world.isolation().unwrap();
    a.start().param("trace_ra", "1").ok();
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(isolation.outside(folder)).map(Vec::from_iter).unwrap_or_default();
        entries.into_iter().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let found = names("/var/lib/heartbeat/trace_ra/eip");
    // vip.start.2024-11-21.07:42:00
    assert!(found.len() == 1 && found[0].starts_with("vip.start.20") && found[0].len() == 29, "{found:?}");
    a.stop().param("trace_ra", "1").param("trace_dir", "/run/traces").ok();
    assert_eq!(names("/run/traces/eip").len(), 1);
    a.start().param("trace_ra", "0").ok();
    assert_eq!(names("/var/lib/heartbeat/trace_ra/eip").len(), 1);
}
