//! The EC2 calls that the agent makes, in its own types.

use std::fmt;
use std::net::Ipv4Addr;

use crate::base::ids::{AllocationId, AssociationId, InstanceId, InterfaceId};
use crate::params::Tables;

#[cfg(feature = "sdk")]
pub mod aws;
pub mod codes;
mod error;
pub mod guard;
pub mod private_ips;
pub mod routes;

#[cfg(feature = "sdk")]
pub(super) use codes::fault_of;
pub use error::{Ec2Error, Ec2Fault};

/// Names an Elastic IP in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// By allocation id.
    Allocation(AllocationId),
    /// By public address.
    PublicIp(Ipv4Addr),
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allocation(id) => id.fmt(f),
            Self::PublicIp(ip) => ip.fmt(f),
        }
    }
}

/// An address to look for in a listing of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// An Elastic IP.
    Elastic(Selector),
    /// A secondary private address.
    Private(Ipv4Addr),
    /// An overlay address, by its route tables.
    Overlay(Tables),
}

/// An Elastic IP according to EC2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The public address itself.
    pub public_ip: Ipv4Addr,
    /// Allocation id in this account.
    pub allocation: AllocationId,
    /// Current association; `None` if unassociated.
    pub association: Option<Association>,
    /// Network border group, the set of zones in which it can be used; the region's name for ordinary zones.
    pub border_group: Option<String>,
    /// The AWS service that manages it (`alb`, `nlb`, ...), so that the agent must not move it.
    pub managed_by: Option<String>,
}

/// The association of an Elastic IP with a private address of a network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// Association id; it changes with every move.
    pub id: AssociationId,
    /// The instance the interface is attached to; `None` for an unattached interface.
    pub instance: Option<InstanceId>,
    /// The network interface; `None` if EC2 does not show it.
    pub interface: Option<InterfaceId>,
    /// The private address that carries the Elastic IP.
    pub private_ip: Option<Ipv4Addr>,
}

impl fmt::Display for Association {
    /// Names the holder as an operator would look it up: the instance (or the interface), and the private address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.instance, &self.interface) {
            (Some(instance), _) => instance.fmt(f)?,
            (None, Some(interface)) => interface.fmt(f)?,
            (None, None) => f.write_str("an unnamed holder")?,
        }
        match self.private_ip {
            Some(ip) => write!(f, " ({ip})"),
            None => Ok(()),
        }
    }
}

/// Where to associate an Elastic IP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The network interface; unlike an instance id, unambiguous on instances with several interfaces.
    pub interface: InterfaceId,
    /// A private address of that interface.
    pub private_ip: Ipv4Addr,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.interface, self.private_ip)
    }
}

/// The EC2 calls that the agent makes. Every method is one request and one attempt.
pub trait Ec2 {
    /// Resolves what every call needs: region, credentials, trusted certificates. Sends nothing to EC2 itself.
    ///
    /// # Errors
    /// [`Ec2Fault::Credentials`], [`Ec2Fault::NoProfile`], [`Ec2Fault::Setup`]; [`Ec2Fault::Silent`] if a source did not respond.
    async fn prepare(&self) -> Result<(), Ec2Error>;

    /// Describes one Elastic IP.
    ///
    /// # Errors
    /// [`Ec2Fault::Unknown`] if the account has no such address; otherwise why EC2 did not answer.
    async fn describe(&self, which: &Selector) -> Result<Address, Ec2Error>;

    /// The Elastic IPs associated with this private address of this interface; empty if there is none.
    ///
    /// # Errors
    /// Why EC2 did not answer.
    async fn on_target(&self, target: &Target) -> Result<Vec<Address>, Ec2Error>;

    /// Associates the Elastic IP with the target; if it is associated elsewhere, only with `reassociate`.
    ///
    /// An Elastic IP on the target's private address is displaced, and stays allocated.
    ///
    /// # Errors
    /// [`Ec2Fault::AlreadyAssociated`] if `reassociate` is false and the address is held elsewhere; [`Ec2Fault::Target`] if
    /// the interface or the private address cannot carry it. After [`Ec2Fault::Silent`] it is unknown whether the call
    /// took effect.
    async fn associate(
        &self,
        allocation: &AllocationId,
        target: &Target,
        reassociate: bool,
    ) -> Result<AssociationId, Ec2Error>;

    /// Ends exactly this association. A newer one of the same address is not touched.
    ///
    /// # Errors
    /// [`Ec2Fault::AssociationGone`] if it has already ended.
    async fn disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error>;

    /// Dry run of [`Ec2::associate`]: succeeds if IAM allows the call.
    ///
    /// # Errors
    /// [`Ec2Fault::Denied`] if IAM does not allow it.
    async fn may_associate(&self, allocation: &AllocationId, target: &Target) -> Result<(), Ec2Error>;

    /// Dry run of [`Ec2::disassociate`]: succeeds if IAM allows the call.
    ///
    /// # Errors
    /// [`Ec2Fault::Denied`] if IAM does not allow it.
    async fn may_disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error>;
}
