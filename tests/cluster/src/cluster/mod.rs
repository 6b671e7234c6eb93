//! A running cluster in its cloud. Dropping it ends and removes everything.

mod admin;
mod checks;
mod disturb;
mod failures;
pub mod settled;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

pub use self::admin::MONITOR_INTERVAL;
pub use self::failures::{Condition, Cut};
use crate::corosync;
use crate::crm_mon::Status;
use crate::error::{Error, Result, ensure};
use crate::journal::{Event, FILES, LogFile};
use crate::net::Net;
use crate::node::{Image, Node};
use crate::probe::Probe;
use crate::state_dir::StateDir;
use crate::timeline::Unusable;
use crate::topology::{ELASTIC_IP, NodeName, PRIVATE_VIP, RunId, WEB_PORT};
use crate::wait::{Epoch, Look, now, until};
use crate::world::World;

/// The resource's id.
pub const RESOURCE: &str = "eip";
/// From the start of the daemons until all nodes are members: 5 s when nothing else runs.
const ONLINE_LIMIT: Duration = Duration::from_secs(90);

/// What a cluster is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// The agent under test.
    pub agent: PathBuf,
    /// How many nodes: 2 or 3.
    pub nodes: u8,
    /// Corosync's token timeout.
    pub token: Duration,
    /// Whether all nodes are in one subnet, instead of one each.
    pub one_subnet: bool,
}

/// The nodes, their network and their cloud.
pub struct Cluster {
    // In the order in which they have to go.
    nodes: BTreeMap<NodeName, Node>,
    probe: Probe,
    world: World,
    net: Net,
    state: StateDir,
    run: RunId,
    conditions: BTreeMap<NodeName, (Condition, Epoch)>,
    standby: BTreeSet<NodeName>,
    stopped: BTreeSet<NodeName>,
    unusable: Vec<Unusable>,
    logs: Vec<LogFile>,
    events: Vec<Event>,
    one_subnet: bool,
}

impl Cluster {
    /// Brings a cluster up and returns once all nodes are online. It has no resource yet.
    ///
    /// # Errors
    /// When any part fails to come up; what was made until then is removed.
    pub fn up(options: &Options) -> Result<Self> {
        let mut cluster = Self::boot(options, |_, _| Ok(()))?;
        cluster.start_daemons(&cluster.nodes())?;
        cluster.wait_online()?;
        // The short time is for this start alone. A node that comes back alone for a moment must not believe that it is the cluster.
        cluster.run(&["crm_attribute", "--name", "dc-deadtime", "--delete"])?;
        Ok(cluster)
    }

    /// Boots the nodes in their cloud; no cluster daemon runs yet. Before a node's first boot, `before` may change its
    /// state folder: a folder `etc` becomes its `/etc`, an executable `prepare` is run at the end of each boot.
    ///
    /// # Errors
    /// When any part fails to come up; what was made until then is removed.
    pub fn boot(
        options: &Options,
        mut before: impl FnMut(&StateDir, NodeName) -> Result<()>,
    ) -> Result<Self> {
        let agent = find(&options.agent)?;
        let run = RunId::own();
        let names: Vec<NodeName> = NodeName::first(options.nodes).collect();
        let state = StateDir::create(&run)?;
        let net = Net::create(run.clone(), &names)?;
        let world = World::create(&net, &names, options.one_subnet)?;
        let probe = Probe::start(net.cloud(), SocketAddr::from((ELASTIC_IP, WEB_PORT)))?;
        let image = image(&state, agent, options.one_subnet)?;
        let mut nodes = BTreeMap::new();
        let mut logs = Vec::new();
        for &name in &names {
            write_files(&state, name, &names, options.token)?;
            before(&state, name)?;
            let node = Node::new(name, state.path().join(name.to_string()), net.node(name), image.clone());
            logs.extend(FILES.iter().map(|file| LogFile::new(name, node.logs().join(file))));
            nodes.insert(name, node);
        }
        let conditions = names.iter().map(|name| (*name, (Condition::Well, now()))).collect();
        let (standby, stopped) = (BTreeSet::new(), BTreeSet::new());
        let (unusable, events) = (Vec::new(), Vec::new());
        let one_subnet = options.one_subnet;
        let mut cluster = Self {
            nodes,
            probe,
            world,
            net,
            state,
            run,
            conditions,
            standby,
            stopped,
            unusable,
            logs,
            events,
            one_subnet,
        };
        for &name in &names {
            cluster.node_mut(name)?.boot()?;
        }
        Ok(cluster)
    }

    /// Returns the id of this run, which names its namespaces.
    #[must_use]
    pub fn run_id(&self) -> &RunId {
        &self.run
    }

    /// Returns the cloud.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Returns whether all nodes are in one subnet.
    #[must_use]
    pub fn is_in_one_subnet(&self) -> bool {
        self.one_subnet
    }

    /// Returns the network.
    #[must_use]
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// Returns the client of the elastic IP.
    #[must_use]
    pub fn probe(&self) -> &Probe {
        &self.probe
    }

    /// Returns the run's state folder.
    #[must_use]
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// Returns all nodes.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeName> {
        self.nodes.keys().copied().collect()
    }

    /// Returns a node.
    ///
    /// # Errors
    /// [`Error::Wrong`] when the cluster has none of this name.
    pub fn node(&self, name: NodeName) -> Result<&Node> {
        self.nodes.get(&name).ok_or_else(|| Error::Wrong(format!("there is no node {name}")))
    }

    /// Returns a node, to boot it or kill it.
    ///
    /// # Errors
    /// [`Error::Wrong`] when the cluster has none of this name.
    pub fn node_mut(&mut self, name: NodeName) -> Result<&mut Node> {
        self.nodes.get_mut(&name).ok_or_else(|| Error::Wrong(format!("there is no node {name}")))
    }

    /// Runs a command on the first node that is well.
    ///
    /// # Errors
    /// When no node is, or the command fails.
    pub fn run(&self, words: &[&str]) -> Result<String> {
        let first = self.well().first().copied().ok_or_else(|| Error::Wrong("no node is well".into()))?;
        self.node(first)?.run(words)
    }

    /// Returns what a node believes about the cluster.
    ///
    /// # Errors
    /// When the node has no cluster running, or its answer is not understood.
    pub fn status(&self, node: NodeName) -> Result<Status> {
        Status::parse(&self.node(node)?.run(&["crm_mon", "-1", "--output-as=xml"])?)
    }

    /// Returns what the nodes' logs tell since `from`, in order of time.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn events_since(&mut self, from: Epoch) -> Result<Vec<Event>> {
        for log in &mut self.logs {
            self.events.extend(log.read_on()?);
        }
        self.events.sort_by(|a, b| a.at.total_cmp(&b.at));
        Ok(self.events.iter().filter(|event| event.at >= from).cloned().collect())
    }

    /// Returns the times in which nodes could not serve.
    #[must_use]
    pub fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }

    /// Waits until every node sees every node online.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub fn wait_online(&self) -> Result<()> {
        let names = self.nodes();
        until("all nodes online", ONLINE_LIMIT, || {
            for &name in &names {
                let status = match Look::tolerant(self.status(name))? {
                    Look::There(status) => status,
                    Look::NotYet(why) => return Ok(Look::NotYet(why)),
                };
                let well = |peer: &&NodeName| {
                    let state = status.nodes.iter().find(|state| state.name == peer.to_string());
                    state.is_some_and(|state| state.online && state.flags.is_empty())
                };
                if let Some(peer) = names.iter().find(|peer| !well(peer)) {
                    return Ok(Look::NotYet(format!("{name} does not see {peer} online")));
                }
            }
            Ok(Look::There(()))
        })
    }
}

/// Returns the agent's full path: nodes are started elsewhere.
fn find(agent: &Path) -> Result<PathBuf> {
    let found = fs::canonicalize(agent).map_err(Error::io(format_args!("the agent {}", agent.display())))?;
    ensure(found.is_file(), || format!("the agent {} is not a file", found.display()))?;
    Ok(found)
}

fn image(state: &StateDir, agent: PathBuf, one_subnet: bool) -> Result<Image> {
    let init = state.write("node-init.sh", include_str!("../node-init.sh"))?;
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&init, executable).map_err(Error::io("making node-init.sh executable"))?;
    let web = env::current_exe().map_err(Error::io("finding the harness's own binary"))?;
    Ok(Image { init, agent, web, shared: one_subnet.then_some(PRIVATE_VIP) })
}

fn write_files(state: &StateDir, name: NodeName, all: &[NodeName], token: Duration) -> Result<()> {
    state.write(&format!("{name}/etc-corosync/corosync.conf"), &corosync::configuration(all, token))?;
    state.write(&format!("{name}/seed-cib.xml"), &corosync::seed_cib(all))?;
    state.write(&format!("{name}/hosts"), &corosync::hosts(all))?;
    state.write(&format!("{name}/log/init.out"), "").map(drop)
}
