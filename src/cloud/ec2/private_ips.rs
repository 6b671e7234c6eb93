//! The EC2 calls about secondary private addresses, in the agent's own types. Elastic IPs do not use them.

use std::fmt;
use std::net::Ipv4Addr;

use super::Ec2Error;
use crate::base::ids::{InstanceId, InterfaceId, SubnetId};
use crate::cloud::imds::Attachment;

/// A network interface according to EC2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eni {
    /// `eni-...`.
    pub id: InterfaceId,
    /// The instance it is attached to; `None` if unattached.
    pub instance: Option<InstanceId>,
    /// How it is attached to it; `None` if unattached.
    pub attachment: Option<Attachment>,
    /// The subnet it is in.
    pub subnet: Option<SubnetId>,
    /// Private addresses, primary and secondary.
    pub addresses: Vec<PrivateAddress>,
}

/// A private address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateAddress {
    /// The private address itself.
    pub ip: Ipv4Addr,
    /// Whether it is the primary address, which never moves.
    pub primary: bool,
    /// The public address associated with it, which moves with it.
    pub public_ip: Option<Ipv4Addr>,
}

impl Eni {
    /// The entry for this address; `None` if the interface does not have it.
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
    /// Describes these interfaces.
    ///
    /// # Errors
    /// [`Ec2Fault::Target`](super::Ec2Fault::Target) if one of them does not exist; otherwise why EC2 did not answer.
    async fn interfaces(&self, ids: &[InterfaceId]) -> Result<Vec<Eni>, Ec2Error>;

    /// The interface that has this private address of a subnet; `None` if the address is free.
    ///
    /// # Errors
    /// Why EC2 did not answer.
    async fn holder(&self, ip: Ipv4Addr, subnet: &SubnetId) -> Result<Option<Eni>, Ec2Error>;

    /// The interfaces of an instance; empty if EC2 knows no such instance.
    ///
    /// # Errors
    /// Why EC2 did not answer.
    async fn interfaces_of(&self, instance: &InstanceId) -> Result<Vec<Eni>, Ec2Error>;

    /// Assigns a private address to an interface; if another interface has it, only with `reassign`.
    ///
    /// # Errors
    /// [`Ec2Fault::AlreadyAssociated`](super::Ec2Fault::AlreadyAssociated) if another interface has it and `reassign` is
    /// false, or has it as its primary address; [`Ec2Fault::Target`](super::Ec2Fault::Target) if it is not in the interface's
    /// subnet, or the interface cannot take it.
    async fn assign(&self, to: &InterfaceId, ip: Ipv4Addr, reassign: bool) -> Result<(), Ec2Error>;

    /// Unassigns a private address from an interface. The same address on another interface is not touched.
    ///
    /// # Errors
    /// [`Ec2Fault::AssociationGone`](super::Ec2Fault::AssociationGone) if the interface does not have it.
    async fn unassign(&self, from: &InterfaceId, ip: Ipv4Addr) -> Result<(), Ec2Error>;
}
