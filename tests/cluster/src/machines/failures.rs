//! Failures of a node, and how it is reconnected.

use std::net::Ipv4Addr;

use super::Machines;
use crate::error::Result;
use crate::timeline::UnusableSpan;
use crate::topology::NodeName;
use crate::wait::{Epoch, now};

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeCondition {
    /// Nothing has happened to it.
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

impl Machines {
    /// Returns the nodes that nothing has happened to.
    pub fn well(&self) -> Vec<NodeName> {
        self.nodes().into_iter().filter(|node| self.condition(*node) == NodeCondition::Well).collect()
    }

    /// Returns how a node is.
    pub fn condition(&self, node: NodeName) -> NodeCondition {
        self.conditions.get(&node).map_or(NodeCondition::Dead, |(condition, _)| *condition)
    }

    /// Returns since when a node is as it is.
    pub fn since(&self, node: NodeName) -> Epoch {
        self.conditions.get(&node).map_or_else(now, |(_, since)| *since)
    }

    /// Kills a node as a power cut does and returns when. Nothing answers at its address any more.
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

    /// Connects a node again, whatever has happened to it, and returns when, and how it was. A dead one has yet to be booted.
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

    /// Notes that something has happened to a node, and returns when.
    pub fn set_condition(&mut self, node: NodeName, condition: NodeCondition) -> Epoch {
        let from = now();
        self.conditions.insert(node, (condition, from));
        if matches!(condition, NodeCondition::Dead | NodeCondition::Cut(Cut::LinkDown | Cut::Blackhole)) {
            self.set_unusable(node, from);
        }
        from
    }

    /// Notes that a node cannot serve from now on.
    pub fn set_unusable(&mut self, node: NodeName, from: Epoch) {
        self.unusable.push(UnusableSpan { node, from, to: None });
    }

    /// Notes that a node can serve again.
    pub fn set_usable(&mut self, node: NodeName, at: Epoch) {
        for span in self.unusable.iter_mut().filter(|span| span.node == node) {
            span.to.get_or_insert(at);
        }
    }

    /// Associates an address with a node, as a person does at the console.
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
