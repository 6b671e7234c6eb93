//! The resources of the account: subnets, instances with their network interfaces, and Elastic IPs.
//!
//! A [`Fleet`] is one consistent state. It knows no time, requests or faults; older states are kept by
//! [`timeline`].

mod addresses;
mod cidr;
mod private_ips;
pub(crate) mod timeline;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use serde::{Deserialize, Serialize};

pub use self::cidr::Cidr;
pub(crate) use self::{addresses::Target, private_ips::PER_INTERFACE};
use crate::ids::{AllocationId, AssociationId, InstanceId, InterfaceId, SubnetId};

/// The one VPC.
pub(crate) const VPC: &str = "vpc-0a1b2c3d4e5f60718";

/// The life of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Being launched: an address cannot be associated yet.
    Pending,
    /// In service.
    Running,
    /// Halted; interfaces and Elastic IPs stay, an auto-assigned public address goes.
    Stopped,
    /// Gone, and its interfaces with it.
    Terminated,
}

impl InstanceState {
    /// Returns EC2's name and code for the state.
    pub(crate) const fn name_and_code(self) -> (&'static str, u8) {
        match self {
            Self::Pending => ("pending", 0),
            Self::Running => ("running", 16),
            Self::Stopped => ("stopped", 80),
            Self::Terminated => ("terminated", 48),
        }
    }
}

/// A network interface with its private addresses.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interface {
    /// `eni-...`.
    pub eni: InterfaceId,
    /// Six bytes in lower-case hexadecimal, separated by colons.
    pub mac: String,
    /// Position on the instance; 0 is the primary interface.
    pub device_index: usize,
    /// Private addresses, the primary first.
    pub private_ips: Vec<Ipv4Addr>,
    /// Whether a public address is assigned by the subnet when no Elastic IP is there.
    pub auto_public_ip: bool,
    /// The auto-assigned public address of the primary private address.
    pub public_ip: Option<Ipv4Addr>,
}

/// An EC2 instance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Instance {
    /// `i-...`.
    pub id: InstanceId,
    /// Availability zone, for example `eu-west-1a`.
    pub zone: String,
    /// Network border group of the zone; the Region for ordinary zones.
    pub border_group: String,
    /// The subnet all its interfaces are in.
    pub subnet: SubnetId,
    /// Where in its life it is.
    pub state: InstanceState,
    /// Name of the IAM role its metadata hands out.
    pub role: Option<String>,
    /// Launch time in seconds since 1970.
    pub launched: f64,
    /// Network interfaces by device index.
    pub interfaces: Vec<Interface>,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subnet {
    /// `subnet-...`.
    pub id: SubnetId,
    /// Its addresses.
    pub cidr: Cidr,
    /// Its availability zone.
    pub zone: String,
}

/// The pairing of an Elastic IP with a private address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Association {
    /// `eipassoc-...`.
    pub id: AssociationId,
    /// The interface that holds the address.
    pub eni: InterfaceId,
    /// The private address it stands for.
    pub private_ip: Ipv4Addr,
    /// When it came about, in seconds since 1970.
    pub since: f64,
}

/// An allocated Elastic IP.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Address {
    /// The public address.
    pub public_ip: Ipv4Addr,
    /// `eipalloc-...`.
    pub allocation_id: AllocationId,
    /// Network border group it can be used in.
    pub border_group: String,
    /// Tags by key.
    pub tags: BTreeMap<String, String>,
    /// Who has it, if anyone.
    pub association: Option<Association>,
}

/// Who holds an Elastic IP.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Holder {
    /// The instance.
    pub instance: InstanceId,
    /// Its interface.
    pub eni: InterfaceId,
    /// The private address on that interface.
    pub private_ip: Ipv4Addr,
    /// The association.
    pub association_id: AssociationId,
    /// Since when, in seconds since 1970.
    pub since: f64,
}

/// Names an Elastic IP by its allocation or by its public address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressRef {
    /// By `eipalloc-...`.
    Allocation(AllocationId),
    /// By public address.
    Public(Ipv4Addr),
}

impl From<&AllocationId> for AddressRef {
    fn from(id: &AllocationId) -> Self {
        Self::Allocation(id.clone())
    }
}

impl From<Ipv4Addr> for AddressRef {
    fn from(ip: Ipv4Addr) -> Self {
        Self::Public(ip)
    }
}

impl From<&Ipv4Addr> for AddressRef {
    fn from(ip: &Ipv4Addr) -> Self {
        Self::Public(*ip)
    }
}

impl From<&Address> for AddressRef {
    fn from(address: &Address) -> Self {
        Self::Allocation(address.allocation_id.clone())
    }
}

/// Everything in the account at one moment.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Fleet {
    pub(crate) gateway_attached: bool,
    pub(crate) subnets: Vec<Subnet>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) addresses: Vec<Address>,
    /// Elastic IPs of other accounts.
    pub(crate) foreign: BTreeSet<Ipv4Addr>,
    /// Last byte of the next auto-assigned public address in 198.51.100.0/24.
    pub(crate) next_auto: u8,
}

impl Fleet {
    pub(crate) fn instance(&self, id: &str) -> Option<&Instance> {
        self.instances.iter().find(|i| i.id == *id)
    }

    pub(crate) fn instance_mut(&mut self, id: &str) -> Option<&mut Instance> {
        self.instances.iter_mut().find(|i| i.id == *id)
    }

    pub(crate) fn interface(&self, eni: &str) -> Option<(&Instance, &Interface)> {
        self.instances.iter().find_map(|i| Some((i, i.interfaces.iter().find(|n| n.eni == *eni)?)))
    }

    pub(crate) fn interface_mut(&mut self, eni: &str) -> Option<&mut Interface> {
        self.instances.iter_mut().flat_map(|i| &mut i.interfaces).find(|n| n.eni == *eni)
    }

    pub(crate) fn address(&self, which: &AddressRef) -> Option<&Address> {
        self.addresses.iter().find(|a| match which {
            AddressRef::Allocation(id) => a.allocation_id == *id,
            AddressRef::Public(ip) => a.public_ip == *ip,
        })
    }

    pub(crate) fn address_mut(&mut self, id: &AllocationId) -> Option<&mut Address> {
        self.addresses.iter_mut().find(|a| a.allocation_id == *id)
    }

    /// Returns the Elastic IP on one private address of an interface.
    pub(crate) fn address_on(&self, eni: &str, private_ip: Ipv4Addr) -> Option<&Address> {
        self.addresses
            .iter()
            .find(|a| a.association.as_ref().is_some_and(|s| s.eni == *eni && s.private_ip == private_ip))
    }

    /// Returns who holds `address`; an association always names an interface that exists.
    pub(crate) fn holder(&self, address: &Address) -> Option<Holder> {
        let association = address.association.as_ref()?;
        let (instance, _) = self.interface(&association.eni)?;
        Some(Holder {
            instance: instance.id.clone(),
            eni: association.eni.clone(),
            private_ip: association.private_ip,
            association_id: association.id.clone(),
            since: association.since,
        })
    }

    /// Returns the instance that has `private_ip` on one of its interfaces.
    pub(crate) fn owner_of(&self, private_ip: Ipv4Addr) -> Option<&Instance> {
        self.instances.iter().find(|i| i.interfaces.iter().any(|n| n.private_ips.contains(&private_ip)))
    }

    /// Returns the public address seen for a private one: an Elastic IP, else the auto-assigned one of the primary.
    pub(crate) fn public_ip_of(&self, interface: &Interface, private_ip: Ipv4Addr) -> Option<Ipv4Addr> {
        match self.address_on(&interface.eni, private_ip) {
            Some(address) => Some(address.public_ip),
            None if interface.private_ips.first() == Some(&private_ip) => interface.public_ip,
            None => None,
        }
    }
}
