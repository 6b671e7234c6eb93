//! The private address on a network device.

use super::{Op, Private, PrivateWorld, Report};
use crate::base::ids::InterfaceId;
use crate::cloud::{Imds as _, ImdsError, Interface};
use crate::network::{Device, Network as _, NetworkError};
use crate::resource::error::Error;
use crate::resource::location::of_each_interface;

impl<W: PrivateWorld> Op<'_, Private, W> {
    /// Removes the address from every device that has it, so that this node no longer responds to it, whatever EC2 does.
    pub(super) async fn take_off_devices(&self) -> Result<(), Error> {
        if !self.params.add_to_device {
            return Ok(());
        }
        let ip = self.params.address;
        let devices = self.devices_with_it().await?;
        if !devices.is_empty() && self.may_be_own_address().await {
            self.log().error(format_args!("{ip} may be an interface's own address: left on its device"));
            return Ok(());
        }
        for device in devices {
            self.world.host().remove(&device, ip.into(), None).await?;
            self.log().debug(format_args!("{ip} removed from {}", device.name));
        }
        Ok(())
    }

    /// Whether the address may be the primary one of an interface of this node, so that removing it would cut the node off. A
    /// start has ruled that out; otherwise instance metadata has to.
    async fn may_be_own_address(&self) -> bool {
        if self.last_done().is_some_and(|record| record.interface.is_some()) {
            return false;
        }
        let query = async || self.interface_of_its_own().await;
        !matches!(self.query(&self.deadline.fraction(4), query).await, Ok(None))
    }

    /// The interface of this node whose primary address it is, according to instance metadata; usually `None`.
    pub(super) async fn interface_of_its_own(&self) -> Result<Option<InterfaceId>, ImdsError> {
        let interfaces = of_each_interface(self.world.imds(), W::Imds::interface).await?;
        let is_own = |it: &Interface| it.private_ips.first() == Some(&self.params.address);
        Ok(interfaces.into_iter().find(is_own).map(|interface| interface.id))
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
