//! The EC2 calls about secondary private addresses, in the agent's own types. What moves Elastic IPs does not see them.

use std::fmt;
use std::net::Ipv4Addr;

use super::Ec2Error;
use crate::base::ids::{InstanceId, InterfaceId, SubnetId};

/// A network interface as EC2 shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eni {
    /// Its id.
    pub id: InterfaceId,
    /// The instance it is attached to, if it is attached to one.
    pub instance: Option<InstanceId>,
    /// Its place in the order of attachment, 0 for the primary interface of an instance.
    pub device_index: Option<u32>,
    /// The subnet it is in.
    pub subnet: Option<SubnetId>,
    /// Its private addresses.
    pub addresses: Vec<PrivateAddress>,
}

/// A private address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateAddress {
    /// The address.
    pub ip: Ipv4Addr,
    /// Whether it is the interface's own, which never moves.
    pub primary: bool,
    /// The public address associated with it, which moves along.
    pub public_ip: Option<Ipv4Addr>,
}

impl Eni {
    /// Returns this address of the interface, if the interface has it.
    #[must_use]
    pub fn address(&self, ip: Ipv4Addr) -> Option<&PrivateAddress> {
        self.addresses.iter().find(|address| address.ip == ip)
    }
}

impl fmt::Display for Eni {
    /// Names the holder as an operator would look it up: the instance, and the interface.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.instance {
            Some(instance) => write!(f, "{instance} ({})", self.id),
            None => self.id.fmt(f),
        }
    }
}

/// The EC2 calls about secondary private addresses. Every method is one request and one attempt.
pub trait PrivateIps {
    /// Returns these interfaces.
    ///
    /// # Errors
    /// [`Fault::Target`](super::Fault::Target) when there is no such interface; otherwise what kept EC2 from answering.
    async fn interfaces(&self, ids: &[InterfaceId]) -> Result<Vec<Eni>, Ec2Error>;

    /// Returns the interface in a subnet that has this private address, if one has it.
    ///
    /// # Errors
    /// What kept EC2 from answering.
    async fn holder(&self, ip: Ipv4Addr, subnet: &SubnetId) -> Result<Option<Eni>, Ec2Error>;

    /// Returns the interfaces of an instance; none where EC2 knows no such instance.
    ///
    /// # Errors
    /// What kept EC2 from answering.
    async fn interfaces_of(&self, instance: &InstanceId) -> Result<Vec<Eni>, Ec2Error>;

    /// Assigns a private address to an interface; where another one has it, only if `reassign` allows it.
    ///
    /// # Errors
    /// [`Fault::AlreadyAssociated`](super::Fault::AlreadyAssociated) when another interface has it and `reassign` is
    /// false, or has it as its primary address; [`Fault::Target`](super::Fault::Target) when it is not of the
    /// interface's subnet, or the interface cannot take it.
    async fn assign(&self, to: &InterfaceId, ip: Ipv4Addr, reassign: bool) -> Result<(), Ec2Error>;

    /// Takes a private address off an interface. On another interface the same address is not touched.
    ///
    /// # Errors
    /// [`Fault::AssociationGone`](super::Fault::AssociationGone) when the interface does not have it.
    async fn unassign(&self, from: &InterfaceId, ip: Ipv4Addr) -> Result<(), Ec2Error>;
}
