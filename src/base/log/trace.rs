//! The trace: a file per action with every decision, request and response, and their times in milliseconds.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use super::settings::{LogSettings, in_format};
use super::sink::{Process, Sink, lock, now, write_line};
use crate::base::ownership::{check_way_to, own_user};
use crate::base::text::{MASK, boolean, names_a_secret, without_user_info};

/// The trace of a process (`OCF_TRACE_RA`): in a file, or on standard error if it has none.
pub(super) struct Trace {
    file: Option<Mutex<File>>,
    started: Instant,
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

/// Opens the trace if it is enabled. Problems are returned as a warning.
///
/// # Source
/// resource-agents 4.12, `ocf-shellfuncs`: `ocf_start_trace`. An existing file is appended to, because all actions of a resource
/// share the one that `OCF_TRACE_FILE` names.
pub(super) fn open(
    settings: &LogSettings,
    action: &str,
    process: &Process,
) -> (Option<Trace>, Option<String>) {
    let requested = settings.get("OCF_TRACE_RA").or_else(|| settings.get("OCF_RESKEY_trace_ra"));
    if requested.and_then(boolean) != Some(true) {
        return (None, None);
    }
    let (target, warning) = target(settings, action, process.stdin_is_terminal);
    let started = process.started;
    let Some((path, is_descriptor)) = target else { return (Some(Trace { file: None, started }), warning) };
    match if is_descriptor { open_descriptor(&path) } else { open_file(&path) } {
        Ok(file) => (Some(Trace { file: Some(Mutex::new(file)), started }), warning),
        Err(error) => (None, Some(format!("no trace: {}: {error}", path.display()))),
    }
}

/// The file that gets the trace, and whether it is a descriptor that is already open; `None` for standard error. Also a warning if the
/// setting is invalid.
fn target(settings: &LogSettings, action: &str, terminal: bool) -> (Option<(PathBuf, bool)>, Option<String>) {
    let warning = match settings.get("OCF_TRACE_FILE") {
        None => None,
        Some("/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2") => return (None, None),
        Some(digit @ ("3" | "4" | "5" | "6" | "7" | "8" | "9")) => {
            return (Some((format!("/proc/self/fd/{digit}").into(), true)), None);
        }
        // Not directly below the root directory: the shell treats such a path as a mistake.
        Some(path) if path.starts_with('/') && path.rfind('/') > Some(0) => {
            return (Some((path.into(), false)), None);
        }
        Some(other) => {
            Some(format!("OCF_TRACE_FILE={other}: expected a descriptor from 3 to 9 or an absolute path"))
        }
    };
    // By default a new file for each action, or standard error on a terminal.
    let file = (!terminal).then(|| (default_file(settings, action), false));
    (file, warning)
}

fn default_file(settings: &LogSettings, action: &str) -> PathBuf {
    let folder = settings.get("OCF_RESKEY_trace_dir").map_or_else(
        || Path::new(settings.get("HA_VARLIB").unwrap_or("/var/lib/heartbeat")).join("trace_ra"),
        PathBuf::from,
    );
    // Resource names from the cluster contain no slash; one typed by a person must not lead out of the folder.
    let plain = |name: &str| name.replace('/', "_");
    let date = in_format("%F.%T", &now());
    let file = format!("{}.{}.{date}", plain(&settings.instance), plain(action));
    folder.join(plain(&settings.agent)).join(file)
}

fn open_descriptor(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

fn open_file(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_NOFOLLOW;
    let file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(path)?;
    check_file(&file)?;
    Ok(file)
}

/// Creates a folder for traces that no other user can redirect.
fn make_folder(folder: &Path) -> io::Result<()> {
    let there = folder.ancestors().find(|folder| folder.symlink_metadata().is_ok());
    there.map_or(Ok(()), check_way_to)?;
    DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    // In a sticky folder, another user may have created it first.
    check_way_to(folder)
}

/// Refuses a file that another user has planted: owned by them, or a hard link to one of ours.
fn check_file(file: &File) -> io::Result<()> {
    let meta = file.metadata()?;
    if meta.file_type().is_char_device() {
        return Ok(());
    }
    if own_user().is_ok_and(|own| meta.uid() != own) {
        return Err(io::Error::other(format!("it is owned by user {}", meta.uid())));
    }
    if meta.is_file() && meta.nlink() > 1 {
        return Err(io::Error::other("it has a second hard link"));
    }
    Ok(())
}

/// The start of a trace: what runs, and the environment without its secrets.
pub(super) fn header(settings: &LogSettings, action: &str) -> Vec<String> {
    let date = in_format("%F %T %z", &now());
    let version = env!("CARGO_PKG_VERSION");
    let LogSettings { variables, agent, instance } = settings;
    let first = format!("{agent} {version} {action} of {instance} at {date}");
    let variables = variables.iter().map(|(name, value)| {
        if names_a_secret(name) {
            format!("env {name}={MASK}")
        } else if name.to_ascii_uppercase().ends_with("_PROXY") && !value.contains("://") {
            // A proxy may be set without a scheme; then its password does not look like part of a URL.
            let host = value.rsplit_once('@').map_or(value.clone(), |(_, host)| format!("{MASK}@{host}"));
            format!("env {name}={host}")
        } else {
            format!("env {name}={}", without_user_info(value))
        }
    });
    std::iter::once(first).chain(variables).collect()
}
