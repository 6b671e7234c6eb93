//! Runs an example on a node unmodified, as a user would: with values for its variables and answers to its prompts.

use std::time::Duration;

use cluster::error::{HarnessError, Result};
use cluster::pacemaker::PacemakerCluster;
use cluster::topology::NodeName;

/// The slowest one creates a cluster (40 s), on a machine three times slower.
const LIMIT: Duration = Duration::from_mins(4);
/// The cluster user's password, whenever an example prompts for it.
const PASSWORD: &str = "correct-horse";

/// An example, ready to be run.
#[derive(Debug, Clone)]
pub struct Script {
    path: String,
    variables: Vec<String>,
    argument: Option<String>,
    programs: Option<String>,
}

impl Script {
    /// An example by its path in `pcs-examples`.
    pub fn new(path: &str) -> Self {
        Self { path: path.to_owned(), variables: Vec::new(), argument: None, programs: None }
    }

    /// Sets a variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.variables.push(format!("{name}={value}"));
        self
    }

    /// Adds a folder in front of the search path for programs.
    #[must_use]
    pub fn with_path(mut self, folder: &str) -> Self {
        self.programs = Some(format!("PATH={folder}:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"));
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.argument = Some(argument.to_owned());
        self
    }

    /// Runs it in a node and returns what it printed.
    ///
    /// # Errors
    /// If it ends with a status other than 0.
    pub fn run(&self, cluster: &PacemakerCluster, node: NodeName) -> Result<String> {
        let answers = format!("printf '%s\\n' {PASSWORD} {PASSWORD} | exec \"$@\"");
        let path = format!("/run/harness/examples/{}", self.path);
        let mut words = vec!["env", "HOME=/root"];
        words.extend(self.programs.as_deref());
        words.extend(self.variables.iter().map(String::as_str));
        words.extend(["sh", "-c", &answers, "sh", "sh", &path]);
        words.extend(self.argument.as_deref());
        let command = cluster.node(node)?.command(&words)?.limit(LIMIT).shown_as(&self.path);
        let output = command.output()?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(HarnessError::Command {
            command: self.path.clone(),
            status: output.status.to_string(),
            output: format!("{}\n{}", output.stdout.trim(), output.stderr.trim()),
        })
    }
}
