//! What `eip-health` remembers on this node: that it runs, and its last dry run for each resource.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::file;
use super::folders::{file_name, folders};
use crate::base::log::Log;
use crate::ocf::environment::Environment;

/// Whose fault it is that a node could not take an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultOf {
    /// No one's: it could, or that could not be found out.
    #[default]
    None,
    /// This node's: no credentials, denied, no such interface or private address.
    Node,
    /// EC2 did not answer. It is this node's if EC2 answered others meanwhile.
    Silence,
    /// Of something else, such as the parameters.
    Other,
}

/// What a dry run of the EC2 calls for a resource found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRun {
    /// When it was made, in seconds since 1970.
    pub at: u64,
    /// The parameters of the resource; with others it has to be repeated.
    pub parameters: BTreeMap<String, String>,
    /// Whether the node could take the address; `None` if it could not be found out.
    pub ready: Option<bool>,
    /// Whose fault it is.
    pub fault: FaultOf,
    /// Why, on one line.
    pub reason: String,
    /// When EC2 last answered, in seconds since 1970.
    pub answered: Option<u64>,
    /// Since when EC2 has not answered.
    pub silent_since: Option<u64>,
}

/// The state of a running `eip-health`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthState {
    /// The boot in which it was started.
    pub boot: String,
    /// The last dry run for each resource.
    #[serde(default)]
    pub dry_runs: BTreeMap<String, DryRun>,
}

/// The file with the state.
#[derive(Debug)]
pub struct HealthFile {
    path: PathBuf,
    log: Log,
}

impl HealthFile {
    /// The file of the resource in this environment.
    pub fn new(environment: &Environment, log: &Log) -> Self {
        // No `.json`, which would make it the record of an address.
        let name = format!("{}.health", file_name(environment.instance()));
        Self { path: folders(environment).0.join(name), log: log.clone() }
    }

    /// The state; `None` if it was not started in this boot, or the file cannot be trusted. A damaged one costs dry runs, no more.
    pub fn load(&self, boot: &str) -> Option<HealthState> {
        let text = file::read(&self.path).unwrap_or_else(|error| {
            self.log.warn_once(format_args!("state file {} not used: {error}", self.path.display()));
            None
        })?;
        let state: HealthState = serde_json::from_str(&text).unwrap_or_else(|error| {
            self.log.warn_once(format_args!("state file {} not used: {error}", self.path.display()));
            HealthState { boot: boot.to_owned(), ..HealthState::default() }
        });
        (state.boot == boot).then_some(state)
    }

    /// Replaces the state.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn store(&self, state: &HealthState) -> std::io::Result<()> {
        file::replace(&self.path, &serde_json::to_string_pretty(state)?)
    }

    /// Removes the file: it is stopped.
    ///
    /// # Errors
    /// If the file is still there.
    pub fn remove(&self) -> std::io::Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
