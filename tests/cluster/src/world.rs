//! The cloud around the cluster: the simulator, with one instance per node, and the translation of its records into the
//! harness's own terms.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use aws_sim::{
    Bind, Cloud, Config, Fault, FaultKind, ImdsState, InstanceId, InstanceSpec, InterfaceSpec, Request,
};
use aws_sim::{Service, Sim, Tls};

use crate::error::{Error, Result};
use crate::net::Net;
use crate::timeline::Held;
use crate::topology::{CLOUD_IP, EC2_PORT, ELASTIC_IP, IMDS_IP, NodeName, ONE_SUBNET, PRIVATE_VIP, WEB_PORT};
use crate::wait::Epoch;

const IMDS_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
const ROLE: &str = "eip-node";

/// The simulated account and its services. Dropping it closes them.
pub struct World {
    sim: Sim,
    instances: BTreeMap<NodeName, InstanceId>,
}

impl World {
    /// Makes an account with one instance per node and the elastic IP, which nobody holds, and serves EC2 and the data
    /// plane in the cloud's network namespace and each instance's metadata in its node's.
    ///
    /// # Errors
    /// When the simulator cannot start or a socket not be bound.
    pub fn create(net: &Net, nodes: &[NodeName], one_subnet: bool) -> Result<Self> {
        let sim = Sim::start(Config::default()).map_err(Error::io("starting the simulator"))?;
        let cloud = sim.cloud();
        drop(cloud.allocate(Some(ELASTIC_IP)));
        let mut instances = BTreeMap::new();
        for &node in nodes {
            let id: InstanceId = aws_sim::parsed(node.instance());
            drop(cloud.add_instance(specification(node, &id, one_subnet)));
            sim.serve_imds(&id, bind(net.node(node), (IMDS_IP, IMDS_PORT)))
                .map_err(Error::io(format_args!("serving the metadata of {node}")))?;
            instances.insert(node, id);
        }
        sim.serve_ec2(bind(net.cloud(), (CLOUD_IP, EC2_PORT))).map_err(Error::io("serving EC2"))?;
        sim.serve_data_plane(Some(net.cloud()), ELASTIC_IP, WEB_PORT)
            .map_err(Error::io("serving the data plane"))?;
        Ok(Self { sim, instances })
    }

    /// Serves EC2 over HTTPS, too, where AWS's own endpoints would be found: for nodes that are told of no other endpoint.
    ///
    /// # Errors
    /// When the socket cannot be bound.
    pub fn serve_https(&self, net: &Net, tls: &Tls) -> Result<()> {
        let bound = self.sim.serve_ec2_tls(bind(net.cloud(), (CLOUD_IP, HTTPS_PORT)), tls);
        bound.map(drop).map_err(Error::io("serving EC2 over HTTPS"))
    }

    /// Returns the simulator's state, for what this type does not offer.
    #[must_use]
    pub fn cloud(&self) -> Cloud {
        self.sim.cloud()
    }

    /// Returns who holds the elastic IP.
    #[must_use]
    pub fn holder(&self) -> Option<NodeName> {
        self.cloud().holder(ELASTIC_IP).and_then(|holder| self.node_of(&holder.instance))
    }

    /// Puts the elastic IP on the private address that moves, wherever that is: it then travels with it.
    ///
    /// # Errors
    /// When no node has the private address.
    pub fn put_on_private_vip(&self) -> Result<()> {
        let holder = self.cloud().private_holder(PRIVATE_VIP);
        let (_, eni) = holder.ok_or_else(|| Error::Wrong(format!("nobody has {PRIVATE_VIP}")))?;
        let associated = self.cloud().try_associate(ELASTIC_IP, &eni, Some(PRIVATE_VIP));
        associated.map(drop).map_err(|error| Error::Wrong(error.to_string()))
    }

    /// Returns who has the private address that moves.
    #[must_use]
    pub fn private_holder(&self) -> Option<NodeName> {
        self.cloud().private_holder(PRIVATE_VIP).and_then(|(instance, _)| self.node_of(&instance))
    }

    /// Returns every change of the elastic IP's holder, in order.
    #[must_use]
    pub fn history(&self) -> Vec<Held> {
        let changes = self.cloud().history(ELASTIC_IP);
        let held = |change: &aws_sim::HolderChange| Held {
            at: change.at,
            by: change.holder.as_ref().and_then(|holder| self.node_of(&holder.instance)),
            made_by: change.by.as_ref().and_then(|id| self.node_of(id)),
        };
        changes.iter().map(held).collect()
    }

    /// Returns the requests that arrived since `from`, in order.
    #[must_use]
    pub fn requests_since(&self, from: Epoch) -> Vec<Request> {
        self.cloud().log().into_iter().filter(|request| request.at >= from).collect()
    }

    /// Returns the node that sent a request.
    #[must_use]
    pub fn sender(&self, request: &Request) -> Option<NodeName> {
        let by_address = || {
            let owner = |node: &&NodeName| IpAddr::V4(node.address()) == request.peer.ip();
            self.instances.keys().find(owner).copied()
        };
        request.instance.as_ref().and_then(|id| self.node_of(id)).or_else(by_address)
    }

    /// Makes every EC2 and STS call of every node go wrong until [`World::heal`].
    pub fn break_api(&self, kind: &FaultKind) {
        for service in [Service::Ec2, Service::Sts] {
            self.cloud().fault(Fault::new(service, kind.clone()));
        }
    }

    /// Puts a node's metadata service into a state until [`World::heal`].
    pub fn set_imds(&self, node: NodeName, state: ImdsState) {
        if let Some(id) = self.instances.get(&node) {
            self.cloud().set_imds_state(id, state);
        }
    }

    /// Ends all faults of EC2, STS and metadata.
    pub fn heal(&self) {
        self.cloud().clear_faults();
        for id in self.instances.values() {
            self.cloud().set_imds_state(id, ImdsState::On);
        }
    }

    fn node_of(&self, id: &InstanceId) -> Option<NodeName> {
        self.instances.iter().find(|(_, own)| *own == id).map(|(node, _)| *node)
    }
}

fn specification(node: NodeName, id: &InstanceId, one_subnet: bool) -> InstanceSpec {
    let first = NodeName::first(1).next().unwrap_or(node);
    let interface = InterfaceSpec {
        mac: Some(aws_sim::parsed(node.mac())),
        private_ips: vec![node.address()],
        ..InterfaceSpec::default()
    };
    InstanceSpec {
        id: Some(id.clone()),
        zone: if one_subnet { first.zone() } else { node.zone() },
        subnet: if one_subnet { ONE_SUBNET.to_owned() } else { node.subnet() },
        interfaces: vec![interface],
        role: Some(ROLE.to_owned()),
        ..InstanceSpec::default()
    }
}

fn bind(netns: PathBuf, addr: impl Into<SocketAddr>) -> Bind {
    Bind { netns: Some(netns), addr: addr.into() }
}
