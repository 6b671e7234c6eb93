//! Checks of the nodes for every cluster manager.

use std::time::{Duration, Instant};

use super::Machines;
use crate::error::{Result, ensure};
use crate::timeline::{HolderSince, thefts};
use crate::topology::{NodeName, name_of};
use crate::wait::{Epoch, Polled, until};

/// How long a settled state has to last to count.
const STABLE: Duration = Duration::from_secs(1);

impl Machines {
    /// Waits until `look` finds one node in charge, and goes on finding it for a second in which no address moves. `look`
    /// returns that node, or the first flaw.
    pub fn settled(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut() -> Result<Result<NodeName, String>>,
    ) -> Result<NodeName> {
        let mut since: Option<(Instant, NodeName, usize)> = None;
        until(what, limit, || {
            // What was seen before the look must still hold after it.
            let changes = self.world.changes();
            let active = match look()? {
                Ok(active) => active,
                Err(why) => {
                    since = None;
                    return Ok(Polled::NotYet(why));
                }
            };
            let (began, node, known) = *since.get_or_insert((Instant::now(), active, changes));
            if node != active || known != self.world.changes() {
                since = None;
            }
            Ok(if since.is_some() && began.elapsed() >= STABLE {
                Polled::There(active)
            } else {
                Polled::NotYet(format!("settled on {active}, but not for {} s yet", STABLE.as_secs()))
            })
        })
    }

    /// Asserts that since `from` no node has released the address while another one held it.
    pub fn ensure_no_theft(&self, from: Epoch) -> Result<()> {
        let thefts = thefts(&self.world.history(), from);
        let tell = |(before, after): &(HolderSince, HolderSince)| {
            format!("{} released it from {}", name_of(after.made_by), name_of(before.by))
        };
        ensure(thefts.is_empty(), || thefts.iter().map(tell).collect::<Vec<_>>().join(", "))
    }
}
