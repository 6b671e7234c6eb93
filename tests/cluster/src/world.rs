//! The cloud around the cluster: the simulator, with one instance per node, and the translation of its records into the
//! harness's own terms.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use aws_sim::{
    Bind, Cloud, Config, Fault, FaultKind, ImdsState, InstanceId, InstanceSpec, InterfaceId, InterfaceSpec,
    LoggedRequest, RouteTableId, RouteTableSpec, Service, Sim, Tls,
};

use crate::error::{HarnessError, Result};
use crate::net::Net;
use crate::timeline::HolderSince;
use crate::topology::{
    CLOUD_IP, EC2_PORT, ELASTIC_IP, IMDS_IP, Layout, NodeName, ONE_SUBNET, OVERLAY_IP, PRIVATE_VIP, WEB_PORT,
};
use crate::wait::Epoch;

const IMDS_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
const ROLE: &str = "eip-node";
/// The round trip of EC2 calls with route tables: calls one after the other would take that much each.
const ROUND_TRIP: Duration = Duration::from_millis(100);
/// Where the routes for the overlay address lead before the first start.
const NO_NODE: &str = "tgw-0c10d000000000001";

/// The simulated account and its services. Dropping it closes them.
pub struct SimulatedCloud {
    sim: Sim,
    instances: BTreeMap<NodeName, InstanceId>,
    tables: Vec<RouteTableId>,
    address: Ipv4Addr,
}

impl SimulatedCloud {
    /// Makes an account with one instance per node and the elastic IP, which nobody holds, and serves EC2 and the data
    /// plane in the cloud's network namespace and each instance's metadata in its node's.
    pub fn create(net: &Net, nodes: &[NodeName], layout: Layout) -> Result<Self> {
        let sim = Sim::start(Config::default()).map_err(HarnessError::io("starting the simulator"))?;
        let cloud = sim.cloud();
        drop(cloud.allocate(Some(ELASTIC_IP)));
        let mut instances = BTreeMap::new();
        for &node in nodes {
            let id: InstanceId = aws_sim::parsed(node.instance());
            let instance = cloud.add_instance(specification(node, &id, layout == Layout::OneSubnet));
            for interface in &instance.interfaces {
                cloud.set_source_dest_check(&interface.eni, layout != Layout::RouteTables);
            }
            sim.serve_imds(&id, bind(net.node(node), (IMDS_IP, IMDS_PORT)))
                .map_err(HarnessError::io(format_args!("serving the metadata of {node}")))?;
            instances.insert(node, id);
        }
        let tables: Vec<_> = match layout {
            Layout::RouteTables => [1, 2].map(|n| cloud.add_route_table(RouteTableSpec::numbered(n))).into(),
            Layout::Zones | Layout::OneSubnet => Vec::new(),
        };
        if layout == Layout::RouteTables {
            cloud.set_latency(ROUND_TRIP);
        }
        for table in &tables {
            cloud.route(table, OVERLAY_IP.into(), NO_NODE);
        }
        sim.serve_ec2(bind(net.cloud(), (CLOUD_IP, EC2_PORT))).map_err(HarnessError::io("serving EC2"))?;
        sim.serve_data_plane(Some(net.cloud()), ELASTIC_IP, WEB_PORT)
            .map_err(HarnessError::io("serving the data plane"))?;
        Ok(Self { sim, instances, tables, address: layout.address() })
    }

    /// Serves EC2 over HTTPS, too, where AWS's own endpoints would be found: for nodes that are told of no other endpoint.
    pub fn serve_https(&self, net: &Net, tls: &Tls) -> Result<()> {
        let bound = self.sim.serve_ec2_tls(bind(net.cloud(), (CLOUD_IP, HTTPS_PORT)), tls);
        bound.map(drop).map_err(HarnessError::io("serving EC2 over HTTPS"))
    }

    /// Returns the simulator's state, for what this type does not offer.
    pub fn cloud(&self) -> Cloud {
        self.sim.cloud()
    }

    /// Returns the route tables, if the layout has any.
    pub fn route_tables(&self) -> &[RouteTableId] {
        &self.tables
    }

    /// Returns who holds the address that clients connect to.
    pub fn holder(&self) -> Option<NodeName> {
        self.holder_of(self.address)
    }

    /// Puts the elastic IP on the private address that moves, wherever that is: it then travels with it.
    pub fn put_on_private_vip(&self) -> Result<()> {
        let holder = self.cloud().private_holder(PRIVATE_VIP);
        let (_, eni) = holder.ok_or_else(|| HarnessError::Wrong(format!("nobody has {PRIVATE_VIP}")))?;
        let associated = self.cloud().try_associate(ELASTIC_IP, &eni, Some(PRIVATE_VIP));
        associated.map(drop).map_err(|error| HarnessError::Wrong(error.to_string()))
    }

    /// Assigns a private address to a node, as a person does at the console.
    pub fn assign_private(&self, ip: Ipv4Addr, node: NodeName) -> Result<()> {
        let eni = self.interface_of(node)?;
        self.cloud().assign_private_ip(&eni, ip);
        Ok(())
    }

    /// Leads a route table's route for the overlay address to no node, as a person does at the console.
    pub fn lead_elsewhere(&self, table: &RouteTableId) {
        self.cloud().route(table, OVERLAY_IP.into(), NO_NODE);
    }

    /// Switches the source/destination check of a node's interface, as a person does at the console.
    pub fn set_source_dest_check(&self, node: NodeName, on: bool) -> Result<()> {
        let eni = self.interface_of(node)?;
        self.cloud().set_source_dest_check(&eni, on);
        Ok(())
    }

    /// Associates an elastic IP with a node, as a person does at the console.
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

    /// Returns who holds an address of any kind; an overlay address only if all route tables lead to one node.
    pub fn holder_of(&self, ip: Ipv4Addr) -> Option<NodeName> {
        let elastic = self.cloud().holder(ip).map(|holder| holder.instance);
        let private = || self.cloud().private_holder(ip).map(|(instance, _)| instance);
        let overlay = || self.cloud().overlay_holder(ip.into()).map(|(instance, _)| instance);
        let holder = elastic.or_else(private).or_else(overlay);
        holder.and_then(|instance| self.node_of(&instance))
    }

    /// Returns every change of the holder of the address that clients connect to, in order.
    pub fn history(&self) -> Vec<HolderSince> {
        self.history_of(self.address)
    }

    /// Returns every change of an address's holder, in order. An overlay address has moved when the last route table has
    /// followed; until then it counts as with the node before.
    pub fn history_of(&self, ip: Ipv4Addr) -> Vec<HolderSince> {
        let node = |instance: Option<&InstanceId>| instance.and_then(|id| self.node_of(id));
        let elastic = self.cloud().history(ip).into_iter().map(|change| {
            let by = node(change.holder.as_ref().map(|holder| &holder.instance));
            HolderSince { at: change.at, by, made_by: node(change.by.as_ref()) }
        });
        let private = self.cloud().private_history(ip).into_iter().map(|change| {
            let by = node(change.instance.as_ref());
            HolderSince { at: change.at, by, made_by: node(change.by.as_ref()) }
        });
        let overlay = self.table_history(ip).into_iter().filter(|held| held.by.is_some());
        elastic.chain(private).chain(overlay).collect()
    }

    /// Returns every change of the node that all route tables lead an address to, in order; a mixture is nobody.
    pub fn table_history(&self, ip: Ipv4Addr) -> Vec<HolderSince> {
        let node = |instance: Option<&InstanceId>| instance.and_then(|id| self.node_of(id));
        let changes = self.cloud().overlay_history(ip.into()).into_iter();
        let held = changes.map(|change| {
            let (by, made_by) = (node(change.instance.as_ref()), node(change.by.as_ref()));
            HolderSince { at: change.at, by, made_by }
        });
        held.collect()
    }

    /// Returns how often an address under test has moved.
    pub fn changes(&self) -> usize {
        self.history().len() + self.history_of(PRIVATE_VIP).len()
    }

    /// Returns the requests that arrived since `from`, in order.
    pub fn requests_since(&self, from: Epoch) -> Vec<LoggedRequest> {
        self.cloud().log().into_iter().filter(|request| request.at >= from).collect()
    }

    /// Returns the node that sent a request.
    pub fn sender(&self, request: &LoggedRequest) -> Option<NodeName> {
        let by_address = || {
            let owner = |node: &&NodeName| IpAddr::V4(node.address()) == request.peer.ip();
            self.instances.keys().find(owner).copied()
        };
        request.instance.as_ref().and_then(|id| self.node_of(id)).or_else(by_address)
    }

    /// Makes every EC2 and STS call of every node go wrong until [`SimulatedCloud::heal`].
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
