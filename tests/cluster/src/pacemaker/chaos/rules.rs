//! What has to hold at every moment of a round, whatever fails. Pure: judged from the logs and the cloud's own records.
//!
//! These are the rules of the interleavings, as far as they can be observed from outside the agent.

use super::actions::{LoggedAction, actions, monitors};
use super::failure::Disruption;
use super::struck::{Struck, api_in_trouble, metadata_in_trouble};
use crate::pacemaker::journal::{Event, EventKind};
use crate::pacemaker::{ELASTIC, ManagedAddress};
use crate::timeline::HolderSince;
use crate::topology::NodeName;
use crate::wait::Epoch;

/// How long an action without a logged end may have lasted: the agent's own timeout, in seconds.
const TIMEOUT: f64 = 61.0;
/// How much later than the agent's end the controller may log it, and how far the logs' clocks may differ, in seconds.
const TOLERANCE: f64 = 0.3;
/// How long a monitor takes at most while the services work, in seconds; otherwise it has its timeout.
const QUICK: f64 = 1.0;
const MONITOR_TIMEOUT: f64 = 20.0;

/// A mutating call that reached EC2.
#[derive(Debug, Clone, PartialEq)]
pub struct MutatingCall {
    /// The node that sent it, if known.
    pub sender: Option<NodeName>,
    /// When it arrived.
    pub at: Epoch,
    /// `AssociateAddress`, `UnassignPrivateIpAddresses`, ...
    pub what: String,
}

/// All that is known of an address in a round.
#[derive(Debug)]
pub struct RoundEvidence {
    pub address: &'static ManagedAddress,
    /// When the round began.
    pub from: Epoch,
    /// The failures brought about.
    pub struck: Vec<Struck>,
    /// The holders of the address since the beginning of the run.
    pub history: Vec<HolderSince>,
    /// The mutating calls of this round that concern it.
    pub orders: Vec<MutatingCall>,
    /// The log events of this round.
    pub events: Vec<Event>,
}

/// All broken rules, in words.
pub fn breaches(seen: &RoundEvidence) -> Vec<String> {
    let actions = actions(&seen.events, seen.address.resource);
    let mut found = Vec::new();
    found.extend(releases_of_others(seen));
    found.extend(stray_calls(seen, &actions));
    found.extend(late_results(seen));
    found.extend(starts_in_vain(seen, &actions));
    found.extend(undone_starts(seen, &actions));
    found.extend(false_denials(seen, &actions));
    // A lasting fault is reported once.
    found.dedup();
    found
}

/// No node has disassociated an address of which it was not the holder. Calls made by hand do not count. No node releases an overlay
/// address: while route tables differ, it counts as unassigned.
fn releases_of_others(seen: &RoundEvidence) -> Vec<String> {
    let steps = seen.history.iter().zip(seen.history.iter().skip(1));
    let wrong = steps.filter(|(before, after)| {
        seen.address.is_released()
            && after.at >= seen.from
            && after.by.is_none()
            && after.made_by.is_some()
            && after.made_by != before.by
    });
    wrong
        .map(|(before, after)| format!("{} released the address of {}", who(after.made_by), who(before.by)))
        .collect()
}

/// Every mutating call comes from an action that the cluster runs on that node at that time, and never from a monitor, or from the stop of an
/// overlay address.
fn stray_calls(seen: &RoundEvidence, actions: &[LoggedAction]) -> Vec<String> {
    let runs = |order: &&MutatingCall| {
        actions.iter().any(|action| {
            let end = action.ended.as_ref().map_or(action.began + TIMEOUT, |(at, _)| at + TOLERANCE);
            action.name != "monitor"
                && (action.name != "stop" || seen.address.is_released())
                && Some(action.node) == order.sender
                && action.began - TOLERANCE <= order.at
                && order.at <= end
        })
    };
    let wrong = seen.orders.iter().filter(|order| !runs(order));
    wrong
        .map(|order| {
            let (what, after) = (&order.what, order.at - seen.from);
            format!("{} sent {what} at {after:.3} s with no action under way", who(order.sender))
        })
        .collect()
}

/// The agent answers before the cluster's timeout, unless its machine or its executor was stopped.
fn late_results(seen: &RoundEvidence) -> Vec<String> {
    let results = seen.events.iter().filter_map(|event| match &event.kind {
        EventKind::Ended { action, resource, result } if resource == seen.address.resource => {
            Some((event, action, result))
        }
        _ => None,
    });
    let late = results.filter(|(event, _, result)| {
        let stopped = |one: &Struck| {
            matches!(one.failure, Disruption::NodeStopped | Disruption::DaemonStopped(_))
                && one.touches(event.node, event.at - TIMEOUT, event.at)
        };
        result.starts_with("Timed Out") && !seen.struck.iter().any(stopped)
    });
    late.map(|(event, action, result)| format!("{action} on {} had no answer in time: {result}", event.node))
        .collect()
}

/// A start that reported "ok" held the address at some time during it.
///
/// If it could query only the metadata service, or EC2 was stale, it cannot know better.
fn starts_in_vain(seen: &RoundEvidence, actions: &[LoggedAction]) -> Vec<String> {
    let starts = actions.iter().filter(|action| action.name == "start" || action.name == "migrate_from");
    let wrong = starts.filter(|action| {
        let Some((end, result)) = &action.ended else { return false };
        let held = spans(&seen.history)
            .any(|(held, until)| held.by == Some(action.node) && held.at <= *end && until >= action.began);
        result == "ok" && !held && !api_in_trouble(&seen.struck, action.node, action.began, *end)
    });
    wrong
        .map(|action| format!("{} on {} returned 0 and never held the address", action.name, action.node))
        .collect()
}

/// An action whose call succeeded does not take the address again from a start that was called later.
fn undone_starts(seen: &RoundEvidence, actions: &[LoggedAction]) -> Vec<String> {
    let made_by = |held: &HolderSince| {
        let node = held.by.filter(|node| held.made_by == Some(*node))?;
        actions.iter().rev().find(|action| {
            let takes = action.name == "start" || action.name == "migrate_from";
            takes && action.node == node && action.began <= held.at
        })
    };
    let takes: Vec<(&HolderSince, &LoggedAction)> = seen
        .history
        .iter()
        .filter(|held| held.at >= seen.from)
        .filter_map(|held| Some((held, made_by(held)?)))
        .collect();
    let again = takes.windows(3).filter_map(|three| match three {
        [(_, first), (_, later), (_, last)]
            if first == last && later.node != first.node && later.began > first.began =>
        {
            Some(format!(
                "the {} of {} took the address a second time, from a start of {} that was called later",
                first.name, first.node, later.node
            ))
        }
        _ => None,
    });
    again.collect()
}

/// A node that held the address all the time never reports "not running", unless neither source was reliable.
///
/// A private or overlay address is running only if it is on the device as well: if no agent has put it there, or a stop or a power
/// cut has removed it, it is not; nor does it answer on a device that is down.
fn false_denials(seen: &RoundEvidence, actions: &[LoggedAction]) -> Vec<String> {
    let denials =
        monitors(&seen.events, seen.address.resource).filter(|(_, _, text)| text.starts_with("not running"));
    let on_device = |held: &HolderSince, node: NodeName, at: Epoch| {
        let off = |action: &LoggedAction| action.node == node && action.name == "stop" && action.began <= at;
        let cut = |one: &Struck| {
            matches!(one.failure, Disruption::PowerCut | Disruption::LinkDown)
                && one.touches(node, seen.from, at)
        };
        *seen.address == ELASTIC
            || held.made_by == Some(node) && !actions.iter().any(off) && !seen.struck.iter().any(cut)
    };
    let wrong = denials.filter(|(node, at, _)| {
        let recent = at - MONITOR_TIMEOUT;
        let api = api_in_trouble(&seen.struck, *node, recent, *at);
        let metadata = metadata_in_trouble(&seen.struck, *node, recent, *at);
        let window = if api || metadata { MONITOR_TIMEOUT } else { QUICK };
        let throughout = spans(&seen.history)
            .filter(|(held, until)| held.at <= *at && *until >= at - window)
            .all(|(held, _)| held.by == Some(*node) && on_device(held, *node, *at));
        !(api && metadata) && throughout
    });
    wrong
        .map(|(node, at, _)| {
            let after = at - seen.from;
            format!("a monitor of {node} reported at {after:.3} s that the address is not there, but it was")
        })
        .collect()
}

/// Each holder of the address with the time at which it ended.
fn spans(history: &[HolderSince]) -> impl Iterator<Item = (&HolderSince, Epoch)> {
    let ends = history.iter().skip(1).map(|next| next.at).chain([Epoch::MAX]);
    history.iter().zip(ends)
}

fn who(node: Option<NodeName>) -> String {
    node.map_or_else(|| "an unknown caller".to_owned(), |node| node.to_string())
}

#[cfg(test)]
mod tests;
