//! `eipctl status` in a real cluster with two kinds of address: what it reads from Pacemaker's own tools on a healthy cluster, if an
//! address was moved behind its back, and if Pacemaker is down.

use serde_json::Value;

use super::{PacemakerScenario, RETURN_LIMIT, StartState, TAKEOVER_LIMIT, active, another};
use crate::error::{HarnessError, Result, ensure, json};
use crate::pacemaker::{OVERLAY_BESIDE, PacemakerCluster, RESOURCE};
use crate::story::Story;
use crate::topology::{ELASTIC_IP, NodeName};
use crate::wait::{Polled, now, until};

pub(super) const SCENARIOS: &[PacemakerScenario] = &[PacemakerScenario {
    name: "status",
    about: "eipctl status: two kinds of address, one moved behind the cluster's back, and a node whose Pacemaker is down",
    start: StartState::TwoKinds,
    run: status,
}];

fn status(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let home = active(cluster)?;
    let other = another(cluster, home)?;
    story.target = Some(home);
    story.failure(now(), "eipctl status, on each node");
    for node in [home, other] {
        let seen = look(cluster, node)?;
        let elastic = expect(&seen, RESOURCE, &ELASTIC_IP.to_string())?;
        expect(&seen, OVERLAY_BESIDE.resource, &OVERLAY_BESIDE.ip.to_string())?;
        ensure_no_disagreement(&seen)?;
        let [name, answer] = [home.to_string(), (if node == home { "ours" } else { "elsewhere" }).to_owned()];
        let right = *at(elastic, "/cluster/nodes") == Value::from(vec![name])
            && at(elastic, "/cluster/since").is_string()
            && *at(elastic, "/ec2/answer") == *answer
            && opinion(elastic, node, "ready") == "yes"
            && opinion(elastic, if node == home { other } else { home }, "here") == "not_reported";
        ensure(right, || format!("seen from {node}: {elastic}"))?;
        ensure(*at(&seen, "/unseen") == Value::Array(Vec::new()), || {
            format!("not seen: {}", at(&seen, "/unseen"))
        })?;
    }
    let report = format!("at={} ready=false here=no reason=no credentials", now().floor());
    let attribute = format!("eip-report-{RESOURCE}");
    cluster.node(other)?.run(&["attrd_updater", "--name", &attribute, "--update", &report])?;
    let reported = until("the report of the other node", TAKEOVER_LIMIT, || {
        let seen = look(cluster, home)?;
        let ready = opinion(expect(&seen, RESOURCE, &ELASTIC_IP.to_string())?, other, "ready").to_owned();
        Ok(if ready == "no" { Polled::There(seen) } else { Polled::NotYet(ready) })
    })?;
    ensure_no_disagreement(&reported)?;

    cluster.run(&["crm_attribute", "--name", "maintenance-mode", "--update", "true"])?;
    // So that no recurring monitor is left that would notice.
    cluster.run(&["crm_resource", "--wait", "--timeout=30"])?;
    cluster.world().associate(ELASTIC_IP, other)?;
    story.note(format!("a user moves the elastic IP to {other}, in maintenance mode"));
    let seen = look(cluster, home)?;
    let told = at(expect(&seen, RESOURCE, &ELASTIC_IP.to_string())?, "/disagreements").to_string();
    ensure(told.contains("EC2 shows it elsewhere"), || format!("no disagreement: {seen}"))?;
    let screen = cluster.node(home)?.run(&["/run/harness/eipctl", "status"])?;
    ensure(screen.contains("DISAGREE") && !screen.contains('\x1b'), || screen.clone())?;
    cluster.world().associate(ELASTIC_IP, home)?;
    cluster.run(&["crm_attribute", "--name", "maintenance-mode", "--delete"])?;
    cluster.settle(Some(home), TAKEOVER_LIMIT)?;

    cluster.leave(other)?;
    story.note(format!("{other} leaves the cluster"));
    let seen = look(cluster, other)?;
    let elastic = expect(&seen, RESOURCE, &ELASTIC_IP.to_string())?;
    let right = at(&seen, "/listed_by") == "saved configuration"
        && at(&seen, "/cluster").is_null()
        && at(elastic, "/ec2/answer") == "elsewhere"
        && opinion(elastic, other, "ready") == "yes";
    ensure(right, || format!("seen from {other}, which has left: {seen}"))?;
    cluster.repair(other)?;
    cluster.settle(Some(home), RETURN_LIMIT)?;
    story.close();
    cluster.ensure_no_failures()
}

/// What `eipctl status` shows on a node.
fn look(cluster: &PacemakerCluster, node: NodeName) -> Result<Value> {
    let printed = cluster.node(node)?.run(&["/run/harness/eipctl", "status", "--json"])?;
    json(&printed)
}

/// A field by its path; null if there is none.
fn at<'v>(document: &'v Value, path: &str) -> &'v Value {
    document.pointer(path).unwrap_or(&Value::Null)
}

/// The entry of a resource, which has to have this address.
fn expect<'s>(seen: &'s Value, resource: &str, address: &str) -> Result<&'s Value> {
    let entries = at(seen, "/addresses").as_array().map_or(&[][..], Vec::as_slice);
    let found =
        entries.iter().find(|entry| at(entry, "/resource") == resource && at(entry, "/address") == address);
    found.ok_or_else(|| HarnessError::Wrong(format!("no {resource} with {address}: {seen}")))
}

fn opinion<'s>(entry: &'s Value, node: NodeName, field: &str) -> &'s str {
    let nodes = at(entry, "/nodes").as_array().map_or(&[][..], Vec::as_slice);
    let found = nodes.iter().find(|one| *at(one, "/name") == *node.to_string());
    found.and_then(|one| one.get(field)?.as_str()).unwrap_or_default()
}

fn ensure_no_disagreement(seen: &Value) -> Result<()> {
    let entries = at(seen, "/addresses").as_array().map_or(&[][..], Vec::as_slice);
    let none = entries.iter().all(|entry| *at(entry, "/disagreements") == Value::Array(Vec::new()));
    ensure(none, || format!("a disagreement: {seen}"))
}
