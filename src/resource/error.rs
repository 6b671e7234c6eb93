//! Why an action failed, and the one table that maps failures to exit codes.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipnet::IpNet;

use super::Action;
use crate::base::ids::{AllocationId, InterfaceId, MacAddress, RouteTableId, VpcId};
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
    Parameter(#[from] ParamError),
    /// A parameter is well-formed but cannot be used on this node.
    #[error("{0}")]
    NotHere(String),
    /// Setup failed: no async runtime or no SDK client.
    #[error("{0}")]
    Setup(String),
    /// `allocation_id` and `elastic_ip` name different addresses.
    #[error("allocation_id {allocation} is {actual}, not elastic_ip {wanted}: correct one of them")]
    Mismatch {
        /// `allocation_id` as configured.
        allocation: AllocationId,
        /// `elastic_ip` as configured.
        wanted: Ipv4Addr,
        /// The address of that allocation.
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
        /// `private_ip_address` as configured.
        wanted: Ipv4Addr,
        /// The interface that `interface` selects.
        interface: InterfaceId,
        /// Hardware address of that interface.
        mac: MacAddress,
    },
    /// The private address already carries the address of another resource that runs on this node.
    #[error("give each its own private_ip_address: {private_ip} carries {address} of resource {resource}")]
    Shared {
        /// The private address that both use.
        private_ip: Ipv4Addr,
        /// Address of the other resource.
        address: String,
        /// Name of the other resource.
        resource: String,
    },
    /// The private address is not in the subnet of the interface.
    #[error("{address} is not in {subnet}: a subnet lies in one zone; use ocf:heartbeat:eip across zones")]
    OtherSubnet {
        /// The private address as configured.
        address: Ipv4Addr,
        /// Id and range of the subnet, as far as known.
        subnet: String,
    },
    /// The private address is a primary one, which never moves.
    #[error("{address} is the primary address of {of}: choose another one of the subnet")]
    Primary {
        /// The private address as configured.
        address: Ipv4Addr,
        /// The interface or instance that it is the primary address of.
        of: String,
    },
    /// The overlay address lies in a range of the VPC, whose addresses routes cannot move.
    #[error("{address} is inside the VPC ({range}): an overlay address lies outside all its ranges")]
    InsideVpc {
        /// The overlay address as configured.
        address: IpAddr,
        /// The range of the VPC.
        range: IpNet,
    },
    /// There is no such route table, or the caller does not see it.
    #[error("routing_table {table}: no such table in {place}")]
    NoTable {
        /// Id, tag, or what else the table was looked for by.
        table: String,
        /// The VPC or account in which it was looked for.
        place: String,
    },
    /// The route table is of another VPC than this node.
    #[error("routing_table {table} is in {vpc}, this node in another VPC")]
    OtherVpc {
        /// The table that was configured or found.
        table: RouteTableId,
        /// The VPC of the table.
        vpc: VpcId,
    },
    /// The route table has no route for the address. It is never created by the agent.
    #[error("{table} has no route for {destination}: create it, the log has the command")]
    NoRoute {
        /// The table that lacks the route.
        table: RouteTableId,
        /// The address with its prefix length.
        destination: String,
    },
    /// The route was not created by a call, so that no call can replace it.
    #[error(
        "{table}: the route for {destination} comes from {origin}: only one made by CreateRoute can be replaced"
    )]
    NotReplaceable {
        /// The table that has the route.
        table: RouteTableId,
        /// The address with its prefix length.
        destination: String,
        /// Origin according to EC2.
        origin: String,
    },
    /// EC2 drops what arrives at the interface for the overlay address.
    #[error("source/dest check of {0} is on, EC2 drops traffic for the address: switch it off")]
    SourceDestCheck(InterfaceId),
    /// No network device belongs to the interface.
    #[error(
        "no network device of this node has the hardware address {0}; set add_to_device=false to leave the device alone"
    )]
    NoDeviceFor(MacAddress),
    /// The kernel takes no IPv6 address on the device.
    #[error("IPv6 is off on {0}: set net.ipv6.conf.{0}.disable_ipv6=0")]
    NoIpv6(String),
    /// While instance metadata is silent, the interface's device or its subnet's prefix length is unknown.
    #[error("the interface's {0} is unknown while instance metadata is silent")]
    UnknownDevice(&'static str),
    /// Device and label together exceed 15 characters.
    #[error("iflabel={label}: {device}:{label} is longer than 15 characters")]
    Label {
        /// `iflabel` as configured.
        label: String,
        /// Name of the device.
        device: String,
    },
    /// The kernel refused a change to a device.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// An AWS service manages the address.
    #[error("{0} is managed by AWS {1}: not moved")]
    Managed(Ipv4Addr, String),
    /// The address belongs to a different network border group.
    #[error("{address} belongs to border group {group}, not usable in {region}")]
    BorderGroup {
        /// The Elastic IP that was to be taken.
        address: Ipv4Addr,
        /// Its network border group.
        group: String,
        /// Region of this instance.
        region: String,
    },
    /// EC2 failed, refused or did not respond.
    #[error(transparent)]
    Ec2(#[from] Ec2Error),
    /// Instance metadata did not return a required item.
    #[error("{0}")]
    Imds(#[from] ImdsError),
    /// Neither EC2 nor instance metadata answered.
    #[error("holder unknown: {ec2}; {imds}")]
    BothSilent {
        /// Failure of the EC2 query.
        ec2: Ec2Error,
        /// Failure of the instance metadata query.
        imds: ImdsError,
    },
    /// Nothing on this host indicates an EC2 instance.
    #[error("not an EC2 instance: nothing in DMI, and {0}")]
    NotEc2(#[source] ImdsError),
    /// The address is held elsewhere, and a parameter forbids taking it.
    #[error("{address} is held by {holder} and {parameter}=false")]
    Held {
        /// The public or private address.
        address: String,
        /// Holder according to EC2, as messages name it.
        holder: String,
        /// Name of that parameter.
        parameter: &'static str,
    },
    /// Another node took the address after this start had requested it: taking it again would undo a later start.
    #[error("{address} was taken by {holder} after this start had requested it")]
    TakenMeanwhile {
        /// The public or private address.
        address: String,
        /// Holder according to EC2, as messages name it.
        holder: String,
    },
    /// EC2 accepted the call but never showed the result.
    #[error("{what} not confirmed within {} s: EC2 shows {shown}", .waited.as_secs())]
    Unconfirmed {
        /// The change that was requested.
        what: String,
        /// Holder according to EC2.
        shown: String,
        /// Time spent waiting.
        waited: Duration,
    },
    /// Another process is changing this private address.
    #[error("{0} is being changed by another process of this node")]
    Busy(Ipv4Addr),
    /// The address was left for another node, and none has taken it.
    #[error("{address} is still here after {} s: no other node has taken it", .waited.as_secs())]
    Left {
        /// The public or private address.
        address: String,
        /// Time spent waiting.
        waited: Duration,
    },
    /// A migration was requested from a node that does not hold the address.
    #[error("nothing to migrate: {0}")]
    NotHeld(String),
    /// A migration was requested, but the target may not take the address from this node.
    #[error(
        "{parameter}=false: no other node may take {address} in a migration, it moves by a stop and a start"
    )]
    Unmigratable {
        /// The public or private address.
        address: String,
        /// Name of the parameter that forbids taking it, which is false.
        parameter: &'static str,
    },
    /// The cluster follows another OCF standard.
    #[error("OCF version {0} is not supported, expected 1")]
    OcfVersion(u32),
    /// The action did not finish by its deadline.
    #[error("no answer within {} s: out of time", .0.as_secs())]
    OutOfTime(Duration),
}

impl Error {
    /// Whether the error only means that there was no usable answer.
    pub fn is_silence(&self) -> bool {
        scope(self) == Scope::Unknown || matches!(self, Self::Ec2(error) if error.is_silence())
    }

    /// Whether this is a failed EC2 call with this fault.
    pub fn is_ec2(&self, fault: Ec2Fault) -> bool {
        matches!(self, Self::Ec2(error) if error.fault == fault)
    }
}

/// Classifies the errors of a query, for whether to retry.
impl Retryable for Error {
    fn patience(&self) -> Patience {
        match self {
            Self::Imds(error) => error.patience(),
            Self::Ec2(error) => error.patience(),
            _ => Patience::Never,
        }
    }
}

/// Where an error applies: the rows of the table of exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every node: the configuration is wrong.
    Cluster,
    /// This node: the object is absent from this node or account, so the address cannot be here.
    Node,
    /// EC2 does not let this node carry the address.
    Target,
    /// EC2 does not accept the caller's identity or permissions.
    Access,
    /// The settings of this node allow no request.
    Setup,
    /// The host is not what the agent is for.
    Platform,
    /// No node is to blame.
    Nowhere,
    /// There was no usable answer.
    Unknown,
}

impl Scope {
    /// All rows, in the order of the table.
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

    /// Heading of the row.
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

    /// The failures of the row, in a phrase.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Cluster => {
                "wrong on every node: a parameter is missing or malformed, allocation id and address do not belong together, or an \
                 overlay address lies inside the VPC"
            }
            Self::Node => {
                "cannot be on this node: no such address in the account, no such interface, device or private address here, \
                 an address that an AWS service uses, no route table or route that can be replaced, source/dest check on"
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

/// Maps an error to its row.
pub fn scope(error: &Error) -> Scope {
    match error {
        Error::Parameter(_) | Error::Mismatch { .. } | Error::InsideVpc { .. } => Scope::Cluster,
        Error::NotHere(_)
        | Error::NoDevice(_)
        | Error::NoDeviceFor(_)
        | Error::NoIpv6(_)
        | Error::NoInterface(_)
        | Error::NoPrivateIp { .. }
        | Error::Shared { .. }
        | Error::OtherSubnet { .. }
        | Error::Primary { .. }
        | Error::Label { .. }
        | Error::NoTable { .. }
        | Error::OtherVpc { .. }
        | Error::NoRoute { .. }
        | Error::NotReplaceable { .. }
        | Error::SourceDestCheck(_)
        | Error::Managed(..) => Scope::Node,
        Error::BorderGroup { .. } => Scope::Target,
        Error::Ec2(error) => match error.fault {
            Ec2Fault::Unknown | Ec2Fault::ServiceManaged => Scope::Node,
            Ec2Fault::Target => Scope::Target,
            Ec2Fault::Denied | Ec2Fault::Credentials | Ec2Fault::NoProfile => Scope::Access,
            Ec2Fault::Setup => Scope::Setup,
            Ec2Fault::Throttled | Ec2Fault::Silent | Ec2Fault::Oversized => Scope::Unknown,
            Ec2Fault::AssociationGone | Ec2Fault::AlreadyAssociated | Ec2Fault::Refused => Scope::Nowhere,
        },
        Error::NotEc2(_) | Error::OcfVersion(_) => Scope::Platform,
        Error::Setup(_)
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

/// An action for each column of the table, with its heading.
const COLUMNS: [(&str, Action); 5] = [
    ("start", Action::Start),
    ("stop", Action::Stop),
    ("monitor", Action::Monitor { level: 0 }),
    ("probe", Action::Probe { level: 0 }),
    ("validate-all", Action::Validate { level: 0 }),
];

/// The table of exit codes: docs/behaviour.md, "Exit codes", is written from it.
///
/// Which codes of EC2 mean which fault, and so which scope, is in `src/cloud/ec2/codes.rs`. Causes that depend on context (`on_stop`,
/// instance metadata only) are resolved by the actions before this point.
///
/// # Source
/// What each code makes Pacemaker do: `lib/pengine/unpack.c`. 2, 4 and 5 ban the node, 6 bans all nodes, a failed stop fences.
pub fn code_of(scope: Scope, action: Action) -> ExitCode {
    use ExitCode::{Args, Configured, Generic, Installed, NotRunning, Permission, Success};
    let [start, stop, monitor] = match scope {
        Scope::Cluster => [Configured, Success, Configured],
        // What cannot be here is not held here: there is nothing to stop.
        Scope::Node => [Args, Success, NotRunning],
        Scope::Target => [Args, Generic, NotRunning],
        // A monitor without permission has not found the address gone: 4 would ban the node that holds it.
        Scope::Access => [Permission, Generic, Generic],
        Scope::Setup => [Args, Generic, Generic],
        // Off EC2 the monitor of a resource that was once started does not know, so it must not report "stopped".
        Scope::Platform => [Installed, Success, Generic],
        Scope::Nowhere | Scope::Unknown => [Generic; 3],
    };
    match action {
        Action::Start
        | Action::MigrateTo
        | Action::MigrateFrom
        | Action::Reload
        | Action::Validate { .. } => start,
        Action::Stop => stop,
        Action::Monitor { .. } => monitor,
        // A probe's error makes Pacemaker stop the healthy copy on the other node, and a later start is idempotent.
        Action::Probe { .. } => NotRunning,
    }
}

/// The exit code of an error of this action.
pub fn exit_code(error: &Error, action: Action) -> ExitCode {
    code_of(scope(error), action)
}

/// The table of exit codes as Markdown.
pub fn table() -> String {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let columns = COLUMNS.iter().map(|(heading, _)| (*heading).to_owned());
    let mut text = row(["scope".to_owned(), "situation".to_owned()].into_iter().chain(columns).collect());
    text += &row(vec!["---".to_owned(); 2 + COLUMNS.len()]);
    for scope in Scope::ALL {
        let codes = COLUMNS.iter().map(|(_, action)| (code_of(scope, *action) as u8).to_string());
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
            assert_eq!(COLUMNS.map(|(_, action)| code_of(scope, action) as u8), codes, "{scope:?}");
        }
        assert_eq!(table().lines().count(), 2 + rows.len());
    }

    /// [reason-2]
    #[test]
    fn the_longest_reasons_fit_what_pacemaker_keeps() {
        let address = Ipv4Addr::new(100, 100, 100, 100);
        let of = "i-0123456789abcdef0 (eni-0123456789abcdef0)".to_owned();
        let table: RouteTableId = "rtb-0123456789abcdef0".parse().unwrap();
        let destination = "192.168.100.100/32".to_owned();
        for error in [
            Error::OtherSubnet { address, subnet: "this node's subnet 100.100.100.128/28".to_owned() },
            Error::Primary { address, of: of.clone() },
            Error::Held { address: address.to_string(), holder: of, parameter: "allow_reassociation" },
            Error::NoDeviceFor([0xff; 6].into()),
            Error::UnknownDevice("network device"),
            Error::InsideVpc {
                address: [0x2001, 0xdb8, 0x1234, 0x5678, 0x9abc, 0xdef0, 0x1234, 0x5678].into(),
                range: "10.100.100.0/24".parse().unwrap(),
            },
            Error::NoRoute { table: table.clone(), destination: destination.clone() },
            Error::NotReplaceable { table: table.clone(), destination, origin: "Advertisement".to_owned() },
            Error::OtherVpc { table: table.clone(), vpc: "vpc-0123456789abcdef0".parse().unwrap() },
            Error::NoTable { table: table.to_string(), place: "vpc-0123456789abcdef0".to_owned() },
            Error::SourceDestCheck("eni-0123456789abcdef0".parse().unwrap()),
            Error::Label { label: "thirteen-char".to_owned(), device: "fifteen-letters".to_owned() },
        ] {
            let text = error.to_string();
            assert!(text.len() <= 128 && text.is_ascii(), "{} bytes: {text}", text.len());
        }
    }
}
