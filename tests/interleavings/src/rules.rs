//! What has to hold in any order of events.

use std::time::Duration;

use crate::kinds::{Held, PlayedKind};
use crate::node::{ActionOutcome, Ran};
use crate::plan::Deed;
use crate::told::Told;

/// Longer than a change can be unknown to one that asks: an answer that is behind, and slow.
const KNOWN: Duration = Duration::from_secs(8);
/// Well within the settling window.
const SETTLING: Duration = Duration::from_secs(100);
/// At least what an action keeps of its time for its answer.
const MARGIN: Duration = Duration::from_secs(1);

/// What is wrong with an action, given what it was told, everything that ran, and every state of the address.
pub fn breaches(kind: PlayedKind, ran: &Ran, told: &Told, all: &[Ran], history: &[Held]) -> Vec<String> {
    let mut found = Vec::new();
    let mut breach = |text: &str| {
        found.push(format!("{:?} {} of node {}: {text}: {ran:?} {told:?}", ran.deed, ran.number, ran.node));
    };
    if ran.ended > ran.began + ran.timeout {
        breach("had no answer before it would have been killed");
    }
    match (ran.deed, &ran.outcome) {
        (Deed::Start | Deed::MigrateFrom, ActionOutcome::Done) => {
            // With answers only from the metadata service, or from an EC2 that was behind, it can't know better.
            let was_misled = told.ec2_was_stale || (!told.by_ec2 && told.imds_showed);
            if !held_at_times(ran, history) && !was_misled {
                breach("returned 0, but the node never held the address during it");
            }
        }
        (Deed::Monitor | Deed::DeepMonitor, ActionOutcome::NotHere) => {
            // EC2 names the holder; whether that is this node is up to instance metadata.
            let ec2_was_no_help = (told.asked_ec2 && !told.by_ec2) || told.imds_failed;
            let metadata_knows = kind != PlayedKind::Overlay;
            let both_said_so = if metadata_knows {
                told.imds_denied && (told.ec2_denied || ec2_was_no_help)
            } else {
                told.ec2_denied
            };
            if ran.on_host && held_throughout(ran, history) && !both_said_so {
                breach("returned 7, but the node held the address throughout");
            }
            if ran.on_host && was_hasty(ran, told, all, history) {
                breach("returned 7 at once, from an answer of EC2 that was older than this node's start");
            }
        }
        (Deed::Start | Deed::Stop | Deed::MigrateFrom | Deed::MigrateTo, ActionOutcome::NotHere) => {
            breach("returned 7");
        }
        (Deed::Probe, ActionOutcome::Failed(_)) => {
            breach("failed, for which the cluster stops the healthy copy");
        }
        _ => {}
    }
    if let Some(call) = &told.asked_again {
        breach(&format!("sent {call} again after IAM had denied it twice"));
    }
    let mut sent = told.ordered.values();
    if let Some(first) = sent.next()
        && sent.any(|other| other != first)
    {
        breach("sent the calls for its route tables one after the other");
    }
    let changed = || history.iter().any(|held| held.made_by == Some((ran.node, ran.number)));
    if ran.deed == Deed::Stop && !kind.is_released_by_a_stop() && changed() {
        breach("changed a route by a stop");
    }
    if let Some(robbed) = robbed(ran, history) {
        breach(&format!("took the address from node {robbed} by a stop"));
    }
    if let Some(victim) = undone(kind, ran, told, all, history) {
        breach(&format!("took the address a second time, from a start that was called later: {victim:?}"));
    }
    found
}

/// What an action did to an address that is no resource's.
pub fn harm(ran: &Ran, visitor: &[Held]) -> Vec<String> {
    let mut found = Vec::new();
    let changes = visitor.iter().zip(visitor.iter().skip(1));
    for (before, now) in changes.filter(|(_, now)| now.made_by == Some((ran.node, ran.number))) {
        if now.by.is_some_and(|node| node != ran.node) {
            found.push(format!("{ran:?} put an address of the administrator onto another node: {now:?}"));
        }
        let asked_to = matches!(ran.deed, Deed::Start | Deed::MigrateFrom);
        let put_there = before.made_by.is_none() && before.since + KNOWN < now.sent;
        if now.by.is_none() && !asked_to && put_there {
            found.push(format!("{ran:?} pushed off what the administrator had put there: {before:?}"));
        }
    }
    found
}

/// Whether a monitor said 7 without asking again, though all that EC2 had shown it was the state before the last start of this
/// node, which holds the address. A later change it could not tell from a newer one.
fn was_hasty(ran: &Ran, told: &Told, all: &[Ran], history: &[Held]) -> bool {
    let Some(at) = history.iter().rposition(|held| held.since <= ran.began) else { return false };
    let (Some(held), Some(before)) = (history.get(at), at.checked_sub(1).and_then(|at| history.get(at)))
    else {
        return false;
    };
    let looks = |other: &Ran| matches!(other.deed, Deed::Monitor | Deed::DeepMonitor | Deed::Probe);
    let mut own = all.iter().filter(|other| other.node == ran.node && other.number < ran.number);
    let start = own.clone().rfind(|other| !looks(other));
    let doubted = own.any(|other| {
        looks(other)
            && start.is_some_and(|start| other.number > start.number)
            && other.outcome != ActionOutcome::Done
    });
    let fresh = start.is_some_and(|start| {
        start.boot == ran.boot
            && matches!(start.deed, Deed::Start | Deed::MigrateFrom)
            && start.outcome == ActionOutcome::Done
            && held.made_by == Some((start.node, start.number))
            && ran.began < start.ended + SETTLING
    });
    let patient = ran.ended >= ran.began + ran.timeout.saturating_sub(MARGIN) / 4;
    let shown_old = told.described.iter().all(|shown| shown.state == before.since);
    fresh && !doubted && !patient && !told.described.is_empty() && shown_old && held_throughout(ran, history)
}

/// The other node that a stop took the address from.
fn robbed(ran: &Ran, history: &[Held]) -> Option<u8> {
    let made_here = |held: &Held| held.made_by == Some((ran.node, ran.number)) && held.by.is_none();
    let pairs = history.iter().zip(history.iter().skip(1));
    let mut robbed = pairs.filter(|(_, now)| made_here(now)).filter_map(|(before, _)| before.by);
    robbed.find(|node| ran.deed == Deed::Stop && *node != ran.node)
}

/// Returns the later start whose work an order of this action undid, after an earlier order of it had worked, though the action
/// could know: it was shown who held the address before the later start, and that another one did after it. By an interface id
/// alone a holder from before that took the address back cannot be told from one that never lost it.
fn undone<'a>(kind: PlayedKind, ran: &Ran, told: &Told, all: &'a [Ran], history: &[Held]) -> Option<&'a Ran> {
    let ours = |held: &&Held| held.made_by == Some((ran.node, ran.number)) && held.by.is_some();
    let first = history.iter().find(ours)?;
    let last = history.iter().rev().find(ours)?;
    let between = history.iter().filter(|held| held.since >= first.since && held.since < last.since);
    between.filter_map(|held| Some((held, held.made_by?, held.by?))).find_map(|(held, made_by, _)| {
        let other = all.iter().find(|other| (other.node, other.number) == made_by)?;
        let known = || told.described.iter().filter(|described| described.arrived < last.sent);
        let is_same = |state: Duration| history.iter().any(|old| old.since == state && old.by == held.by);
        let mut before = known().filter(|described| described.made < held.since).peekable();
        let shown_before = before.peek().is_some()
            && (kind.has_association_ids() || !before.any(|described| is_same(described.state)));
        let shown_after = known().any(|described| described.state == held.since);
        (other.node != ran.node && other.began > ran.began && shown_before && shown_after).then_some(other)
    })
}

/// Returns whether the node held the address at an instant of the action.
fn held_at_times(ran: &Ran, history: &[Held]) -> bool {
    states(ran, history).any(|held| is_of(held, ran))
}

/// Returns whether the node held the address at every instant of the action.
fn held_throughout(ran: &Ran, history: &[Held]) -> bool {
    states(ran, history).all(|held| is_of(held, ran))
}

/// Returns the states that the address had during the action.
fn states<'a>(ran: &'a Ran, history: &'a [Held]) -> impl Iterator<Item = &'a Held> {
    let ends = history.iter().skip(1).map(|next| next.since).chain([Duration::MAX]);
    let during = move |(held, until): &(&Held, Duration)| held.since <= ran.ended && *until >= ran.began;
    history.iter().zip(ends).filter(during).map(|(held, _)| held)
}

fn is_of(held: &Held, ran: &Ran) -> bool {
    held.by == Some(ran.node)
}
