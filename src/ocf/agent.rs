//! How an agent presents itself to the cluster: name, parameters and actions. Source of the meta-data and the usage
//! text.

use crate::params::table::{self, Spec};

/// One resource agent of this binary.
#[derive(Debug, Clone, Copy)]
pub struct Agent {
    /// Its file name below `resource.d`.
    pub name: &'static str,
    /// One-line description for lists.
    pub short: &'static str,
    /// Full description: what it does and needs, in paragraphs separated by empty lines.
    pub long: &'static str,
    /// The agent of the distribution that it replaces; empty if there is none.
    pub replaces: &'static str,
    /// The parameters that name the address; the first one takes an address of any form. Empty if it keeps none.
    pub address: &'static [&'static str],
    /// Parameters, in the order of the meta-data.
    pub parameters: &'static [Spec],
    /// Actions of the meta-data, in its order. pcs copies them into the configuration, so only useful ones are listed.
    pub actions: &'static [ActionSpec],
}

/// An action of an agent.
#[derive(Debug, Clone, Copy)]
pub struct ActionSpec {
    /// The command-line argument that selects it.
    pub name: &'static str,
    /// Whether only the meta-data of OCF 1.1 and later lists it: the older schema lacks the action.
    pub since_1_1: bool,
    /// Recommended timeout in seconds.
    pub timeout_s: u32,
    /// Recommended interval in seconds, for `monitor` only.
    pub interval_s: Option<u32>,
}

/// An action listed in every format.
const fn always(name: &'static str, timeout_s: u32) -> ActionSpec {
    ActionSpec { name, since_1_1: false, timeout_s, interval_s: None }
}

/// The agent for Elastic IPs.
pub const EIP: Agent = Agent {
    name: "eip",
    short: "Keeps an AWS Elastic IP address on the active node",
    long: "Associates an AWS Elastic IP address with a network interface of the EC2 instance that runs the \
           resource, takes it over from a failed node, and releases it on stop.\n\n\
           A monitor queries the instance metadata service (IMDSv2), and calls EC2 only when in doubt. No AWS \
           command line tool is needed.\n\n\
           The instances need permission for ec2:DescribeAddresses, ec2:AssociateAddress and \
           ec2:DisassociateAddress, usually by their instance role.",
    replaces: "awseip",
    address: &["elastic_ip", "allocation_id"],
    parameters: table::EIP,
    actions: ACTIONS,
};

/// The agent for secondary private addresses.
pub const VIP: Agent = Agent {
    name: "vip",
    short: "Keeps an AWS secondary private IP address on the active node",
    long: "Assigns a secondary private IP address to a network interface of the EC2 instance that runs the \
           resource, puts it on the network device, takes it over from a failed node, and removes it on \
           stop.\n\n\
           A private address belongs to one subnet, and a subnet lies in one zone: all nodes must be in the \
           same subnet. Across zones use an Elastic IP with ocf:heartbeat:eip. An Elastic IP that is \
           associated with the private address moves with it from a failed node.\n\n\
           A monitor queries the instance metadata service (IMDSv2) and the kernel, and calls EC2 only when \
           in doubt. No AWS command line tool is needed.\n\n\
           The instances need permission for ec2:DescribeNetworkInterfaces, ec2:AssignPrivateIpAddresses and \
           ec2:UnassignPrivateIpAddresses, usually by their instance role.",
    replaces: "awsvip",
    address: &["secondary_private_ip"],
    parameters: table::VIP,
    actions: ACTIONS,
};

/// The agent for overlay addresses.
pub const OVERLAY_IP: Agent = Agent {
    name: "overlay-ip",
    short: "Keeps an overlay IP address of an AWS VPC on the active node",
    long: "Makes route tables of the VPC lead an overlay IP address to a network interface of the EC2 instance that runs the \
           resource, puts it on a network device, takes it over from a failed node, and removes it from the \
           device on stop.\n\n\
           An overlay address lies outside every range of the VPC, so it can move between zones. It serves clients in the \
           VPC, in peered networks, and on premises through a transit gateway. Each table needs a route for the address, \
           created once, and the source/destination check of the interfaces must be off. A stop leaves the routes alone: \
           the next start replaces them, in all tables at once.\n\n\
           A monitor checks that the address is still on the device, and queries EC2 for the routes once every \
           route_check_interval. No AWS command line tool is needed.\n\n\
           The instances need permission for ec2:DescribeRouteTables, ec2:ReplaceRoute and \
           ec2:DescribeNetworkInterfaces, usually by their instance role.",
    replaces: "aws-vpc-move-ip",
    address: &["overlay_ip", "ip", "address"],
    parameters: table::OVERLAY,
    actions: ACTIONS,
};

/// The agent that reports whether a node could take the addresses of the others.
pub const EIP_HEALTH: Agent = Agent {
    name: "eip-health",
    short: "Reports whether a node could take over the cluster's AWS addresses",
    long: "Run it as a clone. On each node it checks for every resource of ocf:heartbeat:eip, vip and overlay-ip whether \
           this node could take its address: instance metadata, interface, private address and credentials at each \
           monitor, permissions by a dry run of the EC2 calls once every dry_run_interval.\n\n\
           The result is the node attribute eip-ready-RESOURCE, true or false, for a location rule on that resource, and \
           eip-report-RESOURCE with the reason. A node that has the address is never reported as false. A query that failed \
           changes nothing.\n\n\
           With node_health=true it also sets the node's health, #health-eip. The clone then needs the meta attribute \
           allow-unhealthy-nodes=true, which Pacemaker 2.1.3 and later have.",
    replaces: "",
    address: &[],
    parameters: table::HEALTH,
    actions: &[
        always("start", 60),
        always("stop", 20),
        ActionSpec { interval_s: Some(60), ..always("monitor", 60) },
        RELOAD,
        always("validate-all", 10),
        always("meta-data", 5),
    ],
};

/// The agents that keep an address.
pub const ALL: [&Agent; 3] = [&EIP, &VIP, &OVERLAY_IP];

/// All agents of this binary, with the one that keeps no address.
pub const WITH_HEALTH: [&Agent; 4] = [&EIP, &VIP, &OVERLAY_IP, &EIP_HEALTH];

/// Selects the agent by the name of the binary; `eip` if no agent has that name.
pub fn named(name: &str) -> &'static Agent {
    WITH_HEALTH.into_iter().find(|agent| agent.name == name).unwrap_or(&EIP)
}

/// Actions of every agent that no meta-data lists: they are for people, or an alias.
pub const UNLISTED: [&str; 4] = ["status", "methods", "usage", "help"];

impl Agent {
    /// What an operator has to know about a parameter.
    pub fn describes(&self, spec: &Spec) -> String {
        spec.long.replace("{old}", self.replaces)
    }

    /// Whether it has a parameter of this name.
    pub fn has(&self, parameter: &str) -> bool {
        table::find(self.parameters, parameter).is_some()
    }

    /// Its name in a cluster's configuration.
    pub fn resource_type(&self) -> String {
        format!("ocf:heartbeat:{}", self.name)
    }
}

const RELOAD: ActionSpec = ActionSpec { since_1_1: true, ..always("reload-agent", 20) };

/// The actions of every agent that keeps an address.
const ACTIONS: &[ActionSpec] = &[
    always("start", 60),
    always("stop", 60),
    ActionSpec { interval_s: Some(10), ..always("monitor", 20) },
    always("migrate_to", 60),
    always("migrate_from", 60),
    RELOAD,
    always("validate-all", 10),
    always("meta-data", 5),
];
