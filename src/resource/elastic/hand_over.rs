//! Leaves the address to the node that takes it, and restores what it had displaced here once it has gone.
//!
//! Nothing is released: the address stays here until the other node has taken it, so it is never unassigned.

use super::super::kind::{Kind as _, Me, Owner};
use super::{Elastic, Op, Report, World};
use crate::base::retry::{Patience, Retryable as _, Series};
use crate::resource::error::Error;
use crate::state::{Phase, Records as _};

impl<W: World> Op<'_, Elastic, W> {
    /// Records that this node no longer runs the resource, waits until another node has taken the address, and restores what was
    /// displaced. If nothing was displaced, returns at once without a query.
    ///
    /// Returns [`Report::NotHere`] once the address has gone, [`Report::Done`] if there was nothing to wait for.
    ///
    /// # Errors
    /// [`Error::Left`] if the address is still here at the deadline; EC2's last error if it gave no usable answer.
    pub async fn hand_over(&self) -> Result<Report, Error> {
        if self.last_done().is_some_and(|record| record.phase != Some(Phase::Stopped)) {
            self.record(Phase::Left, |_| ());
        }
        if !self.has_displaced() {
            return Ok(Report::Done);
        }
        let mut series = Series::new(&self.deadline, self.params.timing.max_backoff);
        loop {
            let (error, patience) = match self.query_ec2(Me::Known, &self.deadline).await {
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
            // A node that has lost its interface waits for its network to come back.
            if !series.again(patience).await {
                return Err(error);
            }
        }
    }

    /// Whether a displaced address waits to be restored.
    pub fn has_displaced(&self) -> bool {
        let displaced = self.world.records().durable().displaced;
        self.params.restore_displaced && displaced.iter().any(|entry| !entry.put_back)
    }
}
