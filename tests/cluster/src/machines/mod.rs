//! The nodes of a cluster in their simulated cloud, for any cluster manager. Drop ends and removes everything.

mod checks;
mod failures;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::{env, fs};

use aws_sim::CredState;

pub use self::failures::{Cut, NodeCondition};
use crate::error::{HarnessError, Result};
use crate::net::Net;
use crate::node::{ClusterNode, Image};
use crate::probe::Probe;
use crate::state_dir::StateDir;
use crate::timeline::{Gap, UnusableSpan, outage, voices};
use crate::topology::{ELASTIC_IP, Layout, NodeName, RunId, WEB_PORT};
use crate::vpc_router::VpcRouter;
use crate::wait::{Epoch, now};
use crate::world::SimulatedCloud;

/// What the nodes consist of.
#[derive(Debug, Clone)]
pub struct Blueprint {
    /// Number of nodes.
    pub nodes: u8,
    pub layout: Layout,
    /// The cluster manager's part of `node-init.sh`, which writes its files.
    pub node_files: &'static str,
    /// What that part installs: the agent under test, or the folder of the packages.
    pub subject: PathBuf,
    /// Access key id and secret of a user. If `None`, the instances have a role.
    pub user: Option<(&'static str, &'static str)>,
}

/// The nodes, their network and their cloud.
pub struct Machines {
    // In the order in which they have to be dropped.
    nodes: BTreeMap<NodeName, ClusterNode>,
    clients: BTreeMap<IpAddr, Vec<Probe>>,
    _router: Option<VpcRouter>,
    world: SimulatedCloud,
    net: Net,
    state: StateDir,
    run: RunId,
    layout: Layout,
    conditions: BTreeMap<NodeName, (NodeCondition, Epoch)>,
    unusable: Vec<UnusableSpan>,
}

impl Machines {
    /// Creates the nodes without booting them; `files` writes what a node finds in its folder at its first boot.
    pub fn create(
        blueprint: &Blueprint,
        mut files: impl FnMut(&StateDir, NodeName) -> Result<()>,
    ) -> Result<Self> {
        let run = RunId::own();
        let names: Vec<NodeName> = NodeName::first(blueprint.nodes).collect();
        let state = StateDir::create(&run)?;
        let mut net = Net::create(run.clone(), &names, blueprint.layout.address().is_ipv6())?;
        let world = SimulatedCloud::create(&net, &names, blueprint.layout)?;
        if let Some((id, secret)) = blueprint.user {
            world.cloud().add_access_key(id, secret);
            for name in &names {
                world.cloud().set_credentials(&aws_sim::parsed(name.instance()), CredState::Missing404);
            }
        }
        let layout = blueprint.layout;
        let mut clients = BTreeMap::new();
        let mut ask_from = |places: Vec<PathBuf>, ip: IpAddr| {
            let target = SocketAddr::from((ip, WEB_PORT));
            let probes =
                places.into_iter().map(|place| Probe::start(place, target)).collect::<Result<_>>()?;
            clients.insert(ip, probes);
            Ok(())
        };
        if layout.addresses().contains(&ELASTIC_IP.into()) {
            ask_from(vec![net.cloud()], ELASTIC_IP.into())?;
        }
        let router = match layout.overlay() {
            Some(overlay) => {
                let (router, places) = VpcRouter::start(&mut net, &world, overlay)?;
                ask_from(places, overlay)?;
                Some(router)
            }
            None => None,
        };
        let image = image(&state, blueprint)?;
        let mut nodes = BTreeMap::new();
        for &name in &names {
            state.write(&format!("{name}/log/init.out"), "")?;
            files(&state, name)?;
            let folder = state.path().join(name.to_string());
            nodes.insert(name, ClusterNode::new(name, folder, net.node(name), image.clone()));
        }
        let conditions = names.iter().map(|name| (*name, (NodeCondition::Well, now()))).collect();
        let unusable = Vec::new();
        Ok(Self { nodes, clients, _router: router, world, net, state, run, layout, conditions, unusable })
    }

    pub fn nodes(&self) -> Vec<NodeName> {
        self.nodes.keys().copied().collect()
    }

    pub fn node(&self, name: NodeName) -> Result<&ClusterNode> {
        self.nodes.get(&name).ok_or_else(|| HarnessError::Wrong(format!("there is no node {name}")))
    }

    /// For booting or killing it.
    pub fn node_mut(&mut self, name: NodeName) -> Result<&mut ClusterNode> {
        self.nodes.get_mut(&name).ok_or_else(|| HarnessError::Wrong(format!("there is no node {name}")))
    }

    pub fn world(&self) -> &SimulatedCloud {
        &self.world
    }

    pub fn net(&self) -> &Net {
        &self.net
    }

    /// Clients of the layout's main address.
    pub fn clients(&self) -> &[Probe] {
        self.clients_of(self.layout.address())
    }

    /// Clients of an address: one, or one behind each route table; none of a private address.
    pub fn clients_of(&self, ip: IpAddr) -> &[Probe] {
        self.clients.get(&ip).map_or(&[], Vec::as_slice)
    }

    /// The node that answers every client of an address; `None` if a client gets no answer, or another node's.
    pub fn answering(&self, ip: IpAddr) -> Option<NodeName> {
        let mut answers = self.clients_of(ip).iter().map(Probe::answering);
        let first = answers.next().flatten()?;
        answers.all(|answer| answer == Some(first)).then_some(first)
    }

    /// For each client of an address, the nodes that have answered it since `from`, in order.
    pub fn voices(&self, ip: IpAddr, from: Epoch) -> Vec<Vec<NodeName>> {
        self.clients_of(ip).iter().map(|client| voices(&client.since(from))).collect()
    }

    /// How long the worst-off client of an address was without an answer between `from` and `to`.
    pub fn outage(&self, ip: IpAddr, from: Epoch, to: Epoch) -> Gap {
        let gaps = self.clients_of(ip).iter().map(|client| outage(&client.since(from - 1.0), from, to));
        gaps.max_by(|a, b| a.longest.total_cmp(&b.longest)).unwrap_or_default()
    }

    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// The id of this run, which is part of its namespaces' names.
    pub fn run_id(&self) -> &RunId {
        &self.run
    }

    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The times at which nodes could not serve.
    pub fn unusable(&self) -> &[UnusableSpan] {
        &self.unusable
    }
}

fn image(state: &StateDir, blueprint: &Blueprint) -> Result<Image> {
    state.write("node-files.sh", blueprint.node_files)?;
    state.write("bus.conf", include_str!("../bus.conf"))?;
    let init = state.write("node-init.sh", include_str!("../node-init.sh"))?;
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&init, executable).map_err(HarnessError::io("making node-init.sh executable"))?;
    let web = env::current_exe().map_err(HarnessError::io("finding the harness's own binary"))?;
    Ok(Image { init, subject: blueprint.subject.clone(), web, shared: blueprint.layout.shared().collect() })
}
