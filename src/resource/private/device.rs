//! The private address on a network device.

use super::{Location, Op, Private, PrivateWorld, Report};
use crate::base::ids::InterfaceId;
use crate::base::retry;
use crate::cloud::{Imds as _, ImdsError};
use crate::network::{Device, Network as _, NetworkError};
use crate::resource::error::Error;
use crate::resource::location::present;

impl<W: PrivateWorld> Op<'_, Private, W> {
    /// The device that gets the address; `None` with `add_to_device=false`.
    ///
    /// # Errors
    /// [`Error::NoDevice`] or [`Error::NoDeviceFor`] if there is none; [`Error::Label`] if the label is too long for it.
    pub(super) async fn device_for(&self, place: &Location) -> Result<Option<Device>, Error> {
        self.find_device(None, place, self.params.label.as_deref()).await
    }

    /// Adds the address to the device, unless a device has it already.
    pub(super) async fn put_on_device(&self, place: &Location, device: Option<&Device>) -> Result<(), Error> {
        let Some(device) = device else { return Ok(()) };
        let prefix = place.subnet.as_ref().map(|subnet| subnet.cidr.prefix_len());
        self.put_on(device, self.params.address.into(), prefix, self.params.label.as_deref()).await
    }

    /// Announces the address to the neighbours. Best effort: EC2 routes without it.
    pub(super) fn announce(&self, device: Option<&Device>) {
        let Some(device) = device else { return };
        if let Err(error) = self.world.host().announce(device, self.params.address) {
            self.world.log().warn(error);
        }
    }

    /// Removes the address from every device that has it, so that this node no longer responds to it, whatever EC2 does.
    pub(super) async fn take_off_devices(&self) -> Result<(), Error> {
        if !self.params.add_to_device {
            return Ok(());
        }
        let ip = self.params.address;
        let devices = self.devices_with_it().await?;
        if !devices.is_empty() && self.may_be_own_address().await {
            self.world
                .log()
                .error(format_args!("{ip} may be an interface's own address: left on its device"));
            return Ok(());
        }
        for device in devices {
            self.world.host().remove(&device, ip.into(), None).await?;
            self.world.log().debug(format_args!("{ip} removed from {}", device.name));
        }
        Ok(())
    }

    /// Whether the address may be the primary one of an interface of this node, so that removing it would cut the node off. A
    /// start has ruled that out; otherwise instance metadata has to.
    async fn may_be_own_address(&self) -> bool {
        if self.last_done().is_some_and(|record| record.interface.is_some()) {
            return false;
        }
        let until = self.deadline.fraction(4);
        let query = async || self.interface_of_its_own().await.map(|found| found.is_some());
        let cut_off = || ImdsError::cut_off("meta-data");
        retry::until(&until, self.params.timing.max_backoff, cut_off, query).await.unwrap_or(true)
    }

    /// The interface of this node whose primary address it is, according to instance metadata; usually `None`.
    pub(super) async fn interface_of_its_own(&self) -> Result<Option<InterfaceId>, ImdsError> {
        let imds = self.world.imds();
        for mac in imds.macs().await? {
            if let Some(interface) = present(imds.interface(mac).await)?
                && interface.private_ips.first() == Some(&self.params.address)
            {
                return Ok(Some(interface.id));
            }
        }
        Ok(None)
    }

    /// The devices that have the address, except the loopback.
    pub(super) async fn devices_with_it(&self) -> Result<Vec<Device>, NetworkError> {
        let mut devices = self.devices_with(self.params.address.into()).await?;
        devices.retain(|device| !device.loopback);
        Ok(devices)
    }

    /// Whether the host has the address, given that EC2 shows it here.
    pub(super) async fn on_device(&self) -> Result<Report, Error> {
        let address = self.params.address;
        let with_it = if self.params.add_to_device { self.devices_with_it().await? } else { Vec::new() };
        if !self.params.add_to_device || with_it.iter().any(|device| device.answers_for(address.into())) {
            return Ok(Report::Done);
        }
        Ok(Report::NotHere(match with_it.first() {
            Some(device) => {
                format!("{address} is on this node according to EC2, but its device {} is down", device.name)
            }
            None => format!("{address} is on this node according to EC2, but on none of its network devices"),
        }))
    }
}
