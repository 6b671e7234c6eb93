//! The EC2 calls the agent makes, in the agent's own types.

use std::fmt;
use std::net::Ipv4Addr;

use crate::base::ids::{AllocationId, AssociationId, InstanceId, InterfaceId};

#[cfg(feature = "sdk")]
pub mod aws;
pub mod codes;
mod error;
#[cfg(all(test, feature = "paused-time"))]
pub mod fake;
pub mod guarded;
pub mod private_ips;

#[cfg(feature = "sdk")]
pub(super) use codes::fault_of;
pub use error::{Ec2Error, Fault};

/// Names an Elastic IP in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// By its allocation.
    Allocation(AllocationId),
    /// By the address itself.
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

/// What EC2 says about an Elastic IP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub public_ip: Ipv4Addr,
    /// Its allocation in this account.
    pub allocation: AllocationId,
    /// Where it is, if anywhere.
    pub association: Option<Association>,
    /// The group of zones in which it can be used; the region's name for ordinary zones.
    pub border_group: Option<String>,
    /// The AWS service that manages it (`alb`, `nlb`, ...): not ours to move.
    pub managed_by: Option<String>,
}

/// A pairing of an Elastic IP with a private address of a network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// The pairing's own id: after a move it is another one.
    pub id: AssociationId,
    /// The instance the interface is attached to. Absent for an interface that is attached to none.
    pub instance: Option<InstanceId>,
    /// The network interface.
    pub interface: Option<InterfaceId>,
    /// The private address.
    pub private_ip: Option<Ipv4Addr>,
}

impl fmt::Display for Association {
    /// Names the holder as an operator would look it up: the instance, else the interface, and the private address.
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

/// Where an Elastic IP is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The network interface: the one form that also works on instances with several.
    pub interface: InterfaceId,
    /// The private address on it.
    pub private_ip: Ipv4Addr,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.interface, self.private_ip)
    }
}

/// The EC2 calls the agent makes. Every method is one request and one attempt.
pub trait Ec2 {
    /// Finds what every call needs before it is made: region, credentials, trusted certificates. EC2 itself is not asked.
    ///
    /// # Errors
    /// [`Fault::Credentials`], [`Fault::NoProfile`], [`Fault::Setup`]; [`Fault::Silent`] when a source gave no answer.
    async fn prepare(&self) -> Result<(), Ec2Error>;

    /// Returns what EC2 says about one Elastic IP.
    ///
    /// # Errors
    /// [`Fault::Unknown`] when the account has no such address; otherwise what kept EC2 from answering.
    async fn describe(&self, which: &Selector) -> Result<Address, Ec2Error>;

    /// Returns the Elastic IPs that are associated with this private address of this interface; none if it has none.
    ///
    /// # Errors
    /// What kept EC2 from answering.
    async fn on_target(&self, target: &Target) -> Result<Vec<Address>, Ec2Error>;

    /// Associates the Elastic IP with the target; where it is elsewhere, only if `reassociate` allows it.
    ///
    /// An Elastic IP that sat on the target's private address is pushed off it, and stays allocated.
    ///
    /// # Errors
    /// [`Fault::AlreadyAssociated`] when `reassociate` is false and somebody holds it; [`Fault::Target`] when the interface
    /// or the private address can't carry it. After [`Fault::Silent`] it is not known whether the call took effect.
    async fn associate(
        &self,
        allocation: &AllocationId,
        target: &Target,
        reassociate: bool,
    ) -> Result<AssociationId, Ec2Error>;

    /// Ends exactly this association. A newer one of the same address is not touched.
    ///
    /// # Errors
    /// [`Fault::AssociationGone`] when it had ended before.
    async fn disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error>;

    /// Asks whether [`Ec2::associate`] would be allowed, without doing it.
    ///
    /// # Errors
    /// [`Fault::Denied`] when it would not.
    async fn may_associate(&self, allocation: &AllocationId, target: &Target) -> Result<(), Ec2Error>;

    /// Asks whether [`Ec2::disassociate`] would be allowed, without doing it.
    ///
    /// # Errors
    /// [`Fault::Denied`] when it would not.
    async fn may_disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error>;
}
