//! Two nodes without Pacemaker in a simulated cloud: what the pairs of other cluster managers have in common.
//!
//! Dropping it ends and removes everything.

mod checks;
mod fate;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use aws_sim::CredState;

use crate::chronicle::Chronicle;
use crate::cluster::Condition;
use crate::error::{Error, Result};
use crate::net::Net;
use crate::node::{Image, Node};
use crate::probe::Probe;
use crate::state_dir::StateDir;
use crate::timeline::Unusable;
use crate::topology::{ELASTIC_IP, NodeName, RunId, WEB_PORT};
use crate::witness::Story;
use crate::world::World;

pub use self::checks::name;

/// What the nodes are made of.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The script that each node begins with.
    pub init: &'a str,
    /// The folder of the packages to install.
    pub packages: &'a Path,
    /// Key id and secret of a user; without one the nodes have a role.
    pub user: Option<(&'a str, &'a str)>,
}

/// The nodes, their network and their cloud.
pub struct Machines {
    // In the order in which they have to go.
    nodes: BTreeMap<NodeName, Node>,
    probe: Probe,
    world: World,
    net: Net,
    state: StateDir,
    conditions: BTreeMap<NodeName, Condition>,
    unusable: Vec<Unusable>,
}

impl Machines {
    /// Makes two nodes with files of their own, by their paths below the node's folder. None is booted yet.
    ///
    /// # Errors
    /// When any part fails to come up; what was made until then is removed.
    pub fn create<'f>(parts: Parts<'_>, files: impl Fn(NodeName) -> Vec<(&'f str, String)>) -> Result<Self> {
        let run = RunId::own();
        let names: Vec<NodeName> = NodeName::first(2).collect();
        let state = StateDir::create(&run)?;
        let net = Net::create(run, &names)?;
        let world = World::create(&net, &names, false)?;
        if let Some((id, secret)) = parts.user {
            world.cloud().add_access_key(id, secret);
            for name in &names {
                world.cloud().set_credentials(&aws_sim::parsed(name.instance()), CredState::Missing404);
            }
        }
        let probe = Probe::start(net.cloud(), SocketAddr::from((ELASTIC_IP, WEB_PORT)))?;
        let image = image(&state, parts)?;
        let mut nodes = BTreeMap::new();
        for &name in &names {
            for (path, text) in files(name) {
                state.write(&format!("{name}/{path}"), &text)?;
            }
            let folder = state.path().join(name.to_string());
            nodes.insert(name, Node::new(name, folder, net.node(name), image.clone()));
        }
        let conditions = names.iter().map(|name| (*name, Condition::Well)).collect();
        Ok(Self { nodes, probe, world, net, state, conditions, unusable: Vec::new() })
    }

    /// Returns a node.
    ///
    /// # Errors
    /// [`Error::Wrong`] when there is none of this name.
    pub fn node(&self, name: NodeName) -> Result<&Node> {
        self.nodes.get(&name).ok_or_else(|| Error::Wrong(format!("there is no node {name}")))
    }

    /// Returns a node, for what changes it.
    ///
    /// # Errors
    /// [`Error::Wrong`] when there is none of this name.
    pub fn node_mut(&mut self, name: NodeName) -> Result<&mut Node> {
        self.nodes.get_mut(&name).ok_or_else(|| Error::Wrong(format!("there is no node {name}")))
    }

    /// Returns the cloud.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Returns the client of the elastic IP.
    #[must_use]
    pub fn probe(&self) -> &Probe {
        &self.probe
    }

    /// Returns how a node is.
    #[must_use]
    pub fn condition(&self, name: NodeName) -> Condition {
        self.conditions.get(&name).copied().unwrap_or(Condition::Dead)
    }

    /// Returns the nodes that nothing has happened to.
    #[must_use]
    pub fn well(&self) -> Vec<NodeName> {
        self.nodes.keys().copied().filter(|name| self.condition(*name) == Condition::Well).collect()
    }

    /// Tells a story that happened to these nodes.
    #[must_use]
    pub fn told(&self, story: &Story) -> Chronicle {
        story.told(&self.world, &self.probe, &self.unusable)
    }

    /// Gives each node a file, by its path below the node's folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        self.nodes.keys().try_for_each(|name| self.state.write(&format!("{name}/{path}"), text).map(drop))
    }
}

/// Returns the two nodes.
///
/// # Errors
/// Never, as there are two.
pub fn nodes() -> Result<(NodeName, NodeName)> {
    let mut names = NodeName::first(2);
    match (names.next(), names.next()) {
        (Some(one), Some(two)) => Ok((one, two)),
        _ => Err(Error::Wrong("two nodes are expected".to_owned())),
    }
}

fn image(state: &StateDir, parts: Parts<'_>) -> Result<Image> {
    let init = state.write("node-init.sh", parts.init)?;
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&init, executable).map_err(Error::io("making node-init.sh executable"))?;
    let web = env::current_exe().map_err(Error::io("finding the harness's own binary"))?;
    Ok(Image { init, agent: PathBuf::from(parts.packages), web, shared: None })
}
