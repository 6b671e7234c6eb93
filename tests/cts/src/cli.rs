//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, value_parser};
use cluster::built;

use crate::lab;

/// Pacemaker's test suites with the agents as resources. In a root of its own: make cts.
#[derive(Debug, Parser)]
#[command(name = "cts")]
pub enum CtsCommand {
    /// Run cts-exec's generic OCF tests.
    Exec {
        /// The agent under test [default: `EIP_BIN`, else what make agent leaves].
        #[arg(long, value_name = "PATH", default_value_os_t = built::agent(), hide_default_value = true)]
        agent: PathBuf,
    },
    /// Run cts-lab.
    Lab(LabPlan),
    /// Be a node's web server.
    #[command(hide = true)]
    NodeWeb { listen: SocketAddr },
}

/// What cts-lab runs, and on what.
#[derive(Debug, Args)]
pub struct LabPlan {
    /// The agent under test [default: `EIP_BIN`, else what make agent leaves].
    #[arg(long, value_name = "PATH", default_value_os_t = built::agent(), hide_default_value = true)]
    pub agent: PathBuf,
    /// How many nodes: 2 or 3.
    #[arg(long, value_name = "N", default_value = "2", value_parser = value_parser!(u8).range(2..=3))]
    pub nodes: u8,
    /// What cts-lab draws nodes, resources and daemons from.
    #[arg(long, value_name = "S", default_value = lab::SEED)]
    pub seed: String,
    /// Tests of cts-lab, in order [default: all that can run on so many nodes].
    #[arg(value_name = "TEST")]
    pub tests: Vec<String>,
    /// Where the logs are kept.
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
