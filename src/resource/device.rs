//! The address on a network device, for kinds that the host has too: which device gets it, and how.

use std::net::IpAddr;

use super::World;
use super::kind::{Common, Kind, Location, Op};
use crate::network::{Device, Network, NetworkError, NewAddress};
use crate::params::InterfaceSelector;
use crate::resource::error::Error;

/// Longest `DEVICE:LABEL`.
///
/// # Source
/// Linux, `include/uapi/linux/if.h`: `IFNAMSIZ` is 16, with the final zero byte.
const LONGEST_LABEL: usize = 15;

/// Name of the device, for a person.
// An examination passes what it found by reference.
#[allow(clippy::ref_option)]
pub(super) fn device_name(device: &Option<Device>) -> String {
    let name = device.as_ref().map(|device| device.name.as_str());
    name.unwrap_or("left alone (add_to_device=false)").to_owned()
}

impl<K: Kind<W>, W: World<Host: Network>> Op<'_, K, W> {
    /// The device of the interface, or the one configured by name; `None` with `add_to_device=false`.
    ///
    /// # Errors
    /// [`Error::NoDevice`] or [`Error::NoDeviceFor`] if there is none; [`Error::Label`] if the label is too long for it.
    pub(super) async fn find_device(&self, place: &Location) -> Result<Option<Device>, Error> {
        let Common { add_to_device, device, label, interface, .. } = self.common();
        if !add_to_device {
            return Ok(None);
        }
        let devices = self.world.host().devices().await?;
        let named = match (device, interface) {
            (None, InterfaceSelector::Device(name)) => Some(name.as_str()),
            (name, _) => name,
        };
        let chosen = match (named, place.mac) {
            (Some(name), _) => devices
                .into_iter()
                .find(|device| device.is_called(name))
                .ok_or_else(|| Error::NoDevice(name.to_owned()))?,
            (None, Some(mac)) => {
                let mut fitting = devices.into_iter().filter(|device| device.mac == Some(mac));
                let first = fitting.next().ok_or(Error::NoDeviceFor(mac))?;
                // A bridge or VLAN shares the hardware address of the device below it; the one in use has the interface's
                // address.
                let in_use = |device: &Device| place.private_ip.is_some_and(|ip| device.has(ip.into()));
                if in_use(&first) { first } else { fitting.find(in_use).unwrap_or(first) }
            }
            (None, None) => return Err(Error::UnknownDevice("network device")),
        };
        match label {
            Some(label) if chosen.name.len() + 1 + label.len() > LONGEST_LABEL => {
                Err(Error::Label { label: label.to_owned(), device: chosen.name })
            }
            _ => Ok(Some(chosen)),
        }
    }

    /// Adds an address to a device, unless another device answers for it already, which the loopback does not. Calls `note` before the
    /// address is on the device: the process may be killed in between.
    ///
    /// # Errors
    /// [`Error::UnknownDevice`] without a prefix length; [`Error::Network`] if the kernel refuses.
    pub(super) async fn put_on(
        &self,
        device: &Device,
        ip: IpAddr,
        prefix: Option<u8>,
        note: impl FnOnce(),
    ) -> Result<(), Error> {
        let having = self.devices_with(ip).await?;
        let answers = |other: &&Device| !other.loopback && other.answers_for(ip);
        let has_it = having.iter().any(|other| other.index == device.index);
        if let Some(other) = having.iter().find(answers).filter(|_| !has_it) {
            self.log().warn(format_args!("{ip} is already on {}, not added to {}", other.name, device.name));
            return Ok(());
        }
        note();
        if has_it && device.up {
            return Ok(());
        }
        let prefix = prefix.ok_or(Error::UnknownDevice("prefix length"))?;
        let label = self.common().label.map(|label| format!("{}:{label}", device.name));
        self.world.host().add(device, NewAddress { ip, prefix, label: label.as_deref() }).await?;
        self.log().debug(format_args!("{ip}/{prefix} added to {}", device.name));
        Ok(())
    }

    /// The devices that have the address, up or down.
    pub(super) async fn devices_with(&self, ip: IpAddr) -> Result<Vec<Device>, NetworkError> {
        let mut devices = self.world.host().devices().await?;
        devices.retain(|device| device.has(ip));
        Ok(devices)
    }

    /// Warns of devices that have the address though this node does not hold it: local traffic for it would stay on this node. A
    /// probe changes nothing; a stop removes it, if `removes` says so of the device.
    pub(super) fn report_leftovers(&self, devices: &[Device], why: &str, removes: impl Fn(&Device) -> bool) {
        for device in devices {
            let end = if removes(device) {
                "stopping the resource removes it"
            } else {
                "this resource did not add it, so a stop leaves it"
            };
            self.log().warn(format_args!(
                "{} is on {} of this node, which does not hold it ({why}): {end}",
                self.name(),
                device.name
            ));
        }
    }
}
