//! The cluster that runs a tool's examples, and how it gets into a case's initial state.

use std::net::SocketAddr;
use std::time::Duration;

use cluster::error::{HarnessError, Result};
use cluster::pacemaker::{PacemakerCluster, RESOURCE};
use cluster::topology::{Layout, NodeName, WEB_PORT};

use super::{Start, Tool, build};
use crate::cli::ExamplesPlan;
use crate::node;
use crate::script::Script;

/// From a change of the configuration, or a failure, to a settled cluster; for a machine three times slower.
pub(super) const SETTLE_LIMIT: Duration = Duration::from_secs(150);
/// On the nodes' disks: the configuration that the minimal example made.
const BASE: &str = "/var/lib/minimal.xml";

/// Two nodes with a cluster created by the examples of one tool, or without one.
pub struct Stage {
    cluster: PacemakerCluster,
    /// The tool whose examples are run now.
    tool: Tool,
    /// The tool that created the cluster.
    made: Option<Tool>,
}

impl Stage {
    /// Boots two machines that have no cluster.
    pub(super) fn boot(plan: &ExamplesPlan, layout: Layout) -> Result<Self> {
        Ok(Self { cluster: node::boot(plan, layout)?, tool: Tool::Pcs, made: None })
    }

    pub(super) fn cluster(&self) -> &PacemakerCluster {
        &self.cluster
    }

    pub(super) fn cluster_mut(&mut self) -> &mut PacemakerCluster {
        &mut self.cluster
    }

    pub(super) fn tool(&self) -> Tool {
        self.tool
    }

    /// One of the tool's examples, configured with the names that nodes and resource have here.
    pub(super) fn script(&self, file: &str) -> Script {
        let script = Script::new(&format!("{}/{file}", self.tool.folder()));
        let script = script.with("NODE1", "n1").with("NODE2", "n2").with("RESOURCE", RESOURCE);
        if self.tool == Tool::Pcs09 { script.with_path("/run/harness/pcs-0.9") } else { script }
    }

    /// Runs a script in the first node.
    pub(super) fn run(&self, script: &Script) -> Result<String> {
        script.run(&self.cluster, self.first()?)
    }

    /// Brings the machines into a case's initial state.
    pub(super) fn prepare(&mut self, tool: Tool, start: Start) -> Result<()> {
        self.tool = tool.maker();
        match (start, self.made) {
            (Start::Nothing, None) => {}
            (Start::Nothing, Some(_)) => build::destroy(self)?,
            (_, None) => {
                build::minimal(self)?;
            }
            (_, Some(_)) => self.restore()?,
        }
        match start {
            Start::Nothing => {}
            Start::Bare => {
                let minimal = format!("//primitive[@id='{RESOURCE}']");
                self.cluster.run(&["cibadmin", "--delete", "--xpath", &minimal])?;
                self.run_long(&["crm_resource", "--wait"])?;
            }
            Start::Minimal => {
                self.settle(None)?;
            }
        }
        self.made = Some(self.tool);
        self.tool = tool;
        Ok(())
    }

    /// Keeps the current configuration as the one to go back to.
    pub(super) fn keep(&self) -> Result<()> {
        let query = format!("cibadmin --query --scope configuration >{BASE}");
        for node in self.cluster.nodes() {
            self.cluster.node(node)?.run(&["sh", "-c", &query])?;
        }
        Ok(())
    }

    fn restore(&mut self) -> Result<()> {
        self.repair_all()?;
        self.cluster.run(&["cibadmin", "--replace", "--scope", "configuration", "--xml-file", BASE])?;
        // Whatever the last example added has to be stopped before it is forgotten.
        self.run_long(&["crm_resource", "--wait"])?;
        self.cluster.run(&["crm_resource", "--refresh"])?;
        self.serve(true)
    }

    /// Repairs every node, and waits until all are online.
    pub(super) fn repair_all(&mut self) -> Result<()> {
        for node in self.cluster.nodes() {
            self.cluster.repair(node)?;
        }
        self.cluster.wait_online()
    }

    /// Starts the harness's web server in each node, or ends it if an example has its own.
    pub(super) fn serve(&mut self, on: bool) -> Result<()> {
        for name in self.cluster.nodes() {
            self.cluster.node(name)?.kill_processes(&["cluster"])?;
            let shared = self.cluster.layout().shared();
            for address in [name.address().into()].into_iter().chain(shared).filter(|_| on) {
                let listen = SocketAddr::new(address, WEB_PORT).to_string();
                self.cluster.node_mut(name)?.daemon("web", &["/run/harness/cluster", "node-web", &listen])?;
            }
        }
        Ok(())
    }

    /// The first healthy node.
    pub(super) fn first(&self) -> Result<NodeName> {
        self.cluster.well().first().copied().ok_or_else(|| HarnessError::Wrong("no node is healthy".into()))
    }

    /// The healthy node other than this one.
    pub(super) fn other(&self, node: NodeName) -> Result<NodeName> {
        let other = self.cluster.well().into_iter().find(|other| *other != node);
        other.ok_or_else(|| HarnessError::Wrong(format!("no node except {node} is healthy")))
    }

    /// Runs a command that waits for the cluster's actions.
    pub(super) fn run_long(&self, words: &[&str]) -> Result<()> {
        self.cluster.node(self.first()?)?.command(words)?.limit(SETTLE_LIMIT).run().map(drop)
    }

    /// Runs a command in every node, one after the other.
    pub(super) fn everywhere(&self, words: &[&str]) -> Result<()> {
        self.cluster
            .nodes()
            .into_iter()
            .try_for_each(|node| self.cluster.node(node)?.command(words)?.limit(SETTLE_LIMIT).run().map(drop))
    }
}
