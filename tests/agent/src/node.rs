//! A cluster node: an instance, its instance metadata, and its own folders.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use aws_sim::{Address, Cloud, Instance, InstanceId, InterfaceId};

use crate::run::Run;
use crate::world::SharedWorld;

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// The name the cluster has for it.
    pub name: String,
    /// The instance it is.
    pub instance: Instance,
    /// The Elastic IP that its resource is about.
    pub address: Address,
    /// Where EC2 answers.
    pub ec2: SocketAddr,
    /// Where its metadata service answers.
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

    /// Returns its folder.
    pub fn folder(&self) -> PathBuf {
        self.shared.folder.path().join(&self.name)
    }

    /// Returns where EC2 and the metadata service of this node are, as URLs.
    pub fn endpoints(&self) -> [String; 2] {
        [self.ec2, self.imds].map(|address| format!("http://{address}"))
    }

    /// Returns the home folder of the user that the agent runs as.
    pub fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    /// Returns the folder of the state files.
    pub fn state(&self) -> PathBuf {
        self.folder().join("state")
    }

    /// Returns the state file that is true until the next boot.
    pub fn volatile_file(&self) -> PathBuf {
        self.state().join("volatile/vip.json")
    }

    /// Returns the state file that outlives a boot.
    pub fn durable_file(&self) -> PathBuf {
        self.state().join("durable/vip.json")
    }

    /// Returns the account that the node is in.
    pub fn account(&self) -> &Cloud {
        &self.cloud
    }

    /// Forgets everything this node remembers.
    pub fn forget(&self) {
        let _ = fs::remove_dir_all(self.state());
    }

    /// Returns the id of the instance.
    pub fn id(&self) -> &InstanceId {
        &self.instance.id
    }

    /// Returns the id of the primary interface.
    pub fn eni(&self) -> &InterfaceId {
        &self.instance.interfaces[0].eni
    }

    /// Returns the primary private address.
    pub fn private_ip(&self) -> Ipv4Addr {
        self.instance.interfaces[0].private_ips[0]
    }

    /// Returns one of its private addresses, counted over all interfaces.
    pub fn ip(&self, index: usize) -> Ipv4Addr {
        self.instance
            .interfaces
            .iter()
            .flat_map(|interface| interface.private_ips.clone())
            .nth(index)
            .unwrap()
    }

    /// Returns the key id, the secret key and the session token that the role has at present.
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
