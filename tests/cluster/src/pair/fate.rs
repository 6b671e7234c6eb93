//! What happens to the nodes of a pair: failures, their end, and what somebody does at the console.

use std::net::Ipv4Addr;

use super::Machines;
use crate::cluster::{Condition, Cut};
use crate::error::{Error, Result};
use crate::timeline::Unusable;
use crate::topology::NodeName;
use crate::wait::{Epoch, now};

impl Machines {
    /// Gives an address to a node, as somebody does at the console, and returns when.
    ///
    /// # Errors
    /// [`Error::Wrong`] when the node is no instance.
    pub fn give(&self, address: Ipv4Addr, name: NodeName) -> Result<Epoch> {
        let cloud = self.world.cloud();
        let instance = cloud.instance(&aws_sim::parsed(name.instance()));
        let interface = instance.as_ref().and_then(|instance| instance.interfaces.first());
        let interface = interface.ok_or_else(|| Error::Wrong(format!("{name} has no interface")))?;
        drop(cloud.associate(address, &interface.eni, None));
        Ok(now())
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

    /// Cuts the nodes off from each other, or joins them again, and returns when; both keep reaching EC2.
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

    /// Connects a node again, whatever has happened to it, and returns when, and whether it is dead and has to be booted.
    ///
    /// # Errors
    /// When the network cannot be changed.
    pub fn reconnect(&mut self, name: NodeName) -> Result<(Epoch, bool)> {
        let (at, condition) = (now(), self.condition(name));
        match condition {
            Condition::Dead => self.net.set_plugged(name, true)?,
            Condition::Cut(_) => self.net.set_link(name, true)?,
            Condition::Well | Condition::NoCorosync => {}
        }
        self.conditions.insert(name, Condition::Well);
        for span in self.unusable.iter_mut().filter(|span| span.node == name) {
            span.to.get_or_insert(at);
        }
        Ok((at, condition == Condition::Dead))
    }

    fn mark(&mut self, node: NodeName, condition: Condition) -> Epoch {
        let from = now();
        self.conditions.insert(node, condition);
        self.unusable.push(Unusable { node, from, to: None });
        from
    }
}
