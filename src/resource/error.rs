//! Why an action could not do what it was asked, and the one table that turns this into an exit code.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::base::ids::{AllocationId, InterfaceId, MacAddress};
use crate::base::retry::{Patience, Retryable};
use crate::cloud::{Ec2Error, Ec2Fault, ImdsError};
use crate::ocf::exit::ExitCode;
use crate::params::ParamError;
use crate::resource::vip::VipError;

/// Why an action failed. The text is the single line that an operator sees in `pcs status`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A parameter is missing or malformed.
    #[error(transparent)]
    Parameter(ParamError),
    /// A parameter is well-formed but can't be used on this node.
    #[error("{0}")]
    NotHere(String),
    /// Nobody could be asked: this process got no runtime or no client.
    #[error("{0}")]
    Unasked(String),
    /// The two ways of naming the address name two addresses.
    #[error("allocation_id {allocation} is {actual}, not elastic_ip {wanted}: correct one of them")]
    Mismatch {
        /// The allocation as configured.
        allocation: AllocationId,
        /// The address as configured.
        wanted: Ipv4Addr,
        /// The address the allocation has.
        actual: Ipv4Addr,
    },
    /// This node has no such network device.
    #[error("interface {0}: this node has no such device")]
    NoDevice(String),
    /// This instance has no such interface.
    #[error("interface {0}: not attached to this instance")]
    NoInterface(String),
    /// The private address is not on the interface.
    #[error("private_ip_address {wanted} is not on {interface} ({mac})")]
    NoPrivateIp {
        /// The private address as configured.
        wanted: Ipv4Addr,
        /// The interface that was chosen.
        interface: InterfaceId,
        /// Its hardware address.
        mac: MacAddress,
    },
    /// The private address carries the address of another resource that this node runs.
    #[error("give each its own private_ip_address: {private_ip} carries {address} of resource {resource}")]
    Shared {
        /// The private address both would use.
        private_ip: Ipv4Addr,
        /// The other resource's address.
        address: String,
        /// The other resource.
        resource: String,
    },
    /// Something that only a secondary private address can run into.
    #[error(transparent)]
    Vip(VipError),
    /// An AWS service manages the address.
    #[error("{0} is managed by AWS {1}: not moved")]
    Managed(Ipv4Addr, String),
    /// The address belongs to another group of zones than the region's ordinary ones.
    #[error("{address} is of border group {group}, not usable in {region}")]
    BorderGroup {
        /// The address.
        address: Ipv4Addr,
        /// Its group.
        group: String,
        /// This instance's region.
        region: String,
    },
    /// EC2 failed, refused or stayed silent.
    #[error(transparent)]
    Ec2(Ec2Error),
    /// The metadata service did not say what is needed.
    #[error("{0}")]
    Imds(#[source] ImdsError),
    /// Neither source of evidence answered.
    #[error("holder unknown: {ec2}; {imds}")]
    BothSilent {
        /// What EC2 did.
        ec2: Ec2Error,
        /// What the metadata service did.
        imds: ImdsError,
    },
    /// Nothing on this host says that it is an EC2 instance.
    #[error("not an EC2 instance: nothing in DMI, and {0}")]
    NotEc2(#[source] ImdsError),
    /// Somebody holds the address, and `allow_reassociation=false` forbids to take it.
    #[error("{address} is held by {holder} and allow_reassociation=false")]
    Held {
        /// The address.
        address: String,
        /// Who holds it.
        holder: String,
    },
    /// Somebody took the address after this start had ordered it: taking it again would undo a later start.
    #[error("{address} was taken by {holder} after this start had ordered it")]
    TakenMeanwhile {
        /// The address.
        address: String,
        /// Who holds it.
        holder: String,
    },
    /// EC2 took the order but never showed the outcome.
    #[error("{what} not confirmed within {} s: EC2 shows {shown}", .waited.as_secs())]
    Unconfirmed {
        /// What was done.
        what: String,
        /// Who holds the address as EC2 shows it.
        shown: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The address was left to another node, and none has taken it.
    #[error("{address} is still here after {} s: no other node has taken it", .waited.as_secs())]
    Left {
        /// The address.
        address: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// A migration was asked of a node that does not hold the address.
    #[error("nothing to migrate: {0}")]
    NotHeld(String),
    /// The cluster follows another OCF standard.
    #[error("OCF version {0} is not supported, 1 is expected")]
    OcfVersion(u32),
    /// The action did not come to an end by its deadline.
    #[error("no answer within {} s: out of time", .0.as_secs())]
    OutOfTime(Duration),
}

impl From<Ec2Error> for Error {
    fn from(error: Ec2Error) -> Self {
        Self::Ec2(error)
    }
}

impl From<ImdsError> for Error {
    fn from(error: ImdsError) -> Self {
        Self::Imds(error)
    }
}

impl Error {
    /// Returns whether it only says that nobody answered.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        match self {
            Self::Ec2(error) => error.is_silence(),
            Self::Imds(_) | Self::BothSilent { .. } | Self::OutOfTime(_) => true,
            _ => false,
        }
    }
}

/// The parts that a look can end in, with the question whether to look again.
impl Retryable for Error {
    fn patience(&self) -> Patience {
        match self {
            Self::Imds(error) => error.patience(),
            Self::Ec2(error) => error.patience(),
            _ => Patience::Never,
        }
    }
}

/// What was being attempted, as far as exit codes differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// `start`, `migrate_from`, `migrate_to`, `reload-agent`.
    Start,
    /// `stop`.
    Stop,
    /// A recurring `monitor`.
    Monitor,
    /// A `monitor` without interval.
    Probe,
    /// `validate-all`.
    Validate,
}

/// Returns the exit code for an error: the table of the behaviour document, section 3.
///
/// The causes that need a judgement by circumstances (`on_stop`, "by the metadata alone") never get here: the actions make
/// it and return either success or the error that remains.
///
/// # Source
/// What each code makes Pacemaker do: `lib/pengine/unpack.c`. 2, 4 and 5 ban the node, 6 bans all nodes, a failed stop fences.
#[must_use]
pub fn exit_code(error: &Error, attempt: Attempt) -> ExitCode {
    use ExitCode::{Args, Configured, Generic, Installed, NotRunning, Success};
    match attempt {
        // A probe's error makes Pacemaker stop the healthy copy on the other node, and a later start is idempotent.
        Attempt::Probe => NotRunning,
        Attempt::Stop => match error {
            // What can't be named or can't be here can't be held here: nothing is left to stop.
            Error::Parameter(_)
            | Error::NotHere(_)
            | Error::Mismatch { .. }
            | Error::NoDevice(_)
            | Error::NoInterface(_)
            | Error::NoPrivateIp { .. }
            | Error::Shared { .. }
            | Error::NotEc2(_) => Success,
            Error::Ec2(cause) if cause.fault == Ec2Fault::Unknown => Success,
            Error::Vip(cause) if cause.is_of_this_node() => Success,
            Error::Managed(..)
            | Error::BorderGroup { .. }
            | Error::Ec2(_)
            | Error::Vip(_)
            | Error::Imds(_)
            | Error::Unasked(_)
            | Error::BothSilent { .. }
            | Error::Held { .. }
            | Error::TakenMeanwhile { .. }
            | Error::Unconfirmed { .. }
            | Error::Left { .. }
            | Error::NotHeld(_)
            | Error::OcfVersion(_)
            | Error::OutOfTime(_) => Generic,
        },
        Attempt::Start | Attempt::Validate | Attempt::Monitor => {
            let absent = if attempt == Attempt::Monitor { NotRunning } else { Args };
            // Off EC2 the monitor of a resource that was once started knows nothing, so it must not say "stopped".
            let not_ec2 = if attempt == Attempt::Monitor { Generic } else { Installed };
            match error {
                // Wrong on every node, so no other node is to try it.
                Error::Mismatch { .. } if attempt != Attempt::Monitor => Configured,
                Error::Parameter(_) => Configured,
                Error::Mismatch { .. }
                | Error::NotHere(_)
                | Error::NoDevice(_)
                | Error::NoInterface(_)
                | Error::NoPrivateIp { .. }
                | Error::Shared { .. }
                | Error::Managed(..)
                | Error::BorderGroup { .. } => absent,
                Error::Ec2(cause) => ec2_exit_code(cause.fault, attempt, absent),
                Error::Vip(cause) if cause.is_of_this_node() => absent,
                Error::Vip(_)
                | Error::Imds(_)
                | Error::Unasked(_)
                | Error::BothSilent { .. }
                | Error::Held { .. }
                | Error::TakenMeanwhile { .. }
                | Error::Unconfirmed { .. }
                | Error::Left { .. }
                | Error::NotHeld(_)
                | Error::OutOfTime(_) => Generic,
                Error::NotEc2(_) => not_ec2,
                Error::OcfVersion(_) => Installed,
            }
        }
    }
}

fn ec2_exit_code(fault: Ec2Fault, attempt: Attempt, absent: ExitCode) -> ExitCode {
    match fault {
        Ec2Fault::Unknown | Ec2Fault::Target | Ec2Fault::OtherSubnet => absent,
        // A monitor that may not ask is not a monitor that found the address gone: 4 would ban the node that holds it.
        Ec2Fault::Denied | Ec2Fault::Credentials | Ec2Fault::NoProfile if attempt == Attempt::Monitor => {
            ExitCode::Generic
        }
        Ec2Fault::Denied | Ec2Fault::Credentials | Ec2Fault::NoProfile => ExitCode::Permission,
        Ec2Fault::Setup if attempt != Attempt::Monitor => ExitCode::Args,
        Ec2Fault::AssociationGone
        | Ec2Fault::AlreadyAssociated
        | Ec2Fault::NotReady
        | Ec2Fault::Throttled
        | Ec2Fault::Unavailable
        | Ec2Fault::Silent
        | Ec2Fault::Garbled
        | Ec2Fault::Refused
        | Ec2Fault::Setup => ExitCode::Generic,
    }
}
