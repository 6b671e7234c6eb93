//! What can happen to a node, and how it is made good again.

use std::time::Duration;

use super::Cluster;
use crate::error::Result;
use crate::timeline::Unusable;
use crate::topology::NodeName;
use crate::wait::{Epoch, Look, now, until};

const COROSYNC_LIMIT: Duration = Duration::from_secs(20);
/// The daemons that outlive a killed Corosync where no service manager ends them.
const DAEMONS: [&str; 8] = [
    "pacemakerd",
    "pacemaker-based",
    "pacemaker-fence",
    "pacemaker-execd",
    "pacemaker-attrd",
    "pacemaker-sched",
    "pacemaker-contr",
    "corosync",
];

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// A member of the cluster.
    Well,
    /// Without power.
    Dead,
    /// Corosync was killed, or the cluster's daemons were ended; the rest of the node runs on.
    NoCorosync,
    /// Cut off from the other nodes.
    Cut(Cut),
}

/// How a node is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Its interface is down: every call fails at once.
    LinkDown,
    /// Its packets vanish: every call hangs.
    Blackhole,
    /// The other nodes do not reach it, nor it them; all reach the cloud. The node can serve.
    Peers,
}

impl Cluster {
    /// Returns the nodes that nothing has happened to.
    #[must_use]
    pub fn well(&self) -> Vec<NodeName> {
        let well = |node: &NodeName| self.condition(*node) == Condition::Well && !self.stopped.contains(node);
        self.nodes().into_iter().filter(well).collect()
    }

    /// Returns how a node is.
    #[must_use]
    pub fn condition(&self, node: NodeName) -> Condition {
        self.conditions.get(&node).map_or(Condition::Dead, |(condition, _)| *condition)
    }

    /// Returns since when a node is as it is.
    #[must_use]
    pub fn since(&self, node: NodeName) -> Epoch {
        self.conditions.get(&node).map_or_else(now, |(_, since)| *since)
    }

    /// Kills a node as a power cut does and returns when. Nothing answers at its address any more.
    ///
    /// # Errors
    /// When the node's network cannot be unplugged.
    pub fn power_off(&mut self, node: NodeName) -> Result<Epoch> {
        let at = self.mark(node, Condition::Dead);
        self.node_mut(node)?.kill();
        self.net.set_plugged(node, false)?;
        Ok(at)
    }

    /// Kills a node's Corosync and returns when.
    ///
    /// # Errors
    /// When the node is not running.
    pub fn kill_corosync(&mut self, node: NodeName) -> Result<Epoch> {
        let at = now();
        self.node(node)?.kill_processes(&["corosync"])?;
        self.conditions.insert(node, (Condition::NoCorosync, at));
        Ok(at)
    }

    /// Cuts a node off and returns when.
    ///
    /// # Errors
    /// When the network cannot be changed.
    pub fn cut(&mut self, node: NodeName, how: Cut) -> Result<Epoch> {
        let at = self.mark(node, Condition::Cut(how));
        self.set_cut(node, how, true)?;
        Ok(at)
    }

    /// Makes good whatever has happened to a node, but processes that were stopped, and returns when that began. The node need not be a member yet.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn repair(&mut self, node: NodeName) -> Result<Epoch> {
        let at = now();
        match self.condition(node) {
            Condition::Well => return Ok(at),
            Condition::Dead => {
                self.net.reset_addresses(node)?;
                self.net.set_plugged(node, true)?;
                self.node_mut(node)?.boot()?;
                self.start_daemons(&[node])?;
            }
            Condition::NoCorosync => {
                self.node(node)?.kill_processes(&DAEMONS)?;
                self.start_daemons(&[node])?;
            }
            Condition::Cut(how) => self.set_cut(node, how, false)?,
        }
        self.conditions.insert(node, (Condition::Well, at));
        for span in self.unusable.iter_mut().filter(|span| span.node == node) {
            span.to.get_or_insert(at);
        }
        Ok(at)
    }

    /// Starts Corosync and Pacemaker on nodes that run.
    pub(super) fn start_daemons(&mut self, nodes: &[NodeName]) -> Result<()> {
        for &name in nodes {
            self.node_mut(name)?.daemon("corosync", &["corosync", "-f"])?;
        }
        for &name in nodes {
            let node = self.node_mut(name)?;
            until(&format!("corosync on {name}"), COROSYNC_LIMIT, || {
                let said = node.output_of("corosync");
                Ok(match Look::tolerant(node.run(&["corosync-cfgtool", "-s"]))? {
                    Look::NotYet(why) => Look::NotYet(format!("{why} {said}")),
                    Look::There(_) => Look::There(()),
                })
            })?;
            // Without HOME, as under systemd.
            node.daemon("pacemakerd", &["pacemakerd", "-f"])?;
        }
        Ok(())
    }

    fn set_cut(&self, node: NodeName, how: Cut, cut: bool) -> Result<()> {
        match how {
            Cut::LinkDown => self.net.set_link(node, !cut),
            Cut::Blackhole => self.net.set_plugged(node, !cut),
            Cut::Peers => {
                let mut peers = self.nodes().into_iter().filter(|peer| *peer != node);
                peers.try_for_each(|peer| self.net.set_joined(node, peer, !cut))
            }
        }
    }

    fn mark(&mut self, node: NodeName, condition: Condition) -> Epoch {
        let from = now();
        self.conditions.insert(node, (condition, from));
        if condition != Condition::Cut(Cut::Peers) {
            self.unusable.push(Unusable { node, from, to: None });
        }
        from
    }
}
