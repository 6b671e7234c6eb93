//! The harness's command line.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::error::{HarnessError, Result};
use crate::heartbeat::HEARTBEAT;
use crate::keepalived::KEEPALIVED;
use crate::pacemaker::scenario::{self, PacemakerScenario};
use crate::pacemaker::{ClusterOptions, chaos, demo, shell};
use crate::pairs::{self, Manager};
use crate::topology::Layout;
use crate::{built, interrupt, lanes, leftovers, prerequisites, probe, program};

/// The cluster managers that run pairs of nodes.
pub static MANAGERS: [&Manager; 2] = [&HEARTBEAT, &KEEPALIVED];

/// What is asked for.
pub enum HarnessCommand {
    /// Print the scenarios.
    List,
    /// Run scenarios of Pacemaker.
    Test(TestRun),
    /// Run groups of scenarios of another cluster manager, all without a name, with the packages of a folder.
    Pairs(&'static Manager, PathBuf, Vec<String>),
    /// Run rounds of random failures.
    Chaos(chaos::ChaosRun),
    /// Show a takeover.
    Demo(ClusterOptions, demo::Compared),
    /// Bring a cluster up for a person.
    Shell(ClusterOptions),
    /// Remove what dead runs left.
    Clean,
    /// Be a node's web server.
    NodeWeb(SocketAddr),
}

/// Which scenarios to run, and how.
pub struct TestRun {
    /// The scenarios, in order; without one, all, on clusters side by side.
    pub scenarios: Vec<&'static PacemakerScenario>,
    /// The cluster to run them on.
    pub options: ClusterOptions,
    /// Where logs of failed scenarios are kept.
    pub save: PathBuf,
}

/// Runs the harness's program: `cluster list | test | heartbeat | keepalived | chaos | demo | shell | clean`.
pub fn main() -> ExitCode {
    let request = match parse(std::env::args_os()) {
        Ok(request) => request,
        Err(error) => error.exit(),
    };
    program::end("cluster", run(request))
}

fn run(request: HarnessCommand) -> Result<ExitCode> {
    let missing = match request {
        HarnessCommand::List => {
            // A reader such as `head` may close the pipe early.
            let _ = std::io::stdout().write_all(list().as_bytes());
            return Ok(ExitCode::SUCCESS);
        }
        HarnessCommand::NodeWeb(listen) => return probe::node_web(listen).map(|()| ExitCode::SUCCESS),
        HarnessCommand::Pairs(manager, ..) => prerequisites::missing_for_packages(manager.programs),
        _ => prerequisites::missing(),
    };
    if !missing.is_empty() {
        return Ok(program::skip("cluster", &missing));
    }
    interrupt::install().map_err(HarnessError::io("installing signal handlers"))?;
    for item in leftovers::sweep()? {
        println!("removed from a dead run: {item}");
    }
    match request {
        HarnessCommand::Test(plan) if plan.scenarios.is_empty() => {
            let names = |lane| scenario::in_lane(lane).map(|scenario| scenario.name).collect();
            let well = lanes::run::<&str>(scenario::LANES.into_iter().map(names))?;
            Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        HarnessCommand::Test(plan) => scenario::test(&plan.scenarios, &plan.options, &plan.save),
        HarnessCommand::Pairs(manager, packages, groups) => pairs::test(manager, &packages, &groups),
        HarnessCommand::Chaos(request) => chaos::run(&request),
        HarnessCommand::Demo(options, compared) => demo::run(&options, compared).map(|()| ExitCode::SUCCESS),
        HarnessCommand::Shell(options) => shell::run(&options).map(|()| ExitCode::SUCCESS),
        HarnessCommand::Clean | HarnessCommand::List | HarnessCommand::NodeWeb(_) => Ok(ExitCode::SUCCESS),
    }
}

/// Returns a line for each scenario; those of other cluster managers than Pacemaker with the command that runs their group.
fn list() -> String {
    let line = |name: &str, about: &str| format!("{name:<32} {about}\n");
    let pacemaker = scenario::all().map(|scenario| line(scenario.name, scenario.about));
    let others = MANAGERS.iter().flat_map(|manager| {
        manager.groups.iter().flat_map(|group| {
            let name = |scenario| format!("{} {} {scenario}", manager.name, group.name);
            group.scenarios.iter().map(move |scenario| line(&name(scenario.name), scenario.about))
        })
    });
    pacemaker.chain(others).collect()
}

/// Parses the arguments.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<HarnessCommand, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    Ok(match matches.subcommand() {
        Some(("test", matches)) => HarnessCommand::Test(plan(matches)),
        Some(("chaos", matches)) => HarnessCommand::Chaos(rounds(matches)),
        Some(("demo", matches)) => {
            let compared = demo::Compared(matches.get_flag("compare"));
            HarnessCommand::Demo(options(matches), compared)
        }
        Some(("shell", matches)) => HarnessCommand::Shell(options(matches)),
        Some(("clean", _)) => HarnessCommand::Clean,
        Some(("node-web", matches)) => {
            let listen = matches.get_one::<SocketAddr>("LISTEN").copied();
            HarnessCommand::NodeWeb(listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 80))))
        }
        Some((name, matches)) => match MANAGERS.iter().find(|manager| manager.name == name) {
            Some(manager) => {
                let packages = matches.get_one::<PathBuf>("PACKAGES").cloned().unwrap_or_default();
                let groups = matches.get_many("GROUP").unwrap_or_default().cloned().collect();
                HarnessCommand::Pairs(manager, packages, groups)
            }
            None => HarnessCommand::List,
        },
        None => HarnessCommand::List,
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
    let token = Arg::new("token")
        .long("token")
        .value_name("MS")
        .help("Corosync's token timeout; a busy machine wants 2000")
        .default_value("1000")
        .value_parser(RangedU64ValueParser::<u64>::new().range(500..=60_000));
    let shared = [agent, nodes, token];
    let save = Arg::new("save")
        .long("save")
        .value_name("DIR")
        .help("Where logs of failed scenarios are kept [default: cluster-logs among the build results]")
        .value_parser(value_parser!(PathBuf));
    let [agent, _, token] = shared.clone();
    let chaos_arguments = chaos::arguments().into_iter().chain([agent, token, save.clone()]);
    let names: Vec<_> = scenario::all().map(|scenario| scenario.name).collect();
    let scenarios = Arg::new("SCENARIO")
        .num_args(0..)
        .value_parser(names)
        .help("Those to run [default: all]")
        .hide_possible_values(true);
    let compare = Arg::new("compare")
        .long("compare")
        .action(ArgAction::SetTrue)
        .help("Fail unless README.md shows the same");
    let listen = Arg::new("LISTEN").required(true).value_parser(value_parser!(SocketAddr));
    let packages = Arg::new("PACKAGES")
        .required(true)
        .value_parser(value_parser!(PathBuf))
        .help("The folder of the .deb files");
    let pairs = MANAGERS.iter().map(|manager| {
        let groups = Arg::new("GROUP")
            .num_args(0..)
            .value_parser(manager.groups.iter().map(|group| group.name).collect::<Vec<_>>())
            .help("Those to run [default: all]");
        let about = format!("Run scenarios of {}", manager.name);
        Command::new(manager.name).about(about).arg(packages.clone()).arg(groups)
    });
    Command::new("cluster")
        .about("Real clusters in network namespaces, in a simulated cloud. Needs root.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("test")
                .about("Run scenarios of Pacemaker")
                .args(shared.clone())
                .arg(save.clone())
                .arg(scenarios),
        )
        .subcommands(pairs)
        .subcommand(
            Command::new("chaos")
                .about("Run rounds of random failures, with strict checks")
                .args(chaos_arguments),
        )
        .subcommand(
            Command::new("demo")
                .about("Show a node die and its address move")
                .args(shared.clone())
                .arg(compare),
        )
        .subcommand(Command::new("shell").about("Bring a cluster up and keep it until Ctrl-C").args(shared))
        .subcommand(Command::new("list").about("List the scenarios"))
        .subcommand(Command::new("clean").about("Remove what killed runs left behind"))
        .subcommand(Command::new("node-web").about("Be a node's web server").hide(true).arg(listen))
}

fn plan(matches: &ArgMatches) -> TestRun {
    let wanted = matches.get_many("SCENARIO").unwrap_or_default();
    let scenarios =
        wanted.filter_map(|name: &String| scenario::all().find(|scenario| scenario.name == *name)).collect();
    let save = matches.get_one::<PathBuf>("save").cloned();
    let save = save.unwrap_or_else(|| built::target_folder().join("cluster-logs"));
    TestRun { scenarios, options: options(matches), save }
}

fn rounds(matches: &ArgMatches) -> chaos::ChaosRun {
    let save = matches.get_one::<PathBuf>("save").cloned();
    let save = save.unwrap_or_else(|| built::target_folder().join("cluster-logs"));
    chaos::request(matches, options(matches), save, built::target_folder().join("chaos.md"))
}

fn options(matches: &ArgMatches) -> ClusterOptions {
    ClusterOptions {
        agent: matches.get_one::<PathBuf>("agent").cloned().unwrap_or_else(built::agent),
        // `chaos` takes several.
        nodes: matches.try_get_one("nodes").ok().flatten().copied().unwrap_or(2),
        token: Duration::from_millis(matches.get_one("token").copied().unwrap_or(1000)),
        layout: Layout::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<HarnessCommand, clap::Error> {
        parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn scenarios_run_in_the_order_given() {
        let Ok(HarnessCommand::Test(plan)) = read("cluster test --nodes 3 rejoin move") else {
            panic!("not a test")
        };
        assert_eq!(
            plan.scenarios.iter().map(|scenario| scenario.name).collect::<Vec<_>>(),
            ["rejoin", "move"]
        );
        assert_eq!(plan.options.nodes, 3);
    }

    #[test]
    fn unknown_scenarios_and_cluster_sizes_are_refused() {
        assert!(read("cluster test moove").is_err());
        assert!(read("cluster test --nodes 1").is_err());
    }

    #[test]
    fn scenario_names_are_unique() {
        let others = MANAGERS.map(|manager| {
            let scenarios = manager.groups.iter().flat_map(|group| group.scenarios);
            scenarios.map(|scenario| scenario.name).collect::<Vec<_>>()
        });
        let pacemaker = scenario::all().map(|scenario| scenario.name).collect();
        for mut names in others.into_iter().chain([pacemaker]) {
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all);
        }
    }
}
