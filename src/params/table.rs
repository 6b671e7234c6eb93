//! The one table of parameters: the parser's defaults, the meta-data, the man page and the documents come from it.
//!
//! `reloadable` is set where a change only alters what later actions do, so that a running address stays up while the
//! change takes effect. That holds for how AWS is reached and how long is waited, and also for the three policies:
//! `allow_reassociation` is looked at by the next start alone, `on_stop` by the next stop (Pacemaker stops with the
//! parameters of the last successful start or reload), and `restore_displaced` by both, where a restart could bring
//! nothing back that a reload does not, since what was displaced was displaced by the first start. Which address it is
//! and where it goes are not reloadable: there the change is the move.

/// The type of a value, as the meta-data calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// A word for true or false.
    Boolean,
}

impl Kind {
    /// Returns the word that the meta-data uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }
}

/// Whether the agent looks at a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It does.
    Used,
    /// It takes any value and does nothing with it.
    NoEffect,
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The name in the cluster's configuration.
    pub name: &'static str,
    /// The type of the value.
    pub kind: Kind,
    /// The value when unset; none where "unset" has a meaning of its own.
    pub default: Option<&'static str>,
    /// The group in which no two resources may have the same values; none where they may.
    pub unique: Option<&'static str>,
    /// Whether a change takes effect without stopping the resource.
    pub reloadable: bool,
    /// Whether the agent looks at it.
    pub effect: Effect,
    /// Whether no resource can do without it.
    pub required: bool,
    /// A few words for lists.
    pub short: &'static str,
    /// What an operator has to know, but for the default, which is added to it.
    pub long: &'static str,
}

/// Returns the parameter of this name.
#[must_use]
pub fn find<'a>(table: &'a [Spec], name: &str) -> Option<&'a Spec> {
    table.iter().find(|spec| spec.name == name)
}

/// A parameter with nothing particular about it: text, no default, freely repeated, changed by a restart.
const PLAIN: Spec = Spec {
    name: "",
    kind: Kind::String,
    default: None,
    unique: None,
    reloadable: false,
    effect: Effect::Used,
    required: false,
    short: "",
    long: "",
};

/// As [`PLAIN`], changed by a reload.
const RELOADABLE: Spec = Spec { reloadable: true, ..PLAIN };

/// A number of seconds.
const SECONDS: Spec = Spec { kind: Kind::Integer, ..RELOADABLE };

/// Something that is on unless switched off.
const ON: Spec = Spec { kind: Kind::Boolean, default: Some("true"), ..RELOADABLE };

/// Something that `awseip` has and this agent has no use for.
const NO_EFFECT: Spec = Spec { effect: Effect::NoEffect, ..RELOADABLE };

/// The parameters of the resource agent `eip`.
pub const EIP: &[Spec] = &[
    Spec {
        name: "elastic_ip",
        unique: Some("elastic_ip"),
        short: "Elastic IP address",
        long: "The Elastic IP, as a dotted IPv4 address such as 203.0.113.10. \
               Set this or allocation_id. If both are set they must belong together.",
        ..PLAIN
    },
    Spec {
        name: "allocation_id",
        unique: Some("allocation_id"),
        short: "Allocation id of the Elastic IP",
        long: "The allocation id of the Elastic IP, such as eipalloc-0123456789abcdef0. \
               Set this or elastic_ip. If both are set they must belong together.",
        ..PLAIN
    },
    Spec {
        name: "interface",
        short: "Network interface that gets the address",
        long: "The network interface of the node that gets the address: a device name (eth1), a MAC address, \
               an interface id (eni-...) or a device index (1). The default is the primary interface of the \
               instance.",
        ..PLAIN
    },
    Spec {
        name: "private_ip_address",
        unique: Some("private_ip_address"),
        short: "Private address that carries the Elastic IP",
        long: "The private address on that interface that carries the Elastic IP: one address for all nodes, or a \
               list by node name such as node1=10.0.0.21,node2=10.0.1.21, since subnets differ between zones. \
               The default is the primary private address of the interface. Two Elastic IPs that may run on the \
               same node need one private address each.",
        ..PLAIN
    },
    Spec {
        name: "region",
        short: "AWS region",
        long: "The AWS region, such as eu-west-1. The default is the region that the instance is in.",
        ..RELOADABLE
    },
    Spec {
        name: "profile",
        short: "AWS profile",
        long: "The profile of root's AWS configuration to take credentials from; where it holds none, the role of the \
               instance gives them. The default is to look in the environment, in root's AWS files, and at the role \
               of the instance, in this order.",
        ..RELOADABLE
    },
    Spec {
        name: "role_arn",
        short: "IAM role to assume",
        long: "The ARN of an IAM role to assume for all calls to EC2, for instance where the Elastic IP belongs to \
               another account. The default is to assume none.",
        ..RELOADABLE
    },
    Spec {
        name: "endpoint_url",
        short: "URL of the EC2 API",
        long: "The URL of the EC2 API, such as that of a VPC interface endpoint. The default is the public \
               endpoint of the region.",
        ..RELOADABLE
    },
    Spec {
        name: "imds_endpoint",
        short: "URL of the instance metadata service",
        long: "The URL of the instance metadata service. The default is http://169.254.169.254. \
               Only version 2 of the service (IMDSv2) is used.",
        ..RELOADABLE
    },
    Spec {
        name: "ca_bundle",
        short: "File of trusted certificates",
        long: "The absolute path of a file (PEM) with the only certificate authorities to trust in calls to AWS. \
               The default is to trust those of the system. Certificates are always verified.",
        ..RELOADABLE
    },
    Spec {
        name: "allow_reassociation",
        short: "Take the address from another holder",
        long: "Whether a start takes the address from whatever holds it, as a takeover from a failed node needs. If \
               false, a start fails while something else holds the address, and on_stop is strict.",
        ..ON
    },
    Spec {
        name: "on_stop",
        default: Some("disassociate"),
        short: "What a stop does with the address",
        long: "What a stop does with the address. disassociate: let go of it; if AWS cannot be reached in time, log \
               an error and succeed, as the next start takes the address over in any case. strict: let go of it; \
               if AWS cannot be reached in time, fail, for which the cluster fences the node or blocks the \
               resource. leave: never let go of it.",
        ..RELOADABLE
    },
    Spec {
        name: "restore_displaced",
        short: "Put a displaced Elastic IP back",
        long: "Whether an Elastic IP that had to make way on the private address is remembered, and put back when \
               this one is let go.",
        ..ON
    },
    Spec {
        name: "connect_timeout",
        default: Some("2"),
        short: "Seconds for a connection to AWS",
        long: "How many seconds a connection to AWS may take to come up before it is tried again.",
        ..SECONDS
    },
    Spec {
        name: "attempt_timeout",
        default: Some("4"),
        short: "Seconds for one attempt of a call",
        long: "How many seconds one attempt of a call to AWS may take before it is tried again. \
               The timeout of the action limits all attempts together.",
        ..SECONDS
    },
    Spec {
        name: "settle_window",
        default: Some("120"),
        short: "Seconds of double checks after a change",
        long: "For how many seconds after a start, stop or migration on this node a monitor asks EC2 as well as \
               the instance metadata service, which may lag behind. After that, a monitor of a healthy address \
               calls EC2 only at OCF_CHECK_LEVEL 10.",
        ..SECONDS
    },
    Spec {
        name: "max_backoff",
        default: Some("5"),
        short: "Longest pause between attempts in seconds",
        long: "The longest pause in seconds between two attempts of a call to AWS.",
        ..SECONDS
    },
    Spec {
        name: "auth_type",
        default: Some("key"),
        short: "Where credentials come from",
        long: "For awseip compatibility. key: see profile. role: the role of the instance alone; profile is \
               ignored.",
        ..RELOADABLE
    },
    Spec {
        name: "awscli",
        short: "AWS command line tool (no effect)",
        long: "Accepted so that an awseip resource can change its type alone. It has no effect: no AWS command \
               line tool is needed.",
        ..NO_EFFECT
    },
    Spec {
        name: "api_delay",
        kind: Kind::Integer,
        short: "Delay between calls (no effect)",
        long: "Accepted so that an awseip resource can change its type alone. It has no effect: there are no fixed \
               delays.",
        ..NO_EFFECT
    },
    Spec {
        name: "curl_retries",
        kind: Kind::Integer,
        short: "Retries of curl (no effect)",
        long: "Accepted so that an awseip resource can change its type alone. It has no effect: calls are tried \
               again until the action's timeout is near.",
        ..NO_EFFECT
    },
    Spec {
        name: "curl_sleep",
        kind: Kind::Integer,
        short: "Pause between retries of curl (no effect)",
        long: "Accepted so that an awseip resource can change its type alone. It has no effect: pauses between \
               attempts grow up to max_backoff.",
        ..NO_EFFECT
    },
];
