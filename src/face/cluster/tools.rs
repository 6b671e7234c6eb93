//! Pacemaker's own command-line tools, used to query and control the cluster.

use std::ffi::OsString;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::cib::Cib;
use super::complaint::complaint;
use super::settings::ClusterSettings;
use super::status::Status;
use crate::host::Host as _;
use crate::world;

/// Usual time limit for a tool that does not wait for the cluster.
pub(in crate::face) const LIMIT: Duration = Duration::from_secs(30);
/// The limit for commands that do without the cluster: one that is down refuses at once.
pub(in crate::face) const BRIEF_LIMIT: Duration = Duration::from_secs(3);
/// Pauses between attempts to clear a constraint; their sum is longer than a controller election.
const CLEAR_PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];
/// Has `cibadmin` read the file that Pacemaker writes, whether or not it runs.
const SAVED: &str = "CIB_file=/var/lib/pacemaker/cib/cib.xml";
/// Most that a tool may print. The CIB of 16 nodes with 300 resources has about 5 MiB.
const LARGEST_OUTPUT: u64 = 8 << 20;
/// Polling interval for the exit of a running tool.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Runs the tools, even if they are not in the user's `PATH`.
#[derive(Debug, Clone)]
pub(in crate::face) struct Tools {
    path: OsString,
    limit: Duration,
    node: Option<String>,
    /// What a tool that requests a move has as its standard input, so that it stays open until that tool has ended.
    held: Option<Arc<OwnedFd>>,
}

impl Tools {
    /// The tools of this `PATH`, with the folders for administrators appended. One that does not wait for the cluster has
    /// `limit` to answer. The name of this node is not queried if it is known.
    pub fn new(path: Option<&str>, limit: Duration, node: Option<&str>) -> Self {
        // An empty element would mean the current folder.
        let own = path.filter(|path| !path.is_empty()).map(|path| format!("{path}:")).unwrap_or_default();
        let path = format!("{own}/usr/sbin:/sbin:/usr/bin:/bin").into();
        Self { path, limit, node: node.map(str::to_owned), held: None }
    }

    /// The same tools; one that requests a move holds this end of a pipe.
    pub fn holding(&self, end: Option<OwnedFd>) -> Self {
        Self { held: end.map(Arc::new), ..self.clone() }
    }

    /// A command with the same `PATH` as the tools, and without credentials in its environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("PATH", &self.path).env("LC_ALL", "C");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"AWS_"))
        {
            command.env_remove(name);
        }
        command
    }

    /// Current status of the cluster.
    ///
    /// # Errors
    /// A sentence on why it is unavailable.
    pub fn status(&self) -> Result<Status, String> {
        let query = |form: &str| self.run("crm_mon", &["--one-shot", "--inactive", form], self.limit);
        // Before Pacemaker 2.0.3, and in all of 1.1, the option has another name.
        let xml = match query("--output-as=xml") {
            Err(error) if error.contains("--output-as") => query("--as-xml")?,
            answer => answer?,
        };
        Status::parse(&xml).map_err(|error| format!("crm_mon: unreadable answer: {error}"))
    }

    /// Configuration and state of the cluster.
    ///
    /// # Errors
    /// A sentence on why it is unavailable.
    pub fn cib(&self) -> Result<Cib, String> {
        self.query("cibadmin", &["--query"])
    }

    /// The configuration that Pacemaker keeps on disk while it is down.
    ///
    /// # Errors
    /// A sentence on why it is unavailable.
    pub fn saved_cib(&self) -> Result<Cib, String> {
        self.query("env", &[SAVED, "cibadmin", "--query"])
    }

    fn query(&self, program: &str, arguments: &[&str]) -> Result<Cib, String> {
        let xml = self.run(program, arguments, self.limit)?;
        // Without the cluster, the name of the host is that of the node, if the cluster has such a node.
        let of_host = |nodes: &[&str]| {
            let name = world::host().node_name();
            nodes.contains(&name.as_str()).then_some(name)
        };
        let cib = Cib::on_node(&xml, |nodes| self.node_name().or_else(|| of_host(nodes)));
        cib.map_err(|error| format!("cibadmin: unreadable answer: {error}"))
    }

    /// The settings of the cluster that matter to a resource.
    ///
    /// # Errors
    /// A sentence on why they are unavailable.
    pub fn settings(&self, resource: &str) -> Result<ClusterSettings, String> {
        let cib = self.cib()?;
        let token = self.run("corosync-cmapctl", &["-g", "runtime.config.totem.token"], self.limit);
        let token = token.as_deref().map_err(String::as_str);
        ClusterSettings::of(&cib, token, resource)
            .map_err(|error| format!("cibadmin: unreadable answer: {error}"))
    }

    /// Sets a transient attribute of this node, or removes it.
    ///
    /// # Errors
    /// A sentence on why the cluster did not take it.
    pub fn set_attribute(&self, name: &str, value: Option<&str>) -> Result<(), String> {
        let change = value.map_or(vec!["-D"], |value| vec!["-U", value]);
        self.run("attrd_updater", &[&["-n", name], change.as_slice()].concat(), self.limit).map(drop)
    }

    /// The cluster's name for this node; `None` if the cluster is not running here.
    pub fn node_name(&self) -> Option<String> {
        let query = || self.run("crm_node", &["--name"], self.limit).ok();
        self.node.clone().or_else(|| Some(query()?.trim().to_owned())).filter(|name| !name.is_empty())
    }

    /// The same; without the cluster, the name of this host.
    pub fn own_name(&self) -> String {
        self.node_name().unwrap_or_else(|| world::host().node_name())
    }

    /// Requests a move of a resource. The constraint that this creates expires after `lifetime`.
    ///
    /// # Errors
    /// The cluster's reason for refusing, as a sentence.
    pub fn request_move(&self, resource: &str, node: &str, lifetime: Duration) -> Result<(), String> {
        let lifetime = format!("--lifetime=PT{}S", lifetime.as_secs());
        let arguments = ["--move", "--resource", resource, "--node", node, &lifetime];
        let held = self.held.as_ref().and_then(|end| end.try_clone().ok());
        let input = held.map_or_else(Stdio::null, Stdio::from);
        self.run_with(input, "crm_resource", &arguments, self.limit).map(drop)
    }

    /// Clears the constraint of a move, with retries: during the election of a controller the cluster accepts no requests.
    ///
    /// # Errors
    /// A sentence on why it is still there.
    pub fn clear(&self, resource: &str) -> Result<(), String> {
        let clear = || self.run("crm_resource", &["--clear", "--resource", resource], self.limit).map(drop);
        for pause in CLEAR_PAUSES {
            if clear().is_ok() {
                return Ok(());
            }
            thread::sleep(pause);
        }
        clear()
    }

    /// Waits until the cluster is idle.
    ///
    /// # Errors
    /// A sentence if the cluster is still busy after `limit`.
    pub fn wait(&self, limit: Duration) -> Result<(), String> {
        let timeout = format!("--timeout={}", limit.as_secs().max(1));
        self.run("crm_resource", &["--wait", &timeout], limit + self.limit).map(drop)
    }

    /// Runs a tool until it exits. Returns its standard output.
    fn run(&self, program: &str, arguments: &[&str], limit: Duration) -> Result<String, String> {
        self.run_with(Stdio::null(), program, arguments, limit)
    }

    fn run_with(
        &self,
        input: Stdio,
        program: &str,
        arguments: &[&str],
        limit: Duration,
    ) -> Result<String, String> {
        let mut command = self.command(program);
        command.args(arguments).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("{program} is not installed: run this on a node of a Pacemaker cluster")
            }
            _ => format!("{program}: {error}"),
        })?;
        let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let succeeded = watch(&mut child, program, limit)?;
        let printed = [stdout, stderr].map(|reader| reader.join().unwrap_or_default());
        let [Some(stdout), Some(stderr)] = printed else {
            return Err(format!("{program}: printed more than {} MiB", LARGEST_OUTPUT >> 20));
        };
        if succeeded {
            Ok(stdout)
        } else {
            Err(format!("{program}: {}", complaint(program, &stdout, &stderr)))
        }
    }
}

/// Waits for a program to exit; `true` if it succeeded. If it takes too long it is killed, and its process group if it leads one.
pub(in crate::face) fn watch(child: &mut Child, program: &str, limit: Duration) -> Result<bool, String> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if began.elapsed() < limit => thread::sleep(POLL_INTERVAL),
            Ok(None) => {
                // These fail only if it leads no group, or has just exited by itself. Until it is awaited, its id is its own.
                let group = i32::try_from(child.id()).map(Pid::from_raw);
                let _ = group.map(|group| killpg(group, Signal::SIGKILL));
                let _ = child.kill();
                let _ = child.wait();
                let seconds = limit.as_secs_f64().round().max(1.0);
                return Err(format!("{program}: no answer within {seconds} s"));
            }
            Err(error) => return Err(format!("{program}: {error}")),
        }
    }
}

/// Reads to the end; `None` if that is too much. A tool that goes on then finds the pipe closed.
fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Option<String>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // A broken pipe has delivered everything it had.
            let _ = pipe.take(LARGEST_OUTPUT + 1).read_to_end(&mut bytes);
        }
        let is_whole = bytes.len() as u64 <= LARGEST_OUTPUT;
        is_whole.then(|| String::from_utf8_lossy(&bytes).into_owned())
    })
}
