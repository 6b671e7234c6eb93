//! The quiet point after each round: everything is well again, and the cluster, the cloud, a client and the agents, asked
//! directly, have to agree on one node; and then nothing may happen.

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

/// How long a state without failed actions is waited for before those on record are looked at.
const PATIENCE: Duration = Duration::from_secs(4);
/// Within it each monitor runs at least once.
const WATCH: Duration = Duration::from_secs(4);
/// What a client may miss on a machine that does other things, too, though nothing is wrong.
pub const HICCUP: f64 = 1.0;
const AGENTS: &str = "/usr/lib/ocf/resource.d/heartbeat";

/// Waits until all is settled without a failed action on record, and returns the node with the address and the failed
/// actions that had to be cleaned up, as an administrator does it.
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
        // While the cluster recovers, a clean-up would make it forget what it is about to stop.
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

/// Takes addresses off devices where a probe has found them though another node has them. A probe warns of that, and changes nothing;
/// a stop takes them off, as its warning says. Returns what there was.
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

/// Checks that the quiet point lasts: no node acts, no call is made, the addresses stay, every client is answered by one node, and each
/// node's agents, asked directly, say what is true.
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

/// Returns the failed actions on record, as the first node tells that answers.
fn failures(cluster: &PacemakerCluster) -> Result<Option<Vec<FailedAction>>> {
    for node in cluster.well() {
        if let Polled::There(status) = Polled::tolerant(cluster.status(node))? {
            let counted = status.fail_counts.iter().map(|(id, on, count)| FailedAction {
                operation: format!("fail-count of {id}"),
                node: on.clone(),
                code: count.clone(),
                reason: String::new(),
            });
            let failures = status.failures.clone();
            // A count comes with its action, unless that is known no more.
            return Ok(Some(if failures.is_empty() { counted.collect() } else { failures }));
        }
    }
    Ok(None)
}

/// Returns what the agent of a node answers, to a recurring monitor if to any; nothing where it did not end by itself.
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
