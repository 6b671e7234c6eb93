//! Two nodes with installed packages and a cluster manager that calls one of our commands: common to Heartbeat and keepalived.

mod checks;
pub mod guide;
pub mod scenario;
mod test;

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::Duration;

pub use self::test::test;
use crate::chronicle::Chronicle;
use crate::error::Result;
use crate::machines::{Blueprint, Machines, NodeCondition};
use crate::node::ClusterNode;
use crate::story::Story;
use crate::suite::TestBed;
use crate::topology::{Layout, NodeName, own_address};
use crate::wait::Epoch;

/// For the installation at boot; dpkg takes some seconds.
const INSTALL_LIMIT: Duration = Duration::from_mins(1);

/// A cluster manager, and how its tests differ from those of others.
pub struct Manager {
    /// Its name on the command line.
    pub name: &'static str,
    /// Programs that the machine needs. The group of this name in `tests/requirements` installs them.
    pub programs: &'static [&'static str],
    /// Its part of `node-init.sh`.
    pub node_files: &'static str,
    /// A node's logs that are printed if a scenario fails.
    pub logs: &'static [&'static str],
    /// A node's host name in its article and its guide.
    pub host_name: fn(NodeName) -> String,
    /// Text of the guide.
    pub guide: &'static str,
    /// Our command that it calls.
    pub script: &'static str,
    /// Output and exit code of that command's `status` on the node with the address (true), and on the other one.
    pub status: fn(bool) -> (String, i32),
    /// True if a stop releases the address before the other node takes it, so that it may be unassigned in between.
    pub releases: bool,
    /// True if each node has an elastic IP of its own, which the one under test displaces.
    pub own_addresses: bool,
    pub start: fn(&mut NodePair, NodeName) -> Result<()>,
    /// What contradicts `holder` being the node with the address, according to it, on any healthy node.
    pub flaw: fn(&NodePair, NodeName) -> Result<Result<(), String>>,
    /// Its scenarios; those of a group share a pair.
    pub groups: &'static [Group],
    /// True if the groups may run at the same time.
    pub side_by_side: bool,
}

/// Scenarios that are played on one pair, in order: each begins as the one before ends.
pub struct Group {
    /// Its name on the command line.
    pub name: &'static str,
    pub setup: fn() -> PairSetup,
    pub scenarios: &'static [PairScenario],
}

/// What a pair consists of.
#[derive(Debug, Clone, Default)]
pub struct PairSetup {
    /// The files of each node, by their paths below its folder: `etc` is added to `/etc`, `root` becomes `/root`.
    pub files: [Vec<(&'static str, String)>; 2],
    /// A shell script that does the installation at each boot; the packages are in `/run/packages`.
    pub install: String,
    /// Access key id and secret of a user; the files contain them. If `None`, the instances have a role.
    pub user: Option<(&'static str, &'static str)>,
    /// Additional variables for the cluster manager's environment, as `NAME=value`.
    pub environment: Vec<String>,
}

/// A test of the whole pair.
pub type PairScenario = crate::suite::Scenario<NodePair>;

/// A scenario that begins as the one before ends.
pub const fn step(
    name: &'static str,
    about: &'static str,
    run: fn(&mut NodePair, &mut Story) -> Result<()>,
) -> PairScenario {
    PairScenario { name, about, start: (), run }
}

/// Two nodes and their cluster manager. Drop ends and removes everything.
pub struct NodePair {
    machines: Machines,
    manager: &'static Manager,
    setup: PairSetup,
    /// The healthy nodes on which the cluster manager does not run.
    stopped: BTreeSet<NodeName>,
}

impl Deref for NodePair {
    type Target = Machines;

    fn deref(&self) -> &Machines {
        &self.machines
    }
}

impl DerefMut for NodePair {
    fn deref_mut(&mut self) -> &mut Machines {
        &mut self.machines
    }
}

impl NodePair {
    /// Boots both nodes without the cluster manager.
    pub fn boot(manager: &'static Manager, setup: PairSetup, packages: &Path) -> Result<Self> {
        let blueprint = Blueprint {
            nodes: 2,
            layout: Layout::Zones,
            node_files: manager.node_files,
            subject: packages.to_owned(),
            user: setup.user,
        };
        let machines = Machines::create(&blueprint, |state, name| {
            let own = NodeName::first(2).zip(&setup.files).filter(|(node, _)| *node == name);
            for (path, text) in own.flat_map(|(_, files)| files) {
                state.write(&format!("{name}/{path}"), text)?;
            }
            Ok(())
        })?;
        let stopped = machines.nodes().into_iter().collect();
        let mut pair = Self { machines, manager, setup, stopped };
        for name in pair.nodes() {
            if manager.own_addresses {
                drop(pair.world().cloud().allocate(Some(own_address(name))));
                pair.give(own_address(name), name)?;
            }
            pair.boot_node(name)?;
        }
        Ok(pair)
    }

    /// The healthy nodes that run the cluster manager.
    pub fn well(&self) -> Vec<NodeName> {
        let mut well = self.machines.well();
        well.retain(|name| !self.stopped.contains(name));
        well
    }

    pub fn setup(&self) -> &PairSetup {
        &self.setup
    }

    /// A node's host name in the article and in the guide.
    pub fn host_name(&self, node: NodeName) -> String {
        (self.manager.host_name)(node)
    }

    /// Starts the cluster manager on a node.
    pub fn start(&mut self, node: NodeName) -> Result<()> {
        self.stopped.remove(&node);
        (self.manager.start)(self, node)
    }

    /// Records that the cluster manager does not run on a node from now on.
    pub fn set_stopped(&mut self, node: NodeName) {
        self.stopped.insert(node);
    }

    /// Replaces the script that is run when a node boots.
    pub fn install_at_boot(&mut self, script: String) {
        self.setup.install = script;
    }

    /// Undoes any failure of a node, and returns when.
    pub fn repair(&mut self, node: NodeName) -> Result<Epoch> {
        let (at, condition) = self.reconnect(node)?;
        if condition == NodeCondition::Dead {
            self.boot_node(node)?;
            self.start(node)?;
        }
        Ok(at)
    }

    fn boot_node(&mut self, node: NodeName) -> Result<()> {
        let booted = self.machines.node_mut(node)?;
        booted.boot()?;
        booted.command(&["sh", "-ec", &self.setup.install])?.limit(INSTALL_LIMIT).run().map(drop)
    }

    /// Prints the end of each node's logs.
    fn print_logs(&self) {
        const LINES: usize = 60;
        for node in self.nodes() {
            let Ok(folder) = self.node(node).map(ClusterNode::logs) else { continue };
            for file in self.manager.logs {
                let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                println!("--- {node}: {file}");
                for line in lines.iter().skip(lines.len().saturating_sub(LINES)) {
                    println!("{line}");
                }
            }
        }
    }
}

impl TestBed for NodePair {
    type Beginning = ();

    fn prepare(&mut self, (): ()) -> Result<()> {
        Ok(())
    }

    fn machines(&self) -> &Machines {
        self
    }

    fn tell(&mut self, story: &Story) -> Result<Chronicle> {
        Ok(Chronicle::of(story, self, Vec::new()))
    }
}
