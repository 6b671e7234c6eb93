//! Whether an address is here, by two witnesses, for every kind of address.
//!
//! The metadata service is asked first, because it answers in a millisecond and needs no credentials. EC2 is asked where that
//! answer may be stale, where it would cause a recovery, or where there is none. What exactly is asked of either is the
//! business of the kind of address.

use super::{Report, World};
use crate::base::deadline::Deadline;
use crate::base::retry::{self, Backoff, Patience};
use crate::cloud::ImdsError;
use crate::resource::error::Error;

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

/// What the metadata service says about the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is where it belongs on this node.
    Here,
    /// It is not, and why.
    NotHere(String),
}

/// What is asked of an action's subject in any case.
pub(super) trait Subject {
    /// The world the action works with.
    type World: World;

    /// Returns that world.
    fn world(&self) -> &Self::World;
    /// Returns the deadline of the action.
    fn deadline(&self) -> &Deadline;
    /// Returns the longest pause between two attempts.
    fn max_backoff(&self) -> std::time::Duration;
    /// Returns how an operator names the address.
    fn name(&self) -> String;
    /// Returns whether this node moved the address so lately that the metadata may not show it yet.
    fn is_settling(&self) -> bool;
}

/// An address whose two witnesses can be asked.
pub(super) trait Evidence: Subject {
    /// Looks at the metadata service once.
    async fn look_once(&self) -> Result<Seen, ImdsError>;

    /// Asks EC2 until `until`, for a node that the metadata service can tell.
    async fn ask_ec2(&self, until: &Deadline) -> Result<Report, Error>;

    /// Asks EC2 until the deadline, for a node that only record and firmware can tell.
    async fn ask_ec2_by_record(&self) -> Result<Report, Error>;

    /// Returns whether record and firmware can tell this node.
    fn is_on_record(&self) -> bool;

    /// Returns whether EC2 has said that there is nothing that could be here.
    fn is_denial(error: &Error) -> bool;

    /// Returns what the metadata service says, looking again until `until` while it is silent.
    async fn look(&self, until: &Deadline) -> Result<Seen, ImdsError> {
        let cut_off = || ImdsError::cut_off("meta-data");
        retry::until(until, self.max_backoff(), cut_off, async || self.look_once().await).await
    }

    /// Looks once more, also when the time is up.
    async fn last_look(&self) -> Option<Seen> {
        self.deadline().for_last_look().bound(self.look_once()).await.ok()?.ok()
    }

    /// Answers a recurring monitor.
    async fn watch(&self, level: u32) -> Result<Report, Error> {
        let asking = if level >= ASK_EC2_LEVEL { Asking::Deeply } else { Asking::Routine };
        let ask_ec2 = asking == Asking::Deeply || self.is_settling();
        match self.deadline().bound(self.look_once()).await {
            Ok(Ok(Seen::Here)) if !ask_ec2 => Ok(Report::Done),
            Ok(Ok(seen)) => {
                // With the address in sight there is nothing to gain by waiting long for EC2.
                let patience =
                    if seen == Seen::Here { self.deadline().fraction(4) } else { *self.deadline() };
                self.with_ec2(seen, asking, &patience).await
            }
            Ok(Err(error)) => self.without_imds(asking, error).await,
            Err(_) => Err(Error::OutOfTime(self.deadline().budget())),
        }
    }

    /// Decides where the metadata service has answered and EC2 is to be asked as well, until `patience` ends.
    async fn with_ec2(&self, mut seen: Seen, asking: Asking, patience: &Deadline) -> Result<Report, Error> {
        let mut backoff = Backoff::new(self.max_backoff());
        let mut until = *patience;
        let mut denial: Option<Report> = None;
        loop {
            let denied_again = match (self.ask_ec2(&until).await, &seen) {
                // One of them is stale. They get time to agree; after that EC2 is the authority.
                (Ok(absent @ Report::NotHere(_)), Seen::Here) => {
                    denial = Some(absent);
                    true
                }
                // EC2 shows it here, or two sources agree that it is not.
                (Ok(report), _) => return Ok(report),
                (Err(error), Seen::Here) if Self::is_denial(&error) => {
                    denial = Some(Report::NotHere(error.to_string()));
                    true
                }
                (Err(error), _) if denial.is_none() || !error.is_silence() => {
                    return self.without_ec2(&seen, asking, error).await;
                }
                (Err(_), seen) => *seen != Seen::Here,
            };
            until = self.deadline().fraction(2);
            let time_is_up = asking == Asking::Probe || !backoff.pause(&until, Patience::Lasting).await;
            if time_is_up {
                return Ok(match denial {
                    // A part of EC2 that is behind must not stop an address that the metadata show all the time.
                    Some(denial) if denied_again || asking == Asking::Probe => denial,
                    Some(Report::NotHere(why)) => {
                        let name = self.name();
                        let text = "is here by the metadata service; EC2 denied it, then fell silent";
                        self.world().log().warn(format_args!("{name} {text}: {why}"));
                        Report::Done
                    }
                    Some(Report::Done) | None => Report::Done,
                });
            }
            if let Ok(again) = self.look(&until).await {
                seen = again;
            }
        }
    }

    /// Decides where EC2 gave no answer that can be used and the metadata service did.
    async fn without_ec2(&self, seen: &Seen, asking: Asking, error: Error) -> Result<Report, Error> {
        let why = match seen {
            Seen::Here => {
                let name = self.name();
                let text =
                    format!("{name} is here by the metadata service; EC2 could not confirm it: {error}");
                if asking == Asking::Routine {
                    self.world().log().info(&text);
                } else {
                    self.world().log().warn(&text);
                }
                return Ok(Report::Done);
            }
            Seen::NotHere(why) => why,
        };
        // A refusal comes at once; right after a change the metadata then get the time that silence would have taken.
        if !error.is_silence() && asking != Asking::Probe && self.is_settling() {
            let until = self.deadline().fraction(2);
            let mut backoff = Backoff::new(self.max_backoff());
            while backoff.pause(&until, Patience::Lasting).await {
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

    /// Decides where the metadata service gave no answer: by EC2 if it can tell this node, or by whichever answers first.
    async fn without_imds(&self, asking: Asking, first: ImdsError) -> Result<Report, Error> {
        if !self.is_on_record() {
            let seen = self.look(self.deadline()).await.map_err(|_| first)?;
            return self.after_silence(seen, asking).await;
        }
        let by_ec2 = self.ask_ec2_by_record();
        let by_imds = self.look(self.deadline());
        tokio::pin!(by_ec2, by_imds);
        tokio::select! {
            // Where both answer at once, EC2 is the authority.
            biased;
            answer = &mut by_ec2 => match answer {
                // What this node has just done may not have reached every part of EC2. The metadata get time to say so.
                Ok(Report::NotHere(why)) if asking != Asking::Probe && self.is_settling() => {
                    if let Ok(Ok(seen)) = self.deadline().fraction(2).bound(by_imds).await {
                        return self.with_ec2(seen, asking, self.deadline()).await;
                    }
                    Ok(self.ask_ec2_by_record().await.unwrap_or(Report::NotHere(why)))
                }
                Ok(report) => Ok(report),
                Err(ec2) => match by_imds.await {
                    Ok(seen) => self.without_ec2(&seen, asking, ec2).await,
                    Err(imds) => Err(both_silent(ec2, imds)),
                },
            },
            answer = &mut by_imds => match answer {
                Ok(seen) => self.after_silence(seen, asking).await,
                Err(imds) => by_ec2.await.map_err(|ec2| both_silent(ec2, imds)),
            },
        }
    }

    /// Decides where the metadata service has answered after a silence.
    async fn after_silence(&self, seen: Seen, asking: Asking) -> Result<Report, Error> {
        match (seen, asking) {
            (Seen::Here, Asking::Routine | Asking::Probe) if !self.is_settling() => Ok(Report::Done),
            (Seen::NotHere(why), Asking::Probe) if !self.is_settling() => Ok(Report::NotHere(why)),
            (seen, _) => self.with_ec2(seen, asking, self.deadline()).await,
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
