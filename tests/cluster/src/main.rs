//! The harness's command line: `cluster list | test | chaos | demo | shell | clean`.

use std::io::Write as _;
use std::process::ExitCode;

use cluster::cli::{self, Request};
use cluster::error::{Error, Result};
use cluster::scenario::Scenario;
use cluster::{chaos, demo, interrupt, leftovers, prerequisites, probe, scenario, shell, suite};

/// "Not run", as automake and others know it.
const SKIPPED: u8 = 77;
/// As a shell reports a program ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let request = match cli::parse(std::env::args_os()) {
        Ok(request) => request,
        Err(error) => error.exit(),
    };
    match run(request) {
        Ok(code) => code,
        Err(Error::Interrupted) => {
            eprintln!("cluster: interrupted; everything has been removed");
            ExitCode::from(INTERRUPTED)
        }
        Err(error) => {
            eprintln!("cluster: {error}");
            ExitCode::FAILURE
        }
    }
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
        return Ok(skip(&missing));
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

/// A machine that cannot run clusters is no failure, except in CI, where it would hide that nothing was tested.
fn skip(missing: &[String]) -> ExitCode {
    for line in missing {
        eprintln!("cluster: {line}");
    }
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        eprintln!("cluster: failed: nothing could be run (CI=true)");
        return ExitCode::FAILURE;
    }
    eprintln!("cluster: skipped");
    ExitCode::from(SKIPPED)
}
