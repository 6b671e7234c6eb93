//! The harness's command line: `cluster list | test | chaos | demo | shell | clean`.

use std::io::Write as _;
use std::process::ExitCode;

use cluster::cli::{self, Request};
use cluster::error::{Error, Result};
use cluster::scenario::Scenario;
use cluster::{chaos, demo, interrupt, leftovers, prerequisites, probe, program, scenario, shell, suite};

fn main() -> ExitCode {
    let request = match cli::parse(std::env::args_os()) {
        Ok(request) => request,
        Err(error) => error.exit(),
    };
    program::end("cluster", run(request))
}

fn run(request: Request) -> Result<ExitCode> {
    match request {
        Request::List => {
            let line = |scenario: &&Scenario| format!("{:<32} {}\n", scenario.name, scenario.about);
            let list: String = scenario::all().iter().map(line).collect();
            // A reader such as `head` may close the pipe early.
            let _ = std::io::stdout().write_all(list.as_bytes());
            return Ok(ExitCode::SUCCESS);
        }
        Request::NodeWeb(listen) => return probe::node_web(listen).map(|()| ExitCode::SUCCESS),
        _ => {}
    }
    let missing = prerequisites::missing();
    if !missing.is_empty() {
        return Ok(program::skip("cluster", &missing));
    }
    interrupt::install().map_err(Error::io("installing signal handlers"))?;
    let removed = leftovers::sweep()?;
    for item in &removed {
        println!("removed from a dead run: {item}");
    }
    let passed = match request {
        Request::Test(plan) => suite::run(&plan)?,
        Request::Chaos(request) => chaos::run(&request)?,
        Request::Demo(options) => demo::run(&options).map(|()| true)?,
        Request::Shell(options) => shell::run(&options).map(|()| true)?,
        Request::Clean | Request::List | Request::NodeWeb(_) => true,
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
