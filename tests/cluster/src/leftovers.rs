//! Removes what killed runs have left behind.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::command::Cmd;
use crate::error::{HarnessError, Result};
use crate::net::delete_namespace;
use crate::topology::RunId;

/// Removes processes, network namespaces and state folders of runs whose owner is gone; returns a line for each.
///
/// Leaves the runs alone whose owner is alive.
///
/// # Errors
/// If something cannot be removed.
pub fn sweep() -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for name in names_in(Path::new("/run/netns"))? {
        end_processes(&name)?;
        delete_namespace(&name)?;
        removed.push(format!("namespace {name}"));
    }
    let base = std::env::temp_dir();
    for name in names_in(&base)? {
        let path = base.join(&name);
        fs::remove_dir_all(&path).map_err(HarnessError::io(format_args!("removing {}", path.display())))?;
        removed.push(format!("folder {}", path.display()));
    }
    Ok(removed)
}

/// Entries of a folder that belong to dead runs.
fn names_in(folder: &Path) -> Result<Vec<String>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries =
        fs::read_dir(folder).map_err(HarnessError::io(format_args!("listing {}", folder.display())))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter(|name| RunId::of(name).is_some_and(|run| !run.is_alive())).collect())
}

/// Every process that still runs in a dead run's network namespace belongs to that run.
fn end_processes(namespace: &str) -> Result<()> {
    let pids = Cmd::new(["ip", "netns", "pids", namespace]).run()?;
    for pid in pids.split_whitespace().filter_map(|pid| pid.parse().ok()).filter_map(Pid::from_raw) {
        // It may have ended together with the previous one.
        let _ = kill_process(pid, Signal::KILL);
    }
    Ok(())
}
