//! Saying whether the address is here before anything was started, on every node, also on those that never will hold it.
//!
//! A probe that fails makes Pacemaker stop the healthy copy on the other node. So it always has an answer: in doubt "not
//! here", because a start that follows changes nothing where the address is already in place.

use std::time::Duration;

use super::{Eip, Report, World};
use crate::resource::error::Error;
use crate::resource::evidence::{ASK_EC2_LEVEL, Asking, Evidence as _, Seen};
use crate::state::Records as _;

/// The longest that filling an empty record may take; it never changes the answer.
const FILLING: Duration = Duration::from_secs(2);

impl<W: World> Eip<'_, W> {
    /// Returns whether the address is here; what is not known counts as not here, and is a warning in the log.
    pub(super) async fn probe(&self, level: u32) -> Report {
        match self.try_probe(level).await {
            Ok(report) => report,
            Err(error) => {
                self.world
                    .log()
                    .warn(format_args!("probe could not tell who holds {}: {error}", self.name()));
                Report::NotHere(error.to_string())
            }
        }
    }

    async fn try_probe(&self, level: u32) -> Result<Report, Error> {
        if self.was_left() {
            return Ok(Report::NotHere("left by on_stop=leave until the next start".to_owned()));
        }
        let Some(public_ip) = self.public_ip() else {
            return self.monitor(level).await;
        };
        // Outside the settling window the metadata can be trusted both ways; inside it, it may show what was before.
        let ask_ec2 = level >= ASK_EC2_LEVEL || self.is_settling();
        match self.deadline.bound(self.look_once(public_ip)).await {
            // The cluster waits for every node's probe before it starts anything, so EC2 gets a quarter of the budget.
            Ok(Ok(seen)) if ask_ec2 => {
                self.known(public_ip).with_ec2(seen, Asking::Probe, &self.deadline.fraction(4)).await
            }
            Ok(Ok(Seen::Here)) => Ok(Report::Done),
            Ok(Ok(Seen::NotHere(why))) => {
                self.fill_record().await;
                Ok(Report::NotHere(why))
            }
            Ok(Err(error)) => self.known(public_ip).without_imds(Asking::Probe, error).await,
            Err(_) => Err(Error::OutOfTime(self.deadline.budget())),
        }
    }

    /// Asks EC2 once for the allocation where none is on record, so that a later takeover needs no look first, and so that a
    /// standby that could not take over says so long before it has to.
    async fn fill_record(&self) {
        if self.checked_pair(&self.world.records().durable()).is_some() {
            return;
        }
        if let Err(error) = self.ask_ec2(&self.deadline.within(FILLING)).await {
            let name = self.name();
            self.world.log().warn(format_args!("this node could not take {name} over at present: {error}"));
        }
    }
}
