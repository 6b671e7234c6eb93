//! The router of the VPC: in the cloud's namespace, the kernel forwards packets from clients to the overlay address according to
//! the route tables of the simulated account.
//!
//! Each route table has a client with its own namespace and link, in a subnet of the VPC. Packets from that link use their own
//! routing table, which a thread keeps in sync with the account's route table. Nodes reach IPv4 clients as neighbours, as in a
//! VPC: the cloud answers their ARP requests. To IPv6 clients they have a route.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use aws_sim::{Cloud, InstanceState, RouteTableId};

use crate::command::Cmd;
use crate::error::{HarnessError, Result};
use crate::net::{Net, ip};
use crate::topology::ipv6_of;
use crate::world::SimulatedCloud;

/// Poll interval for the account's route tables.
const EVERY: Duration = Duration::from_millis(5);
/// Makes the kernel forward, answer ARP for the clients without delay, and accept packets from an address that it has no route to.
const FORWARDING: &str = "cd /proc/sys/net/ipv4 && echo 1 >ip_forward && echo 1 >conf/br0/proxy_arp && \
                          echo 0 >neigh/br0/proxy_delay && echo 0 >conf/all/rp_filter && echo 0 >conf/br0/rp_filter";
const IPV6_FORWARDING: &str = "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding";

/// The thread that keeps the kernel's routing tables in sync with the account's. Drop ends the thread.
#[derive(Debug)]
pub struct VpcRouter {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A route table in the kernel.
struct ForwardingTable {
    id: RouteTableId,
    number: u8,
    /// The address that it has a route for.
    overlay: IpAddr,
    /// The private address of the interface that packets go to; `None` if they are dropped.
    hop: Option<Ipv4Addr>,
}

impl VpcRouter {
    /// Creates a client for each route table and starts forwarding to `overlay`. Also returns the clients' namespaces.
    pub fn start(net: &mut Net, world: &SimulatedCloud, overlay: IpAddr) -> Result<(Self, Vec<PathBuf>)> {
        let namespace = net.cloud_name();
        let forwarding = if overlay.is_ipv4() { FORWARDING } else { IPV6_FORWARDING };
        Cmd::new(["ip", "netns", "exec", &namespace, "sh", "-c", forwarding]).run()?;
        let mut tables = Vec::new();
        let mut clients = Vec::new();
        for (number, id) in (1..).zip(world.route_tables()) {
            clients.push(add_client(net, &namespace, number, overlay.is_ipv6())?);
            let mut table = ForwardingTable { id: id.clone(), number, overlay, hop: None };
            table.lead(&namespace, None)?;
            tables.push(table);
        }
        let (stop, cloud) = (Arc::<AtomicBool>::default(), world.cloud());
        let halt = Arc::clone(&stop);
        let work = move || {
            while !halt.load(Ordering::Relaxed) {
                for table in &mut tables {
                    let hop = next_hop(&cloud, table);
                    if hop != table.hop
                        && let Err(error) = table.lead(&namespace, hop)
                    {
                        // From now on the clients show that the forwarding does not follow the account.
                        eprintln!("cluster: the VPC router: {error}");
                        return;
                    }
                }
                thread::sleep(EVERY);
            }
        };
        let thread = thread::Builder::new().name("vpc-router".into()).spawn(work);
        let thread = Some(thread.map_err(HarnessError::io("starting the VPC router"))?);
        Ok((Self { stop, thread }, clients))
    }
}

impl Drop for VpcRouter {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so on standard error.
            let _ = thread.join();
        }
    }
}

impl ForwardingTable {
    fn lead(&mut self, namespace: &str, hop: Option<Ipv4Addr>) -> Result<()> {
        let overlay = self.overlay;
        let to = match hop {
            None => format!("blackhole {overlay}"),
            Some(hop) if overlay.is_ipv4() => format!("{overlay} via {hop} dev br0"),
            Some(hop) => format!("{overlay} via {} dev br0", ipv6_of(hop)),
        };
        ip(&format!("-n {namespace} route replace {to} table {}", kernel_table(self.number)))?;
        self.hop = hop;
        Ok(())
    }
}

/// The private address of the interface to which a table routes the overlay address. `None` if EC2 drops the packets: the target is
/// not an interface of a running instance, or it checks source and destination.
fn next_hop(cloud: &Cloud, table: &ForwardingTable) -> Option<Ipv4Addr> {
    let target = cloud.route_of(&table.id, table.overlay)?;
    let running = cloud.instances().into_iter().filter(|instance| instance.state == InstanceState::Running);
    let interface = running
        .flat_map(|instance| instance.interfaces)
        .find(|interface| interface.eni.to_string() == target)?;
    if cloud.source_dest_check(&interface.eni) {
        return None;
    }
    interface.private_ips.first().copied()
}

/// Creates a client in its own subnet, whose packets use the kernel's routing table of this number; returns its namespace.
fn add_client(net: &mut Net, cloud: &str, number: u8, ipv6: bool) -> Result<PathBuf> {
    let client = format!("client{number}");
    let place = net.path(&client);
    let client = net.add_namespace(&client)?;
    let port = format!("v-c{number}");
    let subnet = if ipv6 { format!("fd77:0:0:{number}::") } else { format!("10.77.{}.", 200 + number) };
    let (gateway, length) = (format!("{subnet}1"), if ipv6 { "64 nodad" } else { "24" });
    let family = if ipv6 { "-6 " } else { "" };
    ip(&format!("-n {cloud} link add {port} type veth peer name eth0 netns {client}"))?;
    ip(&format!("-n {cloud} addr add {gateway}/{length} dev {port}"))?;
    ip(&format!("-n {cloud} link set {port} up"))?;
    ip(&format!("-n {cloud} {family}rule add iif {port} lookup {}", kernel_table(number)))?;
    ip(&format!("-n {client} addr add {subnet}10/{length} dev eth0"))?;
    ip(&format!("-n {client} link set eth0 up"))?;
    ip(&format!("-n {client} route add default via {gateway}"))?;
    Ok(place)
}

fn kernel_table(number: u8) -> u32 {
    100 + u32::from(number)
}
