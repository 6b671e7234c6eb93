//! The harness's command line: `cluster list | test | heartbeat | keepalived | chaos | demo | shell | clean`.

use std::io::Write as _;
use std::process::ExitCode;

use cluster::cli::{self, Invocation, MANAGERS};
use cluster::error::{Error, Result};
use cluster::pacemaker::{chaos, demo, scenario, shell};
use cluster::{interrupt, leftovers, pairs, prerequisites, probe, program};

fn main() -> ExitCode {
    let request = match cli::parse(std::env::args_os()) {
        Ok(request) => request,
        Err(error) => error.exit(),
    };
    program::end("cluster", run(request))
}

fn run(request: Invocation) -> Result<ExitCode> {
    let missing = match request {
        Invocation::List => {
            // A reader such as `head` may close the pipe early.
            let _ = std::io::stdout().write_all(list().as_bytes());
            return Ok(ExitCode::SUCCESS);
        }
        Invocation::NodeWeb(listen) => return probe::node_web(listen).map(|()| ExitCode::SUCCESS),
        Invocation::Pairs(manager, ..) => prerequisites::missing_for_packages(manager.programs),
        _ => prerequisites::missing(),
    };
    if !missing.is_empty() {
        return Ok(program::skip("cluster", &missing));
    }
    interrupt::install().map_err(Error::io("installing signal handlers"))?;
    for item in leftovers::sweep()? {
        println!("removed from a dead run: {item}");
    }
    match request {
        Invocation::Test(plan) => scenario::test(&plan.scenarios, &plan.options, &plan.save),
        Invocation::Pairs(manager, packages, groups) => pairs::test(manager, &packages, &groups),
        Invocation::Chaos(request) => chaos::run(&request),
        Invocation::Demo(options) => demo::run(&options).map(|()| ExitCode::SUCCESS),
        Invocation::Shell(options) => shell::run(&options).map(|()| ExitCode::SUCCESS),
        Invocation::Clean | Invocation::List | Invocation::NodeWeb(_) => Ok(ExitCode::SUCCESS),
    }
}

/// Returns a line for each scenario; those of other cluster managers than Pacemaker with the command that runs their group.
fn list() -> String {
    let line = |name: &str, about: &str| format!("{name:<32} {about}\n");
    let pacemaker = scenario::all().into_iter().map(|scenario| line(scenario.name, scenario.about));
    let others = MANAGERS.iter().flat_map(|manager| {
        manager.groups.iter().flat_map(|group| {
            let name = |scenario| format!("{} {} {scenario}", manager.name, group.name);
            group.scenarios.iter().map(move |scenario| line(&name(scenario.name), scenario.about))
        })
    });
    pacemaker.chain(others).collect()
}
