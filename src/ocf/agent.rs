//! What an agent is to the cluster: its name, parameters and actions. Meta-data and usage are made from this.

use crate::params::table::{self, Spec};

/// A resource agent.
#[derive(Debug, Clone, Copy)]
pub struct Agent {
    /// The name of its file below `resource.d`.
    pub name: &'static str,
    /// A few words for lists.
    pub short: &'static str,
    /// What it does and what it needs, in paragraphs separated by empty lines.
    pub long: &'static str,
    /// Its parameters.
    pub parameters: &'static [Spec],
    /// Its actions, in the order in which they are listed.
    pub actions: &'static [ActionSpec],
}

/// An action that an agent can be called with.
#[derive(Debug, Clone, Copy)]
pub struct ActionSpec {
    /// The argument.
    pub name: &'static str,
    /// Where the meta-data has it. pcs copies what is there into the configuration, so it holds nothing else.
    pub advertised: Advertised,
    /// The timeout that is advised, in seconds.
    pub timeout_s: u32,
    /// For `monitor`: how often, in seconds.
    pub interval_s: Option<u32>,
}

/// In which forms of the meta-data an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advertised {
    /// In all.
    Always,
    /// From OCF 1.1 on: the older schema has no such action.
    Since11,
    /// In none: it is for people, or another name for one that is.
    Never,
}

/// An action that every form has.
const fn always(name: &'static str, timeout_s: u32) -> ActionSpec {
    ActionSpec { name, advertised: Advertised::Always, timeout_s, interval_s: None }
}

/// An action that the meta-data leaves out.
const fn unadvertised(name: &'static str) -> ActionSpec {
    ActionSpec { name, advertised: Advertised::Never, timeout_s: 0, interval_s: None }
}

/// The resource agent `eip`.
pub const EIP: Agent = Agent {
    name: "eip",
    short: "Keeps an AWS Elastic IP address on the active node",
    long: "Associates an AWS Elastic IP address with a network interface of the EC2 instance that runs the resource, \
           takes it over from a failed node, and lets go of it on stop.\n\n\
           A monitor asks the instance metadata service (IMDSv2) whether the address is still here and calls EC2 only \
           when in doubt. No AWS command line tool is needed.\n\n\
           The instances need permission for ec2:DescribeAddresses, ec2:AssociateAddress and \
           ec2:DisassociateAddress, usually by their instance role.",
    parameters: table::EIP,
    actions: ACTIONS,
};

/// The resource agent `vip`.
pub const VIP: Agent = Agent {
    name: "vip",
    short: "Keeps an AWS secondary private IP address on the active node",
    long: "Assigns a secondary private IP address to a network interface of the EC2 instance that runs the resource, \
           puts it on the network device, takes it over from a failed node, and takes it off again on stop.\n\n\
           A private address belongs to one subnet, and a subnet lies in one zone: all nodes have to be in the same \
           subnet. Across zones use an Elastic IP with ocf:heartbeat:eip. An Elastic IP that is associated with the \
           private address travels with it from a failed node.\n\n\
           A monitor asks the instance metadata service (IMDSv2) and the kernel whether the address is still here and \
           calls EC2 only when in doubt. No AWS command line tool is needed.\n\n\
           The instances need permission for ec2:DescribeNetworkInterfaces, ec2:AssignPrivateIpAddresses and \
           ec2:UnassignPrivateIpAddresses, usually by their instance role.",
    parameters: table::VIP,
    actions: ACTIONS,
};

/// All resource agents of this binary.
pub const ALL: [&Agent; 2] = [&EIP, &VIP];

/// Returns the agent that a binary of this name is; under a name that is none of theirs it is `eip`.
#[must_use]
pub fn named(name: &str) -> &'static Agent {
    ALL.into_iter().find(|agent| agent.name == name).unwrap_or(&EIP)
}

/// The actions of every agent here.
const ACTIONS: &[ActionSpec] = &[
    always("start", 60),
    always("stop", 60),
    ActionSpec { interval_s: Some(10), ..always("monitor", 20) },
    always("migrate_to", 60),
    always("migrate_from", 60),
    ActionSpec { advertised: Advertised::Since11, ..always("reload-agent", 20) },
    always("validate-all", 10),
    always("meta-data", 5),
    unadvertised("status"),
    unadvertised("methods"),
    unadvertised("usage"),
    unadvertised("help"),
];
