//! Real clusters of Pacemaker and Corosync. Drop ends and removes everything.
//!
//! `scenario` has the scenarios, `chaos` runs rounds of random failures, `demo` is a demonstration.

mod admin;
pub(crate) mod chaos;
mod checks;
pub mod corosync;
pub(crate) mod crm_mon;
pub(crate) mod demo;
mod disturb;
mod failures;
pub mod journal;
pub mod save;
pub(crate) mod scenario;
mod settled;

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::{Args, value_parser};

pub use self::admin::MONITOR_INTERVAL;
use self::crm_mon::ClusterStatus;
use self::journal::{Event, FILES, LogFile};
use crate::built;
use crate::error::{HarnessError, Result, ensure};
use crate::machines::{Blueprint, Machines};
use crate::state_dir::StateDir;
use crate::topology::{ELASTIC_IP, Layout, NodeName, OVERLAY_IP, OVERLAY_IPV6, PRIVATE_VIP};
use crate::wait::{Epoch, Polled, until};

/// Id of the resource for the elastic IP.
pub const RESOURCE: &str = "eip";
/// From the start of the daemons until all nodes are members: 5 s on an idle machine.
const ONLINE_LIMIT: Duration = Duration::from_secs(90);

/// What a cluster consists of.
#[derive(Debug, Clone, Args)]
pub struct ClusterOptions {
    /// The agent under test [default: `EIP_BIN`, or else what make agent built].
    #[arg(long, value_name = "PATH", default_value_os_t = built::agent(), hide_default_value = true)]
    pub agent: PathBuf,
    /// Number of nodes: 2 or 3.
    #[arg(long, value_name = "N", default_value = "2", value_parser = value_parser!(u8).range(2..=3))]
    pub nodes: u8,
    /// Corosync's token timeout; a busy machine needs 2000.
    #[arg(long, value_name = "MS", default_value = "1000", value_parser = token())]
    pub token: Duration,
    /// The VPC's layout.
    #[arg(skip)]
    pub layout: Layout,
}

/// Parses Corosync's token timeout.
pub(crate) fn token() -> impl TypedValueParser<Value = Duration> {
    value_parser!(u64).range(500..=60_000).map(Duration::from_millis)
}

/// An address, and the resource that moves it.
#[derive(Debug, PartialEq, Eq)]
pub struct ManagedAddress {
    /// The resource's id.
    pub resource: &'static str,
    /// Its agent, of the provider `heartbeat`.
    pub agent: &'static str,
    /// The parameter that names the address.
    pub parameter: &'static str,
    /// The address itself.
    pub ip: IpAddr,
    /// Further parameters of the resource, if it exists beside the elastic IP.
    pub parameters: &'static [&'static str],
    /// The calls to EC2 that move it: the one that takes it and the one that would release it.
    pub calls: [&'static str; 2],
}

/// The elastic IP, which most clusters manage.
pub static ELASTIC: ManagedAddress = ManagedAddress {
    resource: RESOURCE,
    agent: "eip",
    parameter: "elastic_ip",
    ip: IpAddr::V4(ELASTIC_IP),
    parameters: &[],
    calls: ["AssociateAddress", "DisassociateAddress"],
};
/// The private address that may be managed beside it.
pub static PRIVATE: ManagedAddress = ManagedAddress {
    resource: "vip",
    agent: "vip",
    parameter: "secondary_private_ip",
    ip: IpAddr::V4(PRIVATE_VIP),
    parameters: &[],
    calls: ["AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"],
};

/// The overlay address of clusters with route tables.
pub static OVERLAY: ManagedAddress = ManagedAddress {
    resource: RESOURCE,
    agent: "overlay-ip",
    parameter: "overlay_ip",
    ip: OVERLAY_IP,
    parameters: &[],
    calls: ["ReplaceRoute", "DeleteRoute"],
};
/// The same in IPv6.
pub static IPV6_OVERLAY: ManagedAddress = ManagedAddress { ip: OVERLAY_IPV6, ..OVERLAY };
/// The overlay address that may be managed beside the elastic IP. Every other monitor queries EC2.
pub static OVERLAY_BESIDE: ManagedAddress = ManagedAddress {
    resource: "overlay",
    parameters: &["routing_table=auto", "route_check_interval=6"],
    ..OVERLAY
};
/// The addresses of all kinds.
pub static ADDRESSES: [&ManagedAddress; 5] = [&ELASTIC, &PRIVATE, &OVERLAY, &IPV6_OVERLAY, &OVERLAY_BESIDE];

impl ManagedAddress {
    /// True if the address leaves its node by a call to EC2. An overlay address does not: a stop leaves the routes alone.
    pub fn is_released(&self) -> bool {
        self.calls != OVERLAY.calls
    }
}

/// Nodes with Pacemaker.
pub struct PacemakerCluster {
    machines: Machines,
    addresses: Vec<&'static ManagedAddress>,
    standby: BTreeSet<NodeName>,
    stopped: BTreeSet<NodeName>,
    logs: Vec<LogFile>,
    events: Vec<Event>,
}

impl Deref for PacemakerCluster {
    type Target = Machines;

    fn deref(&self) -> &Machines {
        &self.machines
    }
}

impl DerefMut for PacemakerCluster {
    fn deref_mut(&mut self) -> &mut Machines {
        &mut self.machines
    }
}

impl PacemakerCluster {
    /// Brings a cluster up without a resource, and returns when all nodes are online.
    ///
    /// # Errors
    /// If any part fails to come up; what was created until then is removed.
    pub fn up(options: &ClusterOptions) -> Result<Self> {
        let mut cluster = Self::boot(options, |_, _| Ok(()))?;
        cluster.start_daemons(&cluster.nodes())?;
        cluster.wait_online()?;
        // The short time is for this start alone. A node that comes back alone for a moment must not believe that it is the cluster.
        cluster.run(&["crm_attribute", "--name", "dc-deadtime", "--delete"])?;
        Ok(cluster)
    }

    /// Boots the nodes in their cloud without any cluster daemon. Before a node's first boot, `before` may change its state folder:
    /// a folder `etc` becomes its `/etc`, an executable `prepare` is run at the end of each boot.
    ///
    /// # Errors
    /// If any part fails to come up; what was created until then is removed.
    pub fn boot(
        options: &ClusterOptions,
        mut before: impl FnMut(&StateDir, NodeName) -> Result<()>,
    ) -> Result<Self> {
        let blueprint = Blueprint {
            nodes: options.nodes,
            layout: options.layout,
            node_files: include_str!("node-files.sh"),
            subject: find(&options.agent)?,
            user: None,
        };
        let names: Vec<NodeName> = NodeName::first(options.nodes).collect();
        let mut machines = Machines::create(&blueprint, |state, name| {
            write_files(state, name, &names, options.token)?;
            before(state, name)
        })?;
        let mut logs = Vec::new();
        for &name in &names {
            let node = machines.node_mut(name)?;
            logs.extend(FILES.iter().map(|file| LogFile::new(name, node.logs().join(file))));
            node.boot()?;
        }
        let (standby, stopped) = (BTreeSet::new(), BTreeSet::new());
        let main = options.layout.address();
        let addresses = ADDRESSES.into_iter().filter(|address| address.ip == main).take(1).collect();
        Ok(Self { machines, addresses, standby, stopped, logs, events: Vec::new() })
    }

    /// The nodes without a failure.
    pub fn well(&self) -> Vec<NodeName> {
        let mut well = self.machines.well();
        well.retain(|node| !self.stopped.contains(node));
        well
    }

    /// The addresses that the cluster manages; the first is the one that clients connect to.
    pub fn addresses(&self) -> &[&'static ManagedAddress] {
        &self.addresses
    }

    /// Runs a command on the first healthy node.
    ///
    /// # Errors
    /// If there is none, or the command fails.
    pub fn run(&self, words: &[&str]) -> Result<String> {
        let first =
            self.well().first().copied().ok_or_else(|| HarnessError::Wrong("no node is healthy".into()))?;
        self.node(first)?.run(words)
    }

    /// A node's view of the cluster.
    ///
    /// # Errors
    /// If the node has no cluster running, or its answer is not understood.
    pub fn status(&self, node: NodeName) -> Result<ClusterStatus> {
        ClusterStatus::parse(&self.node(node)?.run(&["crm_mon", "-1", "--output-as=xml"])?)
    }

    /// Log events of all nodes since `from`, in order of time.
    ///
    /// # Errors
    /// If a log cannot be read.
    pub fn events_since(&mut self, from: Epoch) -> Result<Vec<Event>> {
        for log in &mut self.logs {
            self.events.extend(log.read_on()?);
        }
        self.events.sort_by(|a, b| a.at.total_cmp(&b.at));
        Ok(self.events.iter().filter(|event| event.at >= from).cloned().collect())
    }

    /// Waits until every node sees every node online.
    ///
    /// # Errors
    /// [`HarnessError::TimedOut`].
    pub fn wait_online(&self) -> Result<()> {
        let names = self.nodes();
        until("all nodes online", ONLINE_LIMIT, || {
            for &name in &names {
                let status = match Polled::tolerant(self.status(name))? {
                    Polled::There(status) => status,
                    Polled::NotYet(why) => return Ok(Polled::NotYet(why)),
                };
                let well = |peer: &&NodeName| {
                    let state = status.nodes.iter().find(|state| state.name == peer.to_string());
                    state.is_some_and(|state| state.online && state.flags.is_empty())
                };
                if let Some(peer) = names.iter().find(|peer| !well(peer)) {
                    return Ok(Polled::NotYet(format!("{name} does not see {peer} online")));
                }
            }
            Ok(Polled::There(()))
        })
    }
}

/// The agent's full path: nodes have another working directory.
fn find(agent: &Path) -> Result<PathBuf> {
    let found =
        fs::canonicalize(agent).map_err(HarnessError::io(format_args!("the agent {}", agent.display())))?;
    ensure(found.is_file(), || format!("the agent {} is not a file", found.display()))?;
    Ok(found)
}

fn write_files(state: &StateDir, name: NodeName, all: &[NodeName], token: Duration) -> Result<()> {
    state.write(&format!("{name}/etc-corosync/corosync.conf"), &corosync::configuration(all, token))?;
    state.write(&format!("{name}/seed-cib.xml"), &corosync::seed_cib(all))?;
    state.write(&format!("{name}/hosts"), &corosync::hosts(all)).map(drop)
}
