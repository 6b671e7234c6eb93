//! Saying whether the address is here before anything was started, on every node, also on those that never will hold it.
//!
//! A probe that fails makes Pacemaker stop the healthy copy on the other node. So it always has an answer: in doubt "not
//! here", because a start that follows changes nothing where the address is already in place.

use super::{Report, Vip, VipWorld};
use crate::resource::error::Error;
use crate::resource::evidence::{ASK_EC2_LEVEL, Asking, Evidence as _, Seen};

impl<W: VipWorld> Vip<'_, W> {
    /// Returns whether the address is here; what is not known counts as not here, and is a warning in the log.
    pub(super) async fn probe(&self, level: u32) -> Report {
        let address = self.params.address;
        let report = match self.try_probe(level).await {
            Ok(report) => report,
            Err(error) => {
                self.world.log().warn(format_args!("probe could not tell who holds {address}: {error}"));
                Report::NotHere(error.to_string())
            }
        };
        if let Report::NotHere(why) = &report
            && !self.was_left()
        {
            self.warn_of_leftover(why).await;
        }
        report
    }

    async fn try_probe(&self, level: u32) -> Result<Report, Error> {
        if self.was_left() {
            return Ok(Report::NotHere("left by on_stop=leave until the next start".to_owned()));
        }
        // Outside the settling window the metadata can be trusted both ways; inside it, it may show what was before.
        let ask_ec2 = level >= ASK_EC2_LEVEL || self.is_settling();
        let report = match self.deadline.bound(self.look_once()).await {
            // The cluster waits for every node's probe before it starts anything, so EC2 gets a quarter of the budget.
            Ok(Ok(seen)) if ask_ec2 => self.with_ec2(seen, Asking::Probe, &self.deadline.fraction(4)).await?,
            Ok(Ok(Seen::Here)) => Report::Done,
            Ok(Ok(Seen::NotHere(why))) => Report::NotHere(why),
            Ok(Err(error)) => self.without_imds(Asking::Probe, error).await?,
            Err(_) => return Err(Error::OutOfTime(self.deadline.budget())),
        };
        match report {
            Report::Done => self.on_device().await,
            other @ Report::NotHere(_) => Ok(other),
        }
    }

    /// Says it where a device has an address that is not this node's: only the node itself can reach it there, and thinks that
    /// it reaches the holder. A probe changes nothing; a stop takes it off.
    async fn warn_of_leftover(&self, why: &str) {
        if !self.params.add_to_device {
            return;
        }
        for device in self.devices_with_it().await.unwrap_or_default() {
            let (address, name) = (self.params.address, &device.name);
            self.world.log().warn(format_args!(
                "{address} is on {name} of this node, which does not hold it ({why}): a stop of the resource takes it off"
            ));
        }
    }
}
