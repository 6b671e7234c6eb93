//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, value_parser};
use cluster::built;

use crate::lab;

/// Pacemaker's test suites with the agents as resources. Needs a root folder of its own: make cts.
#[derive(Debug, Parser)]
#[command(name = "cts")]
pub enum CtsCommand {
    /// Run cts-exec's generic OCF tests.
    Exec {
        /// The agent under test [default: `EIP_BIN`, or else what make agent built].
        #[arg(long, value_name = "PATH", default_value_os_t = built::agent(), hide_default_value = true)]
        agent: PathBuf,
    },
    /// Run cts-lab.
    Lab(LabPlan),
    /// Run as a node's web server.
    #[command(hide = true)]
    NodeWeb { listen: SocketAddr },
}

/// What cts-lab runs, and on which cluster.
#[derive(Debug, Args)]
pub struct LabPlan {
    /// The agent under test [default: `EIP_BIN`, or else what make agent built].
    #[arg(long, value_name = "PATH", default_value_os_t = built::agent(), hide_default_value = true)]
    pub agent: PathBuf,
    /// Number of nodes: 2 or 3.
    #[arg(long, value_name = "N", default_value = "2", value_parser = value_parser!(u8).range(2..=3))]
    pub nodes: u8,
    /// Seed with which cts-lab draws nodes, resources and daemons.
    #[arg(long, value_name = "S", default_value = lab::SEED)]
    pub seed: String,
    /// Tests of cts-lab, in order [default: all that can run on that many nodes].
    #[arg(value_name = "TEST")]
    pub tests: Vec<String>,
    /// Folder for the logs.
    #[arg(skip = built::target_folder().join("cts-logs"))]
    pub save: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CtsCommand::command().debug_assert();
    }
}
