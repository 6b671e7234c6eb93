//! Why an action could not do what it was asked, and the one table that turns this into an exit code.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::base::ids::{AllocationId, InterfaceId, MacAddress};
use crate::base::retry::{Patience, Retryable};
use crate::cloud::{Ec2Error, Ec2Fault, ImdsError};
use crate::network::NetworkError;
use crate::ocf::exit::ExitCode;
use crate::params::ParamError;

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
    /// The private address is not of the subnet that the interface is in.
    #[error("{address} is not in {subnet}: a subnet lies in one zone; use ocf:heartbeat:eip across zones")]
    OtherSubnet {
        /// The address.
        address: Ipv4Addr,
        /// The subnet, as an operator knows it.
        subnet: String,
    },
    /// The private address is an interface's own, which never moves.
    #[error("{address} is the primary address of {of}: choose another one of the subnet")]
    Primary {
        /// The address.
        address: Ipv4Addr,
        /// The interface or instance whose own it is.
        of: String,
    },
    /// No network device belongs to the interface.
    #[error(
        "no network device of this node has the hardware address {0}; set add_to_device=false to leave the device alone"
    )]
    NoDeviceFor(MacAddress),
    /// Which device belongs to the interface is not known, or which prefix length its subnet has.
    #[error("the interface's {0} is not known while instance metadata is silent")]
    UnknownDevice(&'static str),
    /// Device and label together are too long.
    #[error("iflabel={label}: {device}:{label} is longer than 15 characters")]
    Label {
        /// The label.
        label: String,
        /// The device.
        device: String,
    },
    /// The kernel refused.
    #[error(transparent)]
    Network(NetworkError),
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
    /// The address is held elsewhere, and a parameter forbids to take it.
    #[error("{address} is held by {holder} and {parameter}=false")]
    Held {
        /// The address.
        address: String,
        /// Who holds it.
        holder: String,
        /// The parameter.
        parameter: &'static str,
    },
    /// Another node took the address after this start had requested it: taking it again would undo a later start.
    #[error("{address} was taken by {holder} after this start had requested it")]
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
    /// Another process makes a change to this private address.
    #[error("{0} is being changed by another process of this node")]
    Busy(Ipv4Addr),
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
    /// A migration was asked for, in which the other node may not take the address from this one.
    #[error("{parameter}=false: no other node may take {address} in a migration, it moves by a stop and a start")]
    Unmigratable {
        /// The address.
        address: String,
        /// The parameter.
        parameter: &'static str,
    },
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

impl From<NetworkError> for Error {
    fn from(error: NetworkError) -> Self {
        Self::Network(error)
    }
}

impl From<ImdsError> for Error {
    fn from(error: ImdsError) -> Self {
        Self::Imds(error)
    }
}

impl Error {
    /// Whether it says no more than that there was no usable answer.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        scope(self) == Scope::Unknown || matches!(self, Self::Ec2(error) if error.is_silence())
    }

    /// Whether EC2 failed in this way.
    #[must_use]
    pub fn is_ec2(&self, fault: Ec2Fault) -> bool {
        matches!(self, Self::Ec2(error) if error.fault == fault)
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

/// Who is concerned by an error: the rows of the table of exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Wrong on every node.
    Cluster,
    /// Absent from this node or account, so the address cannot be here.
    Node,
    /// EC2 does not let this node carry the address.
    Target,
    /// EC2 does not accept who asks.
    Access,
    /// No request can be made with the settings of this node.
    Setup,
    /// This host is not what the agent is for.
    Platform,
    /// No node is to blame.
    Nowhere,
    /// There was no usable answer.
    Unknown,
}

impl Scope {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::Cluster,
        Self::Node,
        Self::Target,
        Self::Access,
        Self::Setup,
        Self::Platform,
        Self::Nowhere,
        Self::Unknown,
    ];

    /// The name of the row.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Node => "node",
            Self::Target => "target",
            Self::Access => "access",
            Self::Setup => "setup",
            Self::Platform => "platform",
            Self::Nowhere => "nowhere",
            Self::Unknown => "unknown",
        }
    }

    /// What is wrong, for the row of the table.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Cluster => {
                "wrong on every node: a parameter is missing or malformed, or allocation id and address do not belong together"
            }
            Self::Node => {
                "cannot be on this node: no such address in the account, no such interface, device or private address here, \
                 an address that an AWS service uses"
            }
            Self::Target => {
                "EC2 does not let this node carry the address: no internet gateway, another border group or subnet, no free \
                 slot on the interface, a locked address"
            }
            Self::Access => "IAM denies the call, or credentials are missing or rejected",
            Self::Setup => "no request can be made: no region, an unreadable ca_bundle",
            Self::Platform => "not an EC2 instance, or an unknown OCF version",
            Self::Nowhere => {
                "no node is to blame: held elsewhere and not to be taken, not confirmed, refused for another reason"
            }
            Self::Unknown => "no usable answer from EC2 or instance metadata before the deadline",
        }
    }
}

/// Returns who is concerned by an error.
#[must_use]
pub fn scope(error: &Error) -> Scope {
    match error {
        Error::Parameter(_) | Error::Mismatch { .. } => Scope::Cluster,
        Error::NotHere(_)
        | Error::NoDevice(_)
        | Error::NoDeviceFor(_)
        | Error::NoInterface(_)
        | Error::NoPrivateIp { .. }
        | Error::Shared { .. }
        | Error::OtherSubnet { .. }
        | Error::Primary { .. }
        | Error::Label { .. }
        | Error::Managed(..) => Scope::Node,
        Error::BorderGroup { .. } => Scope::Target,
        Error::Ec2(error) => match error.fault {
            Ec2Fault::Unknown | Ec2Fault::ServiceManaged => Scope::Node,
            Ec2Fault::Target => Scope::Target,
            Ec2Fault::Denied | Ec2Fault::Credentials | Ec2Fault::NoProfile => Scope::Access,
            Ec2Fault::Setup => Scope::Setup,
            Ec2Fault::Throttled | Ec2Fault::Silent => Scope::Unknown,
            Ec2Fault::AssociationGone | Ec2Fault::AlreadyAssociated | Ec2Fault::Refused => Scope::Nowhere,
        },
        Error::NotEc2(_) | Error::OcfVersion(_) => Scope::Platform,
        Error::Unasked(_)
        | Error::Busy(_)
        | Error::UnknownDevice(_)
        | Error::Network(_)
        | Error::Held { .. }
        | Error::TakenMeanwhile { .. }
        | Error::Unconfirmed { .. }
        | Error::Left { .. }
        | Error::Unmigratable { .. }
        | Error::NotHeld(_) => Scope::Nowhere,
        Error::Imds(_) | Error::BothSilent { .. } | Error::OutOfTime(_) => Scope::Unknown,
    }
}

/// What was being attempted, as far as exit codes differ by it: the columns of the table.
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

impl Attempt {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 5] = [Self::Start, Self::Stop, Self::Monitor, Self::Probe, Self::Validate];

    /// The name of the column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Monitor => "monitor",
            Self::Probe => "probe",
            Self::Validate => "validate-all",
        }
    }
}

/// The table of exit codes: docs/behaviour.md, "Exit codes", is written from it.
///
/// Causes that depend on context (`on_stop`, instance metadata only) are resolved by the actions before this point.
///
/// # Source
/// What each code makes Pacemaker do: `lib/pengine/unpack.c`. 2, 4 and 5 ban the node, 6 bans all nodes, a failed stop fences.
#[must_use]
pub fn code_of(scope: Scope, attempt: Attempt) -> ExitCode {
    use ExitCode::{Args, Configured, Generic, Installed, NotRunning, Permission, Success};
    let [start, stop, monitor] = match scope {
        Scope::Cluster => [Configured, Success, Configured],
        // What cannot be here is not held here: nothing is left to stop.
        Scope::Node => [Args, Success, NotRunning],
        Scope::Target => [Args, Generic, NotRunning],
        // A monitor that may not ask did not find the address gone: 4 would ban the node that holds it.
        Scope::Access => [Permission, Generic, Generic],
        Scope::Setup => [Args, Generic, Generic],
        // Off EC2 the monitor of a resource that was once started knows nothing, so it must not say "stopped".
        Scope::Platform => [Installed, Success, Generic],
        Scope::Nowhere | Scope::Unknown => [Generic; 3],
    };
    match attempt {
        Attempt::Start | Attempt::Validate => start,
        Attempt::Stop => stop,
        Attempt::Monitor => monitor,
        // A probe's error makes Pacemaker stop the healthy copy on the other node, and a later start is idempotent.
        Attempt::Probe => NotRunning,
    }
}

/// The exit code for an error.
#[must_use]
pub fn exit_code(error: &Error, attempt: Attempt) -> ExitCode {
    code_of(scope(error), attempt)
}

/// The table of exit codes as Markdown.
#[must_use]
pub fn table() -> String {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let columns = Attempt::ALL.iter().map(|attempt| attempt.name().to_owned());
    let mut text = row(["scope".to_owned(), "situation".to_owned()].into_iter().chain(columns).collect());
    text += &row(vec!["---".to_owned(); 2 + Attempt::ALL.len()]);
    for scope in Scope::ALL {
        let codes = Attempt::ALL.iter().map(|attempt| u8::from(code_of(scope, *attempt)).to_string());
        text +=
            &row([scope.name().to_owned(), scope.meaning().to_owned()].into_iter().chain(codes).collect());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [code-1] to [code-11]: the code of each scope, for start, stop, monitor, probe, validate-all.
    #[test]
    fn every_scope_has_its_row_of_exit_codes() {
        let rows = [
            (Scope::Cluster, [6, 0, 6, 7, 6]),
            (Scope::Node, [2, 0, 7, 7, 2]),
            (Scope::Target, [2, 1, 7, 7, 2]),
            (Scope::Access, [4, 1, 1, 7, 4]),
            (Scope::Setup, [2, 1, 1, 7, 2]),
            (Scope::Platform, [5, 0, 1, 7, 5]),
            (Scope::Nowhere, [1, 1, 1, 7, 1]),
            (Scope::Unknown, [1, 1, 1, 7, 1]),
        ];
        assert_eq!(rows.map(|(scope, _)| scope), Scope::ALL);
        for (scope, codes) in rows {
            assert_eq!(Attempt::ALL.map(|attempt| u8::from(code_of(scope, attempt))), codes, "{scope:?}");
        }
        assert_eq!(table().lines().count(), 2 + rows.len());
    }

    /// [reason-2]
    #[test]
    fn the_longest_reasons_fit_what_pacemaker_keeps() {
        let address = Ipv4Addr::new(100, 100, 100, 100);
        let of = "i-0123456789abcdef0 (eni-0123456789abcdef0)".to_owned();
        for error in [
            Error::OtherSubnet { address, subnet: "this node's subnet 100.100.100.128/28".to_owned() },
            Error::Primary { address, of: of.clone() },
            Error::Held { address: address.to_string(), holder: of, parameter: "allow_reassociation" },
            Error::NoDeviceFor([0xff; 6].into()),
            Error::UnknownDevice("network device"),
            Error::Label { label: "thirteen-char".to_owned(), device: "fifteen-letters".to_owned() },
        ] {
            let text = error.to_string();
            assert!(text.len() <= 128 && text.is_ascii(), "{} bytes: {text}", text.len());
        }
    }
}
