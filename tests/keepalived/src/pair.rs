//! Two nodes with keepalived in a simulated cloud. Dropping the pair ends and removes everything.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use aws_sim::{CredState, InstanceId};
use cluster::chronicle::Chronicle;
use cluster::cluster::{Condition, Cut};
use cluster::error::{Error, Result};
use cluster::net::Net;
use cluster::node::{Image, Node};
use cluster::probe::Probe;
use cluster::state_dir::StateDir;
use cluster::timeline::Unusable;
use cluster::topology::{ELASTIC_IP, NodeName, RunId, WEB_PORT};
use cluster::wait::{Epoch, now};
use cluster::witness::Story;
use cluster::world::World;

use crate::setup::{Setup, own_address};

/// The nodes, their network and their cloud.
pub struct Pair {
    // In the order in which they have to go.
    nodes: BTreeMap<NodeName, Node>,
    probe: Probe,
    world: World,
    net: Net,
    state: StateDir,
    conditions: BTreeMap<NodeName, Condition>,
    unusable: Vec<Unusable>,
}

impl Pair {
    /// Boots both nodes, each with an elastic IP of its own. keepalived does not run yet.
    ///
    /// # Errors
    /// When any part fails to come up; what was made until then is removed.
    pub fn boot(setup: &Setup, packages: &Path) -> Result<Self> {
        let run = RunId::own();
        let names: Vec<NodeName> = NodeName::first(2).collect();
        let state = StateDir::create(&run)?;
        let net = Net::create(run, &names)?;
        let world = World::create(&net, &names, false)?;
        let probe = Probe::start(net.cloud(), SocketAddr::from((ELASTIC_IP, WEB_PORT)))?;
        let image = image(&state, packages)?;
        let mut nodes = BTreeMap::new();
        for &name in &names {
            for (path, text) in setup.files(name) {
                state.write(&format!("{name}/{path}"), &text)?;
            }
            let folder = state.path().join(name.to_string());
            nodes.insert(name, Node::new(name, folder, net.node(name), image.clone()));
        }
        let conditions = names.iter().map(|name| (*name, Condition::Well)).collect();
        let mut pair = Self { nodes, probe, world, net, state, conditions, unusable: Vec::new() };
        for &name in &names {
            drop(pair.world.cloud().allocate(Some(own_address(name))));
            pair.give(own_address(name), name)?;
            if let Some((id, secret)) = setup.secret {
                pair.world.cloud().add_access_key(id, secret);
                pair.world.cloud().set_credentials(&InstanceId::from(name.instance()), CredState::Missing404);
            }
            pair.node_mut(name)?.boot()?;
        }
        Ok(pair)
    }

    /// Starts keepalived on a node.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_keepalived(&self, name: NodeName) -> Result<Epoch> {
        let at = now();
        self.node(name)?.run(&["systemctl", "start", "keepalived"])?;
        Ok(at)
    }

    /// Stops keepalived on a node in order, with SIGTERM, and returns when that began.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop_keepalived(&self, name: NodeName) -> Result<Epoch> {
        let at = now();
        self.node(name)?.run(&["systemctl", "stop", "keepalived"])?;
        Ok(at)
    }

    /// Starts the service that the article's check looks for, after somebody has killed it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_service(&mut self, name: NodeName) -> Result<Epoch> {
        let at = now();
        self.node_mut(name)?.daemon("haproxy", &["/run/harness/haproxy", "infinity"])?;
        Ok(at)
    }

    /// Kills a node as a power cut does and returns when.
    ///
    /// # Errors
    /// When its network cannot be unplugged.
    pub fn power_off(&mut self, name: NodeName) -> Result<Epoch> {
        let at = self.mark(name, Condition::Dead);
        self.node_mut(name)?.kill();
        self.net.set_plugged(name, false)?;
        Ok(at)
    }

    /// Takes a node's interface down, and returns when.
    ///
    /// # Errors
    /// When the network cannot be changed.
    pub fn cut(&mut self, name: NodeName) -> Result<Epoch> {
        let at = self.mark(name, Condition::Cut(Cut::LinkDown));
        self.net.set_link(name, false)?;
        Ok(at)
    }

    /// Makes good whatever has happened to a node, and returns when.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn repair(&mut self, name: NodeName) -> Result<Epoch> {
        let at = now();
        match self.condition(name) {
            Condition::Dead => {
                self.net.set_plugged(name, true)?;
                self.node_mut(name)?.boot()?;
                self.start_keepalived(name)?;
            }
            Condition::Cut(_) => self.net.set_link(name, true)?,
            Condition::Well | Condition::NoCorosync => {}
        }
        self.conditions.insert(name, Condition::Well);
        for span in self.unusable.iter_mut().filter(|span| span.node == name) {
            span.to.get_or_insert(at);
        }
        Ok(at)
    }

    /// Cuts the nodes off from each other, or joins them again; both keep reaching EC2.
    ///
    /// # Errors
    /// When the network cannot be changed.
    pub fn set_joined(&self, joined: bool) -> Result<Epoch> {
        let names: Vec<NodeName> = self.nodes.keys().copied().collect();
        let at = now();
        if let [one, two] = names.as_slice() {
            self.net.set_joined(*one, *two, joined)?;
        }
        Ok(at)
    }

    /// Gives an address to a node, as somebody does at the console.
    ///
    /// # Errors
    /// [`Error::Wrong`] when the node is no instance.
    pub fn give(&self, address: Ipv4Addr, name: NodeName) -> Result<Epoch> {
        let cloud = self.world.cloud();
        let instance = cloud.instance(&InstanceId::from(name.instance()));
        let interface = instance.as_ref().and_then(|instance| instance.interfaces.first());
        let interface = interface.ok_or_else(|| Error::Wrong(format!("{name} has no interface")))?;
        drop(cloud.associate(address, &interface.eni, None));
        Ok(now())
    }

    /// Returns whether a node has its own address.
    pub fn has_own(&self, name: NodeName) -> bool {
        let holder = self.world.cloud().holder(own_address(name));
        holder.is_some_and(|holder| holder.instance == InstanceId::from(name.instance()))
    }

    /// Has a node install what is in its script at every boot from now on.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn keep(&self, install: &str) -> Result<()> {
        for name in self.nodes.keys() {
            self.state.write(&format!("{name}/install"), install)?;
        }
        Ok(())
    }

    /// Returns how a node is.
    pub fn condition(&self, name: NodeName) -> Condition {
        self.conditions.get(&name).copied().unwrap_or(Condition::Dead)
    }

    /// Returns the nodes that nothing has happened to.
    pub fn well(&self) -> Vec<NodeName> {
        self.nodes.keys().copied().filter(|name| self.condition(*name) == Condition::Well).collect()
    }

    /// Tells a story that happened to this pair.
    pub fn told(&self, story: &Story) -> Chronicle {
        story.told(&self.world, &self.probe, &self.unusable)
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

    fn mark(&mut self, node: NodeName, condition: Condition) -> Epoch {
        let from = now();
        self.conditions.insert(node, condition);
        self.unusable.push(Unusable { node, from, to: None });
        from
    }
}

fn image(state: &StateDir, packages: &Path) -> Result<Image> {
    let init = state.write("node-init.sh", include_str!("node-init.sh"))?;
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&init, executable).map_err(Error::io("making node-init.sh executable"))?;
    let web = env::current_exe().map_err(Error::io("finding the harness's own binary"))?;
    Ok(Image { init, agent: PathBuf::from(packages), web, shared: None })
}
