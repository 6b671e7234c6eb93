//! The overlay address on a network device: without a subnet.

use super::{Overlay, OverlayWorld};
use crate::cloud::ec2::routes::host_prefix;
use crate::network::{AddressEntry, Device, Network as _};
use crate::resource::Report;
use crate::resource::error::Error;
use crate::resource::kind::{Location, Op};
use crate::state::{Phase, Records as _};

impl<W: OverlayWorld> Op<'_, Overlay, W> {
    /// The device that gets the address; `None` with `add_to_device=false`.
    ///
    /// # Errors
    /// As [`Op::find_device`]; [`Error::NoIpv6`] before the routes lead to a node that could not respond.
    pub(super) async fn device_for(&self, place: &Location) -> Result<Option<Device>, Error> {
        match self.find_device(place).await? {
            Some(device) if self.params.address.is_ipv6() && !device.ipv6 => Err(Error::NoIpv6(device.name)),
            device => Ok(device),
        }
    }

    /// Whether a device of this node answers for the address.
    pub(super) async fn on_device(&self) -> Result<Report, Error> {
        let address = self.params.address;
        if !self.params.add_to_device {
            // Its routes stay when it is stopped, and no device shows that it was.
            let stopped = self.last_done().is_some_and(|record| record.phase == Some(Phase::Left));
            let why = || Report::NotHere(format!("{address} was stopped on this node; its routes stay"));
            return Ok(if stopped { why() } else { Report::Done });
        }
        let having = self.devices_with(address).await?;
        if having.iter().any(|device| device.answers_for(address)) {
            return Ok(Report::Done);
        }
        Ok(Report::NotHere(match having.first() {
            Some(device) if device.up => {
                format!("another machine has {address} too, as {} found", device.name)
            }
            Some(device) => format!("{address} is on {}, which is down", device.name),
            None => format!("{address} is on none of this node's network devices"),
        }))
    }

    /// Removes the entry that belongs to this resource: the one for a single address, with its label on any device, or on the device of its
    /// record, and of no other resource. [overlay-4]
    pub(super) async fn take_off_devices(&self) -> Result<(), Error> {
        if !self.params.add_to_device {
            return Ok(());
        }
        let ip = self.params.address;
        let record = self.last_done().and_then(|record| record.overlay().cloned());
        let recorded = |device: &Device| {
            let added = record.as_ref().filter(|record| record.added != Some(false));
            added.is_some_and(|added| added.device.map_or(!device.loopback, |index| index == device.index))
        };
        let shared = self.runs_as_another_resource();
        for device in self.devices_with(ip).await? {
            let label = self.params.label.as_ref().map(|label| format!("{}:{label}", device.name));
            let is_ours = |entry: &AddressEntry| {
                entry.prefix == host_prefix(ip)
                    && (recorded(&device) || (label.is_some() && entry.label == label))
            };
            for entry in device.addresses.iter().filter(|entry| entry.ip == ip) {
                let (name, prefix) = (&device.name, entry.prefix);
                if shared.is_none() && is_ours(entry) {
                    self.world.host().remove(&device, ip, Some(prefix)).await?;
                    self.log().debug(format_args!("{ip}/{prefix} removed from {name}"));
                    continue;
                }
                let whose = shared.as_ref().map_or_else(
                    || "this resource did not add it".to_owned(),
                    |other| format!("resource {other} uses it"),
                );
                self.log().error(format_args!("{ip}/{prefix} left on {name}: {whose}"));
            }
        }
        if shared.is_none() {
            self.update_record(|record| record.added = Some(false));
        }
        Ok(())
    }

    /// The name of another resource of this node that runs with the same address.
    fn runs_as_another_resource(&self) -> Option<String> {
        let others = self.records().others().into_iter();
        let mut running = others.filter(|(_, records)| {
            let record = records.volatile();
            let same = record.overlay().is_some_and(|overlay| overlay.overlay_ip == self.params.address);
            same && self.runs(&record)
        });
        running.next().map(|(name, _)| name)
    }
}
