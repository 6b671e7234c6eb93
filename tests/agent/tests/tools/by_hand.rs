//! Actions by hand, past the cluster: `crm_resource --force-...` and `pcs resource debug-...`.
//!
//! The texts around the agent's own are those of Pacemaker 2.1 and later.

use aws_sim::{Fault, FaultKind, Service};

use crate::cib::CibFile;
use crate::node::{ELASTIC_IP, PRIMARY, PacemakerNode};
use crate::program::CommandOutput;

fn resource(node: &PacemakerNode) -> CibFile<'_> {
    let cib = CibFile::new(node);
    cib.create(&[&format!("elastic_ip={ELASTIC_IP}")]).exits(0);
    cib
}

fn force(cib: &CibFile<'_>, action: &str) -> CommandOutput {
    cib.crm_resource(&["-r", "eip", action])
}

#[test]
fn crm_resource_and_pcs_start_check_and_stop_it() {
    let node = PacemakerNode::new();
    let cib = resource(&node);
    cib.serve();
    let by_crm_resource = |action: &str| force(&cib, &format!("--force-{action}"));
    let by_pcs = |action: &str| {
        let action = action.replace("check", "monitor");
        node.run("pcs", &["resource", &format!("debug-{action}"), "eip"])
    };
    for tool in [&by_crm_resource as &dyn Fn(&str) -> CommandOutput, &by_pcs] {
        let run = |action: &str, code: i32| {
            let line = format!("Operation force-{action} for eip (ocf:heartbeat:eip) returned {code} (");
            tool(action).exits(code).says(&line)
        };
        run("check", 7);
        run("start", 0);
        node.assert_holds_on(PRIMARY);
        run("check", 0).without_complaint();
        run("stop", 0);
        assert_eq!(node.holder(), None);
    }
    node.cloud().deny("AssociateAddress");
    by_pcs("start").exits(4).says("returned 4 (").says("UnauthorizedOperation");
}

/// A user who runs it by hand does not see the cluster's log.
#[test]
fn crm_resource_shows_what_moved() {
    let node = PacemakerNode::new();
    let cib = resource(&node);
    node.cloud().associate(&node.address, &node.other.interfaces[0].eni, None);
    let from = node.other.id.to_string();
    force(&cib, "--force-start").exits(0).says(&format!("{ELASTIC_IP} moved from {from}")).says("INFO: ");
    node.assert_holds_on(PRIMARY);
}

#[test]
fn denied_start_is_answered_with_the_reason() {
    let node = PacemakerNode::new();
    let cib = resource(&node);
    node.cloud().deny("AssociateAddress");
    let answer = force(&cib, "--force-start").exits(4);
    let first = answer.both().lines().find(|line| line.contains("returned 4 (")).map(str::to_owned);
    let first = first.unwrap_or_else(|| panic!("{}", answer.told()));
    assert!(first.contains("AssociateAddress") && first.contains("UnauthorizedOperation"), "{first}");
    answer.says("ocf-exit-reason:");
    assert_eq!(node.holder(), None);
}

/// `crm_resource` waits for as long as the operation's timeout, and then kills the agent without a reason.
#[test]
fn start_against_a_silent_ec2_has_a_reason_before_its_time_is_up() {
    let node = PacemakerNode::new();
    let cib = resource(&node);
    cib.pcs(&["resource", "update", "eip", "op", "start", "timeout=6s"]).exits(0);
    node.cloud().fault(Fault::new(Service::Ec2, FaultKind::Hang));
    let answer = force(&cib, "--force-start").exits(1).says("returned 1 (").says("ocf-exit-reason:");
    answer.never_says("Timed Out").never_says("within specified timeout");
}

/// A probe for the cluster, and a query for a user: the level decides how thoroughly it is answered.
#[test]
fn check_at_level_10_queries_ec2() {
    let node = PacemakerNode::new();
    let cib = resource(&node);
    cib.pcs(&["resource", "update", "eip", "settle_window=0"]).exits(0);
    force(&cib, "--force-start").exits(0);
    let before = node.ec2_requests();
    force(&cib, "--force-check").exits(0);
    assert_eq!(node.ec2_requests(), before, "a healthy address costs no call");
    force(&cib, "--force-check=10").exits(0);
    assert!(node.ec2_requests() > before);
}

/// The trace shows each request and no secret of the role's credentials.
#[test]
fn pcs_debugs_a_start_in_full() {
    let node = PacemakerNode::new();
    resource(&node).serve();
    let answer = node.run("pcs", &["resource", "debug-start", "eip", "--full"]).exits(0);
    node.assert_holds_on(PRIMARY);
    let answer = answer.says("env OCF_RESKEY_elastic_ip=203.0.113.10").says("AssociateAddress");
    answer.never_says("ASIA").never_says("X-aws-ec2-metadata-token").never_says("Signature=");
}
