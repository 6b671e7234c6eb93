//! Putting displaced addresses back where no stop will do it: at boot, after the node went down while ours was on it.
//!
//! Unlike a stop, this does not know that the place is free. A node that was down for a moment may still hold the cluster's
//! address, and the record may have come to another instance with an image of the disk.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::{Elastic, Op, World};
use crate::base::deadline::Deadline;
use crate::base::retry::{Backoff, Patience, Retryable as _};
use crate::host::Host as _;
use crate::params::Params;
use crate::resource::error::Error;
use crate::state::{Displaced, Records as _};

/// The longest that one address may take while others wait.
const TURN: Duration = Duration::from_secs(5);

/// A resource on record, with what it takes to act for it.
pub struct Known<W> {
    /// Its world, with its records.
    pub world: W,
    /// Its parameters as far as they are known.
    pub params: Params,
}

/// An address that is not back.
#[derive(Debug)]
pub struct Left {
    /// The address.
    pub public_ip: Ipv4Addr,
    /// Why.
    pub error: Error,
}

/// Puts back every displaced address of these resources, and returns those that are not back when the time is up.
///
/// An address whose place carries the address of a resource on record is not among them: it comes back when that one goes.
pub async fn restore<W: World>(resources: &[Known<W>], deadline: &Deadline) -> Vec<Left> {
    let mut backoff = Backoff::new(Duration::from_secs(2));
    loop {
        let mut left = Vec::new();
        let mut worthwhile = false;
        for Known { world, params } in resources {
            let records = world.records();
            for entry in records.durable().displaced.into_iter().filter(|entry| !entry.put_back) {
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
        let records = self.world.records();
        if records.volatile().is_running(&self.world.host().boot_id()) {
            self.world.log().info(format_args!("{} waits: the resource runs here", entry.public_ip));
            return Ok(());
        }
        self.restore_entry(records, entry, &self.deadline).await
    }
}
