//! The network devices of this host: which there are, which addresses they have, and how one is put on and taken off.
//!
//! Nothing here knows why; that is the resource `vip`'s to decide.

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
    /// The kernel's number for it.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Other names that the kernel takes for it, longer ones too.
    pub alt_names: Vec<String>,
    /// Whether it is switched on. An address on a device that is not answers nobody.
    pub up: bool,
    /// Its hardware address; a loopback has none that means anything.
    pub mac: Option<MacAddress>,
    /// Its IPv4 addresses.
    pub addresses: Vec<Ipv4Addr>,
}

impl Device {
    /// Whether the device has this name, or has it as an alternative name.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.alt_names.iter().any(|other| other == name)
    }

    /// Whether the device answers for this address: has it, and is up.
    #[must_use]
    pub fn answers_for(&self, ip: Ipv4Addr) -> bool {
        self.up && self.addresses.contains(&ip)
    }
}

/// An address to be put on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAddress<'a> {
    /// The address.
    pub ip: Ipv4Addr,
    /// How many leading bits the addresses of its subnet share.
    pub prefix: u8,
    /// What old tools list it as: the device's name, a colon, and some letters.
    pub label: Option<&'a str>,
}

/// The kernel did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{doing}: {answer}")]
pub struct NetworkError {
    /// What it was asked.
    pub doing: String,
    /// What it answered.
    pub answer: String,
}

/// The network devices of a host.
pub trait Network {
    /// Returns the devices with their addresses, without the loopback.
    ///
    /// # Errors
    /// [`NetworkError`] where the kernel does not tell.
    async fn devices(&self) -> Result<Vec<Device>, NetworkError>;

    /// Puts an address on a device, and switches the device on. An address that is there already, with whatever prefix and label,
    /// stays as it is.
    ///
    /// # Errors
    /// [`NetworkError`] where the kernel refuses.
    async fn add(&self, device: &Device, address: NewAddress<'_>) -> Result<(), NetworkError>;

    /// Takes an address off a device. Others of the device stay, even those that the kernel counts as belonging to it, and so do
    /// their routes.
    ///
    /// # Errors
    /// [`NetworkError`] where the kernel refuses.
    async fn remove(&self, device: &Device, ip: Ipv4Addr) -> Result<(), NetworkError>;

    /// Tells the neighbours of a device by gratuitous ARP that an address is now at its hardware address.
    ///
    /// # Errors
    /// [`NetworkError`] where nothing could be sent.
    fn announce(&self, device: &Device, ip: Ipv4Addr) -> Result<(), NetworkError>;
}
