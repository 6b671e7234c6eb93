//! Letting the address go: exactly the association that was just seen here, so that a peer's newer one can't be removed.
//!
//! Where EC2 stays silent, `on_stop` decides. A stop that fails makes Pacemaker fence the node, or block the resource; but a
//! fenced instance keeps its association, so fencing frees nothing, while the next start takes the address over anyway.

use super::holding::{Holding, Identity};
use super::journal::Made;
use super::place::Seen;
use super::{Eip, Report, World, is_silence};
use crate::cloud::{Address, Association, Ec2 as _, Ec2Error, Ec2Fault};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::params::OnStop;
use crate::retry::{self, Backoff, Patience};
use crate::state::Phase;

impl<W: World> Eip<'_, W> {
    /// Makes sure that this node does not hold the address, as far as `on_stop` asks for it.
    ///
    /// # Errors
    /// Where EC2 refuses, or stays silent and `on_stop=strict`.
    pub(super) async fn stop(&self) -> Result<Report, Error> {
        if self.params.on_stop == OnStop::Leave {
            self.record(Phase::Left, |_| ());
            self.world.log().info(format_args!("{} left where it is (on_stop=leave)", self.name()));
            return Ok(Report::Done);
        }
        // Asked before the record is changed: a stop changes what "settling" means.
        let trust_metadata = self.params.on_stop != OnStop::Strict || !self.is_settling();
        let outcome = self.let_go(trust_metadata).await;
        let outcome = match outcome {
            Err(error) if self.params.on_stop != OnStop::Strict && is_silence(&error) => {
                let text = format!("{} may still be associated with this node: {error}", self.name());
                self.world.log().error(&text);
                Ok(Report::Done)
            }
            other => other,
        };
        if outcome.is_ok() {
            self.record(Phase::Stopped, |record| record.association = None);
            self.put_back_displaced(&self.deadline.within(self.deadline.budget() / 4)).await;
        }
        outcome
    }

    async fn let_go(&self, trust_metadata: bool) -> Result<Report, Error> {
        let Some((address, association)) = self.held_here(trust_metadata).await? else {
            return Ok(Report::Done);
        };
        self.record(Phase::Stopping, |_| ());
        let disassociated = retry::until(
            &self.deadline,
            self.params.timing.max_backoff,
            || Ec2Error::cut_off("DisassociateAddress", &association.id),
            // Sent again after a lost answer it can only end the same association: a newer one has another id.
            async || self.world.ec2().disassociate(&association.id).await,
        )
        .await;
        match disassociated {
            Ok(()) => self.confirm_gone(&association).await,
            Err(error) if error.fault == Ec2Fault::AssociationGone => {}
            Err(error) => {
                // Losing the address can cut this node off from EC2, the answer included.
                let gone = error.is_silence() && trust_metadata && self.not_in_sight().await;
                if !gone {
                    return Err(Error::Ec2(error));
                }
            }
        }
        self.made(Made {
            action: "stop",
            from: Holding::Ours(association.clone()).holder(),
            to: "nobody".to_owned(),
            association: Some(association.id),
            phases: vec![("in all", self.deadline.elapsed())],
        });
        self.world.log().debug(format_args!("{} let go", address.public_ip));
        Ok(Report::Done)
    }

    /// Returns the association if this instance holds the address; nothing where it does not.
    async fn held_here(&self, trust_metadata: bool) -> Result<Option<(Address, Association)>, Error> {
        let mut backoff = Backoff::new(self.params.timing.max_backoff);
        let quarter = self.deadline.fraction(4);
        let mut until = quarter;
        loop {
            let error = match self.ask_ec2(&until).await {
                Ok(address) => match self.judge_for_stop(&address).await? {
                    Holding::Ours(association) | Holding::Misplaced(association) => {
                        return Ok(Some((address, association)));
                    }
                    Holding::Elsewhere(_) | Holding::Nobody => return Ok(None),
                },
                Err(error) => error,
            };
            match &error {
                // An address the account does not have is held by nobody in it.
                Error::Ec2(cause) if cause.fault == Ec2Fault::Unknown => return Ok(None),
                Error::Ec2(cause) if cause.is_silence() => {
                    if trust_metadata && self.not_in_sight().await {
                        let name = self.name();
                        self.world
                            .log()
                            .warn(format_args!("{name} is not here by the metadata service; {error}"));
                        return Ok(None);
                    }
                    // The peer may take it over meanwhile, which the metadata then shows.
                    if cause.fault == Ec2Fault::Setup
                        || !self.deadline.pause(backoff.next(Patience::Lasting)).await
                    {
                        return Err(error);
                    }
                    until = self.deadline.within(self.deadline.budget() / 8);
                }
                Error::Ec2(_) if self.not_in_sight().await => return Ok(None),
                _ => return Err(error),
            }
        }
    }

    /// Returns who holds the address, asking the metadata service who this node is where EC2's answer needs it.
    async fn judge_for_stop(&self, address: &Address) -> Result<Holding, Error> {
        let Some(association) = &address.association else {
            return Ok(Holding::Nobody);
        };
        let me = match self.deadline.bound(self.identity_once()).await {
            Ok(Ok(me)) => me,
            Ok(Err(_)) | Err(_) => self.identity_without_imds(),
        };
        if me.is_known() {
            return Ok(me.judge(Some(association)));
        }
        let me: Identity = retry::until(
            &self.deadline,
            self.params.timing.max_backoff,
            || silent("instance-id"),
            async || self.identity_once().await,
        )
        .await?;
        Ok(me.judge(Some(association)))
    }

    /// Returns whether the metadata service says that the address is not here.
    async fn not_in_sight(&self) -> bool {
        let Some(public_ip) = self.public_ip() else {
            return false;
        };
        matches!(self.deadline.bound(self.look_once(public_ip)).await, Ok(Ok(Seen::NotHere(_))))
    }

    /// Waits until EC2 shows that the association has ended. EC2 has taken the order, so its silence is no failure.
    async fn confirm_gone(&self, association: &Association) {
        let until: Deadline = self.deadline.within(self.deadline.budget() / 4);
        let mut backoff = Backoff::new(self.params.timing.max_backoff);
        let shown = loop {
            let shown = match self.ask_ec2(&until).await {
                Ok(address) if address.association.as_ref().is_none_or(|now| now.id != association.id) => {
                    return;
                }
                Ok(_) => format!("EC2 still shows {}", association.id),
                Err(error) => error.to_string(),
            };
            if !until.pause(backoff.next(Patience::Lasting)).await {
                break shown;
            }
        };
        self.world.log().warn(format_args!("{} let go, but not confirmed: {shown}", self.name()));
    }
}

fn silent(path: &str) -> crate::cloud::ImdsError {
    crate::cloud::ImdsError::Silent { path: path.to_owned(), answer: "no answer in time".to_owned() }
}
