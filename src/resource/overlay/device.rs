//! The overlay address on a network device: without a subnet.

use super::{Overlay, OverlayWorld, Paths};
use crate::cloud::ec2::routes::host_prefix;
use crate::network::{AddressEntry, Device, Network as _};
use crate::resource::Report;
use crate::resource::error::Error;
use crate::resource::kind::{Holder as _, Location, Op};
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

    /// Removes the entries that belong to this resource. [overlay-4]
    pub(super) async fn take_off_devices(&self) -> Result<(), Error> {
        if !self.params.add_to_device {
            return Ok(());
        }
        let ip = self.params.address;
        let shared = self.running_with_it().into_iter().next().map(|(name, _)| name);
        let mut left = None;
        for device in self.devices_with(ip).await? {
            for entry in device.addresses.iter().filter(|entry| entry.ip == ip) {
                let (name, prefix) = (&device.name, entry.prefix);
                if shared.is_none() && self.owns(&device, entry) {
                    self.world.host().remove(&device, ip, Some(prefix)).await?;
                    self.log().debug(format_args!("{ip}/{prefix} removed from {name}"));
                    continue;
                }
                let whose = shared.as_ref().map_or_else(
                    || "this resource did not add it".to_owned(),
                    |other| format!("resource {other} uses it"),
                );
                self.log().error(format_args!("{ip}/{prefix} left on {name}: {whose}"));
                left = Some(device.index);
            }
        }
        if shared.is_none() {
            self.update_record(|record| (record.added, record.device) = (Some(false), left));
        }
        Ok(())
    }

    /// Whether a stop would remove an entry of the address from this device.
    pub(super) fn removes_from(&self, device: &Device) -> bool {
        let mut entries = device.addresses.iter().filter(|entry| entry.ip == self.params.address);
        self.running_with_it().is_empty() && entries.any(|entry| self.owns(device, entry))
    }

    /// Whether an entry belongs to this resource: it is one for a single address, with the resource's label, or on the device of its
    /// record.
    fn owns(&self, device: &Device, entry: &AddressEntry) -> bool {
        let record = self.last_done().and_then(|record| record.overlay().cloned());
        let recorded = record
            .filter(|record| record.added != Some(false))
            .is_some_and(|record| record.device.map_or(!device.loopback, |index| index == device.index));
        let label = self.params.label.as_ref().map(|label| format!("{}:{label}", device.name));
        entry.prefix == host_prefix(entry.ip) && (recorded || (label.is_some() && entry.label == label))
    }

    /// Makes an address that EC2 shows here, at least in part, this resource's own: another agent, a person or a resource of another name
    /// put it here, or the record was lost. What the last stop left to its owner stays the owner's. [overlay-10]
    pub(super) async fn adopt_found(&self, place: &Location, shown: &Paths) -> Result<(), Error> {
        let record = self.last_done();
        if record.as_ref().is_some_and(|record| self.runs(record)) {
            return Ok(());
        }
        let left = record.as_ref().and_then(|record| record.overlay()?.device);
        let configured =
            |device: &Device| self.params.device.as_ref().is_some_and(|name| device.is_called(name));
        let mut devices = self.devices_with(self.params.address).await?;
        devices.retain(|device| {
            device.answers_for(self.params.address)
                && left != Some(device.index)
                && (!device.loopback || configured(device))
        });
        let device = devices.iter().find(|device| configured(device)).or(devices.first());
        if device.is_none() && record.is_some() {
            return Ok(());
        }
        for (_, other) in self.running_with_it() {
            other.update_volatile(|record| record.phase = Some(Phase::Left));
        }
        self.record_at(Phase::Started, place, |record| {
            if !shown.marks().is_empty() {
                // The other holders are no late answer about a call of this node.
                record.marks = vec![String::new()];
            }
        });
        self.update_record(|record| {
            (record.added, record.device) = (Some(device.is_some()), device.map(|device| device.index));
        });
        Ok(())
    }

    /// The other records of this node that say that it runs with the same address: of resources, or of a claim by hand.
    fn running_with_it(&self) -> Vec<(String, W::Records)> {
        let mut others = self.records().others();
        others.retain(|(_, records)| {
            let record = records.volatile();
            let same = record.overlay().is_some_and(|overlay| overlay.overlay_ip == self.params.address);
            same && self.runs(&record)
        });
        others
    }
}
