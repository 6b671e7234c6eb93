//! `eipctl show`: the holder of the address, according to every source.

use agent_tests::{SimulatedWorld, black_hole, refusing};
use aws_sim::ImdsState;

#[test]
fn each_answer_is_distinguished() {
    let (world, [a, b]) = SimulatedWorld::new();
    a.ctl("show", &["203.0.113.10"])
        .ok()
        .prints_line(&["EC2", "unassigned"])
        .prints_line(&["instance metadata", "not here"]);
    world.give(&a);
    let outcome = a.ctl("show", &["203.0.113.10"]).ok().wrote_nothing();
    assert_eq!(outcome.stderr, "");
    let (id, eni) = (a.id().to_string(), a.eni().to_string());
    let outcome = outcome.prints_line(&["EC2", "ours", &id, &eni, "eipassoc-", "10.0.1.10"]);
    outcome
        .prints_line(&["instance metadata", "here", "agrees"])
        .prints_line(&["record", "none on this node"]);
    b.ctl("show", &["203.0.113.10"]).ok().prints_line(&["EC2", "elsewhere", &id]).prints_line(&["agrees"]);
    let placed = a.ctl("show", &["203.0.113.10", "--private-ip-address", "10.0.1.11"]).ok();
    placed.prints_line(&["EC2", "not on its target"]);
    assert!(!a.state().exists(), "it wrote a record");
}

#[test]
fn an_allocation_names_it_as_well() {
    let (world, [a, _]) = SimulatedWorld::new();
    a.start().ok();
    let allocation = world.address.allocation_id.to_string();
    let outcome = a.ctl("show", &[&allocation]).ok().prints_line(&["address", "203.0.113.10", &allocation]);
    outcome.prints_line(&["record", "vip: started", "10.0.1.10", "last change: start from unassigned"]);
}

#[test]
fn json_has_the_same() {
    let (_world, [a]) = SimulatedWorld::new();
    a.start().ok();
    let outcome = a.ctl("show", &["203.0.113.10", "--json"]).ok();
    for part in [
        "\"address\": \"203.0.113.10\"",
        "\"answer\": \"ours\"",
        "\"answer\": \"here\"",
        "\"agree\": true",
        "\"resource\": \"vip\"",
        "\"phase\": \"started\"",
    ] {
        assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.stdout);
    }
}

#[test]
fn what_is_known_is_shown_even_if_ec2_is_silent() {
    let (world, [a]) = SimulatedWorld::new();
    world.give(&a);
    let silent = format!("http://{}", refusing());
    let run = a.ctl("show", &["203.0.113.10", "--timeout", "3", "--endpoint-url", &silent]);
    let outcome = run.expect(1).complains("eipctl", "DescribeAddresses");
    outcome.prints_line(&["EC2", "unknown"]).prints_line(&["instance metadata", "here"]);
    let run = a.ctl("show", &["203.0.113.10", "--json", "--timeout", "3", "--endpoint-url", &silent]);
    run.expect(1).prints("\"answer\": \"unknown\"");
}

#[test]
fn why_there_are_no_credentials_is_said_once() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.deny("AssumeRole");
    let role = ["203.0.113.10", "--timeout", "3", "--role-arn", "arn:aws:iam::210987654321:role/net"];
    let refused =
        a.ctl("show", &role).expect(1).complains("eipctl", "no credentials from the role: AccessDenied\n");
    assert_eq!(refused.stderr.matches("AccessDenied").count(), 1, "{}", refused.stderr);
    let silent = format!("http://{}", refusing());
    let run = a.ctl("show", &["203.0.113.10", "--timeout", "3", "--endpoint-url", &silent]).expect(1);
    for part in ["dispatch failure", "io error", ": other"] {
        assert!(!run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert_eq!(run.stderr.matches("refused").count(), 1, "{}", run.stderr);
}

#[test]
fn a_machine_that_is_not_an_instance_can_query() {
    let (world, [a]) = SimulatedWorld::new();
    world.give(&a);
    let nowhere = format!("http://{}", black_hole());
    let run = a.ctl("show", &["203.0.113.10", "--region", "eu-west-1", "--imds-endpoint", &nowhere]);
    run.by_key()
        .ok()
        .prints_line(&["EC2", "elsewhere", a.id()])
        .prints_line(&["instance metadata", "unknown"]);
}

#[test]
fn an_address_without_a_holder_is_a_failure() {
    let (world, [a]) = SimulatedWorld::new();
    a.ctl("show", &["203.0.113.77"]).expect(1).complains("eipctl", "InvalidAddress.NotFound");
    world.cloud.deny("DescribeAddresses");
    a.ctl("show", &["203.0.113.10"]).expect(1).complains("eipctl", "UnauthorizedOperation");
    world.cloud.set_imds_state(a.id(), ImdsState::Off403);
    let run = a.ctl("show", &["203.0.113.10", "--timeout", "3"]);
    run.expect(1).complains("eipctl", "region unknown");
}
