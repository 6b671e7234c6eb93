//! The trace: a file for one action with every decision, request and answer, and how many milliseconds in.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use super::{Dates, LogSettings, Process, Sink, lock, now, write_line};
use crate::base::text::{MASK, boolean, names_a_secret, without_user_info};

/// An open trace.
pub(super) struct Trace {
    file: Option<Mutex<File>>,
    started: Instant,
}

/// Where a trace goes.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    Stderr,
    /// Something that is open already.
    Descriptor(String),
    File(PathBuf),
}

impl Trace {
    /// Writes a line with the time since the process began.
    pub(super) fn line(&self, text: &str, stderr: &Sink) {
        let line = format!("[{}] +{} ms {text}", std::process::id(), self.started.elapsed().as_millis());
        match &self.file {
            Some(file) => write_line(&mut *lock(file), &line),
            None => write_line(&mut *lock(stderr), &line),
        }
    }
}

/// Opens the trace if one is asked for. What is wrong about it comes as a warning.
///
/// # Source
/// resource-agents 4.12, `ocf-shellfuncs`: `ocf_start_trace`. A file that is there is added to and not emptied, because
/// all actions of a resource would share the one that `OCF_TRACE_FILE` names.
pub(super) fn open(
    settings: &LogSettings,
    action: &str,
    process: &Process,
) -> (Option<Trace>, Option<String>) {
    let asked = settings.get("OCF_TRACE_RA").or_else(|| settings.get("OCF_RESKEY_trace_ra"));
    if asked.and_then(boolean) != Some(true) {
        return (None, None);
    }
    let (target, warning) = target(settings, action, process.stdin_is_terminal);
    let started = process.started;
    match target.open() {
        Ok(file) => (Some(Trace { file: file.map(Mutex::new), started }), warning),
        Err(error) => {
            let name = target.path().map(Path::display);
            (None, Some(format!("no trace: {}: {error}", name.map(|n| n.to_string()).unwrap_or_default())))
        }
    }
}

/// Returns where the trace goes.
fn target(settings: &LogSettings, action: &str, terminal: bool) -> (Target, Option<String>) {
    let default = || default_target(settings, action, terminal);
    match settings.get("OCF_TRACE_FILE") {
        None => (default(), None),
        Some("/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2") => (Target::Stderr, None),
        Some(digit @ ("3" | "4" | "5" | "6" | "7" | "8" | "9")) => {
            (Target::Descriptor(format!("/proc/self/fd/{digit}")), None)
        }
        // Not below the root directory itself, which is how the shell tells a path from a slip.
        Some(path) if path.starts_with('/') && path.rfind('/') > Some(0) => {
            (Target::File(PathBuf::from(path)), None)
        }
        Some(other) => {
            let warning =
                format!("OCF_TRACE_FILE={other}: expected a descriptor from 3 to 9 or an absolute path");
            (default(), Some(warning))
        }
    }
}

/// Returns the file of its own that an action gets where no file is named, or standard error at a terminal.
fn default_target(settings: &LogSettings, action: &str, terminal: bool) -> Target {
    if terminal {
        return Target::Stderr;
    }
    let folder = settings.get("OCF_RESKEY_trace_dir").map_or_else(
        || Path::new(settings.get("HA_VARLIB").unwrap_or("/var/lib/heartbeat")).join("trace_ra"),
        PathBuf::from,
    );
    // A name of a resource has no slash in the cluster; one that a person made up must not leave the folder.
    let plain = |name: &str| name.replace('/', "_");
    let date = Dates::in_format("%F.%T", &now());
    let file = format!("{}.{}.{date}", plain(settings.instance()), plain(action));
    Target::File(folder.join(plain(settings.agent())).join(file))
}

impl Target {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Stderr => None,
            Self::Descriptor(path) => Some(Path::new(path)),
            Self::File(path) => Some(path),
        }
    }

    fn open(&self) -> std::io::Result<Option<File>> {
        let mut options = OpenOptions::new();
        options.append(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        match self {
            Self::Stderr => return Ok(None),
            Self::Descriptor(_) => {}
            Self::File(path) => {
                options.create(true).mode(0o600);
                if let Some(folder) = path.parent() {
                    DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
                }
            }
        }
        self.path().map(|path| options.open(path)).transpose()
    }
}

/// Returns what a trace begins with: what runs, and the environment without its secrets.
pub(super) fn header(settings: &LogSettings, action: &str) -> Vec<String> {
    let date = Dates::in_format("%F %T %z", &now());
    let version = env!("CARGO_PKG_VERSION");
    let agent = settings.agent();
    let first = format!("{agent} {version} {action} of {} at {date}", settings.instance());
    let variables = settings.variables().map(|(name, value)| {
        if names_a_secret(name) {
            format!("env {name}={MASK}")
        } else if name.to_ascii_uppercase().ends_with("_PROXY") && !value.contains("://") {
            // A proxy may be given without a scheme, and then its password does not look like part of a URL.
            let host = value.rsplit_once('@').map_or(value.to_owned(), |(_, host)| format!("{MASK}@{host}"));
            format!("env {name}={host}")
        } else {
            format!("env {name}={}", without_user_info(value))
        }
    });
    std::iter::once(first).chain(variables).collect()
}
