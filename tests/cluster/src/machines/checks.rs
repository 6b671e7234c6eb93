//! Checks of the nodes that apply to every cluster manager.

use std::time::{Duration, Instant};

use super::Machines;
use crate::error::{Result, ensure};
use crate::timeline::{HolderSince, thefts};
use crate::topology::{NodeName, name_of};
use crate::wait::{Epoch, Polled, until};

/// How long a settled state has to last.
const STABLE: Duration = Duration::from_secs(1);

impl Machines {
    /// Waits until `look` finds one node in charge, and finds it again after a second without a move of any address. `look` returns
    /// that node, or the first flaw.
    pub fn settled(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut() -> Result<Result<NodeName, String>>,
    ) -> Result<NodeName> {
        let mut since: Option<(Instant, NodeName, usize)> = None;
        until(what, limit, || {
            // What held before the check must still hold after it.
            let changes = self.world.changes();
            if let Some((began, node, known)) = since
                && known == changes
                && began.elapsed() < STABLE
            {
                return Ok(Polled::NotYet(format!("on {node}, but not for {} s yet", STABLE.as_secs())));
            }
            let active = match look()? {
                Ok(active) => active,
                Err(why) => {
                    since = None;
                    return Ok(Polled::NotYet(why));
                }
            };
            let unmoved = changes == self.world.changes();
            let again = since.is_some_and(|(_, node, known)| node == active && known == changes);
            if unmoved && again {
                return Ok(Polled::There(active));
            }
            since = unmoved.then(|| (Instant::now(), active, changes));
            Ok(Polled::NotYet(format!("on {active} since now")))
        })
    }

    /// Asserts that since `from` no node has released the address while another node held it.
    pub fn ensure_no_theft(&self, from: Epoch) -> Result<()> {
        let thefts = thefts(&self.world.history(), from);
        let tell = |(before, after): &(HolderSince, HolderSince)| {
            format!("{} released it from {}", name_of(after.made_by), name_of(before.by))
        };
        ensure(thefts.is_empty(), || thefts.iter().map(tell).collect::<Vec<_>>().join(", "))
    }
}
