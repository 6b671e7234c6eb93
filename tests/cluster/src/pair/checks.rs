//! Looks at a pair: what is asked of every cluster manager.

use std::time::{Duration, Instant};

use super::Machines;
use crate::error::{Result, ensure};
use crate::timeline::thefts;
use crate::topology::NodeName;
use crate::wait::{Epoch, Look, until};

/// How long a settled state has to last to count.
const STABLE: Duration = Duration::from_secs(1);

impl Machines {
    /// Waits until the cloud, a client of the address and whatever `look` looks at agree that `holder` has the address, and all that
    /// has lasted for a second. `look` returns the first flaw.
    ///
    /// # Errors
    /// [`Error::TimedOut`](crate::error::Error::TimedOut) with the last flaw, or the look's own error at once.
    pub fn settled(
        &self,
        holder: NodeName,
        limit: Duration,
        look: impl Fn() -> Result<Result<(), String>>,
    ) -> Result<()> {
        let mut since: Option<(Instant, usize)> = None;
        until(&format!("all agree on {holder}"), limit, || {
            let changes = self.world.history().len();
            let seen = match self.served_by(holder) {
                Ok(()) => look()?,
                flaw => flaw,
            };
            if let Err(why) = seen {
                since = None;
                return Ok(Look::NotYet(why));
            }
            let (began, known) = *since.get_or_insert((Instant::now(), changes));
            if known != changes {
                since = None;
            } else if began.elapsed() >= STABLE {
                return Ok(Look::There(()));
            }
            Ok(Look::NotYet(format!("not for {} s yet", STABLE.as_secs())))
        })
    }

    fn served_by(&self, holder: NodeName) -> Result<(), String> {
        let (held, answering) = (self.world.holder(), self.probe.answering());
        if held != Some(holder) {
            return Err(format!("{} holds it", name(held)));
        }
        if answering != Some(holder) {
            return Err(format!("{} answers", name(answering)));
        }
        Ok(())
    }

    /// Asserts that since `from` no node has released the address while another one held it.
    ///
    /// # Errors
    /// [`Error::Wrong`](crate::error::Error::Wrong) with the first such release.
    pub fn ensure_no_theft(&self, from: Epoch) -> Result<()> {
        let thefts = thefts(&self.world.history(), from);
        ensure(thefts.is_empty(), || format!("a node released another's address: {thefts:?}"))
    }
}

/// Returns the name of a holder for a person.
#[must_use]
pub fn name(node: Option<NodeName>) -> String {
    node.map_or_else(|| "nobody".to_owned(), |node| node.to_string())
}
