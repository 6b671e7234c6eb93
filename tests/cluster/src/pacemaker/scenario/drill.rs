//! `eipctl drill` in a real cluster: its figures have to match those of the cloud, and the cluster has to be as it was before.

use std::time::Duration;

use aws_sim::{Fault, FaultKind, Service};
use serde_json::Value;

use super::{PacemakerScenario, StartState, TAKEOVER_LIMIT, active};
use crate::documents::{OPERATIONS, ensure_shown};
use crate::error::{HarnessError, Result, ensure, json};
use crate::pacemaker::{PacemakerCluster, RESOURCE};
use crate::story::Story;
use crate::timeline::HolderSince;
use crate::topology::{CLOUD_IP, ELASTIC_IP, NodeName, WEB_PORT};
use crate::wait::{Epoch, Polled, let_run, now, until};

pub(super) const SCENARIOS: &[PacemakerScenario] = &[
    PacemakerScenario {
        name: "drill",
        about: "eipctl drill: away and back, with the figures that the cloud shows",
        start: StartState::Healthy,
        run: drill,
    },
    PacemakerScenario {
        name: "drill-killed",
        about: "eipctl drill is killed in the middle: no constraint is left",
        start: StartState::Healthy,
        run: killed,
    },
    PacemakerScenario {
        name: "drill-refused",
        about: "the cluster refuses to clear the constraint of a drill at first: it is cleared all the same",
        start: StartState::Healthy,
        run: refused,
    },
    PacemakerScenario {
        name: "drill-kill",
        about: "eipctl drill --kill on the standby, and a power cut of the holder: from the first sign to the end",
        start: StartState::Healthy,
        run: kill,
    },
];

/// Path on the node's own disk.
const REPORT: &str = "/var/log/drill.html";
/// Allowed difference between drill and cloud: the drill counts from when it requested the move.
const TOLERANCE_MS: u64 = 50;

fn drill(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let home = active(cluster)?;
    story.target = Some(home);
    let began = now();
    route(cluster, home, "replace")?;
    let node = cluster.node(home)?;
    let port = WEB_PORT.to_string();
    let words =
        ["/run/harness/eipctl", "drill", RESOURCE, "--yes", "--json", "--probe", &port, "--report", REPORT];
    story.failure(began, words.join(" "));
    let limit = TAKEOVER_LIMIT * 3;
    let printed = node.command(&words)?.limit(limit).run()?;
    route(cluster, home, "del")?;
    let report = node.run(&["cat", REPORT])?;
    let document = json(&printed)?;
    story.close();
    // What the cluster has on record of the agent's actions, and what the settings of this cluster cost.
    for part in [">stop on n", ">start on n", ">no holder<", ">answered<", "allow-migrate is not set"] {
        ensure(report.contains(part), || format!("not in the report: {part}\n{report}"))?;
    }
    cluster.settle(Some(home), TAKEOVER_LIMIT)?;
    cluster.ensure_no_failures()?;
    ensure_no_constraint(cluster)?;
    let gaps = gaps(&cluster.world().history(), began);
    let moves = document.get("moves").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    ensure(moves.len() == 2 && gaps.len() == 2, || format!("two moves expected: {gaps:?}, {document}"))?;
    for (told, gap) in moves.iter().zip(gaps) {
        let figure = |path: &str| told.pointer(path).and_then(Value::as_u64).unwrap_or(u64::MAX);
        let (least, most) = (figure("/nobody_ms/at_least"), figure("/nobody_ms/at_most"));
        let right = least <= gap + TOLERANCE_MS && gap <= most.saturating_add(TOLERANCE_MS);
        ensure(right, || format!("the address was unassigned for {gap} ms, the drill reports: {told}"))?;
        // Whether it got through, not for how long it did not: the cloud accepts every connection before it looks up the holder.
        let came_through = figure("/client/failed") < figure("/client/attempts");
        ensure(came_through, || format!("no client came through: {told}"))?;
        story.fact(format!("it was unassigned for {gap} ms; the drill reports {least} to {most} ms"));
    }
    Ok(())
}

fn killed(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let home = active(cluster)?;
    let began = now();
    story.failure(began, "eipctl drill, then kill -9 once the address moves");
    let words = ["/run/harness/eipctl", "drill", RESOURCE, "--yes"];
    cluster.node_mut(home)?.daemon("drill", &words)?;
    cluster.wait_for_action("stop", home, began, TAKEOVER_LIMIT)?;
    let killed = cluster.node(home)?.kill_processes(&["eipctl"])?;
    ensure(killed == 1, || format!("{killed} processes named eipctl"))?;
    story.note("killed");
    until("the constraint to be removed", TAKEOVER_LIMIT, || {
        Polled::tolerant(ensure_no_constraint(cluster))
    })?;
    story.target = Some(cluster.settle(None, TAKEOVER_LIMIT)?);
    cluster.ensure_no_failures()
}

fn refused(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    // As during the election of a controller: everything is refused for a moment.
    const REFUSING: &str = r#"mkdir /run/refusing && cd /run/refusing && touch no && printf '%s\n' '#!/bin/sh' \
        'if [ "$1" = --clear ] && rm /run/refusing/no 2>/dev/null; then echo refused >>/run/refusing/log; exit 1; fi' \
        'exec /usr/sbin/crm_resource "$@"' >crm_resource && chmod 755 crm_resource"#;
    let home = active(cluster)?;
    let node = cluster.node(home)?;
    node.run(&["sh", "-c", REFUSING])?;
    route(cluster, home, "replace")?;
    let (path, probe) = ("PATH=/run/refusing:/usr/sbin:/usr/bin", format!("--probe={WEB_PORT}"));
    // Long enough for several queries to show it unassigned, however fast this machine is.
    let late = FaultKind::Delay(Duration::from_secs(1));
    cluster.world().cloud().fault(Fault::new(Service::Ec2, late).operation("AssociateAddress"));
    let words = ["env", path, "/run/harness/eipctl", "drill", RESOURCE, "--yes", &probe];
    story.failure(now(), "eipctl drill, whose first clean-up is refused");
    let printed = node.command(&words)?.limit(TAKEOVER_LIMIT * 3).run()?;
    cluster.world().heal();
    story.close();
    story.target = Some(home);
    ensure(node.run(&["cat", "/run/refusing/log"])? == "refused\n", || "nothing was refused".to_owned())?;
    ensure(printed.contains("the constraint of the move is removed"), || printed.clone())?;
    route(cluster, home, "del")?;
    let moves = printed.lines().skip_while(|line| !line.contains("done after"));
    ensure_shown(OPERATIONS, &moves.collect::<Vec<_>>().join("\n"))?;
    ensure_no_constraint(cluster)?;
    cluster.settle(Some(home), TAKEOVER_LIMIT)?;
    cluster.ensure_no_failures()
}

/// [ctl-8]
fn kill(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let home = active(cluster)?;
    let other = cluster.nodes().into_iter().find(|node| *node != home);
    let other = other.ok_or_else(|| HarnessError::Wrong("there is no standby".to_owned()))?;
    let port = WEB_PORT.to_string();
    route(cluster, other, "replace")?;
    let words =
        ["/run/harness/eipctl", "drill", RESOURCE, "--kill", "--json", "--probe", &port, "--report", REPORT];
    cluster.node_mut(other)?.daemon("drill", &words)?;
    let said = |cluster: &PacemakerCluster| Ok::<_, HarnessError>(cluster.node(other)?.output_of("drill"));
    until("the drill to wait for a failure", TAKEOVER_LIMIT, || {
        let said = said(cluster)?;
        Ok(if said.contains("make that node fail now") { Polled::There(()) } else { Polled::NotYet(said) })
    })?;
    // Some answers first, so that the outage has a beginning.
    let_run(Duration::from_secs(2))?;
    let began = cluster.power_off(home)?;
    story.failure(began, format!("power cut of {home}, with eipctl drill --kill on {other}"));
    story.target = Some(cluster.settle(Some(other), TAKEOVER_LIMIT)?);
    let document = until("the drill to end", TAKEOVER_LIMIT, || {
        let said = said(cluster)?;
        let json =
            said.find('{').and_then(|at| said.get(at..)).and_then(|text| serde_json::from_str(text).ok());
        Ok(json.map_or_else(|| Polled::NotYet(said.clone()), |document: Value| Polled::There(document)))
    })?;
    story.close();
    let figure = |path: &str| document.pointer(path).and_then(Value::as_u64).unwrap_or(u64::MAX);
    // From the first sign that the drill could see, which is Corosync's: the cloud accepts every connection before it looks up the holder.
    let (took, all) = (figure("/moves/0/took_ms"), now() - began);
    story.fact(format!(
        "the drill says {took} ms from the first sign to the end; {all:.2} s since the power cut"
    ));
    for (path, node) in [("/moves/0/from", home), ("/moves/0/to", other)] {
        let told = document.pointer(path).and_then(Value::as_str).unwrap_or_default();
        ensure(told == node.to_string(), || format!("{path} is not {node}: {document}"))?;
    }
    let by_failure = document.pointer("/moves/0/by_failure").and_then(Value::as_bool);
    let within = took > 0 && Duration::from_millis(took).as_secs_f64() < all;
    ensure(by_failure == Some(true) && within, || format!("{document}"))?;
    let report = cluster.node(other)?.run(&["cat", REPORT])?;
    // The loss of the node is drawn too, if the cluster answered between that and the start; during an election it may not.
    for part in ["first sign of the failure", &format!(">on {home}"), &format!(">start on {other}")] {
        ensure(report.contains(part), || format!("not in the report: {part}\n{report}"))?;
    }
    route(cluster, other, "del")?;
    ensure_no_constraint(cluster)
}

/// Makes a node reach the address like an instance does, through the internet gateway; `del` ends that, like a link that goes down.
fn route(cluster: &PacemakerCluster, node: NodeName, verb: &str) -> Result<()> {
    let (address, way) = (ELASTIC_IP.to_string(), CLOUD_IP.to_string());
    cluster.node(node)?.run(&["ip", "route", verb, &address, "via", &way]).map(drop)
}

/// Asserts that no constraint of a move by hand is left in the configuration.
fn ensure_no_constraint(cluster: &PacemakerCluster) -> Result<()> {
    let constraints = cluster.run(&["cibadmin", "--query", "--scope", "constraints"])?;
    ensure(!constraints.contains("cli-"), || format!("a constraint is left: {constraints}"))
}

/// For each change from one node to another, how long the address was unassigned in between, in milliseconds.
fn gaps(history: &[HolderSince], from: Epoch) -> Vec<u64> {
    let mut gaps = Vec::new();
    let mut free_since: Option<Epoch> = None;
    for held in history.iter().filter(|held| held.at >= from) {
        if held.by.is_none() {
            free_since = Some(held.at);
            continue;
        }
        let seconds = free_since.take().map_or(0.0, |since| held.at - since);
        let duration = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        gaps.push(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_straight_from_node_to_node_has_no_gap() {
        let held = |at, by: Option<NodeName>| HolderSince { at, by, made_by: None };
        let [n1, n2] = ["n1", "n2"].map(|name| name.parse().ok());
        let history = [held(1.0, n1), held(5.0, n2), held(6.0, None), held(6.25, n1)];
        assert_eq!(gaps(&history, 2.0), [0, 250]);
    }
}
