//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use cluster::built;

/// What is asked for.
#[derive(Debug)]
pub enum ExamplesCommand {
    /// Run the examples.
    Test(ExamplesPlan),
    /// Be a node's web server.
    NodeWeb(SocketAddr),
    /// Be `pcs` 0.9, with these arguments.
    Pcs09(Vec<String>),
}

/// What to run, and with what.
#[derive(Debug)]
pub struct ExamplesPlan {
    /// The agent under test.
    pub agent: PathBuf,
    /// The folder `pcs-examples`.
    pub examples: PathBuf,
    /// Python packages with the AWS CLI among them.
    pub python: PathBuf,
    /// Where logs of failed examples are kept.
    pub save: PathBuf,
    /// Only those of this lane, in this process; without it, all, in processes of their own.
    pub lane: Option<String>,
    /// Parts of the names of those to run; none means all.
    pub wanted: Vec<String>,
}

/// Parses the arguments.
///
/// # Errors
/// clap's error, which also stands for `--help`.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<ExamplesCommand, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    Ok(match matches.subcommand() {
        Some(("node-web", matches)) => {
            let listen = matches.get_one::<SocketAddr>("LISTEN").copied();
            ExamplesCommand::NodeWeb(listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 80))))
        }
        Some(("pcs-0.9", matches)) => {
            ExamplesCommand::Pcs09(matches.get_many("WORD").unwrap_or_default().cloned().collect())
        }
        Some((_, matches)) => ExamplesCommand::Test(plan(matches)),
        None => ExamplesCommand::Test(plan(&matches)),
    })
}

fn command() -> Command {
    let path = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("PATH").help(help).value_parser(value_parser!(PathBuf))
    };
    let test = Command::new("test")
        .about("Run examples")
        .arg(path("agent", "The agent under test [default: $EIP_BIN, else what make agent leaves]"))
        .arg(path("python", "Python packages with awscli among them").required(true))
        .arg(path("examples", "The examples [default: those of this clone]"))
        .arg(Arg::new("lane").long("lane").hide(true))
        .arg(Arg::new("NAME").num_args(0..).help("Those with this in their names [default: all]"));
    let listen = Arg::new("LISTEN").required(true).value_parser(value_parser!(SocketAddr));
    let words = Arg::new("WORD").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
    Command::new("pcs-examples")
        .about("Runs the files of pcs-examples on real clusters in namespaces. Needs root.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(test)
        .subcommand(Command::new("node-web").about("Be a node's web server").hide(true).arg(listen))
        .subcommand(Command::new("pcs-0.9").about("Be pcs 0.9").hide(true).disable_help_flag(true).arg(words))
}

fn plan(matches: &ArgMatches) -> ExamplesPlan {
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    let name = |name: &str| matches.get_one::<String>(name).cloned();
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pcs-examples");
    ExamplesPlan {
        agent: path("agent").unwrap_or_else(built::agent),
        examples: path("examples").unwrap_or_else(own),
        python: path("python").unwrap_or_default(),
        lane: name("lane"),
        save: built::target_folder().join("cluster-logs"),
        wanted: matches.get_many("NAME").unwrap_or_default().cloned().collect(),
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
    fn words_for_pcs_are_left_as_they_are() {
        let words = ["pcs-examples", "pcs-0.9", "cluster", "setup", "--name", "x", "-f", "--help"];
        let Ok(ExamplesCommand::Pcs09(read)) = parse(words.map(OsString::from)) else { panic!("not pcs") };
        assert_eq!(read, &words[2..]);
    }
}
