//! The plan of a round, made from the seed alone: the same seed, number of nodes and round give the same plan. Pure.

use std::fmt::{self, Display};
use std::time::Duration;

use fastrand::Rng;

use super::draw;
use super::failure::{Disruption, KINDS, Whom};
use super::stay;

/// Latest end of any failure, in milliseconds.
const END: u64 = 10_000;
/// How often a strike that does not fit is drawn again.
const DRAWS: usize = 12;

/// One failure of a round.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStrike {
    /// When it begins, from the beginning of the round.
    pub at: Duration,
    pub lasts: Duration,
    /// Which nodes it strikes.
    pub whom: Whom,
    /// What fails.
    pub failure: Disruption,
}

#[derive(Debug, Clone, PartialEq)]
pub struct RoundPlan {
    pub round: u32,
    /// True if the resource may be moved live (`allow-migrate`).
    pub live: bool,
    /// True if there is a monitor that queries EC2 each time.
    pub deep: bool,
    /// In order of time.
    pub strikes: Vec<PlannedStrike>,
}

impl RoundPlan {
    /// The plan of a round in a cluster of that many nodes. With a `kind`, the round begins with that one, and is never gentle.
    pub fn of(seed: u64, nodes: u8, round: u32, kind: Option<usize>) -> Self {
        let mut rng = Rng::with_seed(mixed(&[seed, u64::from(nodes), u64::from(round)]));
        let (live, deep) = (rng.u8(..4) == 0, rng.u8(..4) == 0);
        let mut plan = Self { round, live, deep, strikes: Vec::new() };
        let wanted = match rng.u8(..100) {
            0..=34 => 1,
            35..=69 => 2,
            70..=89 => 3,
            _ => 4,
        };
        let first = kind.unwrap_or_else(|| first_kind(seed, nodes, round));
        // In a gentle round the address never has to move, if the first kind leaves a choice.
        let gentle = rng.u8(..5) < 2 && kind.is_none() && plan.add(&mut rng, first, nodes, true);
        if !gentle {
            plan.add(&mut rng, first, nodes, false);
        }
        for _ in 1..wanted {
            let kind = rng.usize(..KINDS.len());
            plan.add(&mut rng, kind, nodes, gentle);
        }
        if !gentle && !plan.strikes.iter().any(|strike| draw::moves(&strike.failure)) && rng.u8(..4) != 0 {
            // A failing service has little effect if no node needs it.
            let kind = draw::mover(&mut rng);
            plan.add(&mut rng, kind, nodes, false);
        }
        plan.strikes.sort_by_key(|strike| strike.at);
        plan
    }

    /// Adds a failure of a kind if it fits; returns whether it did.
    fn add(&mut self, rng: &mut Rng, kind: usize, nodes: u8, gentle: bool) -> bool {
        for _ in 0..DRAWS {
            let Some((whom, failure)) = draw::failure(rng, kind, nodes) else { return false };
            let at = rng.u64(if self.strikes.is_empty() { 0..1000 } else { 0..5000 });
            let lasts =
                if failure.is_momentary() { 0 } else { rng.u64(2500..8000).min(END.saturating_sub(at)) };
            let (at, lasts) = (Duration::from_millis(at), Duration::from_millis(lasts));
            let strike = PlannedStrike { at, lasts, whom, failure };
            if !self.fits(&strike) {
                continue;
            }
            self.strikes.push(strike);
            if !gentle || stay::must_stay(&self.strikes, nodes) {
                return true;
            }
            self.strikes.pop();
        }
        false
    }

    /// A node's machine has one failure at a time, and there is one constraint at a time: clearing it clears all.
    fn fits(&self, new: &PlannedStrike) -> bool {
        let constrains = |failure: &Disruption| matches!(failure, Disruption::MovedTo | Disruption::Banned);
        self.strikes.iter().all(|old| {
            let claims = old.failure.claims_node() && new.failure.claims_node();
            let paths = [&old.failure, &new.failure].into_iter().any(|f| *f == Disruption::PathBroken);
            let same_kind = old.failure.kind() == new.failure.kind() && old.whom == new.whom;
            let both = constrains(&old.failure) && constrains(&new.failure);
            !(claims && (paths || old.whom == new.whom)) && !same_kind && !both
        })
    }
}

/// The kind that a round begins with: a shuffled deck of all kinds is dealt, so that none is left out.
fn first_kind(seed: u64, nodes: u8, round: u32) -> usize {
    let mut deck: Vec<usize> = (0..KINDS.len()).filter(|kind| draw::happens(*kind, nodes)).collect();
    let size = u32::try_from(deck.len()).unwrap_or(u32::MAX);
    let number = round.saturating_sub(1);
    Rng::with_seed(mixed(&[seed, u64::from(nodes), u64::from(number / size), 0xdec])).shuffle(&mut deck);
    deck.get(usize::try_from(number % size).unwrap_or_default()).copied().unwrap_or_default()
}

/// Mixes several numbers into one, so that neighbouring inputs give unrelated plans (`SplitMix64`).
fn mixed(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |state: u64, part| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

impl Display for PlannedStrike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, lasts) = (self.at.as_secs_f64(), self.lasts.as_secs_f64());
        write!(f, "{at:.1}")?;
        if !self.lasts.is_zero() {
            write!(f, "+{lasts:.1}")?;
        }
        write!(f, " s {} ({})", self.failure, self.whom)
    }
}

impl Display for RoundPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let strikes: Vec<_> = self.strikes.iter().map(ToString::to_string).collect();
        f.write_str(&strikes.join("; "))?;
        f.write_str(if self.live { "; allow-migrate" } else { "" })?;
        f.write_str(if self.deep { "; monitor 10" } else { "" })
    }
}

#[cfg(test)]
mod tests;
