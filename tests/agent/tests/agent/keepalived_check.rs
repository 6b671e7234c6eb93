//! The commands `check` and `status` of `eip-keepalived`, as called by `vrrp_script` and a user.

use std::time::Duration;

use agent_tests::{Node, Run, SimulatedWorld, each};
use aws_sim::{CredState, FaultKind, ImdsState};

use crate::keepalived_world::*;
use crate::trouble::{break_ec2, ec2};

/// [keepalived-5]
#[test]
fn a_check_on_a_standby_needs_no_ec2() {
    let (world, [a]) = SimulatedWorld::new();
    break_ec2(&world.cloud, FaultKind::Hang);
    word(&a, "check").ok().ec2_calls(0).logged(&["check: this node is healthy"]);
    notify(&a, "BACKUP").ok();
    // An unchanged result is not logged again.
    word(&a, "check").ok().ec2_calls(0).not_logged("check");
    world.cloud.set_credentials(a.id(), CredState::Missing404);
    word(&a, "check").expect(1).ec2_calls(0).logged(&["ERROR", "could not take the address"]);
    word(&a, "check").expect(1).not_logged("check");
    world.cloud.set_credentials(a.id(), CredState::Valid);
    word(&a, "check").ok().logged(&["check: this node is healthy"]);
    for state in [ImdsState::Hang, ImdsState::Refuse, ImdsState::Off403] {
        world.cloud.set_imds_state(a.id(), state);
        word(&a, "check").expect(1).ec2_calls(0).within(Duration::from_secs(3));
    }
}

/// [keepalived-5]
#[test]
fn a_check_on_the_master_is_about_the_address() {
    let (world, [a, b]) = SimulatedWorld::new();
    notify(&a, "MASTER").ok();
    word(&a, "check").ok().ec2_calls(0);
    // Instance metadata is behind; EC2 is not.
    world.cloud.set_imds_lag(a.id(), Duration::from_mins(10));
    notify(&b, "MASTER").ok();
    word(&a, "check").ok().ec2_calls(0);
    world.cloud.set_imds_lag(a.id(), Duration::ZERO);
    word(&a, "check").expect(1).logged(&["ERROR", "203.0.113.10 is held by", b.id().as_ref()]);
    notify(&a, "MASTER").ok();
    world.cloud.set_imds_state(a.id(), ImdsState::Hang);
    break_ec2(&world.cloud, FaultKind::Hang);
    word(&a, "check").ok().logged(&["WARN", "holder unknown"]).within(Duration::from_secs(3));
}

#[test]
fn a_check_during_a_claim_waits_for_nothing() {
    let (world, [a]) = SimulatedWorld::new();
    world.cloud.fault(ec2("AssociateAddress", FaultKind::Delay(Duration::from_secs(2))).times(1));
    let claim = notify(&a, "MASTER").spawn();
    world.cloud.wait_for_request(SOON, |r| r.operation == "AssociateAddress").unwrap();
    word(&a, "check").ok().no_requests();
    claim.wait().exits(0);
}

#[test]
fn status_prints_the_articles_words_as_ec2_has_it() {
    let (world, [a]) = SimulatedWorld::new();
    assert_eq!(word(&a, "status").expect(1).stdout, "FAIL\n");
    word(&a, "start").ok();
    assert_eq!(word(&a, "status").ok().stdout, "OK\n");
    world.cloud.deny("DescribeAddresses");
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    assert_eq!(word(&a, "status").expect(1).stdout, "FAIL\n");
}

/// Makes a run write its log to standard error, and that to a full pipe, so that the first line blocks.
fn with_a_log_that_blocks(node: &Node, run: Run) -> Run {
    const SCRIPT: &str = "rm -f \"$0\"; mkfifo \"$0\"; exec 9<>\"$0\"\n\
                          dd if=/dev/zero of=\"$0\" bs=4096 count=64 oflag=nonblock 2>/dev/null\n\
                          exec 2>&9 9>&-; exec \"$@\"";
    let pipe = node.folder().join("log/full").display().to_string();
    run.no_env("HA_LOGFILE").env("HA_LOGFACILITY", "none").wrapped_in(&["sh", "-c", SCRIPT, &pipe])
}

#[test]
fn a_check_that_blocks_answers_with_what_is_known_by_then() {
    /// The situation, and the exit code of the check.
    type Row = (&'static str, i32, fn(&SimulatedWorld, &Node));
    let rows: [Row; 4] = [
        ("a master whose holder is unknown", 0, |world, a| {
            notify(a, "MASTER").ok();
            world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
            break_ec2(&world.cloud, FaultKind::Reset);
        }),
        ("a master that lost the address", 1, |world, a| {
            notify(a, "MASTER").ok();
            world.cloud.disassociate(&world.address);
        }),
        ("a standby that is well", 0, |_, _| ()),
        ("a standby without credentials", 1, |world, a| {
            world.cloud.set_credentials(a.id(), CredState::Missing404);
        }),
    ];
    each(rows.map(|(name, code, prepare)| (name, (code, prepare))), |(code, prepare)| {
        let (world, [a]) = SimulatedWorld::new();
        prepare(&world, &a);
        let run = call(&a, "VERIFY=0\nCHECK_DEADLINE=3\n", &["203.0.113.10", "check"]);
        let outcome = with_a_log_that_blocks(&a, run).expect(code);
        outcome.not_before(Duration::from_secs(2)).within(Duration::from_secs(6));
    });
}

#[test]
fn a_check_of_the_master_that_cannot_query_is_no_failure() {
    let (world, [a]) = SimulatedWorld::new();
    notify(&a, "MASTER").ok();
    // EC2 has to be queried, and a file that this needs cannot be read: a pipe without a writer.
    world.cloud.set_imds_state(a.id(), ImdsState::Refuse);
    let pipe = a.folder().join("authorities.pem");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let settings = format!("VERIFY=0\nCHECK_DEADLINE=3\nCA_BUNDLE={}\n", pipe.display());
    let outcome = call(&a, &settings, &["203.0.113.10", "check"]).ok();
    outcome.logged(&["WARN", "holder unknown", "ca_bundle"]);
    world.held_by(&a);
}
