//! Letting the address go: first the kernel's half, which always can be done, then EC2's. EC2 is told whose interface to take
//! it off, so that a peer that has it by then can't be robbed.
//!
//! Where EC2 stays silent, `on_stop` decides. A stop that fails makes Pacemaker fence the node, or block the resource; but a
//! fenced instance keeps its addresses, so fencing frees nothing, while the next start takes the address over anyway.

use std::cell::Cell;

use super::holding::Holding;
use super::place::Seen;
use super::{Report, Vip, VipWorld};
use crate::cloud::{Ec2Error, Ec2Fault, Eni, PrivateIps as _};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::ids::InterfaceId;
use crate::params::OnVipStop;
use crate::resource::eip::{is_silence, silent};
use crate::retry::{self, Backoff, Patience};
use crate::state::Phase;

impl<W: VipWorld> Vip<'_, W> {
    /// Makes sure that this node does not hold the address, as far as `on_stop` asks for it.
    ///
    /// # Errors
    /// Where the kernel refuses; where EC2 refuses, or stays silent and `on_stop=strict`.
    pub(super) async fn stop(&self) -> Result<Report, Error> {
        let address = self.params.address;
        // A kernel that refuses is no reason to keep the address in EC2 too.
        let device = self.take_off_devices().await;
        if self.params.on_stop == OnVipStop::Leave {
            self.record(Phase::Left, |_| ());
            self.world.log().info(format_args!("{address} left on its interface (on_stop=leave)"));
            return device.map(|()| Report::Done);
        }
        // Asked before the record is changed: a stop changes what "settling" means.
        let settling = self.is_settling();
        let trust_metadata = self.params.on_stop != OnVipStop::Strict || !settling;
        match self.let_go(trust_metadata, settling).await {
            Ok(()) => self.record(Phase::Stopped, |_| ()),
            Err(error) if is_silence(&error) && self.is_off_ec2() && !self.has_metadata().await => {
                self.world.log().warn(format_args!("nothing to let go off EC2: {error}"));
            }
            Err(error) if is_silence(&error) && self.params.on_stop != OnVipStop::Strict => {
                self.world.log().error(format_args!("{address} may still be assigned to this node: {error}"));
                // Not "stopped": the next start has to look whether the address is still here.
                self.record(Phase::Left, |_| ());
            }
            Err(error) => return Err(error),
        }
        device.map(|()| Report::Done)
    }

    async fn let_go(&self, trust_metadata: bool, settling: bool) -> Result<(), Error> {
        let Some(eni) = self.held_here(trust_metadata, settling).await? else {
            return Ok(());
        };
        let address = self.params.address;
        self.record(Phase::Stopping, |_| ());
        if let Some(public_ip) = eni.address(address).and_then(|address| address.public_ip) {
            self.world.log().warn(format_args!(
                "Elastic IP {public_ip} on {address} is disassociated by this; on_stop=leave or a migration keeps it on"
            ));
        }
        let answer_lost = Cell::new(false);
        // Sent again after a lost answer it can only mean the same interface.
        let unassigned = self
            .ask_ec2("UnassignPrivateIpAddresses", &self.deadline, async || {
                let outcome = self.world.ec2().unassign(&eni.id, address).await;
                answer_lost.set(answer_lost.get() || outcome.as_ref().is_err_and(Ec2Error::may_have_worked));
                outcome
            })
            .await;
        match unassigned {
            Ok(()) => self.confirm_gone(&eni.id).await,
            Err(error) if error.fault == Ec2Fault::AssociationGone => {
                if !answer_lost.get() {
                    self.world.log().info(format_args!("{address} was off {} already", eni.id));
                    return Ok(());
                }
            }
            Err(error) if error.is_silence() && trust_metadata && self.not_in_sight().await => {}
            Err(error) => return Err(Error::Ec2(error)),
        }
        let from = Holding::Ours(eni).holder();
        self.made("stop", from, "nobody".to_owned(), &[("in all", self.deadline.elapsed())]);
        Ok(())
    }

    /// Returns the interface of this instance that has the address; nothing where none has.
    async fn held_here(&self, trust_metadata: bool, settling: bool) -> Result<Option<Eni>, Error> {
        let started = matches!(
            self.last_done().and_then(|record| record.phase),
            Some(Phase::Starting | Phase::Started)
        );
        let brief = self.deadline.fraction(2).within(retry::BRIEF);
        let mut backoff = Backoff::new(self.params.timing.max_backoff);
        let quarter = self.deadline.fraction(4);
        let mut until = quarter;
        loop {
            let error = match self.found_here(&until).await {
                Ok(Some(eni)) => return Ok(Some(eni)),
                // Right after a start EC2 may answer with what was before; the metadata can tell.
                Ok(None) if started && settling && self.is_in_sight().await && !quarter.is_over() => {
                    if quarter.pause(backoff.next(Patience::Lasting)).await {
                        continue;
                    }
                    return Ok(None);
                }
                Ok(None) => return Ok(None),
                Err(error) => error,
            };
            let not_here = |error: &Error| {
                let address = self.params.address;
                self.world.log().warn(format_args!("{address} is not here by the metadata service; {error}"));
                Ok(None)
            };
            match &error {
                Error::Ec2(cause) if cause.is_silence() => {
                    if trust_metadata && self.not_in_sight().await {
                        return not_here(&error);
                    }
                    // The peer may take it over meanwhile, which the metadata then shows.
                    if cause.fault == Ec2Fault::Setup
                        || !self.deadline.pause(backoff.next(Patience::Lasting)).await
                    {
                        return Err(error);
                    }
                    until = self.deadline.within(self.deadline.budget() / 8);
                }
                // Right after a change the metadata may be wrong, and EC2 has not been asked in vain but refused.
                Error::Ec2(_) if !settling && self.not_in_sight().await => return not_here(&error),
                // A fresh role needs some seconds before its credentials are accepted.
                Error::Ec2(cause) if cause.fault == Ec2Fault::Credentials && !brief.is_over() => {
                    if !brief.pause(backoff.next(Patience::Brief)).await {
                        return Err(error);
                    }
                }
                Error::Imds(_) if self.deadline.pause(backoff.next(Patience::Lasting)).await => {
                    until = self.deadline.within(self.deadline.budget() / 8);
                }
                _ => return Err(error),
            }
        }
    }

    /// Asks EC2 which interface of this instance has the address, as a secondary one.
    async fn found_here(&self, until: &Deadline) -> Result<Option<Eni>, Error> {
        let ids: Vec<InterfaceId> = match until.bound(self.own_interfaces_once()).await {
            Ok(Ok(ids)) => ids,
            other => match (self.remembered_place(), other) {
                (Some(place), _) => vec![place.interface],
                (None, Ok(Err(error))) => return Err(Error::Imds(error)),
                (None, _) => return Err(Error::Imds(silent("meta-data"))),
            },
        };
        let found =
            self.ask_ec2("DescribeNetworkInterfaces", until, async || self.describe(&ids).await).await?;
        Ok(found.into_iter().find(|eni| ids.contains(&eni.id) && self.has_it(eni)))
    }

    /// Returns whether the metadata service says that the address is in its place.
    async fn is_in_sight(&self) -> bool {
        matches!(self.deadline.bound(self.look_once()).await, Ok(Ok(Seen::Here)))
    }

    /// Waits until EC2 shows the interface without the address. EC2 has taken the order, so its silence is no failure.
    async fn confirm_gone(&self, interface: &InterfaceId) {
        let until: Deadline = self.deadline.within(self.deadline.budget() / 4);
        let mut backoff = Backoff::new(self.params.timing.max_backoff);
        let ids = std::slice::from_ref(interface);
        let shown = loop {
            let shown = match until.bound(self.describe(ids)).await {
                Ok(Ok(found)) if !found.iter().any(|eni| self.has_it(eni)) => return,
                Ok(Ok(_)) => format!("EC2 still shows it on {interface}"),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer in time".to_owned(),
            };
            if !until.pause(backoff.next(Patience::Lasting)).await {
                break shown;
            }
        };
        self.world.log().warn(format_args!("{} let go, but not confirmed: {shown}", self.params.address));
    }
}
