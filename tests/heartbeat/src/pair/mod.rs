//! Two nodes with Heartbeat in a simulated cloud. Dropping the pair ends and removes everything.

mod fate;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use aws_sim::{CredState, InstanceId};
use cluster::cluster::Condition;
use cluster::error::{Error, Result};
use cluster::net::Net;
use cluster::node::{Image, Node};
use cluster::probe::Probe;
use cluster::state_dir::StateDir;
use cluster::timeline::Unusable;
use cluster::topology::{ELASTIC_IP, NodeName, RunId, WEB_PORT};
use cluster::world::World;

use crate::setup::Setup;

/// The nodes, their network and their cloud.
pub struct Pair {
    // In the order in which they have to go.
    nodes: BTreeMap<NodeName, Node>,
    probe: Probe,
    world: World,
    net: Net,
    /// Removed when it is dropped.
    _state: StateDir,
    setup: Setup,
    conditions: BTreeMap<NodeName, Condition>,
    /// The nodes that run without Heartbeat.
    stopped: BTreeSet<NodeName>,
    unusable: Vec<Unusable>,
}

impl Pair {
    /// Boots both nodes. Heartbeat does not run yet.
    ///
    /// # Errors
    /// When any part fails to come up; what was made until then is removed.
    pub fn boot(setup: Setup, packages: &Path) -> Result<Self> {
        let run = RunId::own();
        let names: Vec<NodeName> = NodeName::first(2).collect();
        let state = StateDir::create(&run)?;
        let net = Net::create(run, &names)?;
        let world = World::create(&net, &names, false)?;
        if let Some((id, secret)) = &setup.secret {
            world.cloud().add_access_key(id.as_str(), secret.as_str());
            for name in &names {
                world.cloud().set_credentials(&InstanceId::from(name.instance()), CredState::Missing404);
            }
        }
        let probe = Probe::start(net.cloud(), SocketAddr::from((ELASTIC_IP, WEB_PORT)))?;
        let image = image(&state, packages)?;
        let mut nodes = BTreeMap::new();
        for &name in &names {
            for (path, text) in setup.files(name, &names) {
                state.write(&format!("{name}/{path}"), &text)?;
            }
            let folder = state.path().join(name.to_string());
            nodes.insert(name, Node::new(name, folder, net.node(name), image.clone()));
        }
        let conditions = names.iter().map(|name| (*name, Condition::Well)).collect();
        let (stopped, unusable) = (names.iter().copied().collect(), Vec::new());
        let mut pair = Self { nodes, probe, world, net, _state: state, setup, conditions, stopped, unusable };
        for &name in &names {
            pair.start(name)?;
        }
        Ok(pair)
    }

    /// Has a node that boots run this script from now on.
    pub fn keep_installed(&mut self, script: &'static str) {
        self.setup.install = Some(script);
    }

    /// Returns how often Heartbeat has called `elastic-ip` on a node with an action, by its log.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn calls(&self, name: NodeName, action: &str) -> Result<usize> {
        let log = fs::read_to_string(self.node(name)?.logs().join("ha-log")).unwrap_or_default();
        let call =
            |line: &&str| line.contains("/elastic-ip ") && line.trim_end().ends_with(&format!(" {action}"));
        Ok(log.lines().filter(call).count())
    }

    /// Returns how a node is.
    pub fn condition(&self, name: NodeName) -> Condition {
        self.conditions.get(&name).copied().unwrap_or(Condition::Dead)
    }

    /// Returns the nodes that nothing has happened to and that run Heartbeat.
    pub fn well(&self) -> Vec<NodeName> {
        let well = |name: &NodeName| self.condition(*name) == Condition::Well && !self.stopped.contains(name);
        self.nodes.keys().copied().filter(well).collect()
    }

    /// Returns a node.
    ///
    /// # Errors
    /// [`Error::Wrong`] when there is none of this name.
    pub fn node(&self, name: NodeName) -> Result<&Node> {
        self.nodes.get(&name).ok_or_else(|| Error::Wrong(format!("there is no node {name}")))
    }

    fn node_mut(&mut self, name: NodeName) -> Result<&mut Node> {
        self.nodes.get_mut(&name).ok_or_else(|| Error::Wrong(format!("there is no node {name}")))
    }

    /// Returns the cloud.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Returns the client of the elastic IP.
    pub fn probe(&self) -> &Probe {
        &self.probe
    }

    /// Returns the times in which nodes could not serve.
    pub fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }
}

fn image(state: &StateDir, packages: &Path) -> Result<Image> {
    let init = state.write("node-init.sh", include_str!("../node-init.sh"))?;
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&init, executable).map_err(Error::io("making node-init.sh executable"))?;
    let web = env::current_exe().map_err(Error::io("finding the harness's own binary"))?;
    Ok(Image { init, agent: PathBuf::from(packages), web, shared: None })
}
