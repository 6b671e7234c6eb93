//! The processes of one node, from the machine's point of view: ends, stops and continues them by name.

use std::fs;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};

/// A running node, by its PID 1. It may outlive the node, and then has no processes.
#[derive(Debug, Clone, Copy)]
pub struct Processes {
    init: Pid,
}

impl Processes {
    /// The processes of the node with this PID 1.
    pub fn of(init: Pid) -> Self {
        Self { init }
    }

    /// True if a process of this name runs in the node. Reads the node's own `/proc`, which is short.
    pub fn has(self, name: &str) -> bool {
        let own = format!("/proc/{}/root/proc", self.init.as_raw_nonzero());
        let entries = fs::read_dir(own).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok()))
            .filter_map(|entry| fs::read_to_string(entry.path().join("comm")).ok())
            .any(|found| found.trim_end() == name)
    }

    /// Sends a signal to every process of the node except PID 1 whose name is `wanted`; returns how many got it.
    pub fn signal(self, wanted: impl Fn(&str) -> bool, signal: Signal) -> usize {
        let inside = pid_namespace(&self.init.as_raw_nonzero().to_string());
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let victims = entries.filter_map(|entry| {
            let id = entry.file_name().into_string().ok()?;
            let pid = id.parse().ok().and_then(Pid::from_raw)?;
            let name = fs::read_to_string(entry.path().join("comm")).ok()?;
            let own = pid != self.init && pid_namespace(&id) == inside;
            (own && inside.is_some() && wanted(name.trim_end())).then_some(pid)
        });
        victims.filter(|pid| kill_process(*pid, signal).is_ok()).count()
    }
}

fn pid_namespace(pid: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/ns/pid")).ok()
}
