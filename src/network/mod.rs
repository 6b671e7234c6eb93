//! The network devices of this host, their addresses, and how an address is added and removed.
//!
//! The reasons for a change are those of the resource `vip`.

use std::net::Ipv4Addr;

use crate::base::ids::MacAddress;

pub mod arp;
#[cfg(feature = "model")]
pub mod fake;
#[cfg(feature = "sdk")]
mod netlink;

/// A network device.
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
    /// Hardware address; `None` for a loopback, whose address is meaningless.
    pub mac: Option<MacAddress>,
    /// IPv4 addresses, without prefix.
    pub addresses: Vec<Ipv4Addr>,
}

impl Device {
    /// Whether the device has this name or alternative name.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.alt_names.iter().any(|other| other == name)
    }

    /// Whether the device has this address and is up.
    #[must_use]
    pub fn answers_for(&self, ip: Ipv4Addr) -> bool {
        self.up && self.addresses.contains(&ip)
    }
}

/// An address to add to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAddress<'a> {
    /// The address without prefix.
    pub ip: Ipv4Addr,
    /// Prefix length of its subnet, in bits.
    pub prefix: u8,
    /// Label shown by older tools: the device's name, a colon, and a suffix.
    pub label: Option<&'a str>,
}

/// The kernel refused or failed an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{doing}: {answer}")]
pub struct NetworkError {
    /// The attempted operation.
    pub doing: String,
    /// The kernel's error.
    pub answer: String,
}

/// The network devices of a host.
pub trait Network {
    /// The devices with their addresses, without the loopback.
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

    /// Removes an address from a device. Its other addresses stay, even those that the kernel treats as secondary to
    /// it, and so do their routes.
    ///
    /// # Errors
    /// [`NetworkError`] if the kernel refuses.
    async fn remove(&self, device: &Device, ip: Ipv4Addr) -> Result<(), NetworkError>;

    /// Announces by gratuitous ARP on a device that an address is now at the device's hardware address.
    ///
    /// # Errors
    /// [`NetworkError`] if nothing could be sent.
    fn announce(&self, device: &Device, ip: Ipv4Addr) -> Result<(), NetworkError>;
}
