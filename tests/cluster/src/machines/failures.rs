//! Node failures, and how a node is reconnected.

use std::net::Ipv4Addr;

use super::Machines;
use crate::error::Result;
use crate::timeline::UnusableSpan;
use crate::topology::NodeName;
use crate::wait::{Epoch, now};

/// State of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeCondition {
    /// No failure is in force.
    Well,
    /// Without power.
    Dead,
    /// Corosync was killed, or the cluster's daemons were ended; the rest of the node keeps running.
    NoCorosync,
    /// Cut off from the network, in part or wholly.
    Cut(Cut),
}

/// How a node is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Its interface is down: every call fails at once.
    LinkDown,
    /// Its packets vanish: every call hangs.
    Blackhole,
    /// No traffic between this node and the others; all of them reach the cloud. The node can serve.
    Peers,
}

impl Machines {
    /// The nodes without a failure.
    pub fn well(&self) -> Vec<NodeName> {
        self.nodes().into_iter().filter(|node| self.condition(*node) == NodeCondition::Well).collect()
    }

    pub fn condition(&self, node: NodeName) -> NodeCondition {
        self.conditions.get(&node).map_or(NodeCondition::Dead, |(condition, _)| *condition)
    }

    /// When the node got into its present condition.
    pub fn since(&self, node: NodeName) -> Epoch {
        self.conditions.get(&node).map_or_else(now, |(_, since)| *since)
    }

    /// Kills a node like a power cut, and returns when. Nothing answers at its address any more.
    pub fn power_off(&mut self, node: NodeName) -> Result<Epoch> {
        let at = self.set_condition(node, NodeCondition::Dead);
        self.node_mut(node)?.kill();
        self.net.set_plugged(node, false)?;
        Ok(at)
    }

    /// Cuts a node off and returns when.
    pub fn cut(&mut self, node: NodeName, how: Cut) -> Result<Epoch> {
        let at = self.set_condition(node, NodeCondition::Cut(how));
        self.set_cut(node, how, true)?;
        Ok(at)
    }

    /// Reconnects a node after any failure. Returns when, and its condition until then. A dead node still has to be booted.
    pub fn reconnect(&mut self, node: NodeName) -> Result<(Epoch, NodeCondition)> {
        let (at, condition) = (now(), self.condition(node));
        match condition {
            NodeCondition::Well => return Ok((at, condition)),
            NodeCondition::Dead => {
                self.net.reset_addresses(node)?;
                self.net.set_plugged(node, true)?;
            }
            NodeCondition::Cut(how) => self.set_cut(node, how, false)?,
            NodeCondition::NoCorosync => {}
        }
        self.conditions.insert(node, (NodeCondition::Well, at));
        self.set_usable(node, at);
        Ok((at, condition))
    }

    /// Records a node's new condition, and returns when.
    pub fn set_condition(&mut self, node: NodeName, condition: NodeCondition) -> Epoch {
        let from = now();
        self.conditions.insert(node, (condition, from));
        if matches!(condition, NodeCondition::Dead | NodeCondition::Cut(Cut::LinkDown | Cut::Blackhole)) {
            self.set_unusable(node, from);
        }
        from
    }

    /// Records that a node cannot serve from `from` on.
    pub fn set_unusable(&mut self, node: NodeName, from: Epoch) {
        self.unusable.push(UnusableSpan { node, from, to: None });
    }

    /// Records that a node can serve again.
    pub fn set_usable(&mut self, node: NodeName, at: Epoch) {
        for span in self.unusable.iter_mut().filter(|span| span.node == node) {
            span.to.get_or_insert(at);
        }
    }

    /// Associates an address with a node, like a user of the AWS console.
    pub fn give(&self, address: Ipv4Addr, node: NodeName) -> Result<()> {
        self.world.associate(address, node)
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
}
