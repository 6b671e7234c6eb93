//! Saying whether the address is here while the resource runs.
//!
//! The metadata service is asked first, because it answers in a millisecond and needs no credentials. EC2 is asked where that
//! answer may be stale, where it would cause a recovery, or where there is none.

use std::net::Ipv4Addr;

use super::holding::{Holding, Identity};
use super::place::Seen;
use super::{Eip, Report, World, is_silence};
use crate::cloud::ImdsError;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::retry::{Backoff, Patience};

/// From this check level on EC2 is asked in any case. Level 20 is not implemented, so it behaves as the next lower one.
const ASK_EC2_LEVEL: u32 = 10;

impl<W: World> Eip<'_, W> {
    /// Returns whether the address is here.
    ///
    /// # Errors
    /// When it is not known: both sources silent, or EC2 refuses while the metadata service is silent.
    pub(super) async fn monitor(&self, level: u32) -> Result<Report, Error> {
        if self.was_left() {
            return Ok(Report::NotHere(format!(
                "{} was left by on_stop=leave until the next start",
                self.name()
            )));
        }
        let Some(public_ip) = self.public_ip() else {
            return self.monitor_by_ec2().await;
        };
        let ask_ec2 = level >= ASK_EC2_LEVEL || self.is_settling();
        match self.deadline.bound(self.look_once(public_ip)).await {
            Ok(Ok(Seen::Here)) if !ask_ec2 => Ok(Report::Done),
            Ok(Ok(seen)) => {
                // With the address in sight there is nothing to gain by waiting long for EC2.
                let patience = if seen == Seen::Here { self.deadline.fraction(4) } else { self.deadline };
                self.with_ec2(public_ip, seen, level, &patience).await
            }
            Ok(Err(error)) => self.without_imds(public_ip, level, error).await,
            Err(_) => Err(Error::OutOfTime(self.deadline.budget())),
        }
    }

    /// Decides by EC2 alone: only an allocation is configured, and its address was never on record.
    async fn monitor_by_ec2(&self) -> Result<Report, Error> {
        let address = self.ask_ec2(&self.deadline).await?;
        // The address is on record now, so the metadata service can be asked for it.
        match self.look(address.public_ip, &self.deadline).await {
            Ok(seen) => self.with_ec2(address.public_ip, seen, ASK_EC2_LEVEL, &self.deadline).await,
            Err(_) => Ok(self.report(&self.identity_without_imds().judge(address.association.as_ref()))),
        }
    }

    /// Decides where the metadata service has answered and EC2 is to be asked as well, until `patience` ends.
    pub(super) async fn with_ec2(
        &self,
        public_ip: Ipv4Addr,
        mut seen: Seen,
        level: u32,
        patience: &Deadline,
    ) -> Result<Report, Error> {
        let mut backoff = Backoff::new(self.params.timing.max_backoff);
        let mut until = *patience;
        let mut denial: Option<Holding> = None;
        loop {
            match (self.holding(&until).await, &seen) {
                // One of them is stale. They get time to agree; after that EC2 is the authority.
                (Ok(holding), Seen::Here) if !matches!(holding, Holding::Ours(_)) => denial = Some(holding),
                // EC2 shows it here, or two sources agree that it is not.
                (Ok(holding), _) => return Ok(self.report(&holding)),
                (Err(error), _) if denial.is_none() || !is_silence(&error) => {
                    return self.without_ec2(public_ip, &seen, level, error).await;
                }
                (Err(_), _) => {}
            }
            until = self.deadline.fraction(2);
            if !until.pause(backoff.next(Patience::Lasting)).await {
                return Ok(denial.map_or(Report::Done, |holding| self.report(&holding)));
            }
            if let Ok(again) = self.look(public_ip, &until).await {
                seen = again;
            }
        }
    }

    /// Decides where EC2 gave no answer that can be used and the metadata service did.
    async fn without_ec2(
        &self,
        public_ip: Ipv4Addr,
        seen: &Seen,
        level: u32,
        error: Error,
    ) -> Result<Report, Error> {
        match seen {
            Seen::Here => {
                let text =
                    format!("{public_ip} is here by the metadata service; EC2 could not confirm it: {error}");
                if level >= ASK_EC2_LEVEL {
                    self.world.log().warn(&text);
                } else {
                    self.world.log().info(&text);
                }
                Ok(Report::Done)
            }
            // A last look: the answer may have been stale while EC2 was asked in vain.
            Seen::NotHere(why) => match self.last_look(public_ip).await {
                Some(Seen::Here) => Ok(Report::Done),
                Some(Seen::NotHere(why)) => Ok(Report::NotHere(format!("{why}; {error}"))),
                None => Ok(Report::NotHere(format!("{why}; {error}"))),
            },
        }
    }

    /// Decides where the metadata service gave no answer: by EC2 if it can tell this node, or by whichever answers first.
    pub(super) async fn without_imds(
        &self,
        public_ip: Ipv4Addr,
        level: u32,
        first: ImdsError,
    ) -> Result<Report, Error> {
        let me = self.identity_without_imds();
        if !me.is_known() {
            let seen = self.look(public_ip, &self.deadline).await.map_err(|_| first)?;
            return self.with_ec2(public_ip, seen, level, &self.deadline).await;
        }
        let by_ec2 = async {
            let address = self.ask_ec2(&self.deadline).await?;
            Ok::<Holding, Error>(me.judge(address.association.as_ref()))
        };
        let by_imds = self.look(public_ip, &self.deadline);
        tokio::pin!(by_ec2, by_imds);
        tokio::select! {
            answer = &mut by_ec2 => match answer {
                Ok(holding) => Ok(self.report(&holding)),
                Err(ec2) => match by_imds.await {
                    Ok(seen) => self.without_ec2(public_ip, &seen, level, ec2).await,
                    Err(imds) => Err(both_silent(ec2, imds)),
                },
            },
            answer = &mut by_imds => match answer {
                Ok(Seen::Here) if level < ASK_EC2_LEVEL && !self.is_settling() => Ok(Report::Done),
                Ok(seen) => self.with_ec2(public_ip, seen, level, &self.deadline).await,
                Err(imds) => match by_ec2.await {
                    Ok(holding) => Ok(self.report(&holding)),
                    Err(ec2) => Err(both_silent(ec2, imds)),
                },
            },
        }
    }

    /// Asks EC2 who holds the address.
    pub(super) async fn holding(&self, until: &Deadline) -> Result<Holding, Error> {
        let (address, me) = tokio::join!(self.ask_ec2(until), until.bound(self.identity_once()));
        let address = address?;
        let me: Identity = match me {
            Ok(Ok(me)) => me,
            Ok(Err(_)) | Err(_) => self.identity_without_imds(),
        };
        Ok(me.judge(address.association.as_ref()))
    }

    pub(super) fn report(&self, holding: &Holding) -> Report {
        match holding {
            Holding::Ours(_) => Report::Done,
            other => Report::NotHere(other.absence(&self.name())),
        }
    }
}

/// Returns the error of two sources of which neither told who holds the address.
fn both_silent(ec2: Error, imds: ImdsError) -> Error {
    match ec2 {
        Error::Ec2(ec2) if ec2.is_silence() => Error::BothSilent { ec2, imds },
        other => other,
    }
}
