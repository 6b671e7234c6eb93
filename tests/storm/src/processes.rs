//! Real processes: the built agent on the surviving node of each of many clusters, all started at once against one simulated
//! account.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use agent_tests::{Folder, binary};
use aws_sim::{Address, Bind, Buckets, Cloud, Instance, LoggedRequest, Service, Sim};

use crate::clusters::StormKind;
use crate::count::Count;
use crate::figures::Figures;
use crate::names::{node, public_ip};

/// How many agents probe at the same time, before the storm.
const PROBES: usize = 4;
/// Round-trip time between EC2 and its clients.
const ROUND_TRIP: Duration = Duration::from_millis(40);

#[derive(Debug)]
struct SurvivingNode {
    instance: Instance,
    address: Address,
    imds: SocketAddr,
    folder: PathBuf,
}

/// Plays a storm of real processes, and returns its figures.
///
/// Every node has probed before, like every standby, so it knows its address and allocation.
pub fn play(processes: usize, timeout: Duration) -> Figures {
    let sim = Sim::start().unwrap_or_else(|error| panic!("the simulator: {error}"));
    let cloud = sim.cloud();
    cloud.set_latency(ROUND_TRIP);
    let ec2 = sim.serve_ec2(Bind::loopback()).unwrap_or_else(|error| panic!("EC2: {error}"));
    let folder = Folder::new();
    let nodes: Vec<SurvivingNode> =
        (0..processes).map(|cluster| SurvivingNode::new(&sim, &cloud, folder.path(), cluster)).collect();
    for some in nodes.chunks(PROBES) {
        let probes: Vec<Child> = some.iter().map(|node| node.run("monitor", ec2, timeout)).collect();
        for (node, mut probe) in some.iter().zip(probes) {
            let status = probe.wait().unwrap_or_else(|error| panic!("a probe: {error}"));
            assert_eq!(status.code(), Some(7), "a probe: {}", node.log());
        }
    }
    cloud.clear_log();
    cloud.set_buckets(Some(Buckets::aws()));
    let (zero, began) = (cloud.now(), Instant::now());
    let waiting: Vec<_> = nodes
        .iter()
        .map(|node| {
            let mut agent = node.run("start", ec2, timeout);
            // Each has its own waiting thread, so that its end is timed correctly.
            thread::spawn(move || {
                let status = agent.wait().unwrap_or_else(|error| panic!("an agent: {error}"));
                (status, began.elapsed())
            })
        })
        .collect();
    let mut taken = Vec::new();
    for (node, waiting) in nodes.iter().zip(waiting) {
        let (status, took) = waiting.join().unwrap_or_else(|_| panic!("an agent got lost"));
        let holder = cloud.holder(&node.address).map(|holder| holder.instance);
        match status.code() {
            Some(0) => {
                assert_eq!(holder.as_ref(), Some(&node.instance.id), "it lied: {}", node.log());
                taken.push(took);
            }
            // The one failure that a storm may cause.
            Some(1) => assert!(node.log().contains("RequestLimitExceeded"), "{}", node.log()),
            _ => panic!("{status}: {}", node.log()),
        }
    }
    Figures::new(
        "ours, processes".to_owned(),
        StormKind::Elastic.rate(),
        processes,
        timeout,
        taken,
        count(&cloud.log(), zero),
    )
}

/// Counts the requests to EC2 since `zero`.
fn count(log: &[LoggedRequest], zero: f64) -> Count {
    let mut count = Count::default();
    for request in log.iter().filter(|request| request.service == Service::Ec2) {
        let at = Duration::try_from_secs_f64(request.at - zero).unwrap_or_default();
        count.add(&request.operation, at, request.code.is_some());
    }
    count
}

impl SurvivingNode {
    /// Creates a cluster whose address the node in the failed zone holds; returns the other node.
    fn new(sim: &Sim, cloud: &Cloud, folder: &Path, cluster: usize) -> Self {
        let address = cloud.allocate(Some(public_ip(cluster)));
        let dead = cloud.add_instance(node(1, cluster));
        let instance = cloud.add_instance(node(2, cluster));
        for interface in dead.interfaces.iter().take(1) {
            cloud.associate(&address, &interface.eni, None);
        }
        let imds = sim
            .serve_imds(&instance.id, Bind::loopback())
            .unwrap_or_else(|error| panic!("a metadata service: {error}"));
        let folder = folder.join(format!("cluster{cluster}"));
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        Self { instance, address, imds, folder }
    }

    /// Starts the agent as Pacemaker does. It can reach nothing but loopback.
    fn run(&self, action: &str, ec2: SocketAddr, timeout: Duration) -> Child {
        let (ec2, imds) = (format!("http://{ec2}"), format!("http://{}", self.imds));
        let folder = self.folder.display().to_string();
        Command::new(binary())
            .arg(action)
            .env_clear()
            .env("OCF_ROOT", "/usr/lib/ocf")
            .env("OCF_RA_VERSION_MAJOR", "1")
            .env("OCF_RA_VERSION_MINOR", "1")
            .env("OCF_RESOURCE_INSTANCE", "vip")
            .env("OCF_RESOURCE_TYPE", "eip")
            .env("OCF_RESOURCE_PROVIDER", "heartbeat")
            .env("OCF_RESKEY_CRM_meta_timeout", timeout.as_millis().to_string())
            .env("OCF_RESKEY_elastic_ip", self.address.public_ip.to_string())
            .env("OCF_RESKEY_endpoint_url", &ec2)
            .env("OCF_RESKEY_imds_endpoint", &imds)
            .env("AWS_ENDPOINT_URL_EC2", &ec2)
            .env("AWS_ENDPOINT_URL_STS", &ec2)
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds)
            .env("EIP_STATE_DIR", format!("{folder}/state"))
            .env("HA_LOGFILE", format!("{folder}/log"))
            .env("HOME", &folder)
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("the agent: {error}"))
    }

    /// The agent's log on this node.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}
