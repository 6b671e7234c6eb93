//! The cloud around the cluster: the simulator, with one instance per node, and the translation of its records into the
//! harness's own terms.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use aws_sim::{
    Bind, Cloud, CredState, Fault, FaultKind, ImdsState, InstanceId, InstanceSpec, InterfaceId,
    InterfaceSpec, LoggedRequest, RouteTableId, RouteTableSpec, Service, Sim, Tls,
};

use crate::error::{HarnessError, Result};
use crate::net::Net;
use crate::timeline::HolderSince;
use crate::topology::{
    CLOUD_IP, EC2_PORT, ELASTIC_IP, IMDS_IP, Layout, NodeName, ONE_SUBNET, PRIVATE_VIP, WEB_PORT,
};
use crate::wait::Epoch;

const IMDS_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
const ROLE: &str = "eip-node";
/// Round-trip time of EC2 calls with route tables: sequential calls would take this long each, and a failure can hit a call in
/// progress.
const ROUND_TRIP: Duration = Duration::from_millis(100);
/// Where the routes for the overlay address lead before the first start.
const NO_NODE: &str = "tgw-0c10d000000000001";
/// Number of route tables with a route for an overlay address.
pub const ROUTE_TABLES: u32 = 3;
/// The account that owns a shared VPC.
const VPC_OWNER: &str = "210987654321";

/// The simulated account and its services. Drop closes them.
pub struct SimulatedCloud {
    sim: Sim,
    instances: BTreeMap<NodeName, InstanceId>,
    tables: Vec<RouteTableId>,
    layout: Layout,
}

impl SimulatedCloud {
    /// Creates an account with one instance per node and the elastic IP, unassigned. Serves EC2 and the data plane in the cloud's
    /// network namespace and each instance's metadata in its node's.
    pub fn create(net: &Net, nodes: &[NodeName], layout: Layout) -> Result<Self> {
        let sim = Sim::start().map_err(HarnessError::io("starting the simulator"))?;
        let cloud = sim.cloud();
        drop(cloud.allocate(Some(ELASTIC_IP)));
        let mut instances = BTreeMap::new();
        for &node in nodes {
            let id: InstanceId = aws_sim::parsed(node.instance());
            let instance = cloud.add_instance(specification(node, &id, layout.is_one_subnet()));
            for interface in &instance.interfaces {
                cloud.set_source_dest_check(&interface.eni, layout.overlay().is_none());
            }
            sim.serve_imds(&id, bind(net.node(node), (IMDS_IP, IMDS_PORT)))
                .map_err(HarnessError::io(format_args!("serving the metadata of {node}")))?;
            instances.insert(node, id);
        }
        let mut tables = Vec::new();
        if let Some(overlay) = layout.overlay() {
            cloud.set_latency(ROUND_TRIP);
            let owner = (layout == Layout::SharedVpc).then(|| VPC_OWNER.to_owned());
            for number in 1..=ROUTE_TABLES {
                let spec = RouteTableSpec { owner: owner.clone(), ..RouteTableSpec::numbered(number) };
                let table = cloud.add_route_table(spec);
                cloud.route(&table, overlay, NO_NODE);
                tables.push(table);
            }
        }
        sim.serve_ec2(bind(net.cloud(), (CLOUD_IP, EC2_PORT))).map_err(HarnessError::io("serving EC2"))?;
        sim.serve_data_plane(Some(net.cloud()), ELASTIC_IP, WEB_PORT)
            .map_err(HarnessError::io("serving the data plane"))?;
        Ok(Self { sim, instances, tables, layout })
    }

    /// Also serves EC2 over HTTPS at the address of AWS's own endpoints: for nodes that have no other endpoint configured.
    pub fn serve_https(&self, net: &Net, tls: &Tls) -> Result<()> {
        let bound = self.sim.serve_ec2_tls(bind(net.cloud(), (CLOUD_IP, HTTPS_PORT)), tls);
        bound.map(drop).map_err(HarnessError::io("serving EC2 over HTTPS"))
    }

    /// The simulator's state, for what this type does not offer.
    pub fn cloud(&self) -> Cloud {
        self.sim.cloud()
    }

    /// The route tables, if the layout has any.
    pub fn route_tables(&self) -> &[RouteTableId] {
        &self.tables
    }

    /// The role that may change the route tables; `None` if the nodes' own may.
    pub fn routing_role(&self) -> Option<String> {
        (self.layout == Layout::SharedVpc).then(|| format!("arn:aws:iam::{VPC_OWNER}:role/cluster-routes"))
    }

    /// Holder of the layout's main address.
    pub fn holder(&self) -> Option<NodeName> {
        self.holder_of(self.layout.address())
    }

    /// Associates the elastic IP with the private address that moves, wherever that is, so that it moves along.
    pub fn put_on_private_vip(&self) -> Result<()> {
        let holder = self.cloud().private_holder(PRIVATE_VIP);
        let (_, eni) = holder.ok_or_else(|| HarnessError::Wrong(format!("{PRIVATE_VIP} is unassigned")))?;
        let associated = self.cloud().try_associate(ELASTIC_IP, &eni, Some(PRIVATE_VIP));
        associated.map(drop).map_err(|error| HarnessError::Wrong(error.to_string()))
    }

    /// Assigns a private address to a node, like a user of the AWS console.
    pub fn assign_private(&self, ip: Ipv4Addr, node: NodeName) -> Result<()> {
        let eni = self.interface_of(node)?;
        self.cloud().assign_private_ip(&eni, ip);
        Ok(())
    }

    /// Leads the last route table's route for the overlay address to no node, like a user of the AWS console. Returns the table.
    pub fn lead_elsewhere(&self) -> Option<&RouteTableId> {
        let (table, overlay) = (self.tables.last()?, self.layout.overlay()?);
        self.cloud().route(table, overlay, NO_NODE);
        Some(table)
    }

    /// Leads all route tables' routes for the overlay address to a node, like a user of the AWS console.
    pub fn lead_to(&self, node: NodeName) -> Result<()> {
        let eni = self.interface_of(node)?.to_string();
        for (table, overlay) in self.tables.iter().zip(self.layout.overlay().into_iter().cycle()) {
            self.cloud().route(table, overlay, &eni);
        }
        Ok(())
    }

    /// Sets the source/destination check of a node's interface, like a user of the AWS console.
    pub fn set_source_dest_check(&self, node: NodeName, on: bool) -> Result<()> {
        let eni = self.interface_of(node)?;
        self.cloud().set_source_dest_check(&eni, on);
        Ok(())
    }

    /// Associates an elastic IP with a node, like a user of the AWS console.
    pub fn associate(&self, ip: Ipv4Addr, node: NodeName) -> Result<()> {
        let associated = self.cloud().try_associate(ip, &self.interface_of(node)?, None);
        associated.map(drop).map_err(|error| HarnessError::Wrong(error.to_string()))
    }

    fn interface_of(&self, node: NodeName) -> Result<InterfaceId> {
        let instance = self.cloud().instance(&aws_sim::parsed(node.instance()));
        let interface = instance.and_then(|instance| instance.interfaces.into_iter().next());
        interface
            .map(|first| first.eni)
            .ok_or_else(|| HarnessError::Wrong(format!("{node} has no interface")))
    }

    /// Holder of an address of any kind; of an overlay address only if all route tables lead to one node.
    pub fn holder_of(&self, ip: impl Into<IpAddr>) -> Option<NodeName> {
        let (cloud, ip) = (self.cloud(), ip.into());
        let associated = |ip| {
            let elastic = cloud.holder(ip).map(|holder| holder.instance);
            elastic.or_else(|| cloud.private_holder(ip).map(|(instance, _)| instance))
        };
        let overlay = || cloud.overlay_holder(ip).map(|(instance, _)| instance);
        let holder = ipv4(ip).and_then(associated).or_else(overlay);
        holder.and_then(|instance| self.node_of(&instance))
    }

    /// Every change of the holder of the layout's main address, in order. An overlay address has moved when the last route table has
    /// followed; until then it counts as being with the previous node.
    pub fn history(&self) -> Vec<HolderSince> {
        let mut history = self.history_of(self.layout.address());
        history.retain(|held| held.by.is_some() || self.layout.overlay() != Some(self.layout.address()));
        history
    }

    /// Every change of an address's holder, in order. While route tables lead an overlay address to different nodes, it counts as
    /// unassigned.
    pub fn history_of(&self, ip: impl Into<IpAddr>) -> Vec<HolderSince> {
        let (cloud, ip) = (self.cloud(), ip.into());
        let node = |instance: Option<&InstanceId>| instance.and_then(|id| self.node_of(id));
        let elastic = ipv4(ip).map(|ip| cloud.history(ip)).unwrap_or_default().into_iter().map(|change| {
            let by = node(change.holder.as_ref().map(|holder| &holder.instance));
            HolderSince { at: change.at, by, made_by: node(change.by.as_ref()) }
        });
        let private = ipv4(ip).map(|ip| cloud.private_history(ip)).unwrap_or_default();
        let others = private.into_iter().chain(cloud.overlay_history(ip)).map(|change| {
            let by = node(change.instance.as_ref());
            HolderSince { at: change.at, by, made_by: node(change.by.as_ref()) }
        });
        elastic.chain(others).collect()
    }

    /// How often an address has moved.
    pub fn changes(&self) -> usize {
        self.layout.addresses().iter().map(|ip| self.history_of(*ip).len()).sum()
    }

    /// The requests that arrived since `from`, in order.
    pub fn requests_since(&self, from: Epoch) -> Vec<LoggedRequest> {
        self.cloud().log().into_iter().filter(|request| request.at >= from).collect()
    }

    /// The node that sent a request.
    pub fn sender(&self, request: &LoggedRequest) -> Option<NodeName> {
        let by_address = || {
            let owner = |node: &&NodeName| IpAddr::V4(node.address()) == request.peer.ip();
            self.instances.keys().find(owner).copied()
        };
        request.instance.as_ref().and_then(|id| self.node_of(id)).or_else(by_address)
    }

    /// Makes every EC2 and STS call of every node fail until [`SimulatedCloud::heal`].
    pub fn break_api(&self, kind: &FaultKind) {
        for service in [Service::Ec2, Service::Sts] {
            self.cloud().fault(Fault::new(service, kind.clone()));
        }
    }

    /// Puts a node's metadata service into a state until [`SimulatedCloud::heal`].
    pub fn set_imds(&self, node: NodeName, state: ImdsState) {
        if let Some(id) = self.instances.get(&node) {
            self.cloud().set_imds_state(id, state);
        }
    }

    /// Sets the credentials that a node's metadata service returns.
    pub fn set_credentials(&self, node: NodeName, state: CredState) {
        if let Some(id) = self.instances.get(&node) {
            self.cloud().set_credentials(id, state);
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

fn ipv4(ip: IpAddr) -> Option<Ipv4Addr> {
    if let IpAddr::V4(ip) = ip { Some(ip) } else { None }
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
