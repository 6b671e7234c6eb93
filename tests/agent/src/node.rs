//! A cluster node: an instance, its instance metadata, and its own folders.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use aws_sim::{Address, Cloud, Instance, InstanceId, InterfaceId};

use crate::run::Run;
use crate::world::SharedWorld;

/// A node; clones stand for the same node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name in the cluster.
    pub name: String,
    /// Its EC2 instance.
    pub instance: Instance,
    /// The Elastic IP that its resource manages.
    pub address: Address,
    /// Address of the EC2 endpoint.
    pub ec2: SocketAddr,
    /// Address of its metadata service.
    pub imds: SocketAddr,
    pub(crate) cloud: Cloud,
    pub(crate) shared: Arc<SharedWorld>,
}

impl Node {
    pub(crate) fn new(
        name: String,
        instance: Instance,
        cloud: &Cloud,
        address: &Address,
        ec2: SocketAddr,
        imds: SocketAddr,
        shared: Arc<SharedWorld>,
    ) -> Self {
        let node = Self { name, instance, address: address.clone(), ec2, imds, cloud: cloud.clone(), shared };
        for folder in ["home", "log", "trace"] {
            fs::create_dir_all(node.folder().join(folder)).expect("the folders of a node");
        }
        node
    }

    /// Its own folder, which contains home and state.
    pub fn folder(&self) -> PathBuf {
        self.shared.folder.path().join(&self.name)
    }

    /// URLs of EC2 and of this node's metadata service.
    pub fn endpoints(&self) -> [String; 2] {
        [self.ec2, self.imds].map(|address| format!("http://{address}"))
    }

    /// Home folder of the user that the agent runs as.
    pub fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    /// Folder of the state files.
    pub fn state(&self) -> PathBuf {
        self.folder().join("state")
    }

    /// The state file that is valid until the next boot.
    pub fn volatile_file(&self) -> PathBuf {
        self.state().join("volatile/vip.json")
    }

    /// The state file that survives a boot.
    pub fn durable_file(&self) -> PathBuf {
        self.state().join("durable/vip.json")
    }

    /// The account that the node is in.
    pub fn account(&self) -> &Cloud {
        &self.cloud
    }

    /// Deletes this node's records.
    pub fn forget(&self) {
        let _ = fs::remove_dir_all(self.state());
    }

    /// Instance id.
    pub fn id(&self) -> &InstanceId {
        &self.instance.id
    }

    /// Id of the primary interface.
    pub fn eni(&self) -> &InterfaceId {
        &self.instance.interfaces[0].eni
    }

    /// Primary private address.
    pub fn private_ip(&self) -> Ipv4Addr {
        self.instance.interfaces[0].private_ips[0]
    }

    /// Private address by its index, counted over all interfaces.
    pub fn ip(&self, index: usize) -> Ipv4Addr {
        self.instance
            .interfaces
            .iter()
            .flat_map(|interface| interface.private_ips.clone())
            .nth(index)
            .unwrap()
    }

    /// The role's current key id, secret key and session token.
    pub fn role_key(&self) -> [String; 3] {
        self.cloud.role_key(self.id()).expect("a role")
    }

    /// Prepares a run of the agent with this action.
    pub fn run(&self, action: &str) -> Run {
        Run::new(self, action)
    }

    /// Prepares a call of `eipctl` with this command and these arguments.
    pub fn ctl(&self, command: &str, arguments: &[&str]) -> Run {
        self.run(command).called("eipctl").by_a_person().arguments(arguments)
    }

    /// Prepares a start.
    pub fn start(&self) -> Run {
        self.run("start")
    }

    /// Prepares a stop.
    pub fn stop(&self) -> Run {
        self.run("stop")
    }

    /// Prepares a recurring monitor.
    pub fn monitor(&self) -> Run {
        self.run("monitor").interval_ms(10_000)
    }

    /// Prepares a recurring monitor long after the last change.
    pub fn settled_monitor(&self) -> Run {
        self.monitor().param("settle_window", "0")
    }

    /// Prepares a probe.
    pub fn probe(&self) -> Run {
        self.run("monitor")
    }

    /// Prepares a check of the parameters and of the node.
    pub fn validate(&self) -> Run {
        self.run("validate-all").env("OCF_CHECK_LEVEL", "10")
    }
}
