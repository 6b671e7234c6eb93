//! Names and addresses: of the run, its network namespaces, its nodes. Pure.
//!
//! One bridge carries all nodes, whether their instances are in one subnet or in several ([`Layout`]). Nothing is added to the
//! machine's own network namespace.

use std::fmt::{self, Display};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The address under test (documentation range, RFC 5737).
pub const ELASTIC_IP: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// The secondary private address that moves in clusters whose nodes are in one subnet.
pub const PRIVATE_VIP: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 100);
/// The overlay address that moves in clusters with route tables, outside the range of the VPC.
pub const OVERLAY_IP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 10, 1));
/// The same in IPv6.
pub const OVERLAY_IPV6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0x10, 0, 0, 0, 0, 0, 1));
/// The subnet of all nodes in clusters with a private address.
pub const ONE_SUBNET: &str = "10.77.0.0/16";
/// Address at which the nodes reach the cloud's own namespace.
pub const CLOUD_IP: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The port of the EC2 endpoint at [`CLOUD_IP`].
pub const EC2_PORT: u16 = 8080;
/// Port of each node's web server, and so of the elastic IP as the internet sees it.
pub const WEB_PORT: u16 = 80;
/// Address of an instance's metadata service.
pub const IMDS_IP: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// Prefix length of all nodes' addresses on the bridge.
pub const PREFIX_LEN: u8 = 16;
/// Prefix length of their IPv6 addresses.
pub const IPV6_PREFIX_LEN: u8 = 64;
/// Fixed, because a bridge that takes its address from a port changes it when that port is unplugged, and the other node
/// then has a stale neighbour entry for seconds.
pub const BRIDGE_MAC: &str = "02:77:00:00:00:01";
/// Prefix of the names of all network namespaces and state folders of this harness.
pub const PREFIX: &str = "eip-";

/// The first node, which gets the address initially if the cluster manager has a preference.
pub const N1: NodeName = NodeName(1);
/// The second node.
pub const N2: NodeName = NodeName(2);

/// Layout of the nodes in the VPC, which depends on the kind of address that moves between them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// Each in its own zone and subnet, for an elastic IP.
    #[default]
    Zones,
    /// All in one subnet, for a private address.
    OneSubnet,
    /// Like `Zones`, with three route tables and a client behind each of them, for an overlay address.
    RouteTables,
    /// The same for an IPv6 overlay address.
    Ipv6RouteTables,
    /// Like `RouteTables`, but another account owns the VPC and its route tables.
    SharedVpc,
    /// All in one subnet, with route tables, too: for an address of each kind.
    EveryKind,
}

impl Layout {
    /// The addresses that move between the nodes.
    pub fn addresses(self) -> &'static [IpAddr] {
        const ELASTIC: IpAddr = IpAddr::V4(ELASTIC_IP);
        const PRIVATE: IpAddr = IpAddr::V4(PRIVATE_VIP);
        match self {
            Self::Zones => &[ELASTIC],
            Self::OneSubnet => &[ELASTIC, PRIVATE],
            Self::RouteTables | Self::SharedVpc => &[OVERLAY_IP],
            Self::Ipv6RouteTables => &[OVERLAY_IPV6],
            Self::EveryKind => &[ELASTIC, PRIVATE, OVERLAY_IP],
        }
    }

    /// The main address: the elastic IP, if there is one.
    pub fn address(self) -> IpAddr {
        self.addresses().first().copied().unwrap_or(OVERLAY_IP)
    }

    /// The address that route tables lead to a node; `None` if there are no route tables.
    pub fn overlay(self) -> Option<IpAddr> {
        self.addresses().iter().copied().find(|ip| [OVERLAY_IP, OVERLAY_IPV6].contains(ip))
    }

    /// The addresses, besides its own, at which every node serves whenever it has them.
    pub fn shared(self) -> impl Iterator<Item = IpAddr> {
        self.addresses().iter().copied().filter(|ip| *ip != ELASTIC_IP)
    }

    /// True if all nodes are in one subnet.
    pub fn is_one_subnet(self) -> bool {
        matches!(self, Self::OneSubnet | Self::EveryKind)
    }
}

/// A cluster node: `n1`, `n2`, `n3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(u8);

impl NodeName {
    /// The first `count` nodes, from `n1`.
    pub fn first(count: u8) -> impl Iterator<Item = Self> {
        (1..=count).map(Self)
    }

    /// The node whose host name ends with this number: `n1`, `server1`, `host01`.
    pub fn of_host(host_name: &str) -> Option<Self> {
        let number = host_name.trim().trim_start_matches(|letter: char| !letter.is_ascii_digit());
        number.parse().ok().filter(|number| *number > 0).map(Self)
    }

    /// Its number from 1, which is also its Corosync node id.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Its private address on the bridge.
    pub fn address(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, self.0, 10)
    }

    /// CIDR range of its instance's subnet.
    pub fn subnet(self) -> String {
        format!("10.77.{}.0/24", self.0)
    }

    /// Its Availability Zone.
    pub fn zone(self) -> String {
        format!("eu-west-1{}", char::from(b'a' + (self.0 - 1) % 3))
    }

    /// MAC address of its interface.
    pub fn mac(self) -> String {
        format!("02:77:00:00:{:02x}:10", self.0)
    }

    /// Id of its EC2 instance.
    pub fn instance(self) -> String {
        format!("i-0e1a571c1b{:07x}", self.0)
    }

    /// Name of its port on the bridge, in the cloud's namespace.
    pub fn port(self) -> String {
        format!("v-{self}")
    }
}

impl Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("n{}", self.0))
    }
}

impl FromStr for NodeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_prefix('n')
            .and_then(|number| number.parse().ok())
            .filter(|number| *number > 0)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not a node of this cluster"))
    }
}

/// The IPv6 address on the bridge that corresponds to an IPv4 address there.
pub fn ipv6_of(address: Ipv4Addr) -> Ipv6Addr {
    Ipv6Addr::from(u128::from(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 0)) | u128::from(u32::from(address)))
}

/// The holder's name, for a message.
pub fn name_of(holder: Option<NodeName>) -> String {
    holder.map_or_else(|| "no node".to_owned(), |node| node.to_string())
}

/// The elastic IP that a node may have of its own, as long as the one under test does not displace it.
pub fn own_address(node: NodeName) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, 50 + node.number())
}

/// Identifies a run by the process that owns it: its process id and start time, so that a reused process id is not mistaken for
/// the run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId {
    pid: u32,
    started: u64,
}

impl RunId {
    /// The id of a run of this process.
    pub fn own() -> Self {
        let pid = std::process::id();
        Self { pid, started: start_time(pid).unwrap_or_default() }
    }

    /// Parses the id in the name of a namespace or state folder; ignores what follows the id.
    pub fn of(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(PREFIX)?.split('-');
        Some(Self { pid: parts.next()?.parse().ok()?, started: parts.next()?.parse().ok()? })
    }

    /// True if the owner of the run still exists.
    pub fn is_alive(&self) -> bool {
        start_time(self.pid) == Some(self.started)
    }

    /// Name of one of the run's network namespaces.
    pub fn namespace(&self, part: impl Display) -> String {
        format!("{self}-{part}")
    }

    /// Path at which `ip netns` keeps one of the run's network namespaces.
    pub fn namespace_path(&self, part: impl Display) -> PathBuf {
        Path::new("/run/netns").join(self.namespace(part))
    }
}

impl Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}-{}", self.pid, self.started)
    }
}

fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // proc(5): field 22; the second field, the program's name, may contain blanks and ends with the last parenthesis.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_shows_which_run_it_belongs_to_and_whether_that_is_alive() {
        let mut run = RunId::own();
        assert_eq!(RunId::of(&run.namespace("cloud")), Some(run.clone()));
        assert!(run.is_alive(), "this process exists");
        run.started += 1;
        assert!(!run.is_alive(), "its process id was used again");
        for foreign in ["cni-12-34", "eip-", "eip-web", "eip-12", "eip-12-x"] {
            assert_eq!(RunId::of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_host_is_the_node_of_its_number() {
        for host_name in ["n2\n", "server2", "host02"] {
            assert_eq!(NodeName::of_host(host_name), Some(N2), "{host_name}");
        }
        assert_eq!(NodeName::of_host("cloud"), None);
    }
}
