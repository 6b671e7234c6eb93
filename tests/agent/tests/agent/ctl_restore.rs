//! `eipctl restore`: a displaced address comes back at boot.

use agent_tests::{Node, SimulatedWorld, refusing};
use aws_sim::Address;

/// Makes node 1 take the address, which displaces one of its own, and go down without a stop.
fn crashed() -> (SimulatedWorld, [Node; 2], Address) {
    let (world, [a, b]) = SimulatedWorld::new();
    let own = world.own_address(&a);
    a.start().ok();
    // Files below /run do not survive a boot.
    std::fs::remove_file(a.volatile_file()).unwrap();
    (world, [a, b], own)
}

/// [displaced-1]
#[test]
fn an_address_is_restored_after_a_crash() {
    let (world, [a, b], own) = crashed();
    b.start().ok();
    a.ctl("restore", &[]).ok().says("203.0.113.50 restored on");
    assert!(world.has(&a, &own));
    world.held_by(&b);
    let again = a.ctl("restore", &[]).ok().no_requests();
    assert_eq!((again.stdout, again.stderr), (String::new(), String::new()));
}

/// [ctl-5]
#[test]
fn an_address_that_is_given_is_restored_or_it_is_a_failure() {
    let (world, [a, b], own) = crashed();
    b.start().ok();
    for wrong in ["foo", "203.0.113.999", "eipalloc-1"] {
        a.ctl("restore", &[wrong]).expect(2).complains("eipctl", "expected").no_requests();
    }
    let line = "nothing is on record about 203.0.113.51 on this node";
    a.ctl("restore", &["203.0.113.51"]).expect(1).complains("eipctl", line).no_requests();
    a.ctl("restore", &["203.0.113.50"]).ok().says("203.0.113.50 restored on");
    assert!(world.has(&a, &own));
    a.ctl("restore", &["203.0.113.10"]).ok().no_requests();
}

#[test]
fn what_cannot_be_restored_is_a_line_and_a_failure() {
    let (world, [a, b], own) = crashed();
    b.start().ok();
    world.cloud.deny("AssociateAddress");
    let outcome = a.ctl("restore", &["--timeout", "5"]).expect(1);
    outcome.complains("eipctl", "203.0.113.50 not restored: AssociateAddress");
    world.cloud.allow("AssociateAddress");
    let silent = format!("http://{}", refusing());
    a.ctl("restore", &["--timeout", "3", "--endpoint-url", &silent]).expect(1).says("not restored");
    a.ctl("restore", &[]).ok();
    assert!(world.has(&a, &own));
}

#[test]
fn how_aws_was_reached_is_remembered_and_holds_no_secret() {
    let (world, [a, b], own) = crashed();
    b.start().ok();
    // As at boot: the environment contains only what the unit sets; the harness still refuses the real endpoints.
    let run = a.ctl("restore", &[]).env("AWS_ENDPOINT_URL_EC2", format!("http://{}", refusing()));
    run.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}", refusing())).ok();
    assert!(world.has(&a, &own), "the endpoints on record were not used");
}
