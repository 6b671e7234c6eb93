//! Computes a takeover's times: from a failure to the first response of the other node, and how long the address was unassigned.
//! Pure.

use crate::topology::NodeName;
use crate::wait::Epoch;

/// A change of the address's holder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HolderSince {
    /// When it changed.
    pub at: Epoch,
    /// The new holder; `None` if unassigned.
    pub by: Option<NodeName>,
    /// The node whose request changed it, if known.
    pub made_by: Option<NodeName>,
}

/// A time during which a node could not serve because it was dead or cut off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnusableSpan {
    pub node: NodeName,
    /// When it began.
    pub from: Epoch,
    /// When it ended; `None` while it lasts.
    pub to: Option<Epoch>,
}

/// One connection of the client in the cloud to the elastic IP.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// When it was begun.
    pub began: Epoch,
    /// When it was over.
    pub ended: Epoch,
    /// The node that answered, if any.
    pub answer: Option<NodeName>,
}

/// How long a bad state lasted within a window, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Gap {
    /// Sum.
    pub total: f64,
    /// Longest uninterrupted part.
    pub longest: f64,
}

/// Key times of a takeover. `None` for those that did not occur.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Marks {
    /// The failure, or the command.
    pub failure: Epoch,
    /// The first sign in the log of a node that the failure did not hit.
    pub detected: Option<Epoch>,
    /// The agent was started with `start` or `migrate_from` on the new node.
    pub start: Option<Epoch>,
    /// The call that takes the address arrived from the new node; for an overlay address, the last one.
    pub associate: Option<Epoch>,
    /// The new node held the address.
    pub moved: Option<Epoch>,
    /// Every client had got an answer from the new node.
    pub answered: Option<Epoch>,
}

impl Marks {
    /// A time in seconds after the failure.
    pub fn after(&self, instant: Option<Epoch>) -> Option<f64> {
        instant.map(|at| at - self.failure)
    }
}

/// How long, between `from` and `to`, the address was unassigned, or with a node that could not serve.
///
/// `history` is in order of time, and begins before `from` if the address had a holder then.
pub fn unheld(history: &[HolderSince], unusable: &[UnusableSpan], from: Epoch, to: Epoch) -> Gap {
    let mut edges: Vec<Epoch> = history.iter().map(|held| held.at).collect();
    edges.extend(unusable.iter().flat_map(|span| [Some(span.from), span.to]).flatten());
    edges.retain(|edge| *edge > from && *edge < to);
    edges.extend([from, to]);
    edges.sort_by(f64::total_cmp);
    let served = |at: Epoch| {
        let holder = history.iter().rev().find(|held| held.at <= at).and_then(|held| held.by);
        holder.is_some_and(|node| !unusable.iter().any(|span| covers(span, node, at)))
    };
    let pieces = edges.iter().zip(edges.iter().skip(1)).map(|(&begin, &end)| (begin, end, !served(begin)));
    gap(pieces)
}

/// How long, between `from` and `to`, the address was unassigned.
pub fn unassigned(history: &[HolderSince], from: Epoch, to: Epoch) -> Gap {
    unheld(history, &[], from, to)
}

/// How long a client was without an answer: from the end of one answered connection to the end of the next.
///
/// Both ends of the window count as answers, so that an outage that never ended is included.
pub fn outage(samples: &[Sample], from: Epoch, to: Epoch) -> Gap {
    let inside = samples.iter().filter(|sample| sample.ended >= from && sample.ended <= to);
    let mut pieces = Vec::new();
    let (mut last, mut failed) = (from, false);
    for sample in inside {
        if sample.answer.is_some() {
            pieces.push((last, sample.ended, failed));
            (last, failed) = (sample.ended, false);
        } else {
            failed = true;
        }
    }
    pieces.push((last, to, failed));
    gap(pieces)
}

/// The nodes that answered a client, in order; consecutive answers of one node count once.
pub fn voices(samples: &[Sample]) -> Vec<NodeName> {
    let mut heard: Vec<NodeName> = samples.iter().filter_map(|sample| sample.answer).collect();
    heard.dedup();
    heard
}

/// Durations, since `from`, for which the holders were a mixture: from unassigned to the next holder.
pub fn spreads(history: &[HolderSince], from: Epoch) -> Vec<f64> {
    let steps = history.iter().zip(history.iter().skip(1));
    let mixed =
        steps.filter(|(before, after)| before.at >= from && before.by.is_none() && after.by.is_some());
    mixed.map(|(before, after)| after.at - before.at).collect()
}

/// Releases since `from` by a node of an address that another node held: a late stop must never do that.
pub fn thefts(history: &[HolderSince], from: Epoch) -> Vec<(HolderSince, HolderSince)> {
    let steps = history.iter().zip(history.iter().skip(1));
    let stolen = |(before, after): &(&HolderSince, &HolderSince)| {
        after.at >= from && after.by.is_none() && before.by.is_some() && after.made_by != before.by
    };
    steps.filter(stolen).map(|(before, after)| (*before, *after)).collect()
}

fn covers(span: &UnusableSpan, node: NodeName, at: Epoch) -> bool {
    span.node == node && span.from <= at && span.to.is_none_or(|to| at < to)
}

fn gap(pieces: impl IntoIterator<Item = (Epoch, Epoch, bool)>) -> Gap {
    let (mut gap, mut running) = (Gap::default(), 0.0);
    for (begin, end, bad) in pieces {
        running = if bad { running + (end - begin) } else { 0.0 };
        gap.total += if bad { end - begin } else { 0.0 };
        gap.longest = gap.longest.max(running);
    }
    gap
}

#[cfg(test)]
mod tests;
