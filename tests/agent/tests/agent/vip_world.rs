//! Shared by the tests of the agent `vip`, and those of network devices.

use std::time::{Duration, Instant};

use agent_tests::{Isolation, Node, Run, SimulatedWorld, VIP, one_subnet};
use aws_sim::FaultKind;

use crate::trouble::ec2;

/// Delays the next call of this operation, so that a concurrent one comes first.
pub(crate) fn hold_up(world: &SimulatedWorld, operation: &str) {
    world.cloud.fault(ec2(operation, FaultKind::Delay(Duration::from_millis(500))).times(1));
}

pub(crate) fn start(node: &Node) -> Run {
    node.start().vip(VIP)
}

pub(crate) fn stop(node: &Node) -> Run {
    node.stop().vip(VIP)
}

pub(crate) fn settled_monitor(node: &Node) -> Run {
    node.settled_monitor().vip(VIP)
}

pub(crate) fn probe(node: &Node) -> Run {
    node.probe().vip(VIP)
}

/// Asserts that this node's primary interface has the address.
#[track_caller]
pub(crate) fn held_by(world: &SimulatedWorld, node: &Node) {
    let holder = world.cloud.private_holder(VIP);
    assert_eq!(holder, Some((node.id().clone(), node.eni().clone())));
}

/// Asserts that no interface has the address.
#[track_caller]
pub(crate) fn is_unassigned(world: &SimulatedWorld) {
    assert_eq!(world.cloud.private_holder(VIP), None);
}

/// A node with its own network device, `eth0`, and behind it a neighbour that watches what arrives.
pub(crate) struct Wired {
    pub(crate) world: SimulatedWorld,
    pub(crate) a: Node,
}

/// Creates the device with node 1's MAC address and own address, and the neighbour's namespace below this one.
const CABLE: &str = r"
ip link add eth0 address 02:00:00:00:00:01 type veth peer name peer
ip netns add $(basename $FOLDER)
ip link set peer netns $(basename $FOLDER)
ip -n $(basename $FOLDER) address add 10.0.1.200/24 dev peer
ip -n $(basename $FOLDER) link set peer up
ip address add 10.0.1.10/24 dev eth0
ip link set eth0 up
";

impl Wired {
    pub(crate) fn new() -> Option<Self> {
        // Where names of namespaces are kept; here it is the test's own.
        let script = format!("mkdir -p /run/netns\n{CABLE}");
        let isolation = Isolation::new(&script)?;
        let (world, [a]) = one_subnet().inside(isolation).make();
        Some(Self { world, a })
    }

    #[track_caller]
    pub(crate) fn inside(&self, program: &[&str]) -> String {
        self.world.isolation().unwrap().run(program)
    }

    /// Lines of `ip` for the node's IPv4 addresses on a device.
    pub(crate) fn addresses(&self, device: &str) -> Vec<String> {
        let text = self.inside(&["ip", "-4", "-o", "address", "show", "dev", device]);
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn on_device(&self, device: &str) -> bool {
        self.addresses(device).iter().any(|line| line.contains(" 10.0.1.100/"))
    }

    pub(crate) fn neighbour(&self, program: &[&str]) -> String {
        let folder = self.world.isolation().unwrap().folder().path().to_owned();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        self.inside(&[&["ip", "netns", "exec", &name], program].concat())
    }

    /// Waits until the neighbour's table has this MAC address for the address of the resource.
    #[track_caller]
    pub(crate) fn neighbour_learns(&self, mac: &str) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let shown = self.neighbour(&["ip", "neighbour", "show", "10.0.1.100"]);
            if shown.contains(mac) {
                return;
            }
            assert!(Instant::now() < until, "the neighbour was not notified: {shown:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
