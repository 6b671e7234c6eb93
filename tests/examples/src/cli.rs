//! The command line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser};
use cluster::built;

/// Runs the files of pcs-examples on real clusters in namespaces. Needs root.
#[derive(Debug, Parser)]
#[command(name = "pcs-examples")]
pub enum ExamplesCommand {
    /// Run examples.
    Test(ExamplesPlan),
    /// Run as a node's web server.
    #[command(hide = true)]
    NodeWeb { listen: SocketAddr },
    /// Run as pcs 0.9.
    #[command(name = "pcs-0.9", hide = true, disable_help_flag = true)]
    Pcs09 {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

/// What to run, and with which programs.
#[derive(Debug, Args)]
pub struct ExamplesPlan {
    /// The agent under test [default: `EIP_BIN`, or else what make agent built].
    #[arg(long, value_name = "PATH", default_value_os_t = built::agent(), hide_default_value = true)]
    pub agent: PathBuf,
    /// Folder of the examples [default: the one in this repository].
    #[arg(long, value_name = "PATH", default_value_os_t = own_examples(), hide_default_value = true)]
    pub examples: PathBuf,
    /// Folder of Python packages, including awscli.
    #[arg(long, value_name = "PATH")]
    pub python: PathBuf,
    /// Folder for the logs of failed examples.
    #[arg(skip = built::logs())]
    pub save: PathBuf,
    /// Run only the examples of this lane, in this process; by default all lanes, in their own processes.
    #[arg(long, hide = true)]
    pub lane: Option<String>,
    /// Examples whose names contain this [default: all].
    #[arg(value_name = "NAME")]
    pub wanted: Vec<String>,
}

fn own_examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pcs-examples")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        ExamplesCommand::command().debug_assert();
    }

    #[test]
    fn words_for_pcs_are_left_as_they_are() {
        let words = ["pcs-examples", "pcs-0.9", "cluster", "setup", "--name", "x", "-f", "--help"];
        let Ok(ExamplesCommand::Pcs09 { words: read }) = ExamplesCommand::try_parse_from(words) else {
            panic!("not pcs")
        };
        assert_eq!(read, &words[2..]);
    }
}
