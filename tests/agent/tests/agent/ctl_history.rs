//! `eipctl history`: what this node has done.

use agent_tests::SimulatedWorld;

#[test]
fn changes_of_all_resources_are_listed_in_order() {
    let (_world, [a]) = SimulatedWorld::new();
    assert_eq!(a.ctl("history", &[]).ok().no_requests().stdout, "");
    a.start().ok();
    a.stop().ok();
    a.ctl("claim", &["203.0.113.10", "--force"]).ok();
    let outcome = a.ctl("history", &[]).ok().no_requests();
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", outcome.stdout);
    for (line, parts) in lines.iter().zip([
        ["vip  start: from unassigned to ", "eipassoc-"],
        ["vip  stop: from this node, ", " to unassigned, eipassoc-"],
        ["eipctl-203.0.113.10  start: from unassigned", " ms"],
    ]) {
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
    }
    let one = a.ctl("history", &["--resource", "vip"]).ok();
    assert_eq!(one.stdout.lines().count(), 2, "{}", one.stdout);
}

#[test]
fn times_are_local_for_people_and_universal_for_programs() {
    let (_world, [a]) = SimulatedWorld::new();
    let change =
        r#"{"at_ms": 1700000000000, "action": "start", "from": "unassigned", "to": "i-1", "took_ms": 84}"#;
    let folder = a.state().join("durable");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("web%3A0.json"), format!(r#"{{"history": [{change}]}}"#)).unwrap();
    let line = "2023-11-14 17:13:20 -0500  web:0  start: from unassigned to i-1, 84 ms\n";
    assert_eq!(a.ctl("history", &[]).env("TZ", "EST5").ok().stdout, line);
    let outcome = a.ctl("history", &["--json"]).env("TZ", "EST5").ok();
    outcome
        .prints("\"time\": \"2023-11-14T22:13:20Z\"")
        .prints("\"resource\": \"web:0\"")
        .prints("\"took_ms\": 84");
}

#[test]
fn an_unknown_resource_and_a_damaged_record_are_reported() {
    let (_world, [a]) = SimulatedWorld::new();
    a.ctl("history", &["--resource", "vop"]).expect(1).complains("eipctl", "about a resource vop");
    a.start().ok();
    std::fs::write(a.durable_file(), "{").unwrap();
    a.ctl("history", &[]).ok().says("WARNING: state file");
}
