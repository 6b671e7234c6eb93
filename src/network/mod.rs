//! The network devices of this host, their addresses, and how an address is added and removed.
//!
//! The reasons for a change are those of the resources `vip` and `overlay-ip`.

use std::net::{IpAddr, Ipv4Addr};

use crate::base::ids::MacAddress;

pub mod arp;
#[cfg(feature = "model")]
pub mod fake;
#[cfg(feature = "sdk")]
mod netlink;

/// A network device in this namespace, according to the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Interface index in the kernel.
    pub index: u32,
    /// Name, at most 15 bytes.
    pub name: String,
    /// Alternative names that the kernel accepts, up to 127 bytes each.
    pub alt_names: Vec<String>,
    /// Whether it is up. An address on a device that is down does not respond.
    pub up: bool,
    /// Whether it is the loopback.
    pub loopback: bool,
    /// Whether the kernel takes IPv6 addresses on it.
    pub ipv6: bool,
    /// Hardware address; `None` for a loopback, whose address is meaningless.
    pub mac: Option<MacAddress>,
    /// IPv4 and IPv6 addresses.
    pub addresses: Vec<AddressEntry>,
}

/// An address on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressEntry {
    /// The address without prefix.
    pub ip: IpAddr,
    /// Prefix length in bits; 32 or 128 for a single address.
    pub prefix: u8,
    /// Its label, as in [`NewAddress::label`]; the kernel gives IPv4 addresses the device's name if they have no other.
    pub label: Option<String>,
    /// Whether another machine has the same IPv6 address, so that this one does not respond to it.
    pub duplicate: bool,
}

impl Device {
    /// Whether the device has this name or alternative name.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.alt_names.iter().any(|other| other == name)
    }

    /// Whether the device has this address, up or down.
    pub fn has(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|have| have.ip == ip)
    }

    /// Whether this host responds to this address on the device.
    pub fn answers_for(&self, ip: IpAddr) -> bool {
        self.up && self.addresses.iter().any(|have| have.ip == ip && !have.duplicate)
    }
}

/// An address to add to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAddress<'a> {
    /// The address without prefix.
    pub ip: IpAddr,
    /// Prefix length of its subnet, in bits.
    pub prefix: u8,
    /// Label shown by older tools: the device's name, a colon, and a suffix. IPv6 has none.
    pub label: Option<&'a str>,
}

/// The kernel refused or failed an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{doing}: {answer}")]
pub struct NetworkError {
    /// The operation that failed, such as `adding 10.0.1.12/24 to eth0`.
    pub doing: String,
    /// The error as the kernel names it.
    pub answer: String,
}

/// The network devices of a host.
pub trait Network {
    /// The devices with their addresses.
    ///
    /// # Errors
    /// [`NetworkError`] if the kernel does not list them.
    async fn devices(&self) -> Result<Vec<Device>, NetworkError>;

    /// Adds an address to a device, and sets the device up. An address that is already there stays as it is, with
    /// whatever prefix and label.
    ///
    /// # Errors
    /// [`NetworkError`] if the kernel refuses.
    async fn add(&self, device: &Device, address: NewAddress<'_>) -> Result<(), NetworkError>;

    /// Removes an address from a device, with `prefix` only the entry that has this length. Its other addresses stay, even
    /// those that the kernel treats as secondary to it, and so do their routes.
    ///
    /// # Errors
    /// [`NetworkError`] if the kernel refuses.
    async fn remove(&self, device: &Device, ip: IpAddr, prefix: Option<u8>) -> Result<(), NetworkError>;

    /// Announces by gratuitous ARP on a device that an address is now at the device's hardware address.
    ///
    /// # Errors
    /// [`NetworkError`] if nothing could be sent.
    fn announce(&self, device: &Device, ip: Ipv4Addr) -> Result<(), NetworkError>;
}
