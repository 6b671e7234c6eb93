//! Saying whether the address is here while the resource runs: in EC2, and on a network device.
//!
//! The metadata service is asked first, because it answers in a millisecond and needs no credentials. EC2 is asked where that
//! answer may be stale, where it would cause a recovery, or where there is none.

use super::holding::Holding;
use super::place::Seen;
use super::{Report, Vip, VipWorld};
use crate::cloud::{Ec2Error, Ec2Fault, Imds as _, ImdsError};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::ids::InterfaceId;
use crate::resource::eip::silent;
use crate::resource::interface;
use crate::retry::{Backoff, Patience};

/// From this check level on EC2 is asked in any case. Level 20 is not implemented, so it behaves as the next lower one.
pub(super) const ASK_EC2_LEVEL: u32 = 10;

/// Why it is asked whether the address is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// A recurring monitor.
    Routine,
    /// A monitor of a level at which EC2 has a say in any case.
    Deeply,
    /// A probe: the cluster starts nothing until it has an answer, so nobody is waited for to agree.
    Probe,
}

impl<W: VipWorld> Vip<'_, W> {
    /// Returns whether the address is here.
    ///
    /// # Errors
    /// When it is not known: both sources silent, or EC2 refuses while the metadata service is silent.
    pub(super) async fn monitor(&self, level: u32) -> Result<Report, Error> {
        if self.was_left() {
            let address = self.params.address;
            return Ok(Report::NotHere(format!("{address} was left by on_stop=leave until the next start")));
        }
        let asking = if level >= ASK_EC2_LEVEL { Asking::Deeply } else { Asking::Routine };
        let ask_ec2 = asking == Asking::Deeply || self.is_settling();
        let report = match self.deadline.bound(self.look_once()).await {
            Ok(Ok(Seen::Here)) if !ask_ec2 => Report::Done,
            Ok(Ok(seen)) => {
                // With the address in sight there is nothing to gain by waiting long for EC2.
                let patience = if seen == Seen::Here { self.deadline.fraction(4) } else { self.deadline };
                self.with_ec2(seen, asking, &patience).await?
            }
            Ok(Err(error)) => self.without_imds(asking, error).await?,
            Err(_) => return Err(Error::OutOfTime(self.deadline.budget())),
        };
        match report {
            Report::Done => self.on_device().await,
            other @ Report::NotHere(_) => Ok(other),
        }
    }

    /// Decides where the metadata service has answered and EC2 is to be asked as well, until `patience` ends.
    pub(super) async fn with_ec2(
        &self,
        mut seen: Seen,
        asking: Asking,
        patience: &Deadline,
    ) -> Result<Report, Error> {
        let mut backoff = Backoff::new(self.params.timing.max_backoff);
        let mut until = *patience;
        let mut denial: Option<Report> = None;
        loop {
            match (self.holding_now(&until).await, &seen) {
                // One of them is stale. They get time to agree; after that EC2 is the authority.
                (Ok(holding), Seen::Here) if !matches!(holding, Holding::Ours(_)) => {
                    denial = Some(self.report(&holding));
                }
                // EC2 shows it here, or two sources agree that it is not.
                (Ok(holding), _) => return Ok(self.report(&holding)),
                (Err(Error::Ec2(error)), _) if denial.is_none() || !error.is_silence() => {
                    return self.without_ec2(&seen, asking, error).await;
                }
                // The interface that is configured is not there, or the metadata service fell silent in between.
                (Err(_), Seen::NotHere(why)) => return Ok(Report::NotHere(why.clone())),
                (Err(_), Seen::Here) => {}
            }
            until = self.deadline.fraction(2);
            let time_is_up = asking == Asking::Probe || !until.pause(backoff.next(Patience::Lasting)).await;
            if time_is_up {
                return Ok(denial.unwrap_or(Report::Done));
            }
            if let Ok(again) = self.look(&until).await {
                seen = again;
            }
        }
    }

    /// Asks EC2 who has the address; which interface is meant says the metadata service, or the record.
    async fn holding_now(&self, until: &Deadline) -> Result<Holding, Error> {
        let chosen = async {
            let mac = interface::find_mac(self.world, &self.params.interface).await?;
            Ok::<InterfaceId, Error>(self.world.imds().interface(mac).await?.id)
        };
        let interface = match until.bound(chosen).await {
            Ok(Ok(interface)) => interface,
            Ok(Err(error)) => self.remembered_place().map(|place| place.interface).ok_or(error)?,
            Err(_) => self.remembered_place().ok_or_else(|| Error::Imds(silent("meta-data")))?.interface,
        };
        Ok(self.holding(&interface, until).await?)
    }

    /// Decides where EC2 gave no answer that can be used and the metadata service did.
    async fn without_ec2(&self, seen: &Seen, asking: Asking, error: Ec2Error) -> Result<Report, Error> {
        let address = self.params.address;
        let why = match seen {
            Seen::Here if error.fault == Ec2Fault::Target => return Ok(Report::NotHere(error.to_string())),
            Seen::Here => {
                let text =
                    format!("{address} is here by the metadata service; EC2 could not confirm it: {error}");
                if asking == Asking::Routine {
                    self.world.log().info(&text);
                } else {
                    self.world.log().warn(&text);
                }
                return Ok(Report::Done);
            }
            Seen::NotHere(why) => why,
        };
        // A refusal comes at once; right after a change the metadata then get the time that silence would have taken.
        if !error.is_silence() && asking != Asking::Probe && self.is_settling() {
            let until = self.deadline.fraction(2);
            let mut backoff = Backoff::new(self.params.timing.max_backoff);
            while until.pause(backoff.next(Patience::Lasting)).await {
                if matches!(self.look_once().await, Ok(Seen::Here)) {
                    return Ok(Report::Done);
                }
            }
        }
        // A last look: the answer may have been stale while EC2 was asked in vain.
        match self.last_look().await {
            Some(Seen::Here) => Ok(Report::Done),
            Some(Seen::NotHere(why)) => Ok(Report::NotHere(format!("{why}; {error}"))),
            None => Ok(Report::NotHere(format!("{why}; {error}"))),
        }
    }

    /// Decides where the metadata service gave no answer: by EC2 if the interface is on record, or by whichever answers first.
    pub(super) async fn without_imds(&self, asking: Asking, first: ImdsError) -> Result<Report, Error> {
        let Some(place) = self.remembered_place() else {
            let seen = self.look(&self.deadline).await.map_err(|_| first)?;
            return self.after_silence(seen, asking).await;
        };
        let by_ec2 = self.holding(&place.interface, &self.deadline);
        let by_imds = self.look(&self.deadline);
        tokio::pin!(by_ec2, by_imds);
        tokio::select! {
            answer = &mut by_ec2 => match answer {
                Ok(holding) => Ok(self.report(&holding)),
                Err(ec2) => match by_imds.await {
                    Ok(seen) => self.without_ec2(&seen, asking, ec2).await,
                    Err(imds) => Err(both_silent(ec2, imds)),
                },
            },
            answer = &mut by_imds => match answer {
                Ok(seen) => self.after_silence(seen, asking).await,
                Err(imds) => match by_ec2.await {
                    Ok(holding) => Ok(self.report(&holding)),
                    Err(ec2) => Err(both_silent(ec2, imds)),
                },
            },
        }
    }

    /// Decides where the metadata service has answered after a silence.
    async fn after_silence(&self, seen: Seen, asking: Asking) -> Result<Report, Error> {
        match (seen, asking) {
            (Seen::Here, Asking::Routine | Asking::Probe) if !self.is_settling() => Ok(Report::Done),
            (Seen::NotHere(why), Asking::Probe) if !self.is_settling() => Ok(Report::NotHere(why)),
            (seen, _) => self.with_ec2(seen, asking, &self.deadline).await,
        }
    }

    fn report(&self, holding: &Holding) -> Report {
        match holding {
            Holding::Ours(_) => Report::Done,
            other => Report::NotHere(self.absence(other)),
        }
    }
}

/// Returns the error of two sources of which neither told who has the address.
fn both_silent(ec2: Ec2Error, imds: ImdsError) -> Error {
    if ec2.is_silence() { Error::BothSilent { ec2, imds } } else { Error::Ec2(ec2) }
}
