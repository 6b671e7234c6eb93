//! Restores displaced addresses that no stop will restore: at boot, after the node went down while ours was on it.
//!
//! Unlike after a stop, the place may not be free. A node that was down for a moment may still hold the cluster's address, and
//! the record may have come to another instance with a disk image.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::{Elastic, Op, World};
use crate::base::deadline::Deadline;
use crate::base::retry::{Backoff, Patience, Retryable as _};
use crate::params::Params;
use crate::resource::error::Error;
use crate::state::{Displaced, Records as _};

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

/// An address that was not restored.
#[derive(Debug)]
pub struct Left {
    /// The address.
    pub public_ip: Ipv4Addr,
    /// Why.
    pub error: Error,
}

/// Restores every displaced address of these resources; returns those not restored in time.
///
/// An address whose place carries the address of a running resource is not among them: it is restored when that one stops.
pub async fn restore<W: World>(resources: &[Known<W>], deadline: &Deadline) -> Vec<Left> {
    let mut backoff = Backoff::new(Duration::from_secs(2));
    loop {
        let mut left = Vec::new();
        let mut worthwhile = false;
        for Known { world, params, only } in resources {
            let records = world.records();
            let wanted = |entry: &Displaced| !entry.put_back && only.is_none_or(|ip| ip == entry.public_ip);
            for entry in records.durable().displaced.into_iter().filter(wanted) {
                let op: Op<'_, Elastic, W> =
                    Op { world, params, deadline: deadline.within(TURN), nodes: &[] };
                if let Err(error) = op.restore_at_boot(&entry).await {
                    worthwhile |= error.patience() != Patience::Never;
                    left.push(Left { public_ip: entry.public_ip, error });
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
        self.restore_entry(self.world.records(), entry, &self.deadline).await
    }
}
