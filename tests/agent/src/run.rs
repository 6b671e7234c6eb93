//! One run of the agent, in an environment like the cluster's.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::kinds::{OVERLAY, ROUTE_TABLE};
use crate::node::Node;
use crate::outcome::RunOutcome;

/// Where the agent would look by itself, which no test allows.
const ENDPOINTS: [(&[&str], &str); 3] = [
    (&["OCF_RESKEY_endpoint_url", "AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"], "EC2"),
    (&["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"], "STS"),
    (&["OCF_RESKEY_imds_endpoint", "AWS_EC2_METADATA_SERVICE_ENDPOINT"], "IMDS"),
];

/// An action's timeout if the cluster sets none.
const DEFAULT_TIMEOUT_MS: u64 = 20_000;
/// How long after its timeout a run is killed. Until then, the test can report how late it was.
const LATE: Duration = Duration::from_secs(3);

/// The minimum time between the starts of two agents, over all tests.
///
/// A table of a hundred situations would otherwise start a hundred processes at once, and each would be late by the time that the others
/// take. It is about the time that one of them computes on a small machine before it begins to wait.
const PACE: Duration = Duration::from_millis(12);

/// When the next agent may be started.
static NEXT: Mutex<Option<Instant>> = Mutex::new(None);

/// Counts the log files, one for each run.
static LAST: AtomicU32 = AtomicU32::new(0);

/// An action in a table: prepares a run on a node.
pub type NodeAction = fn(&Node) -> Run;

/// A run in preparation.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `go`, `ok`, `expect` or `spawn`"]
pub struct Run {
    node: Node,
    action: String,
    name: Option<String>,
    ocf: bool,
    before: Vec<String>,
    arguments: Vec<String>,
    wrapper: Vec<String>,
    env: BTreeMap<String, String>,
    secrets: Vec<String>,
}

impl Run {
    pub(crate) fn new(node: &Node, action: &str) -> Self {
        let mut run = Self {
            node: node.clone(),
            action: action.to_owned(),
            name: None,
            ocf: true,
            before: Vec::new(),
            arguments: Vec::new(),
            wrapper: Vec::new(),
            env: BTreeMap::new(),
            secrets: Vec::new(),
        };
        let (ec2, imds) = (format!("http://{}", node.ec2), format!("http://{}", node.imds));
        let folder = |path: std::path::PathBuf| path.display().to_string();
        for (name, value) in [
            ("OCF_ROOT", "/usr/lib/ocf"),
            ("OCF_RA_VERSION_MAJOR", "1"),
            ("OCF_RA_VERSION_MINOR", "1"),
            ("OCF_RESOURCE_INSTANCE", "vip"),
            ("OCF_RESOURCE_TYPE", "eip"),
            ("OCF_RESOURCE_PROVIDER", "heartbeat"),
            ("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:"),
            ("OCF_RESKEY_crm_feature_set", "3.16.1"),
            ("OCF_RESKEY_CRM_meta_timeout", "20000"),
            ("OCF_RESKEY_CRM_meta_on_node", &node.name),
            ("OCF_RESKEY_elastic_ip", &node.address.public_ip.to_string()),
            ("OCF_RESKEY_endpoint_url", &ec2),
            ("OCF_RESKEY_imds_endpoint", &imds),
            ("AWS_ENDPOINT_URL_EC2", &ec2),
            ("AWS_ENDPOINT_URL_STS", &ec2),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds),
            ("EIP_STATE_DIR", &folder(node.state())),
            ("HOME", &folder(node.home())),
            ("LC_ALL", "C"),
        ] {
            run.env.insert(name.to_owned(), value.to_owned());
        }
        let log = node.folder().join(format!("log/{}", LAST.fetch_add(1, Ordering::Relaxed)));
        run.env("HA_LOGFILE", folder(log))
    }

    /// Sets a parameter of the resource.
    pub fn param(self, name: &str, value: impl ToString) -> Self {
        self.env(&format!("OCF_RESKEY_{name}"), value.to_string())
    }

    /// Removes a parameter of the resource.
    pub fn no_param(self, name: &str) -> Self {
        self.no_env(&format!("OCF_RESKEY_{name}"))
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.env.insert(name.to_owned(), value.as_ref().to_owned());
        self
    }

    /// Removes an environment variable.
    pub fn no_env(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    /// Removes every environment variable. Only for actions that need none, and only in namespaces.
    pub fn bare(mut self) -> Self {
        self.env.clear();
        self
    }

    /// Makes it find programs in this folder first: those of a cluster, or scripts in their place.
    pub fn tools_in(self, folder: &Path) -> Self {
        self.env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
    }

    /// Sets the timeout after which the cluster would kill the agent.
    pub fn timeout_ms(self, milliseconds: u64) -> Self {
        self.param("CRM_meta_timeout", milliseconds)
    }

    /// Sets how often the cluster repeats the action.
    pub fn interval_ms(self, milliseconds: u64) -> Self {
        self.param("CRM_meta_interval", milliseconds)
    }

    /// Names the address only by its allocation.
    pub fn by_allocation(self) -> Self {
        let id = self.node.address.allocation_id.to_string();
        self.no_param("elastic_ip").param("allocation_id", id)
    }

    /// Configures the services by the SDK's own variables instead of by parameters.
    pub fn by_environment(self) -> Self {
        self.no_param("endpoint_url").no_param("imds_endpoint")
    }

    /// Sets another EC2 endpoint.
    pub fn ec2_at(self, url: impl ToString) -> Self {
        self.param("endpoint_url", url)
    }

    /// Sets another metadata service endpoint.
    pub fn imds_at(self, url: impl ToString) -> Self {
        self.param("imds_endpoint", url)
    }

    /// Calls the binary by another name, through a link. Turns off the assertions that hold for every run of an OCF agent.
    pub fn called(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self.ocf = false;
        self
    }

    /// Removes the cluster's variables except those that say where to log.
    pub fn outside_ocf(mut self) -> Self {
        self.env.retain(|variable, _| !variable.starts_with("OCF_"));
        self
    }

    /// Removes the cluster's variables, as if a user runs it.
    pub fn by_a_person(self) -> Self {
        let mut run = self.outside_ocf();
        run.env.retain(|variable, _| !variable.starts_with("HA_"));
        run
    }

    /// Gives the agent an access key of the account, so that it does not need the one in instance metadata.
    pub fn by_key(self) -> Self {
        const KEY: (&str, &str) = ("AKIDSTATIC", "0123456789012345678901234567890123456789");
        self.node.cloud.add_access_key(KEY.0, KEY.1);
        self.env("AWS_ACCESS_KEY_ID", KEY.0).env("AWS_SECRET_ACCESS_KEY", KEY.1).secret(KEY.1)
    }

    /// Adds arguments after the action.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Calls the OCF agent `vip` with this secondary private address. Without its own namespaces the node has no network
    /// devices of its own, and the agent is configured to leave them alone.
    pub fn vip(self, address: Ipv4Addr) -> Self {
        self.of_kind("vip").param("secondary_private_ip", address)
    }

    /// Calls the OCF agent `overlay-ip` with the overlay address and its route table; network devices as for [`Run::vip`].
    pub fn overlay(self) -> Self {
        self.of_kind("overlay-ip").param("overlay_ip", OVERLAY).param("routing_table", ROUTE_TABLE)
    }

    fn of_kind(self, agent: &str) -> Self {
        let own_devices = self.node.shared.isolation.is_some();
        let mut run = self.no_param("elastic_ip").env("OCF_RESOURCE_TYPE", agent);
        if !own_devices {
            run = run.param("add_to_device", "false");
        }
        run.name = Some(agent.to_owned());
        run
    }

    /// Adds an argument before the action.
    pub fn before(mut self, argument: &str) -> Self {
        self.before.push(argument.to_owned());
        self
    }

    /// Runs the agent through another program.
    pub fn wrapped_in(mut self, program: &[&str]) -> Self {
        self.wrapper.extend(program.iter().map(|&part| part.to_owned()));
        self
    }

    /// Runs the agent as the user `nobody`.
    pub fn as_nobody(self) -> Self {
        self.wrapped_in(&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"])
    }

    /// Makes the agent write a trace and debug lines, to files that the harness searches for secrets.
    pub fn verbose(self) -> Self {
        let path = |name: &str| self.node.folder().join(name).display().to_string();
        let (trace, debug) = (path("trace/all"), path("log/debug"));
        let traced = self.env("OCF_TRACE_RA", "1").env("OCF_TRACE_FILE", trace);
        traced.env("HA_debug", "1").env("HA_DEBUGLOG", debug)
    }

    /// Adds a text that must not appear in anything that the agent writes.
    pub fn secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    /// Runs the agent and asserts success.
    #[track_caller]
    pub fn ok(self) -> RunOutcome {
        self.expect(0)
    }

    /// Runs the agent and asserts this exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> RunOutcome {
        self.go().exits(code)
    }

    /// Runs the agent to its end, and asserts what holds for every run.
    #[track_caller]
    pub fn go(self) -> RunOutcome {
        self.spawn().wait()
    }

    /// Starts the agent.
    #[track_caller]
    pub fn spawn(self) -> RunningAgent {
        self.refuse_real_endpoints();
        let mut line = match &self.node.shared.isolation {
            Some(isolation) => isolation.agent(),
            None => vec![crate::binary().display().to_string()],
        };
        // After the program that enters the namespaces, before the agent.
        let agent = line.pop().expect("the agent");
        line.extend(self.wrapper.iter().cloned());
        line.push(self.name.as_ref().map_or(agent.clone(), |name| self.link(&agent, name)));
        line.extend(self.before.iter().cloned());
        line.extend((!self.action.is_empty()).then(|| self.action.clone()));
        line.extend(self.arguments.iter().cloned());
        let (program, arguments) = line.split_first().expect("a command line");
        let first = self.node.cloud.log().last().map_or(0, |request| request.seq);
        keep_pace();
        let began = Instant::now();
        // The usual folders for `nsenter` and the like; the agent inherits no PATH.
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(&self.env)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let stdout = collect(child.stdout.take().expect("its output"));
        let stderr = collect(child.stderr.take().expect("its errors"));
        RunningAgent { run: self, child, began, first, stdout, stderr }
    }

    /// Creates a link of this name to the agent, and returns its path.
    fn link(&self, agent: &str, name: &str) -> String {
        let folder = match &self.node.shared.isolation {
            Some(isolation) => isolation.folder().path().to_owned(),
            None => self.node.folder(),
        };
        let link = folder.join(name);
        // Another run may have made it.
        let _ = std::os::unix::fs::symlink(agent, &link);
        assert!(link.exists(), "{} leads nowhere", link.display());
        link.display().to_string()
    }

    /// Fails the test if the agent could look for AWS at its real addresses.
    #[track_caller]
    fn refuse_real_endpoints(&self) {
        if self.node.shared.isolation.is_some() {
            return;
        }
        for (names, service) in ENDPOINTS {
            // As in the agent: the first variable that is set to a possible endpoint.
            let found = names
                .iter()
                .filter_map(|name| self.env.get(*name))
                .find(|value| value.starts_with("http://") || value.starts_with("https://"));
            let local = |url: &String| {
                let authority = url.split('/').nth(2).unwrap_or_default();
                let host = authority.rsplit('@').next().unwrap_or_default();
                let host = host.split(':').next().unwrap_or_default();
                host == "localhost" || host.parse().is_ok_and(|addr: Ipv4Addr| addr.is_loopback())
            };
            assert!(found.is_some_and(local), "{service} is not on loopback: {:?}", self.env);
        }
        for name in ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
            assert!(!self.env.contains_key(name), "{name} needs namespaces");
        }
    }

    /// Every environment variable.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.env
    }

    /// Value of an environment variable.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str)
    }

    /// The first argument, such as `start`.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// True if it runs as an OCF agent.
    pub(crate) fn is_ocf(&self) -> bool {
        self.ocf
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Texts that must not be written anywhere.
    pub(crate) fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// True if this is a monitor without interval.
    pub(crate) fn is_probe(&self) -> bool {
        let interval =
            self.variable("OCF_RESKEY_CRM_meta_interval").and_then(|text| text.parse::<u64>().ok());
        matches!(self.action.as_str(), "monitor" | "status") && interval.unwrap_or(0) == 0
    }

    /// The time after which the cluster would kill the agent.
    pub(crate) fn timeout(&self) -> Duration {
        let set = self.variable("OCF_RESKEY_CRM_meta_timeout").and_then(|text| text.parse().ok());
        Duration::from_millis(set.filter(|&set| set > 0).unwrap_or(DEFAULT_TIMEOUT_MS))
    }
}

/// An agent that is running.
#[derive(Debug)]
pub struct RunningAgent {
    run: Run,
    child: Child,
    began: Instant,
    first: u64,
    stdout: Receiver<Vec<u8>>,
    stderr: Receiver<Vec<u8>>,
}

impl RunningAgent {
    /// Waits for its end, and asserts what holds for every run.
    #[track_caller]
    pub fn wait(mut self) -> RunOutcome {
        let limit = self.began + self.run.timeout() + LATE;
        let mut texts = Vec::new();
        for pipe in [&self.stderr, &self.stdout] {
            let left = limit.saturating_duration_since(Instant::now());
            let bytes = pipe.recv_timeout(left).unwrap_or_else(|_| {
                let _ = self.child.kill();
                pipe.recv_timeout(LATE).unwrap_or_default()
            });
            texts.push(String::from_utf8_lossy(&bytes).into_owned());
        }
        // Its exit code has not been collected yet, so the process id is still its own.
        let waited = waited_of(self.child.id());
        let status: ExitStatus = self.child.wait().expect("its end");
        let took = self.began.elapsed();
        let [stderr, stdout] = <[String; 2]>::try_from(texts).expect("two pipes");
        let outcome = RunOutcome::new(&self.run, status, stdout, stderr, [took, waited], self.first);
        outcome.check(&self.run);
        outcome
    }

    /// Kills it now, as the cluster does after the timeout, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().expect("to kill it");
        self.child.wait().expect("its end");
    }

    /// Its process id; in namespaces, that of the program that enters them.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Process ids of its running children.
    pub fn children(&self) -> Vec<u32> {
        let pid = self.pid();
        let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("its children");
        text.split_whitespace().map(|pid| pid.parse().expect("a number")).collect()
    }

    /// Time since it began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Waits for this agent's turn to be started.
fn keep_pace() {
    let turn = {
        let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.map_or_else(Instant::now, |next| next.max(Instant::now()));
        *next = Some(turn + PACE);
        turn
    };
    thread::sleep(turn.saturating_duration_since(Instant::now()));
}

/// Reads to the end in its own thread.
fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (done, result) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = done.send(bytes);
    });
    result
}

/// Text of a file in `/proc/PID`.
pub fn of_process(pid: u32, name: &str) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/{name}")).expect("a living process");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How long the main thread of a process has waited for a processor so far; zero if the process is no longer known.
///
/// # Source
/// Linux, Documentation/scheduler/sched-stats.rst: the second number of `/proc/PID/schedstat`, in nanoseconds.
pub fn waited_of(pid: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    text.split(' ').nth(1).and_then(|text| text.parse().ok()).map(Duration::from_nanos).unwrap_or_default()
}
