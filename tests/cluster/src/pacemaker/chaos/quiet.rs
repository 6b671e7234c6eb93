//! The quiet point after each round: everything works again, and cluster, cloud, a client and the agents, called directly,
//! have to agree on one node; from then on nothing may happen.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::explained::unexplained;
use super::struck::Struck;
use crate::error::{HarnessError, Result, ensure};
use crate::pacemaker::crm_mon::FailedAction;
use crate::pacemaker::journal::{Event, EventKind};
use crate::pacemaker::scenario::{RETURN_LIMIT, TAKEOVER_LIMIT};
use crate::pacemaker::{ELASTIC, MONITOR_INTERVAL, ManagedAddress, PacemakerCluster};
use crate::timeline::voices;
use crate::topology::{CLOUD_IP, EC2_PORT, NodeName};
use crate::wait::{Epoch, Polled, let_run, now};

/// How long to wait for a state without failed actions before those on record are examined.
const PATIENCE: Duration = Duration::from_secs(4);
/// Long enough for each monitor to run at least once.
const WATCH: Duration = Duration::from_secs(4);
/// How long a client may go without an answer on a busy machine although nothing is wrong, in seconds.
pub const HICCUP: f64 = 1.0;
const AGENTS: &str = "/usr/lib/ocf/resource.d/heartbeat";

/// Waits until all is settled without a failed action on record. Returns the node with the address, and the failed actions that had
/// to be cleaned up, as an administrator would.
pub fn reach(
    cluster: &mut PacemakerCluster,
    struck: &[Struck],
    from: Epoch,
) -> Result<(NodeName, Vec<String>)> {
    let began = Instant::now();
    let mut cleaned = Vec::new();
    loop {
        let settled = cluster.settle(None, PATIENCE);
        let failures = match (&settled, failures(cluster)?) {
            (Ok(node), Some(failures)) if failures.is_empty() => {
                cluster.ensure_no_failures()?;
                return Ok((*node, cleaned));
            }
            (_, failures) => failures.unwrap_or_default(),
        };
        match settled {
            Err(error @ HarnessError::TimedOut { .. }) if began.elapsed() >= RETURN_LIMIT => {
                return Err(error);
            }
            Ok(_) if began.elapsed() >= RETURN_LIMIT => cluster.ensure_no_failures()?,
            Ok(_) | Err(HarnessError::TimedOut { .. }) => {}
            Err(error) => return Err(error),
        }
        let wrong = unexplained(&failures, struck, |one| cluster.world().history_of(one.ip), from);
        ensure(wrong.is_empty(), || format!("nothing explains these failures: {}", wrong.join("; ")))?;
        // During recovery, a clean-up would make the cluster forget what it is about to stop.
        if !cluster.is_idle()? {
            continue;
        }
        cleaned.extend(take_off_leftovers(cluster, from)?);
        if !failures.is_empty() {
            cleaned.extend(failures.iter().map(ToString::to_string));
            cluster.clean_up()?;
        }
    }
}

/// Removes addresses from devices on which a probe has found them while another node holds them. A probe warns of that and changes
/// nothing; a stop removes them, as its warning says. Returns what was removed.
fn take_off_leftovers(cluster: &mut PacemakerCluster, from: Epoch) -> Result<Vec<String>> {
    let events = cluster.events_since(from)?;
    let mut found = Vec::new();
    for address in cluster.addresses().iter().filter(|address| ***address != ELASTIC) {
        let Some(holder) = cluster.world().holder_of(address.ip) else { continue };
        for node in cluster.devices_with(address.ip)?.into_iter().filter(|node| *node != holder) {
            let denied = |event: &Event| {
                event.node == node
                    && matches!(&event.kind, EventKind::Ended { action, resource, result }
                        if action == "probe" && resource == address.resource && result.starts_with("not running"))
            };
            if events.iter().any(denied) {
                let said = ask(cluster, node, address, "stop", "0")?;
                ensure(said == Some(0), || {
                    format!("a stop of {} on {node} returned {said:?}", address.resource)
                })?;
                found.push(format!("{} left on a device of {node}", address.ip));
            }
        }
    }
    Ok(found)
}

/// Checks that the quiet point lasts: no node acts, no call is made, the addresses stay, one node answers every client, and each
/// node's agents, called directly, report the truth.
pub fn watch(cluster: &mut PacemakerCluster, holder: NodeName) -> Result<()> {
    let (from, began) = (now(), Instant::now());
    for address in cluster.addresses() {
        let (resource, active) = (address.resource, cluster.world().holder_of(address.ip));
        for node in cluster.nodes() {
            for level in ["0", "10"] {
                let said = ask(cluster, node, address, "monitor", level)?;
                let right = if active == Some(node) { 0 } else { 7 };
                ensure(said == Some(right), || {
                    format!(
                        "with {resource} on {active:?} a monitor {level} of {node} returned {said:?}, not {right}"
                    )
                })?;
            }
        }
    }
    let_run(WATCH.max(MONITOR_INTERVAL + Duration::from_millis(500)).saturating_sub(began.elapsed()))?;
    cluster.ensure_untouched(from)?;
    let orders: Vec<_> = cluster.world().requests_since(from);
    let calls: Vec<&str> = cluster.addresses().iter().flat_map(|address| address.calls).collect();
    let order = orders.iter().find(|one| calls.iter().any(|call| one.is(call)));
    ensure(order.is_none(), || format!("a call in a quiet cluster: {order:?}"))?;
    for address in cluster.addresses() {
        let missed = cluster.outage(address.ip, from, now()).longest;
        ensure(missed < HICCUP, || {
            format!("a client of {} had no answer for {missed:.1} s", address.resource)
        })?;
        let heard: BTreeSet<NodeName> =
            cluster.clients_of(address.ip).iter().flat_map(|client| voices(&client.since(from))).collect();
        ensure(heard.len() < 2, || format!("{heard:?} answer clients of {}", address.resource))?;
    }
    cluster.settle(Some(holder), TAKEOVER_LIMIT)?;
    cluster.ensure_no_failures()
}

/// The failed actions on record, according to the first node that answers.
fn failures(cluster: &PacemakerCluster) -> Result<Option<Vec<FailedAction>>> {
    for node in cluster.well() {
        if let Polled::There(status) = Polled::tolerant(cluster.status(node))? {
            let counted = status.fail_counts.iter().map(|one| FailedAction {
                operation: format!("fail-count of {}", one.resource),
                node: one.node.clone(),
                code: one.count.clone(),
                reason: String::new(),
            });
            let failures = status.failures.clone();
            // A fail-count comes with its action, unless the action is no longer known.
            return Ok(Some(if failures.is_empty() { counted.collect() } else { failures }));
        }
    }
    Ok(None)
}

/// The exit code of a node's agent, as a recurring monitor if it has one; `None` if it did not exit by itself.
fn ask(
    cluster: &PacemakerCluster,
    node: NodeName,
    address: &ManagedAddress,
    action: &str,
    level: &str,
) -> Result<Option<i32>> {
    let words = [
        "env".to_owned(),
        "OCF_ROOT=/usr/lib/ocf".into(),
        format!("OCF_RESOURCE_INSTANCE={}", address.resource),
        format!("OCF_RESKEY_{}={}", address.parameter, address.ip),
        format!("OCF_RESKEY_endpoint_url=http://{CLOUD_IP}:{EC2_PORT}"),
        format!("OCF_RESKEY_CRM_meta_interval={}", MONITOR_INTERVAL.as_millis()),
        "OCF_RESKEY_CRM_meta_timeout=20000".into(),
        format!("OCF_CHECK_LEVEL={level}"),
    ];
    let parameters = address.parameters.iter().map(|parameter| format!("OCF_RESKEY_{parameter}"));
    let action = [format!("{AGENTS}/{}", address.agent), action.into()];
    let words: Vec<String> = words.into_iter().chain(parameters).chain(action).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Ok(cluster.node(node)?.command(&words)?.output()?.status.code())
}
