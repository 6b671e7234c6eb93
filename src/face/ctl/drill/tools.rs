//! Pacemaker's own tools, by which the cluster is asked and told.

use std::ffi::OsString;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::complaint::complaint;
use super::configuration::Configuration;
use super::status::Status;

/// The longest that a tool may take which only asks or tells.
const LIMIT: Duration = Duration::from_secs(30);
/// Pauses between attempts to take a constraint back: longer together than the election of a controller takes.
const CLEAR_PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];
/// How often a running tool is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The tools, found where an administrator's shell may not look.
#[derive(Debug, Clone)]
pub(super) struct Tools {
    path: OsString,
}

impl Tools {
    /// Returns the tools by this `PATH`, with the folders for administrators added.
    pub fn new(path: Option<&str>) -> Self {
        // An empty part would be the current folder.
        let own = path.filter(|path| !path.is_empty()).map(|path| format!("{path}:")).unwrap_or_default();
        Self { path: format!("{own}/usr/sbin:/sbin:/usr/bin:/bin").into() }
    }

    /// Returns a command that finds its programs as these tools are found, and that learns no credentials.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("PATH", &self.path).env("LC_ALL", "C");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"AWS_"))
        {
            command.env_remove(name);
        }
        command
    }

    /// Returns what the cluster says of itself.
    ///
    /// # Errors
    /// Why it does not, in a sentence.
    pub fn status(&self) -> Result<Status, String> {
        let ask = |form: &str| self.run("crm_mon", &["--one-shot", "--inactive", form], LIMIT);
        // Before Pacemaker 2.0.3, and in all of 1.1, the option has another name.
        let xml = match ask("--output-as=xml") {
            Err(error) if error.contains("--output-as") => ask("--as-xml")?,
            answer => answer?,
        };
        Status::parse(&xml).map_err(|error| format!("crm_mon: unreadable answer: {error}"))
    }

    /// Returns what is configured for a resource.
    ///
    /// # Errors
    /// Why it can't be had, in a sentence.
    pub fn configuration(&self, resource: &str) -> Result<Configuration, String> {
        let xml = self.run("cibadmin", &["--query"], LIMIT)?;
        Configuration::parse(&xml, resource).map_err(|error| format!("cibadmin: unreadable answer: {error}"))
    }

    /// Tells the cluster to move a resource. The constraint that this makes ends by itself after `lifetime`.
    ///
    /// # Errors
    /// Why the cluster refuses, in a sentence.
    pub fn order_move(&self, resource: &str, node: &str, lifetime: Duration) -> Result<(), String> {
        let lifetime = format!("--lifetime=PT{}S", lifetime.as_secs());
        let words = ["--move", "--resource", resource, "--node", node, &lifetime];
        self.run("crm_resource", &words, LIMIT).map(drop)
    }

    /// Takes back the constraint of a move, in several attempts: while a controller is elected, the cluster takes no orders.
    ///
    /// # Errors
    /// Why it is still there, in a sentence.
    pub fn clear(&self, resource: &str) -> Result<(), String> {
        let clear = || self.run("crm_resource", &["--clear", "--resource", resource], LIMIT).map(drop);
        for pause in CLEAR_PAUSES {
            if clear().is_ok() {
                return Ok(());
            }
            thread::sleep(pause);
        }
        clear()
    }

    /// Waits until the cluster has nothing more to do.
    ///
    /// # Errors
    /// That it has still, in a sentence.
    pub fn wait(&self, limit: Duration) -> Result<(), String> {
        let timeout = format!("--timeout={}", limit.as_secs().max(1));
        self.run("crm_resource", &["--wait", &timeout], limit + LIMIT).map(drop)
    }

    /// Runs a tool to its end and returns what it printed.
    fn run(&self, program: &str, arguments: &[&str], limit: Duration) -> Result<String, String> {
        let mut command = self.command(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                format!("{program} is not installed: a drill needs a node of a Pacemaker cluster")
            }
            _ => format!("{program}: {error}"),
        })?;
        let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
        let succeeded = watch(&mut child, program, limit)?;
        let (stdout, stderr) = (collect(stdout), collect(stderr));
        if succeeded {
            Ok(stdout)
        } else {
            Err(format!("{program}: {}", complaint(program, &stdout, &stderr)))
        }
    }
}

/// Waits for the end of a program and returns whether it succeeded.
fn watch(child: &mut Child, program: &str, limit: Duration) -> Result<bool, String> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if began.elapsed() < limit => thread::sleep(LOOK_EVERY),
            Ok(None) => {
                // It fails only where the program has just ended by itself.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{program}: no answer within {} s", limit.as_secs()));
            }
            Err(error) => return Err(format!("{program}: {error}")),
        }
    }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A pipe that breaks has given all it had.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn collect(reader: JoinHandle<String>) -> String {
    reader.join().unwrap_or_default()
}
