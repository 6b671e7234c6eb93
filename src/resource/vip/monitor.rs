//! Saying whether the address is here while the resource runs: in EC2, and on a network device. Here is what the two witnesses
//! of EC2's half are asked of a secondary private address.

use super::holding::Holding;
use super::{Report, Vip, VipWorld};
use crate::base::deadline::Deadline;
use crate::base::ids::InterfaceId;
use crate::cloud::{Ec2Fault, Imds as _, ImdsError};
use crate::resource::error::Error;
use crate::resource::evidence::{Evidence, Seen};
use crate::resource::interface;

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
        match self.watch(level).await? {
            Report::Done => self.on_device().await,
            other @ Report::NotHere(_) => Ok(other),
        }
    }

    /// Asks EC2 who has the address; which interface is meant says the metadata service, or the record.
    async fn holding_now(&self, until: &Deadline) -> Result<Holding, Error> {
        let chosen = async {
            let mac = interface::find_mac(self.world, &self.params.interface).await?;
            Ok::<InterfaceId, Error>(self.world.imds().interface(mac).await?.id)
        };
        let remembered = || self.remembered_place().map(|place| place.interface);
        let interface = match until.bound(chosen).await {
            Ok(Ok(interface)) => interface,
            Ok(Err(error)) => remembered().ok_or(error)?,
            Err(_) => remembered().ok_or_else(|| ImdsError::cut_off("meta-data"))?,
        };
        Ok(self.holding(&interface, until).await?)
    }

    fn report(&self, holding: &Holding) -> Report {
        match holding {
            Holding::Ours(_) => Report::Done,
            other => Report::NotHere(self.absence(other)),
        }
    }
}

impl<W: VipWorld> Evidence for Vip<'_, W> {
    /// In the plainest set-up that is a token, the primary interface, and two questions about it at once.
    async fn look_once(&self) -> Result<Seen, ImdsError> {
        let address = self.params.address;
        let absent = |error: Error| match error {
            Error::Imds(error) => Err(error),
            other => Ok(Seen::NotHere(other.to_string())),
        };
        let mac = match interface::find_mac(self.world, &self.params.interface).await {
            Ok(mac) => mac,
            Err(error) => return absent(error),
        };
        let interface = match self.world.imds().interface(mac).await {
            Err(ImdsError::Absent { .. }) => return absent(Error::NoInterface(mac.to_string())),
            other => other?,
        };
        let place = interface.private_ips.iter().position(|ip| *ip == address);
        Ok(match place {
            Some(0) => Seen::NotHere(format!("{address} is the primary address of {}", interface.id)),
            Some(_) => Seen::Here,
            None => Seen::NotHere(format!("{address} is not on {} of this node", interface.id)),
        })
    }

    async fn ask_ec2(&self, until: &Deadline) -> Result<Report, Error> {
        match self.holding_now(until).await {
            Ok(holding) => Ok(self.report(&holding)),
            // What is not there has no address, whatever EC2 would say.
            Err(error @ (Error::NoInterface(_) | Error::NoDevice(_))) => {
                Ok(Report::NotHere(error.to_string()))
            }
            Err(error) => Err(error),
        }
    }

    async fn ask_ec2_by_record(&self) -> Result<Report, Error> {
        let Some(place) = self.remembered_place() else {
            return Err(ImdsError::cut_off("meta-data").into());
        };
        Ok(self.report(&self.holding(&place.interface, &self.deadline).await?))
    }

    fn is_on_record(&self) -> bool {
        self.remembered_place().is_some()
    }

    fn is_denial(error: &Error) -> bool {
        matches!(error, Error::Ec2(error) if error.fault == Ec2Fault::Target)
    }
}
