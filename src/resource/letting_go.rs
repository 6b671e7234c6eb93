//! Looking for an address that is to be let go, for every kind of address: what it takes to say that it is not here, and
//! what a stop that could not find out comes to.

use super::World as _;
use super::evidence::Subject;
use super::interface;
use crate::base::deadline::Deadline;
use crate::base::retry::{self, Backoff, Patience};
use crate::cloud::{Ec2Fault, Imds as _};
use crate::resource::error::Error;

/// An address that can be looked for on this node.
pub(super) trait LettingGo: Subject {
    /// What is found where the address is here.
    type Found;

    /// Asks EC2 until `until` whether this instance has the address, and where.
    async fn find(&self, until: &Deadline) -> Result<Option<Self::Found>, Error>;

    /// Returns whether the metadata service says that the address is in its place.
    async fn is_in_sight(&self) -> bool;

    /// Returns whether the metadata service says that the address is on no interface of this instance, by a look that is
    /// worth it also when the time is up.
    async fn not_in_sight(&self) -> bool;

    /// Returns whether a start is what this node did last.
    fn was_started(&self) -> bool;

    /// Returns whether this host was an EC2 instance when it last did something.
    fn was_ec2(&self) -> bool;

    /// Returns what is found of the address on this instance; nothing where it is not here.
    async fn held_here(&self, trust_metadata: bool, settling: bool) -> Result<Option<Self::Found>, Error> {
        let started = self.was_started();
        let deadline = self.deadline();
        let brief = deadline.fraction(2).within(retry::BRIEF);
        let mut backoff = Backoff::new(self.max_backoff());
        let quarter = deadline.fraction(4);
        let mut until = quarter;
        loop {
            let error = match self.find(&until).await {
                // Right after a start EC2 may answer with what was before; the metadata can tell.
                Ok(None) if started && settling && self.is_in_sight().await && !quarter.is_over() => {
                    if backoff.pause(&quarter, Patience::Lasting).await {
                        continue;
                    }
                    return Ok(None);
                }
                Ok(found) => return Ok(found),
                Err(error) => error,
            };
            let not_here = |error: &Error| {
                let name = self.name();
                self.world().log().warn(format_args!("{name} is not here by the metadata service; {error}"));
                Ok(None)
            };
            match &error {
                Error::Ec2(cause) if cause.is_silence() => {
                    if trust_metadata && self.not_in_sight().await {
                        return not_here(&error);
                    }
                    // The peer may take it over meanwhile, which the metadata then shows.
                    if cause.fault == Ec2Fault::Setup || !backoff.pause(deadline, Patience::Lasting).await {
                        return Err(error);
                    }
                    until = deadline.within(deadline.budget() / 8);
                }
                // Right after a change the metadata may be wrong, and EC2 has not been asked in vain but refused.
                Error::Ec2(_) if !settling && self.not_in_sight().await => return not_here(&error),
                // A fresh role needs some seconds before its credentials are accepted.
                Error::Ec2(cause) if cause.fault == Ec2Fault::Credentials && !brief.is_over() => {
                    if !backoff.pause(&brief, Patience::Brief).await {
                        return Err(error);
                    }
                }
                Error::Imds(_) if backoff.pause(deadline, Patience::Lasting).await => {
                    until = deadline.within(deadline.budget() / 8);
                }
                _ => return Err(error),
            }
        }
    }

    /// Returns what a stop comes to by what came of letting the address go.
    ///
    /// # Errors
    /// The error, where that is what the stop comes to.
    async fn ending(&self, outcome: Result<(), Error>, strict: bool) -> Result<Ending, Error> {
        match outcome {
            Ok(()) => Ok(Ending::Gone),
            Err(error) if !error.is_silence() => Err(error),
            Err(error)
                if interface::is_off_ec2(self.world(), self.was_ec2()) && !self.has_metadata().await =>
            {
                self.world().log().warn(format_args!("nothing to let go off EC2: {error}"));
                Ok(Ending::NothingHere)
            }
            Err(error) if strict => Err(error),
            Err(error) => Ok(Ending::MayBeHere(error)),
        }
    }

    /// Returns whether the metadata service answers, also when the time is up.
    async fn has_metadata(&self) -> bool {
        let look = self.deadline().for_last_look();
        matches!(look.bound(self.world().imds().instance_id()).await, Ok(Ok(_)))
    }
}

/// What a stop comes to that does not fail.
pub(super) enum Ending {
    /// The address is not here, as far as anybody says.
    Gone,
    /// This host is no EC2 instance.
    NothingHere,
    /// Nobody said whether it has gone.
    MayBeHere(Error),
}
