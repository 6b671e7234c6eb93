//! The harness's command line.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser};

use crate::error::{HarnessError, Result};
use crate::heartbeat::HEARTBEAT;
use crate::keepalived::KEEPALIVED;
use crate::pacemaker::scenario::{self, PacemakerScenario};
use crate::pacemaker::{ClusterOptions, chaos, demo};
use crate::pairs::{self, Manager};
use crate::{built, interrupt, lanes, leftovers, prerequisites, probe, program};

/// The cluster managers other than Pacemaker, which run pairs of nodes.
pub static MANAGERS: [&Manager; 2] = [&HEARTBEAT, &KEEPALIVED];

/// Real clusters in network namespaces, in a simulated cloud. Needs root.
#[derive(Parser)]
#[command(name = "cluster")]
pub enum HarnessCommand {
    /// Run Pacemaker scenarios.
    Test(TestRun),
    /// Run Heartbeat scenarios.
    Heartbeat {
        /// Folder that contains the .deb files.
        packages: PathBuf,
        /// Groups to run [default: all].
        #[arg(value_name = "GROUP", value_parser = groups(&HEARTBEAT))]
        groups: Vec<String>,
    },
    /// Run keepalived scenarios.
    Keepalived {
        /// Folder that contains the .deb files.
        packages: PathBuf,
        /// Groups to run [default: all].
        #[arg(value_name = "GROUP", value_parser = groups(&KEEPALIVED))]
        groups: Vec<String>,
    },
    /// Run rounds of random failures, with strict checks.
    Chaos(chaos::ChaosRun),
    /// Show how a node dies and its address moves.
    Demo {
        #[command(flatten)]
        options: ClusterOptions,
        /// Fail unless README.md shows the same output.
        #[arg(long)]
        compare: bool,
    },
    /// List the scenarios.
    List,
    /// Remove what killed runs have left behind.
    Clean,
    /// Run as a node's web server.
    #[command(hide = true)]
    NodeWeb { listen: SocketAddr },
}

/// Which scenarios to run, and how.
#[derive(Args)]
pub struct TestRun {
    /// Scenarios to run [default: all, on several clusters at once].
    #[arg(value_name = "SCENARIO", value_parser = scenarios(), hide_possible_values = true)]
    pub scenarios: Vec<&'static PacemakerScenario>,
    #[command(flatten)]
    pub options: ClusterOptions,
    /// Folder for the logs of failed scenarios [default: cluster-logs in the target folder].
    #[arg(long, value_name = "DIR", default_value_os_t = built::logs(), hide_default_value = true)]
    pub save: PathBuf,
}

fn groups(manager: &'static Manager) -> PossibleValuesParser {
    manager.groups.iter().map(|group| group.name).collect::<Vec<_>>().into()
}

fn scenarios() -> impl TypedValueParser<Value = &'static PacemakerScenario> {
    let names = PossibleValuesParser::new(scenario::all().map(|scenario| scenario.name));
    names.try_map(|name| scenario::all().find(|scenario| scenario.name == name).ok_or("no such scenario"))
}

/// Entry point: `cluster list | test | heartbeat | keepalived | chaos | demo | clean`.
pub fn main() -> ExitCode {
    program::end("cluster", run(HarnessCommand::parse()))
}

fn run(request: HarnessCommand) -> Result<ExitCode> {
    let missing = match &request {
        HarnessCommand::List => {
            // A reader such as `head` may close the pipe early.
            let _ = std::io::stdout().write_all(list().as_bytes());
            return Ok(ExitCode::SUCCESS);
        }
        HarnessCommand::NodeWeb { listen } => return probe::node_web(*listen).map(|()| ExitCode::SUCCESS),
        HarnessCommand::Heartbeat { .. } => missing_of(&HEARTBEAT),
        HarnessCommand::Keepalived { .. } => missing_of(&KEEPALIVED),
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
        HarnessCommand::Heartbeat { packages, groups } => pairs::test(&HEARTBEAT, &packages, &groups),
        HarnessCommand::Keepalived { packages, groups } => pairs::test(&KEEPALIVED, &packages, &groups),
        HarnessCommand::Chaos(request) => chaos::run(&request),
        HarnessCommand::Demo { options, compare } => {
            demo::run(&options, demo::Compared(compare)).map(|()| ExitCode::SUCCESS)
        }
        HarnessCommand::Clean | HarnessCommand::List | HarnessCommand::NodeWeb { .. } => {
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn missing_of(manager: &Manager) -> Vec<String> {
    prerequisites::missing_for_packages(manager.name, manager.programs)
}

/// One line for each scenario; for Heartbeat and keepalived, with the command that runs the scenario's group.
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        HarnessCommand::command().debug_assert();
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
