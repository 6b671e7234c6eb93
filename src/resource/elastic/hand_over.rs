//! Leaving the address to the node that takes it, and putting back what it had pushed off here once it has gone.
//!
//! Nothing is let go: until the other node has taken the address it stays where it is, and so it is never with nobody.

use super::super::kind::{Kind as _, Me, Owner};
use super::{Elastic, Op, Report, World};
use crate::base::retry::{Patience, Retryable as _, Series};
use crate::resource::error::Error;
use crate::state::{Phase, Records as _};

impl<W: World> Op<'_, Elastic, W> {
    /// Notes that this node no longer runs the resource, waits until another node has taken the address, and puts back what
    /// was displaced. Where nothing was displaced there is nothing to wait for, and nobody is asked anything.
    ///
    /// Returns [`Report::NotHere`] once the address has gone, and [`Report::Done`] where nothing had to be waited for.
    ///
    /// # Errors
    /// [`Error::Left`] where it was still here at the deadline; what EC2 answered last, where it gave no usable answer.
    pub(super) async fn hand_over(&self) -> Result<Report, Error> {
        if self.last_done().is_some_and(|record| record.phase != Some(Phase::Stopped)) {
            self.record(Phase::Left, |_| ());
        }
        if !self.has_displaced() {
            return Ok(Report::Done);
        }
        let mut series = Series::new(&self.deadline, self.params.timing.max_backoff);
        loop {
            let (error, patience) = match self.ask(Me::Known, &self.deadline).await {
                Ok(owner @ (Owner::Elsewhere(_) | Owner::Unassigned)) => {
                    self.record(Phase::Stopped, |record| record.set_association(None));
                    self.restore_displaced().await;
                    return Ok(Report::NotHere(Elastic::absence(self, &owner)));
                }
                Ok(Owner::Ours(_) | Owner::Misplaced(_)) => {
                    (Error::Left { address: self.name(), waited: self.deadline.budget() }, Patience::Lasting)
                }
                Err(error) => {
                    let patience = error.patience();
                    (error, patience)
                }
            };
            // A network that comes back only later is what a node without its interface waits for.
            if !series.again(patience).await {
                return Err(error);
            }
        }
    }

    /// Returns whether something waits to be put back.
    pub(super) fn has_displaced(&self) -> bool {
        let displaced = self.world.records().durable().displaced;
        self.params.restore_displaced && displaced.iter().any(|entry| !entry.put_back)
    }
}
