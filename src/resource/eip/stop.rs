//! Letting the address go: exactly the association that was just seen here, so that a peer's newer one can't be removed.
//!
//! Where EC2 stays silent, `on_stop` decides. A stop that fails makes Pacemaker fence the node, or block the resource; but a
//! fenced instance keeps its association, so fencing frees nothing, while the next start takes the address over anyway.

use std::cell::Cell;
use std::time::Duration;

use super::holding::{Holding, Identity};
use super::journal::Made;
use super::{Eip, Report, Seen, World};
use crate::base::deadline::Deadline;
use crate::base::retry::{self, Backoff, Patience};
use crate::cloud::{Address, Association, Ec2 as _, Ec2Error, Ec2Fault, ImdsError};
use crate::params::OnStop;
use crate::resource::error::Error;
use crate::resource::letting_go::{Ending, LettingGo};
use crate::state::Phase;

/// The longest that a stop takes for the addresses that ours had pushed off.
const PUTTING_BACK: Duration = Duration::from_secs(2);

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
        let settling = self.is_settling();
        let trust_metadata = self.params.on_stop != OnStop::Strict || !settling;
        let outcome = self.let_go(trust_metadata, settling).await;
        match self.ending(outcome, self.params.on_stop == OnStop::Strict).await? {
            Ending::Gone => {
                self.record(Phase::Stopped, |record| record.association = None);
                // The cluster waits for this before it starts the address elsewhere; what is not put back now is kept.
                self.put_back_displaced(&self.deadline.within(PUTTING_BACK)).await;
            }
            Ending::NothingHere => {}
            Ending::MayBeHere(error) => {
                let text = format!("{} may still be associated with this node: {error}", self.name());
                self.world.log().error(&text);
                // Not "stopped": the next start has to look whether the address is still here.
                self.record(Phase::Left, |_| ());
            }
        }
        Ok(Report::Done)
    }

    async fn let_go(&self, trust_metadata: bool, settling: bool) -> Result<(), Error> {
        let Some((address, association)) = self.held_here(trust_metadata, settling).await? else {
            return Ok(());
        };
        self.record(Phase::Stopping, |_| ());
        let answer_lost = Cell::new(false);
        let disassociated = retry::until(
            &self.deadline,
            self.params.timing.max_backoff,
            || Ec2Error::cut_off("DisassociateAddress", &association.id),
            // Sent again after a lost answer it can only end the same association: a newer one has another id.
            async || {
                let outcome = self.world.ec2().disassociate(&association.id).await;
                answer_lost.set(answer_lost.get() || outcome.as_ref().is_err_and(Ec2Error::may_have_worked));
                outcome
            },
        )
        .await;
        match disassociated {
            Ok(()) => self.confirm_gone(&association).await,
            Err(error) if error.fault == Ec2Fault::AssociationGone => {
                if !answer_lost.get() {
                    self.world.log().info(format_args!("{} had ended already", association.id));
                    return Ok(());
                }
            }
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
        Ok(())
    }

    /// Returns who holds the address, asking the metadata service who this node is where EC2's answer needs it.
    pub(super) async fn judge_for_stop(&self, address: &Address) -> Result<Holding, Error> {
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
            || ImdsError::cut_off("instance-id"),
            async || self.identity_once().await,
        )
        .await?;
        Ok(me.judge(Some(association)))
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
            if !backoff.pause(&until, Patience::Lasting).await {
                break shown;
            }
        };
        self.world.log().warn(format_args!("{} let go, but not confirmed: {shown}", self.name()));
    }
}

impl<W: World> LettingGo for Eip<'_, W> {
    type Found = (Address, Association);

    async fn find(&self, until: &Deadline) -> Result<Option<Self::Found>, Error> {
        let address = match self.ask_ec2(until).await {
            // An address the account does not have is held by nobody in it.
            Err(Error::Ec2(cause)) if cause.fault == Ec2Fault::Unknown => return Ok(None),
            other => other?,
        };
        Ok(match self.judge_for_stop(&address).await? {
            Holding::Ours(association) | Holding::Misplaced(association) => Some((address, association)),
            Holding::Elsewhere(_) | Holding::Nobody => None,
        })
    }

    async fn is_in_sight(&self) -> bool {
        let Some(public_ip) = self.public_ip() else {
            return false;
        };
        matches!(self.deadline.bound(self.look_once(public_ip)).await, Ok(Ok(Seen::Here)))
    }

    async fn not_in_sight(&self) -> bool {
        let Some(public_ip) = self.public_ip() else {
            return false;
        };
        let look = self.deadline.for_last_look();
        matches!(look.bound(self.is_nowhere_here(public_ip)).await, Ok(Ok(true)))
    }

    fn was_started(&self) -> bool {
        matches!(self.last_done().and_then(|record| record.phase), Some(Phase::Starting | Phase::Started))
    }

    fn was_ec2(&self) -> bool {
        Eip::was_ec2(self)
    }
}
