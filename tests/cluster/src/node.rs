//! A cluster node: its state folder, its processes, and how commands run inside it.
//!
//! A node is a PID 1 with its own namespaces ([`node-init.sh`](../src/node-init.sh)). Killing that process is a power cut:
//! everything in the node ends at once. What a disk would keep stays in the state folder. The node ends with the harness, even if
//! that is killed.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::command::{Cmd, kill_group};
use crate::error::{HarnessError, Result};
use crate::processes::Processes;
use crate::topology::{NodeName, WEB_PORT};
use crate::wait::{Polled, until};

const BOOT_LIMIT: Duration = Duration::from_secs(15);
/// Only the distribution's system folders: `pcs` and `crm` must find its Python. The time zone makes log times
/// comparable.
const ENVIRONMENT: [&str; 7] = [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8",
    "LC_ALL=C.UTF-8",
    "TERM=dumb",
    "TZ=UTC",
    "PCMK_logfile=/var/log/pacemaker/pacemaker.log",
    "PCMK_logfacility=none",
];

/// What every node gets at boot.
#[derive(Debug, Clone)]
pub struct Image {
    /// The script that runs as PID 1.
    pub init: PathBuf,
    /// What is installed on the node: the agent under test, or the folder of the packages.
    pub subject: PathBuf,
    /// The harness's own binary, which is also the web server.
    pub web: PathBuf,
    /// The addresses, besides its own, at which every node serves whenever it has them.
    pub shared: Vec<IpAddr>,
}

/// A node and its processes. Drop kills them.
#[derive(Debug)]
pub struct ClusterNode {
    name: NodeName,
    folder: PathBuf,
    namespace: PathBuf,
    image: Image,
    running: Option<RunningNode>,
}

#[derive(Debug)]
struct RunningNode {
    /// `unshare`, the parent of PID 1. It ends when PID 1 does.
    holder: Child,
    init: Pid,
    daemons: Vec<Child>,
}

impl ClusterNode {
    /// A node with its state in `folder` and an existing network namespace; it does not run yet.
    pub fn new(name: NodeName, folder: PathBuf, namespace: PathBuf, image: Image) -> Self {
        Self { name, folder, namespace, image, running: None }
    }

    pub fn name(&self) -> NodeName {
        self.name
    }

    pub fn logs(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// True if it has been booted and not been killed since.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Starts PID 1 and the web server, and returns when the node's files are in place. No cluster daemon runs yet.
    pub fn boot(&mut self) -> Result<()> {
        let pid_file = self.folder.join("init.pid");
        match fs::remove_file(&pid_file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(HarnessError::io("removing the old init.pid")(error));
            }
            _ => {}
        }
        let mut holder = self.spawn(&self.init_command(), "init")?;
        let ready = until(&format!("boot of {}", self.name), BOOT_LIMIT, || {
            if let Some(status) = holder.try_wait().map_err(HarnessError::io("waiting for unshare"))? {
                return Err(HarnessError::Wrong(format!(
                    "PID 1 of {} {status}: {}",
                    self.name,
                    self.output_of("init")
                )));
            }
            let text = fs::read_to_string(&pid_file).unwrap_or_default();
            let pid = text.strip_suffix('\n').and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
            Ok(pid.map_or_else(|| Polled::NotYet(self.output_of("init")), Polled::There))
        });
        match ready {
            Ok(init) => self.running = Some(RunningNode { holder, init, daemons: Vec::new() }),
            Err(error) => {
                kill_group(&mut holder);
                return Err(error);
            }
        }
        self.serve("web", self.name.address().into())?;
        for (number, shared) in (1..).zip(self.image.shared.clone()) {
            // It listens there before the node has the address: we measure the address, not a service that follows it.
            let family = if shared.is_ipv4() { "ipv4" } else { "ipv6" };
            self.run(&["sh", "-c", &format!("echo 1 >/proc/sys/net/{family}/ip_nonlocal_bind")])?;
            self.serve(&format!("web-shared-{number}"), shared)?;
        }
        Ok(())
    }

    fn serve(&mut self, tag: &str, at: IpAddr) -> Result<()> {
        let listen = SocketAddr::from((at, WEB_PORT)).to_string();
        self.daemon(tag, &["/run/harness/cluster", "node-web", &listen])
    }

    /// A command that will run inside the node, with a clean environment.
    pub fn command(&self, words: &[&str]) -> Result<Cmd> {
        let running =
            self.running.as_ref().ok_or_else(|| HarnessError::Wrong(format!("{} is down", self.name)))?;
        let target = running.init.as_raw_nonzero().to_string();
        let way_in = ["nsenter", "-t", &target, "-m", "-u", "-i", "-n", "-p", "--"];
        let environment = ["env", "-i"].iter().chain(&ENVIRONMENT);
        Ok(Cmd::new(way_in.iter().chain(environment).chain(words).copied()).shown_as(words.join(" ")))
    }

    /// Runs a command inside the node and returns its standard output.
    pub fn run(&self, words: &[&str]) -> Result<String> {
        self.command(words)?.run()
    }

    /// Starts a daemon inside the node; its output goes to a file named after `tag`.
    pub fn daemon(&mut self, tag: &str, words: &[&str]) -> Result<()> {
        let all: Vec<&str> = std::iter::once("setsid").chain(words.iter().copied()).collect();
        let child = self.spawn(&self.command(&all)?, tag)?;
        if let Some(running) = &mut self.running {
            running.daemons.push(child);
        }
        Ok(())
    }

    /// Kills PID 1, and with it every process of the node at once.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            // It fails only if the node is already dead.
            let _ = kill_process(running.init, Signal::KILL);
            // `nsenter` of each daemon ends with the daemon, unless it was stopped too; `unshare` ends with PID 1, which ends after all
            // others.
            for daemon in &mut running.daemons {
                let _ = daemon.kill();
                let _ = daemon.wait();
            }
            let _ = running.holder.wait();
        }
    }

    /// Sends SIGKILL to the node's processes with one of these names; returns how many there were.
    pub fn kill_processes(&self, names: &[&str]) -> Result<usize> {
        Ok(self.processes()?.signal(|name| names.contains(&name), Signal::KILL))
    }

    pub fn processes(&self) -> Result<Processes> {
        let running =
            self.running.as_ref().ok_or_else(|| HarnessError::Wrong(format!("{} is down", self.name)))?;
        Ok(Processes::of(running.init))
    }

    /// Continues every stopped process of the node.
    pub fn go_on(&self) -> Result<()> {
        self.processes()?.signal(|_| true, Signal::CONT);
        // `nsenter` stops with the daemon that it waits for, but does not continue with it.
        let daemons = self.running.iter().flat_map(|running| &running.daemons);
        for pid in daemons.filter_map(|daemon| Pid::from_raw(i32::try_from(daemon.id()).ok()?)) {
            let _ = kill_process(pid, Signal::CONT);
        }
        Ok(())
    }

    /// What a daemon has printed so far.
    pub fn output_of(&self, tag: &str) -> String {
        fs::read_to_string(self.output_file(tag)).unwrap_or_default().trim().to_owned()
    }

    fn init_command(&self) -> Cmd {
        let net = format!("--net={}", self.namespace.display());
        // If the harness is killed, the kernel kills `unshare`, and that kills PID 1.
        let holder = ["setpriv", "--pdeathsig", "KILL", "nsenter", &net, "unshare", "-m", "-u", "-i", "-p"];
        let fork = ["--fork", "--kill-child", "--"];
        let path = |path: &Path| path.display().to_string();
        let own = [path(&self.image.init), self.name.to_string(), path(&self.folder)];
        let image = [path(&self.image.subject), path(&self.image.web)];
        Cmd::new(holder.iter().chain(&fork).map(ToString::to_string).chain(own).chain(image))
    }

    fn spawn(&self, command: &Cmd, tag: &str) -> Result<Child> {
        let path = self.output_file(tag);
        let create = || File::options().create(true).append(true).open(&path);
        let stdout = create().map_err(HarnessError::io(format_args!("opening {}", path.display())))?;
        let stderr = stdout.try_clone().map_err(HarnessError::io("sharing an output file"))?;
        let mut build = command.build();
        build.stdout(Stdio::from(stdout)).stderr(Stdio::from(stderr));
        build.spawn().map_err(HarnessError::io(format_args!("starting `{command}`")))
    }

    fn output_file(&self, tag: &str) -> PathBuf {
        self.logs().join(format!("{tag}.out"))
    }
}

impl Drop for ClusterNode {
    fn drop(&mut self) {
        self.kill();
    }
}
