//! The words `check` and `status` of `eip-keepalived`, as `vrrp_script` and a person call them.

use std::time::Duration;

use agent_tests::World;
use aws_sim::{CredState, FaultKind, ImdsState};

use crate::keepalived_world::*;
use crate::trouble::{break_ec2, ec2};

#[test]
fn a_check_on_a_standby_needs_no_ec2() {
    let (world, [a]) = World::new();
    break_ec2(&world.cloud, FaultKind::Hang);
    word(&a, "check").ok().ec2_calls(0).logged(&["check: this node is well"]);
    notify(&a, "BACKUP").ok();
    // What has not changed is not said again.
    word(&a, "check").ok().ec2_calls(0).not_logged("check");
    world.cloud.set_credentials(a.id(), CredState::Missing404);
    word(&a, "check").expect(1).ec2_calls(0).logged(&["ERROR", "could not take the address"]);
    word(&a, "check").expect(1).not_logged("check");
    world.cloud.set_credentials(a.id(), CredState::Valid);
    word(&a, "check").ok().logged(&["check: this node is well"]);
    for state in [ImdsState::Hang, ImdsState::Refuse, ImdsState::Off403] {
        world.cloud.set_imds_state(a.id(), state);
        word(&a, "check").expect(1).ec2_calls(0).within(Duration::from_secs(3));
    }
}

#[test]
fn a_check_on_the_master_is_about_the_address() {
    let (world, [a, b]) = World::new();
    notify(&a, "MASTER").ok();
    word(&a, "check").ok().ec2_calls(0);
    // The metadata lag: EC2 knows better.
    world.cloud.set_imds_lag(a.id(), Duration::from_mins(10));
    notify(&b, "MASTER").ok();
    word(&a, "check").ok().ec2_calls(0);
    world.cloud.set_imds_lag(a.id(), Duration::ZERO);
    word(&a, "check").expect(1).logged(&["ERROR", "203.0.113.10 is held by", b.id().as_ref()]);
    notify(&a, "MASTER").ok();
    world.cloud.set_imds_state(a.id(), ImdsState::Hang);
    break_ec2(&world.cloud, FaultKind::Hang);
    word(&a, "check").ok().logged(&["WARN", "the holder is not known"]).within(Duration::from_secs(3));
}

#[test]
fn a_check_during_a_claim_waits_for_nobody() {
    let (world, [a]) = World::new();
    world.cloud.fault(ec2("AssociateAddress", FaultKind::Delay(Duration::from_secs(2))).times(1));
    let claim = notify(&a, "MASTER").spawn();
    world.cloud.wait_for_request(SOON, |r| r.operation == "AssociateAddress").unwrap();
    word(&a, "check").ok().no_requests();
    claim.wait().exits(0);
}

#[test]
fn status_prints_the_articles_words_as_ec2_has_it() {
    let (world, [a]) = World::new();
    assert_eq!(word(&a, "status").expect(1).stdout, "FAIL\n");
    word(&a, "start").ok();
    assert_eq!(word(&a, "status").ok().stdout, "OK\n");
    world.cloud.deny("DescribeAddresses");
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    assert_eq!(word(&a, "status").expect(1).stdout, "FAIL\n");
}
