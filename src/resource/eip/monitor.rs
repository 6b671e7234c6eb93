//! Saying whether the address is here while the resource runs: what the two witnesses are asked of an Elastic IP.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::holding::Holding;
use super::{Eip, Report, World};
use crate::base::deadline::Deadline;
use crate::base::retry;
use crate::cloud::{Address, Ec2Fault, ImdsError};
use crate::resource::error::Error;
use crate::resource::evidence::{Asking, Evidence, Seen, Subject};

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
        match self.public_ip() {
            Some(public_ip) => self.known(public_ip).watch(level).await,
            None => self.monitor_by_ec2().await,
        }
    }

    /// Returns the action on an address that is known, for which the metadata service can be asked.
    pub(super) fn known(&self, public_ip: Ipv4Addr) -> KnownEip<'_, '_, W> {
        KnownEip { eip: self, public_ip }
    }

    /// Decides by EC2 alone: only an allocation is configured, and its address was never on record.
    async fn monitor_by_ec2(&self) -> Result<Report, Error> {
        let address = self.ask_ec2(&self.deadline).await?;
        // The address is on record now, so the metadata service can be asked for it.
        let known = self.known(address.public_ip);
        match known.look(&self.deadline).await {
            Ok(seen) => known.with_ec2(seen, Asking::Routine, &self.deadline).await,
            Err(error) => self.judge_without_imds(&address, error).map(|holding| self.report(&holding)),
        }
    }

    /// Asks EC2 who holds the address.
    pub(super) async fn holding(&self, until: &Deadline) -> Result<Holding, Error> {
        let (address, me) = tokio::join!(self.ask_ec2(until), until.bound(self.identity_once()));
        let address = address?;
        let error = match me {
            Ok(Ok(me)) => return Ok(me.judge(address.association.as_ref())),
            Ok(Err(error)) => error,
            Err(_) => ImdsError::cut_off("instance-id"),
        };
        let Err(unknown) = self.judge_without_imds(&address, error) else {
            return Ok(self.identity_without_imds().judge(address.association.as_ref()));
        };
        // Somebody holds it, and nothing but the metadata can say whether that is this node.
        let me = retry::until(
            until,
            self.params.timing.max_backoff,
            || ImdsError::cut_off("instance-id"),
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

    pub(super) fn report(&self, holding: &Holding) -> Report {
        match holding {
            Holding::Ours(_) => Report::Done,
            other => Report::NotHere(other.absence(&self.name())),
        }
    }
}

impl<W: World> Subject for Eip<'_, W> {
    type World = W;

    fn world(&self) -> &W {
        self.world
    }

    fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    fn max_backoff(&self) -> Duration {
        self.params.timing.max_backoff
    }

    fn name(&self) -> String {
        Eip::name(self)
    }

    fn is_settling(&self) -> bool {
        Eip::is_settling(self)
    }
}

/// One action on an Elastic IP whose address is known.
pub(super) struct KnownEip<'e, 'a, W: World> {
    eip: &'e Eip<'a, W>,
    public_ip: Ipv4Addr,
}

impl<W: World> Subject for KnownEip<'_, '_, W> {
    type World = W;

    fn world(&self) -> &W {
        self.eip.world
    }

    fn deadline(&self) -> &Deadline {
        &self.eip.deadline
    }

    fn max_backoff(&self) -> Duration {
        self.eip.params.timing.max_backoff
    }

    fn name(&self) -> String {
        self.public_ip.to_string()
    }

    fn is_settling(&self) -> bool {
        self.eip.is_settling()
    }
}

impl<W: World> Evidence for KnownEip<'_, '_, W> {
    async fn look_once(&self) -> Result<Seen, ImdsError> {
        self.eip.look_once(self.public_ip).await
    }

    async fn ask_ec2(&self, until: &Deadline) -> Result<Report, Error> {
        self.eip.holding(until).await.map(|holding| self.eip.report(&holding))
    }

    async fn ask_ec2_by_record(&self) -> Result<Report, Error> {
        let address = self.eip.ask_ec2(&self.eip.deadline).await?;
        Ok(self.eip.report(&self.eip.identity_without_imds().judge(address.association.as_ref())))
    }

    fn is_on_record(&self) -> bool {
        self.eip.identity_without_imds().is_known()
    }

    fn is_denial(error: &Error) -> bool {
        match error {
            Error::Ec2(error) => error.fault == Ec2Fault::Unknown,
            Error::Mismatch { .. } => true,
            _ => false,
        }
    }
}
