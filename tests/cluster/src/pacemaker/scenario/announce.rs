//! Moves announced by `eip-alert`, an alert agent of Pacemaker, to a real HTTP receiver on each node.

use std::fs;

use serde_json::Value;

use super::{PacemakerScenario, StartState, TAKEOVER_LIMIT, active, moves, taken_over};
use crate::documents::{MONITORING, ensure_shown};
use crate::error::{HarnessError, Result, ensure, json};
use crate::pacemaker::{MONITOR_INTERVAL, PacemakerCluster, RESOURCE};
use crate::story::Story;
use crate::topology::{ELASTIC_IP, NodeName};
use crate::wait::{Polled, let_run, now, until};

pub(super) const SCENARIOS: &[PacemakerScenario] = &[PacemakerScenario {
    name: "announced",
    about: "each move is announced once, by the node that made it, but no probe or monitor: a move, a live move, a power cut",
    start: StartState::Healthy,
    run: announced,
}];

/// Appends each document that it receives to a file. Uses the standard library alone, because it is run from its text.
const WEBHOOK: &str = r"
import http.server
class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        with open('/var/log/moves', 'ab') as file:
            file.write(self.rfile.read(int(self.headers['Content-Length'])) + b'\n')
        self.send_response(204)
        self.end_headers()
http.server.ThreadingHTTPServer(('127.0.0.1', 8099), Webhook).serve_forever()
";
const ALERT: &str = "eip-moves";
/// Allowed error of an estimated outage: Pacemaker's daemons notice the loss one after the other.
const TOLERANCE_MS: f64 = 1500.0;

fn announced(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    for node in cluster.nodes() {
        let _ = fs::remove_file(cluster.node(node)?.logs().join("moves"));
        cluster.node_mut(node)?.daemon("webhook", &["python3", "-c", WEBHOOK])?;
    }
    let path = "path=/usr/share/pacemaker/alerts/eip-alert";
    cluster.insist(&["pcs", "alert", "create", path, &format!("id={ALERT}")])?;
    let recipient = "value=http://127.0.0.1:8099/";
    cluster.insist(&["pcs", "alert", "recipient", "add", ALERT, recipient])?;
    let outcome = announcements(cluster, story);
    let deleted = cluster.insist(&["pcs", "alert", "delete", ALERT]);
    outcome.and(deleted)
}

fn announcements(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let home = active(cluster)?;
    cluster.run(&["crm_resource", "--refresh", "-r", RESOURCE])?;
    cluster.settle(Some(home), TAKEOVER_LIMIT)?;
    let_run(MONITOR_INTERVAL * 2)?;
    ensure(told(cluster)?.is_empty(), || "a probe or a monitor was announced".into())?;

    let to = moves::order_move(cluster, story, home)?;
    announced_by(cluster, to, 1, ("start", "at least"))?;
    cluster.run(&["crm_resource", "--clear", "-r", RESOURCE])?;
    cluster.set_meta("allow-migrate", "true")?;
    cluster.settle(Some(to), TAKEOVER_LIMIT)?;
    let back = moves::order_move(cluster, story, to)?;
    announced_by(cluster, back, 2, ("live move", "at most"))?;
    cluster.run(&["crm_resource", "--clear", "-r", RESOURCE])?;
    cluster.set_meta("allow-migrate", "")?;
    cluster.settle(Some(back), TAKEOVER_LIMIT)?;

    let at = cluster.power_off(back)?;
    story.failure(at, format!("power cut of {back}"));
    let survivor = taken_over(cluster, story, back)?;
    let reason = format!("{back} was lost");
    let told = announced_by(cluster, survivor, 3, (&reason, "about"))?;
    let_run(MONITOR_INTERVAL * 2)?;
    ensure(self::told(cluster)?.len() == 3, || "announced again".into())?;
    let estimate = told.get("outage_ms").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let measured = cluster.outage(ELASTIC_IP.into(), at, now()).longest * 1000.0;
    #[allow(clippy::cast_precision_loss)] // some thousand
    let off = (estimate as f64 - measured).abs();
    ensure(off < TOLERANCE_MS, || format!("an outage of {estimate} ms, and clients saw {measured:.0} ms"))?;
    let text = told.get("text").and_then(Value::as_str).unwrap_or_default();
    story.fact(text);
    ensure_shown(MONITORING, text)
}

/// Waits until that many moves were announced. Returns the last one, which this node must have sent, for this reason.
fn announced_by(
    cluster: &PacemakerCluster,
    node: NodeName,
    count: usize,
    (reason, outage): (&str, &str),
) -> Result<Value> {
    let all = until("the announcement", TAKEOVER_LIMIT, || {
        let all = told(cluster)?;
        let so_far = all.len();
        Ok(if so_far < count { Polled::NotYet(format!("{so_far} of {count}")) } else { Polled::There(all) })
    })?;
    let of_node = |(sender, document): &&(NodeName, Value)| {
        let is = |key: &str, text: &str| document.get(key).and_then(Value::as_str) == Some(text);
        *sender == node
            && is("node", &node.to_string())
            && is("address", &ELASTIC_IP.to_string())
            && is("reason", reason)
            && is("outage", outage)
    };
    ensure(all.len() == count, || format!("{count} announcements expected: {all:?}"))?;
    let found = all.iter().find(of_node).map(|(_, document)| document.clone());
    found.ok_or_else(|| HarnessError::Wrong(format!("nothing by {node}, {reason}, {outage}: {all:?}")))
}

/// Every announcement, with the node whose receiver got it.
fn told(cluster: &PacemakerCluster) -> Result<Vec<(NodeName, Value)>> {
    let mut all = Vec::new();
    for node in cluster.nodes() {
        let text = fs::read_to_string(cluster.node(node)?.logs().join("moves")).unwrap_or_default();
        for line in text.lines() {
            all.push((node, json(line)?));
        }
    }
    Ok(all)
}
