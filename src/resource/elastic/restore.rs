//! Restores displaced addresses that no stop will restore: at boot, after the node went down while ours was on it, and once another
//! node has taken ours.
//!
//! Unlike after a stop, the place may not be free. A node that was down for a moment may still hold the cluster's address, and
//! the record may have come to another instance with a disk image. A node that hands over releases nothing: the address stays here
//! until the other node has taken it, so it is never unassigned.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::super::kind::{Kind as _, Me, Owner};
use super::displaced::Restore;
use super::{Elastic, Op, Report, World};
use crate::base::deadline::Deadline;
use crate::base::retry::{Backoff, Patience, Retryable as _, Series};
use crate::params::Params;
use crate::resource::error::Error;
use crate::state::{Displaced, Phase, Records as _};

/// Time limit for one address while others wait.
const TURN: Duration = Duration::from_secs(5);

/// A resource on record, with what is needed to act for it.
pub struct Known<W> {
    /// Services, with its records.
    pub world: W,
    /// Its parameters, as far as they are known.
    pub params: Params,
    /// The only displaced address to restore; `None` for all.
    pub only: Option<Ipv4Addr>,
}

/// Restores every displaced address of these resources; returns those not restored in time, each with the reason.
///
/// An address whose place carries the address of a running resource is not among them: it is restored when that one stops.
pub async fn restore<W: World>(resources: &[Known<W>], deadline: &Deadline) -> Vec<(Ipv4Addr, Error)> {
    let mut backoff = Backoff::new(Duration::from_secs(2));
    loop {
        let mut left = Vec::new();
        let mut worthwhile = false;
        for Known { world, params, only } in resources {
            let records = world.records();
            let wanted = |entry: &Displaced| !entry.put_back && only.is_none_or(|ip| ip == entry.public_ip);
            for entry in records.durable().displaced.into_iter().rev().filter(wanted) {
                let op: Op<'_, Elastic, W> =
                    Op { world, params, deadline: deadline.within(TURN), nodes: &[] };
                if let Err(error) = op.restore_at_boot(&entry).await {
                    worthwhile |= error.patience() != Patience::Never;
                    left.push((entry.public_ip, error));
                }
            }
        }
        if !worthwhile || !backoff.pause(deadline, Patience::Lasting).await {
            return left;
        }
    }
}

impl<W: World> Op<'_, Elastic, W> {
    async fn restore_at_boot(&self, entry: &Displaced) -> Result<(), Error> {
        self.drop_foreign_record(None);
        self.restore_entry(&Restore { records: self.records(), entry, until: &self.deadline }).await
    }

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
        let displaced = self.records().durable().displaced;
        self.params.restore_displaced && displaced.iter().any(|entry| !entry.put_back)
    }
}
