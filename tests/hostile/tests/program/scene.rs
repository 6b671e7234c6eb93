//! A network of nothing but loopback, a read-only root folder, and a simulated AWS in it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_tests::{Isolation, Node, SimulatedWorld, VIP};
use fastrand::Rng;
use hostile::call::AgentCall;
use hostile::place::Place;
use hostile::verdict::{AGENT, Allowed, TOOL};
use rustix::process::{Pid, Signal, kill_process};

use crate::cluster;

/// The names of the binary; the first four are agents.
pub(crate) const PROGRAMS: [&str; 8] =
    ["eip", "vip", "overlay-ip", "eip-health", "eipctl", "elastic-ip", "eip-keepalived", "eip-alert"];
/// What an agent has for its answer: less than in real life, so that those that wait for a silent peer don't take all day.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(4);
/// The same for `eip-health`, which leaves 5 s of it to the cluster's tools.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(10);
/// The variable by which processes that were left behind are found.
const MARK: &str = "HOSTILE_MARK";
/// Counts the scenes, each of which has a mark of its own.
static LAST: AtomicUsize = AtomicUsize::new(0);

/// The scene.
pub(crate) struct Scene {
    world: SimulatedWorld,
    node: Node,
    count: AtomicUsize,
    mark: String,
}

impl Scene {
    /// Makes it; nothing where that takes a right this process does not have.
    pub(crate) fn new() -> Option<Self> {
        // A path made up by chance is written to as well: not outside the folder of the test.
        let isolation = Isolation::new("mount --bind \"$FOLDER\" \"$FOLDER\"\nmount -o remount,bind,ro /\n")?;
        for name in &PROGRAMS[1..] {
            symlink("eip", isolation.folder().path().join(name)).expect("a link");
        }
        cluster::write_tools(isolation.folder().path());
        let (world, [node]) = SimulatedWorld::setup().inside(isolation).make();
        let mark = format!("{}.{}", std::process::id(), LAST.fetch_add(1, Ordering::SeqCst));
        Some(Self { world, node, count: AtomicUsize::new(0), mark })
    }

    fn isolation(&self) -> &Isolation {
        self.world.isolation().expect("it was made with one")
    }

    /// Makes a folder for a case.
    pub(crate) fn place(&self) -> Place {
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        Place::below(self.isolation().folder().path(), &format!("case{number}"))
    }

    /// Returns the EC2 and the metadata service of the node, as URLs.
    pub(crate) fn urls(&self) -> [String; 2] {
        [format!("http://{}", self.node.ec2), format!("http://{}", self.node.imds)]
    }

    /// Prepares a call of a program by a name, in surroundings in which nothing is wrong.
    pub(crate) fn call(&self, program: &str, arguments: &[&str], place: &Place) -> AgentCall {
        let path = self.isolation().folder().path().join(program);
        usual(self.isolation().enter(), &path, self.urls(), &self.node, arguments, place)
            .set(MARK, &self.mark)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // What keepalived's agent leaves running.
        let mark = format!("{MARK}={}", self.mark).into_bytes();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) =
                entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw)
            else {
                continue;
            };
            let variables = fs::read(entry.path().join("environ")).unwrap_or_default();
            if variables.split(|&byte| byte == 0).any(|variable| variable == mark) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// Prepares a call in surroundings in which nothing is wrong.
pub(crate) fn usual(
    before: Vec<String>,
    program: &Path,
    [ec2, imds]: [String; 2],
    node: &Node,
    arguments: &[&str],
    place: &Place,
) -> AgentCall {
    let run = node.run("").ec2_at(&ec2).imds_at(&imds);
    let run = match program.file_name().and_then(OsStr::to_str) {
        Some("vip") => run.vip(VIP).param("add_to_device", "false"),
        Some("overlay-ip") => run.overlay().param("add_to_device", "false"),
        Some("eip-health") => run.no_param("elastic_ip").no_param("endpoint_url").no_param("imds_endpoint"),
        _ => run,
    };
    let run = cluster::surround(run, program, place);
    let variables = [
        ("AWS_ENDPOINT_URL_EC2", ec2.clone()),
        ("AWS_ENDPOINT_URL_STS", ec2),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds),
        // Its time is not the cluster's.
        ("ELASTIC_IP_SETTINGS", place.write("elastic-ip-usual", b"TIMEOUT=3\n").display().to_string()),
        ("EIP_STATE_DIR", place.at("state")),
        ("HOME", place.at("home")),
        ("HA_LOGFILE", place.at("log/ha")),
        ("HA_DEBUGLOG", place.at("log/debug")),
        ("HA_debug", "1".to_owned()),
    ];
    let run = variables.into_iter().fold(run, |run, (name, value)| run.env(name, value));
    let call = AgentCall {
        before,
        program: program.to_owned(),
        arguments: arguments.iter().map(OsString::from).collect(),
        variables: run.environment().iter().map(|(name, value)| (name.into(), value.into())).collect(),
        folder: place.path().to_owned(),
        timeout: TIMEOUT,
    };
    call.timeout(if program.ends_with("eip-health") { HEALTH_TIMEOUT } else { TIMEOUT })
}

/// Returns what may come of a call of a program.
pub(crate) fn allowed(program: &str) -> Allowed {
    if PROGRAMS[..4].contains(&program) { AGENT } else { TOOL }
}

/// An action of an agent, or words for a tool, that make requests or read something.
pub(crate) fn asked(rng: &mut Rng, program: &str) -> Vec<&'static str> {
    let list: &[&str] = match program {
        "eip" | "vip" | "overlay-ip" => {
            &["start", "stop", "monitor", "validate-all", "migrate_to", "migrate_from", "reload-agent"]
        }
        "eip-health" => &["start", "start", "monitor", "monitor", "stop", "validate-all"],
        "eip-alert" => &[""],
        "eipctl" => &[
            "show --timeout=3 203.0.113.10",
            "check --timeout=3 203.0.113.10",
            "history",
            "restore --timeout=3",
            "policy",
            "show --timeout=3 --json 203.0.113.10",
            "history --json",
        ],
        "elastic-ip" => &["status", "203.0.113.10 start", "203.0.113.10 stop", "status"],
        _ => &["203.0.113.10 check", "203.0.113.10 status", "check"],
    };
    rng.choice(list).unwrap().split_whitespace().collect()
}
