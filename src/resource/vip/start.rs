//! Holding the address: nothing is asked of EC2 where it is in place already; else it is taken.

use super::holding::Holding;
use super::place::Place;
use super::{Report, Vip, VipWorld};
use crate::cloud::Eni;
use crate::network::Device;
use crate::resource::error::Error;
use crate::state::{Phase, Volatile};

impl<W: VipWorld> Vip<'_, W> {
    /// Makes this node the holder, and returns when EC2 and the kernel show it.
    ///
    /// # Errors
    /// When it could not be taken, may not be taken, or never showed up here.
    pub(super) async fn start(&self, action: &'static str) -> Result<Report, Error> {
        let place = self.place(true).await?;
        let device = self.device_for(&place).await?;
        if !self.may_be_in_place(&place) {
            // What a takeover waits for is one round trip: the order goes out beside the look at who has the address.
            return self.take(action, &place, device.as_ref(), None).await;
        }
        match self.holding(&place.interface, &self.deadline).await {
            Ok(Holding::Ours(eni)) => {
                self.adopt(&place, device.as_ref(), Some(&eni)).await?;
                Ok(Report::Done)
            }
            Ok(holding) => self.take(action, &place, device.as_ref(), Some(holding)).await,
            // An outage of the API never takes down an address that works.
            Err(error) if error.is_silence() && place.shown == Some(true) => {
                self.world.log().warn(format_args!("started by the metadata service alone: {error}"));
                self.adopt(&place, device.as_ref(), None).await?;
                Ok(Report::Done)
            }
            Err(error) => Err(Error::Ec2(error)),
        }
    }

    /// Returns whether the address may be this node's in EC2 already, so that an order would be one too many.
    fn may_be_in_place(&self, place: &Place) -> bool {
        match self.last_done().and_then(|record| record.phase) {
            // This node let it go and nothing was started since: what the metadata still shows is old.
            Some(Phase::Stopped | Phase::Stopping) if self.is_settling() => false,
            Some(Phase::Started | Phase::Starting) if self.is_settling() => true,
            _ => place.shown == Some(true),
        }
    }

    async fn adopt(&self, place: &Place, device: Option<&Device>, eni: Option<&Eni>) -> Result<(), Error> {
        let known = self.devices_with_it().await.is_ok_and(|devices| !devices.is_empty());
        self.put_on_device(place, device).await?;
        if !known {
            self.announce(device);
        }
        self.world.log().info(format_args!("{} is on {} already", self.params.address, place.interface));
        self.record(Phase::Started, |record| place.note(record));
        self.remember_region().await;
        let public_ip =
            eni.and_then(|eni| eni.address(self.params.address)).and_then(|address| address.public_ip);
        self.tell_travellers(place, public_ip).await;
        Ok(())
    }
}

impl Place {
    /// Notes the place in a record.
    pub(super) fn note(&self, record: &mut Volatile) {
        record.instance.clone_from(&self.instance);
        record.interface = Some(self.interface.clone());
        record.mac = self.mac;
        record.private_ip_of_interface = self.own_ip;
        record.subnet = self.subnet.as_ref().map(|subnet| subnet.id.clone());
        record.cidr = self.subnet.as_ref().map(|subnet| subnet.cidr.to_string());
    }
}
