//! Saying whether the address is here while the resource runs.
//!
//! The metadata service is asked first, because it answers in a millisecond and needs no credentials. EC2 is asked where that
//! answer may be stale, where it would cause a recovery, or where there is none.

use std::net::Ipv4Addr;

use super::holding::Holding;
use super::place::Seen;
use super::{Eip, Report, World, is_silence};
use crate::cloud::{Address, Ec2Fault, ImdsError};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::retry::{self, Backoff, Patience};

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
        let asking = if level >= ASK_EC2_LEVEL { Asking::Deeply } else { Asking::Routine };
        let ask_ec2 = asking == Asking::Deeply || self.is_settling();
        match self.deadline.bound(self.look_once(public_ip)).await {
            Ok(Ok(Seen::Here)) if !ask_ec2 => Ok(Report::Done),
            Ok(Ok(seen)) => {
                // With the address in sight there is nothing to gain by waiting long for EC2.
                let patience = if seen == Seen::Here { self.deadline.fraction(4) } else { self.deadline };
                self.with_ec2(public_ip, seen, asking, &patience).await
            }
            Ok(Err(error)) => self.without_imds(public_ip, asking, error).await,
            Err(_) => Err(Error::OutOfTime(self.deadline.budget())),
        }
    }

    /// Decides by EC2 alone: only an allocation is configured, and its address was never on record.
    async fn monitor_by_ec2(&self) -> Result<Report, Error> {
        let address = self.ask_ec2(&self.deadline).await?;
        // The address is on record now, so the metadata service can be asked for it.
        match self.look(address.public_ip, &self.deadline).await {
            Ok(seen) => self.with_ec2(address.public_ip, seen, Asking::Routine, &self.deadline).await,
            Err(error) => self.judge_without_imds(&address, error).map(|holding| self.report(&holding)),
        }
    }

    /// Decides where the metadata service has answered and EC2 is to be asked as well, until `patience` ends.
    pub(super) async fn with_ec2(
        &self,
        public_ip: Ipv4Addr,
        mut seen: Seen,
        asking: Asking,
        patience: &Deadline,
    ) -> Result<Report, Error> {
        let mut backoff = Backoff::new(self.params.timing.max_backoff);
        let mut until = *patience;
        let mut denial: Option<Report> = None;
        loop {
            let denied_again = match (self.holding(&until).await, &seen) {
                // One of them is stale. They get time to agree; after that EC2 is the authority.
                (Ok(holding), Seen::Here) if !matches!(holding, Holding::Ours(_)) => {
                    denial = Some(self.report(&holding));
                    true
                }
                // EC2 shows it here, or two sources agree that it is not.
                (Ok(holding), _) => return Ok(self.report(&holding)),
                (Err(error), Seen::Here) if is_denial(&error) => {
                    denial = Some(Report::NotHere(error.to_string()));
                    true
                }
                (Err(error), _) if denial.is_none() || !is_silence(&error) => {
                    return self.without_ec2(public_ip, &seen, asking, error).await;
                }
                (Err(_), seen) => *seen != Seen::Here,
            };
            until = self.deadline.fraction(2);
            let time_is_up = asking == Asking::Probe || !until.pause(backoff.next(Patience::Lasting)).await;
            if time_is_up {
                return Ok(match denial {
                    // A part of EC2 that is behind must not stop an address that the metadata show all the time.
                    Some(denial) if denied_again || asking == Asking::Probe => denial,
                    Some(Report::NotHere(why)) => {
                        let name = self.name();
                        let text = "is here by the metadata service; EC2 denied it, then fell silent";
                        self.world.log().warn(format_args!("{name} {text}: {why}"));
                        Report::Done
                    }
                    Some(Report::Done) | None => Report::Done,
                });
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
        asking: Asking,
        error: Error,
    ) -> Result<Report, Error> {
        let why = match seen {
            Seen::Here => {
                let text =
                    format!("{public_ip} is here by the metadata service; EC2 could not confirm it: {error}");
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
        if !is_silence(&error) && asking != Asking::Probe && self.is_settling() {
            let until = self.deadline.fraction(2);
            let mut backoff = Backoff::new(self.params.timing.max_backoff);
            while until.pause(backoff.next(Patience::Lasting)).await {
                if matches!(self.look_once(public_ip).await, Ok(Seen::Here)) {
                    return Ok(Report::Done);
                }
            }
        }
        // A last look: the answer may have been stale while EC2 was asked in vain.
        match self.last_look(public_ip).await {
            Some(Seen::Here) => Ok(Report::Done),
            Some(Seen::NotHere(why)) => Ok(Report::NotHere(format!("{why}; {error}"))),
            None => Ok(Report::NotHere(format!("{why}; {error}"))),
        }
    }

    /// Decides where the metadata service gave no answer: by EC2 if it can tell this node, or by whichever answers first.
    pub(super) async fn without_imds(
        &self,
        public_ip: Ipv4Addr,
        asking: Asking,
        first: ImdsError,
    ) -> Result<Report, Error> {
        let me = self.identity_without_imds();
        if !me.is_known() {
            let seen = self.look(public_ip, &self.deadline).await.map_err(|_| first)?;
            return self.after_silence(public_ip, seen, asking).await;
        }
        let by_ec2 = async {
            let address = self.ask_ec2(&self.deadline).await?;
            Ok::<Holding, Error>(me.judge(address.association.as_ref()))
        };
        let by_imds = self.look(public_ip, &self.deadline);
        tokio::pin!(by_ec2, by_imds);
        tokio::select! {
            answer = &mut by_ec2 => match answer {
                // What this node has just done may not have reached every part of EC2. The metadata get time to say so.
                Ok(holding) if !matches!(holding, Holding::Ours(_)) && asking != Asking::Probe && self.is_settling() => {
                    if let Ok(Ok(seen)) = self.deadline.fraction(2).bound(by_imds).await {
                        return self.with_ec2(public_ip, seen, asking, &self.deadline).await;
                    }
                    let again = self.ask_ec2(&self.deadline).await;
                    let holding = again.map_or(holding, |address| me.judge(address.association.as_ref()));
                    Ok(self.report(&holding))
                }
                Ok(holding) => Ok(self.report(&holding)),
                Err(ec2) => match by_imds.await {
                    Ok(seen) => self.without_ec2(public_ip, &seen, asking, ec2).await,
                    Err(imds) => Err(both_silent(ec2, imds)),
                },
            },
            answer = &mut by_imds => match answer {
                Ok(seen) => self.after_silence(public_ip, seen, asking).await,
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
        let error = match me {
            Ok(Ok(me)) => return Ok(me.judge(address.association.as_ref())),
            Ok(Err(error)) => error,
            Err(_) => super::silent("instance-id"),
        };
        let Err(unknown) = self.judge_without_imds(&address, error) else {
            return Ok(self.identity_without_imds().judge(address.association.as_ref()));
        };
        // Somebody holds it, and nothing but the metadata can say whether that is this node.
        let me = retry::until(
            until,
            self.params.timing.max_backoff,
            || super::silent("instance-id"),
            async || self.identity_once().await,
        );
        me.await.map(|me| me.judge(address.association.as_ref())).map_err(|_| unknown)
    }

    /// Judges an answer of EC2 by what is known of this node without the metadata service.
    ///
    /// # Errors
    /// That the metadata service is silent, where nothing is known of this node: then it can't be told from another.
    fn judge_without_imds(&self, address: &Address, error: ImdsError) -> Result<Holding, Error> {
        let me = self.identity_without_imds();
        if !me.is_known() && address.association.is_some() {
            return Err(Error::Imds(error));
        }
        Ok(me.judge(address.association.as_ref()))
    }

    /// Decides where the metadata service has answered after a silence.
    async fn after_silence(&self, public_ip: Ipv4Addr, seen: Seen, asking: Asking) -> Result<Report, Error> {
        match (seen, asking) {
            (Seen::Here, Asking::Routine | Asking::Probe) if !self.is_settling() => Ok(Report::Done),
            (Seen::NotHere(why), Asking::Probe) if !self.is_settling() => Ok(Report::NotHere(why)),
            (seen, _) => self.with_ec2(public_ip, seen, asking, &self.deadline).await,
        }
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

/// Returns whether EC2 has said that there is no such address to hold.
fn is_denial(error: &Error) -> bool {
    match error {
        Error::Ec2(error) => error.fault == Ec2Fault::Unknown,
        Error::Mismatch { .. } => true,
        _ => false,
    }
}
