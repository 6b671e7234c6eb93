//! A simulated account with one Elastic IP and some instances, each of them a node.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sim::{Address, Bind, Cloud, Instance, InstanceSpec, InterfaceSpec, RouteTableSpec, Sim, parsed};

use crate::folder::Folder;
use crate::isolation::Isolation;
use crate::kinds::{OVERLAY, ROUTE_TABLE};
use crate::node::Node;

/// The account, its servers, and the Elastic IP that the tests use.
#[derive(Debug)]
pub struct SimulatedWorld {
    /// The running simulator.
    pub sim: Sim,
    /// The handle on its state.
    pub cloud: Cloud,
    /// The Elastic IP, unassigned at first.
    pub address: Address,
    /// Address of the EC2 endpoint.
    pub ec2: SocketAddr,
    shared: Arc<SharedWorld>,
}

/// What a world and its nodes share.
#[derive(Debug)]
pub(crate) struct SharedWorld {
    pub(crate) folder: Folder,
    pub(crate) isolation: Option<Isolation>,
}

/// Options for a world.
#[derive(Debug)]
pub struct Setup {
    instance: fn(u8) -> InstanceSpec,
    isolation: Option<Isolation>,
    table_owner: Option<String>,
}

impl SimulatedWorld {
    /// Creates a world with `N` nodes, `node1`, `node2` and so on, in two zones.
    ///
    /// Each has two interfaces with two private addresses each: node 1 has 10.0.1.10, 10.0.1.11, 10.0.1.12 and 10.0.1.13,
    /// node 2 has 10.0.2.10 and so on.
    pub fn new<const N: usize>() -> (Self, [Node; N]) {
        Self::setup().make()
    }

    /// The default setup, to be changed.
    pub fn setup() -> Setup {
        Setup { instance: usual_instance, isolation: None, table_owner: None }
    }

    /// A free port on loopback, in the nodes' namespace.
    pub fn bind(&self) -> Bind {
        let netns = self.shared.isolation.as_ref().map(Isolation::netns);
        Bind { netns, ..Bind::loopback() }
    }

    /// The nodes' namespaces, if they have their own.
    pub fn isolation(&self) -> Option<&Isolation> {
        self.shared.isolation.as_ref()
    }

    /// A folder for files of the test.
    pub fn folder(&self) -> &Folder {
        &self.shared.folder
    }

    /// Asserts that the node holds the address, on its primary interface and private address.
    #[track_caller]
    pub fn held_by(&self, node: &Node) {
        self.held_at(node, node.private_ip());
    }

    /// Asserts that the node holds the address on this private address.
    #[track_caller]
    pub fn held_at(&self, node: &Node, private_ip: Ipv4Addr) {
        let holder = self.cloud.holder(&self.address).expect("the address has a holder");
        assert_eq!((&holder.instance, holder.private_ip), (node.id(), private_ip), "{holder:?}");
    }

    /// Asserts that the address is unassigned.
    #[track_caller]
    pub fn is_unassigned(&self) {
        assert_eq!(self.cloud.holder(&self.address), None);
    }

    /// Gives the address to a node, as an administrator does.
    pub fn give(&self, node: &Node) {
        self.cloud.associate(&self.address, node.eni(), None);
    }

    /// Gives the node another Elastic IP, 203.0.113.50, at the private address that ours goes to.
    pub fn own_address(&self, node: &Node) -> Address {
        let own = self.cloud.allocate(Some([203, 0, 113, 50].into()));
        self.cloud.associate(&own, node.eni(), None);
        own
    }

    /// True if the node holds an Elastic IP other than ours at its primary private address.
    pub fn has(&self, node: &Node, other: &Address) -> bool {
        let holder = self.cloud.holder(other);
        holder.is_some_and(|it| it.instance == *node.id() && it.private_ip == node.private_ip())
    }

    /// Waits until `done`, for at most this long.
    #[track_caller]
    pub fn wait(&self, limit: Duration, mut done: impl FnMut(&Cloud) -> bool) {
        let until = Instant::now() + limit;
        while !done(&self.cloud) {
            assert!(Instant::now() < until, "it did not happen within {limit:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Setup {
    /// Changes the instances' specifications; they are numbered from 1.
    #[must_use]
    pub fn instances(mut self, instance: fn(u8) -> InstanceSpec) -> Self {
        self.instance = instance;
        self
    }

    /// Makes another account own the route table.
    #[must_use]
    pub fn route_table_of(mut self, account: &str) -> Self {
        self.table_owner = Some(account.to_owned());
        self
    }

    /// Puts everything into namespaces.
    #[must_use]
    pub fn inside(mut self, isolation: Isolation) -> Self {
        self.isolation = Some(isolation);
        self
    }

    /// Creates the world.
    pub fn make<const N: usize>(self) -> (SimulatedWorld, [Node; N]) {
        let sim = Sim::start().expect("the simulator");
        let cloud = sim.cloud();
        let netns = self.isolation.as_ref().map(Isolation::netns);
        let bind = || Bind { netns: netns.clone(), ..Bind::loopback() };
        let ec2 = sim.serve_ec2(bind()).expect("EC2");
        let address = cloud.allocate(Some(Ipv4Addr::new(203, 0, 113, 10)));
        // At first its route for the overlay address leads to no node.
        let owner = self.table_owner;
        let table = RouteTableSpec { id: parsed(ROUTE_TABLE), owner, ..RouteTableSpec::numbered(1) };
        let table = cloud.add_route_table(table);
        cloud.route(&table, OVERLAY.into(), "tgw-00000000000000001");
        let shared = Arc::new(SharedWorld { folder: Folder::new(), isolation: self.isolation });
        let nodes = std::array::from_fn(|index| {
            let number = u8::try_from(index + 1).expect("a handful of nodes");
            let instance: Instance = cloud.add_instance((self.instance)(number));
            for interface in &instance.interfaces {
                cloud.set_source_dest_check(&interface.eni, false);
            }
            let imds = sim.serve_imds(&instance.id, bind()).expect("IMDS");
            Node::new(format!("node{number}"), instance, &cloud, &address, ec2, imds, Arc::clone(&shared))
        });
        (SimulatedWorld { sim, cloud, address, ec2, shared }, nodes)
    }
}

fn usual_instance(number: u8) -> InstanceSpec {
    let ip = |last| Ipv4Addr::new(10, 0, number, last);
    let interface =
        |ips: [u8; 2]| InterfaceSpec { private_ips: ips.map(ip).into(), ..InterfaceSpec::default() };
    InstanceSpec {
        id: Some(aws_sim::parsed(format!("i-0000000000000000{number}"))),
        zone: if number % 2 == 1 { "eu-west-1a" } else { "eu-west-1b" }.to_owned(),
        subnet: format!("10.0.{number}.0/24"),
        interfaces: vec![interface([10, 11]), interface([12, 13])],
        ..InstanceSpec::default()
    }
}
