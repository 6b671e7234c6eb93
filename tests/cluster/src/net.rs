//! The network: one namespace for the cloud, with a bridge in it, and one per node, plugged into that bridge.
//!
//! Dropping `Net` removes all of it.

use std::path::PathBuf;

use crate::command::Cmd;
use crate::error::Result;
use crate::topology::{
    BRIDGE_MAC, CLOUD_IP, ELASTIC_IP, IMDS_IP, IPV6_PREFIX_LEN, NodeName, PREFIX_LEN, RunId, ipv6_of,
};

const CLOUD: &str = "cloud";
/// A MAC address that no device has.
const NOWHERE: &str = "02:77:00:00:00:ff";

#[derive(Debug)]
pub struct Net {
    run: RunId,
    made: Vec<String>,
    ipv6: bool,
}

impl Net {
    /// Creates the namespaces, the bridge and the links, and sets them up; with `ipv6`, the bridge carries IPv6 as well.
    pub fn create(run: RunId, nodes: &[NodeName], ipv6: bool) -> Result<Self> {
        let mut net = Self { run, made: Vec::new(), ipv6 };
        let cloud = net.add_namespace(CLOUD)?;
        ip(&format!("-n {cloud} link set lo up"))?;
        // What the internet sees: connections to the elastic IP end here and are relayed to its holder.
        ip(&format!("-n {cloud} addr add {ELASTIC_IP}/32 dev lo"))?;
        ip(&format!("-n {cloud} link add br0 address {BRIDGE_MAC} type bridge forward_delay 0 stp_state 0"))?;
        ip(&format!("-n {cloud} addr add {CLOUD_IP}/{PREFIX_LEN} dev br0"))?;
        ip(&format!("-n {cloud} link set br0 up"))?;
        if ipv6 {
            ip(&format!("-n {cloud} addr add {}/{IPV6_PREFIX_LEN} dev br0 nodad", ipv6_of(CLOUD_IP)))?;
        }
        for &node in nodes {
            net.add_node(&cloud, node)?;
        }
        Ok(net)
    }

    /// Path of the cloud's network namespace.
    pub fn cloud(&self) -> PathBuf {
        self.run.namespace_path(CLOUD)
    }

    /// Name of the cloud's network namespace.
    pub fn cloud_name(&self) -> String {
        self.run.namespace(CLOUD)
    }

    /// Path of a network namespace that was added.
    pub fn path(&self, part: &str) -> PathBuf {
        self.run.namespace_path(part)
    }

    /// Path of a node's network namespace.
    pub fn node(&self, node: NodeName) -> PathBuf {
        self.run.namespace_path(node)
    }

    /// Sets a node's interface down or up: the node itself notices at once (`ENETUNREACH`).
    pub fn set_link(&self, node: NodeName, up: bool) -> Result<()> {
        let state = if up { "up" } else { "down" };
        ip(&format!("-n {} link set eth0 {state}", self.run.namespace(node)))
    }

    /// Unplugs a node from the bridge, or plugs it in again: the node keeps its carrier, but its packets vanish.
    pub fn set_plugged(&self, node: NodeName, plugged: bool) -> Result<()> {
        let master = if plugged { "master br0" } else { "nomaster" };
        ip(&format!("-n {} link set {} {master}", self.run.namespace(CLOUD), node.port()))
    }

    /// Removes every address from a node's interface except its own, like a boot: the namespace outlives the node.
    pub fn reset_addresses(&self, node: NodeName) -> Result<()> {
        let name = self.run.namespace(node);
        ip(&format!("-n {name} -4 addr flush dev eth0"))?;
        if self.ipv6 {
            ip(&format!("-n {name} -6 addr flush dev eth0 scope global"))?;
        }
        self.add_addresses(node)
    }

    /// Cuts two nodes off from each other, or reconnects them; both still reach the cloud.
    ///
    /// Each gets a neighbour entry that leads nowhere, so that packets vanish as on a broken path between two zones.
    pub fn set_joined(&self, one: NodeName, other: NodeName, joined: bool) -> Result<()> {
        for (node, peer) in [(one, other), (other, one)] {
            let (name, address) = (self.run.namespace(node), peer.address());
            if joined {
                ip(&format!("-n {name} neigh del {address} dev eth0"))?;
            } else {
                ip(&format!("-n {name} neigh replace {address} lladdr {NOWHERE} dev eth0 nud permanent"))?;
            }
        }
        Ok(())
    }

    /// Creates a network namespace that is removed with the others, and returns its name.
    pub fn add_namespace(&mut self, part: &str) -> Result<String> {
        let name = self.run.namespace(part);
        ip(&format!("netns add {name}"))?;
        self.made.push(name.clone());
        Ok(name)
    }

    fn add_node(&mut self, cloud: &str, node: NodeName) -> Result<()> {
        let name = self.add_namespace(&node.to_string())?;
        let (port, mac) = (node.port(), node.mac());
        ip(&format!("-n {cloud} link add {port} type veth peer name eth0 address {mac} netns {name}"))?;
        ip(&format!("-n {cloud} link set {port} master br0 up"))?;
        ip(&format!("-n {name} link set lo up"))?;
        ip(&format!("-n {name} addr add {IMDS_IP}/32 dev lo"))?;
        ip(&format!("-n {name} link set eth0 up"))?;
        self.add_addresses(node)
    }

    fn add_addresses(&self, node: NodeName) -> Result<()> {
        let (name, address) = (self.run.namespace(node), node.address());
        ip(&format!("-n {name} addr add {address}/{PREFIX_LEN} dev eth0"))?;
        if self.ipv6 {
            let (own, cloud) = (ipv6_of(address), ipv6_of(CLOUD_IP));
            ip(&format!("-n {name} addr add {own}/{IPV6_PREFIX_LEN} dev eth0 nodad"))?;
            ip(&format!("-n {name} route replace default via {cloud} dev eth0"))?;
        }
        Ok(())
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for name in &self.made {
            if let Err(error) = delete_namespace(name) {
                eprintln!("cluster: {error}");
            }
        }
    }
}

/// Removes a network namespace by name, with the links in it.
pub fn delete_namespace(name: &str) -> Result<()> {
    Cmd::new(["ip", "netns", "del", name]).during_cleanup().run().map(drop)
}

/// Runs `ip` with arguments that contain no blanks.
pub fn ip(arguments: &str) -> Result<()> {
    Cmd::new(["ip"].into_iter().chain(arguments.split(' '))).run().map(drop)
}
