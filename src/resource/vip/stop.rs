//! Letting the address go: first the kernel's half, which always can be done, then EC2's. EC2 is told whose interface to take
//! it off, so that a peer that has it by then can't be robbed.
//!
//! Where EC2 stays silent, `on_stop` decides. A stop that fails makes Pacemaker fence the node, or block the resource; but a
//! fenced instance keeps its addresses, so fencing frees nothing, while the next start takes the address over anyway.

use std::cell::Cell;

use super::holding::Holding;
use super::{Report, Vip, VipWorld};
use crate::base::deadline::Deadline;
use crate::base::ids::{InstanceId, InterfaceId};
use crate::base::retry::{Backoff, Patience};
use crate::cloud::{Ec2Error, Ec2Fault, Eni, Imds as _, ImdsError, PrivateIps as _};
use crate::host::Host as _;
use crate::params::OnVipStop;
use crate::resource::error::Error;
use crate::resource::evidence::{Evidence as _, Seen};
use crate::resource::letting_go::{Ending, LettingGo};
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
        let outcome = self.let_go(trust_metadata, settling).await;
        match self.ending(outcome, self.params.on_stop == OnVipStop::Strict).await? {
            Ending::Gone => self.record(Phase::Stopped, |_| ()),
            Ending::NothingHere => {}
            Ending::MayBeHere(error) => {
                self.world.log().error(format_args!("{address} may still be assigned to this node: {error}"));
                // Not "stopped": the next start has to look whether the address is still here.
                self.record(Phase::Left, |_| ());
            }
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
            .call_ec2("UnassignPrivateIpAddresses", &self.deadline, async || {
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

    /// Returns which instance this node is, as the metadata service says, or else firmware or record.
    async fn own_instance(&self, until: &Deadline) -> Result<InstanceId, Error> {
        let error = match until.bound(self.world.imds().instance_id()).await {
            Ok(Ok(instance)) => return Ok(instance),
            Ok(Err(error)) => error,
            Err(_) => ImdsError::cut_off("instance-id"),
        };
        let recorded = || self.last_done().and_then(|record| record.instance);
        self.world.host().instance_id().or_else(recorded).ok_or(Error::Imds(error))
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
            if !backoff.pause(&until, Patience::Lasting).await {
                break shown;
            }
        };
        self.world.log().warn(format_args!("{} let go, but not confirmed: {shown}", self.params.address));
    }
}

impl<W: VipWorld> LettingGo for Vip<'_, W> {
    type Found = Eni;

    /// Asks for all interfaces of the instance, and names none: EC2 would refuse to tell of any where one has just been
    /// deleted.
    async fn find(&self, until: &Deadline) -> Result<Option<Eni>, Error> {
        let instance = self.own_instance(until).await?;
        let found = self
            .call_ec2("DescribeNetworkInterfaces", until, async || {
                self.world.ec2().interfaces_of(&instance).await
            })
            .await?;
        Ok(found.into_iter().find(|eni| self.has_it(eni)))
    }

    async fn is_in_sight(&self) -> bool {
        matches!(self.deadline.bound(self.look_once()).await, Ok(Ok(Seen::Here)))
    }

    /// What is an interface's own address does not count: it never was this resource's.
    async fn not_in_sight(&self) -> bool {
        let look = async {
            let imds = self.world.imds();
            for mac in imds.macs().await? {
                if imds.interface(mac).await?.private_ips.iter().skip(1).any(|ip| *ip == self.params.address)
                {
                    return Ok::<bool, ImdsError>(false);
                }
            }
            Ok(true)
        };
        matches!(self.deadline.for_last_look().bound(look).await, Ok(Ok(true)))
    }

    fn was_started(&self) -> bool {
        matches!(self.last_done().and_then(|record| record.phase), Some(Phase::Starting | Phase::Started))
    }

    fn was_ec2(&self) -> bool {
        Vip::was_ec2(self)
    }
}
