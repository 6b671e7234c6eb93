//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Arg, ArgMatches, Command, value_parser};
use cluster::built;

use crate::lab;

/// What is asked for.
#[derive(Debug)]
pub enum CtsCommand {
    /// Run the generic tests of cts-exec on this agent.
    Exec(PathBuf),
    /// Run cts-lab.
    Lab(LabPlan),
    /// Be a node's web server.
    NodeWeb(SocketAddr),
}

/// What cts-lab runs, and on what.
#[derive(Debug)]
pub struct LabPlan {
    /// The agent under test.
    pub agent: PathBuf,
    /// How many nodes.
    pub nodes: u8,
    /// What cts-lab draws nodes, resources and daemons from.
    pub seed: String,
    /// Names of its tests, in order; none means all that can run on so many nodes.
    pub tests: Vec<String>,
    /// Where the logs are kept.
    pub save: PathBuf,
}

/// Parses the arguments.
///
/// # Errors
/// clap's error, which also stands for `--help`.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<CtsCommand, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    Ok(match matches.subcommand() {
        Some(("node-web", matches)) => {
            let listen = matches.get_one::<SocketAddr>("LISTEN").copied();
            CtsCommand::NodeWeb(listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 80))))
        }
        Some(("lab", matches)) => CtsCommand::Lab(plan(matches)),
        Some((_, matches)) => CtsCommand::Exec(agent(matches)),
        None => CtsCommand::Exec(built::agent()),
    })
}

fn command() -> Command {
    let agent = Arg::new("agent")
        .long("agent")
        .value_name("PATH")
        .help("The agent under test [default: $EIP_BIN, else what make agent leaves]")
        .value_parser(value_parser!(PathBuf));
    let nodes = Arg::new("nodes")
        .long("nodes")
        .value_name("N")
        .help("How many nodes: 2 or 3")
        .default_value("2")
        .value_parser(RangedU64ValueParser::<u8>::new().range(2..=3));
    let seed = Arg::new("seed")
        .long("seed")
        .value_name("S")
        .default_value(lab::SEED)
        .help("What cts-lab draws from");
    let tests = Arg::new("TEST").num_args(0..).help("Tests of cts-lab, in order [default: all that apply]");
    let listen = Arg::new("LISTEN").required(true).value_parser(value_parser!(SocketAddr));
    Command::new("cts")
        .about("Pacemaker's test suites with the agents as resources. In a root of its own: make cts")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("exec").about("Run cts-exec's generic OCF tests").arg(agent.clone()))
        .subcommand(Command::new("lab").about("Run cts-lab").args([agent, nodes, seed, tests]))
        .subcommand(Command::new("node-web").about("Be a node's web server").hide(true).arg(listen))
}

fn agent(matches: &ArgMatches) -> PathBuf {
    matches.get_one::<PathBuf>("agent").cloned().unwrap_or_else(built::agent)
}

fn plan(matches: &ArgMatches) -> LabPlan {
    LabPlan {
        agent: agent(matches),
        nodes: matches.get_one("nodes").copied().unwrap_or(2),
        seed: matches.get_one::<String>("seed").cloned().unwrap_or_default(),
        tests: matches.get_many("TEST").unwrap_or_default().cloned().collect(),
        save: built::target_folder().join("cts-logs"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn tests_run_in_the_order_given() {
        let words = ["cts", "lab", "--nodes", "3", "SplitBrain", "Flip"].map(OsString::from);
        let Ok(CtsCommand::Lab(plan)) = parse(words) else { panic!("not the lab") };
        assert_eq!((plan.nodes, plan.tests), (3, vec!["SplitBrain".to_owned(), "Flip".to_owned()]));
    }
}
