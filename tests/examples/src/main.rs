//! Runs the files of `pcs-examples` as they stand: those for pcs 0.10 and later and for crmsh on real clusters in
//! namespaces, those for pcs 0.9 against its grammar and a CIB in a file.
//!
//! [`node`] prepares the machines, [`case`] has the expectations for each example, [`pcs09`] stands in for a pcs that no
//! distribution includes any more.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

mod case;
mod cli;
mod configuration;
mod node;
mod pcs09;
mod script;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser as _;
use cluster::error::{HarnessError, Result};
use cluster::{interrupt, lanes, leftovers, prerequisites, probe, program};

use self::cli::ExamplesCommand;

fn main() -> ExitCode {
    program::end("pcs-examples", run(ExamplesCommand::parse()))
}

fn run(request: ExamplesCommand) -> Result<ExitCode> {
    let plan = match request {
        ExamplesCommand::NodeWeb { listen } => return web(listen),
        ExamplesCommand::Pcs09 { words } => return Ok(pcs09::stand_in(&words)),
        ExamplesCommand::Test(plan) => plan,
    };
    if let Some(lane) = &plan.lane {
        interrupt::install().map_err(HarnessError::io("installing signal handlers"))?;
        return case::run_all(&plan, lane).map(|failed| status(failed == 0));
    }
    let missing = prerequisites::missing();
    if !missing.is_empty() {
        return Ok(program::skip("pcs-examples", &missing));
    }
    interrupt::install().map_err(HarnessError::io("installing signal handlers"))?;
    leftovers::sweep()?;
    let lanes: BTreeSet<String> = case::wanted(&plan).map(case::Case::lane).collect();
    if lanes.is_empty() {
        return Err(HarnessError::Wrong(format!("no example has {} in its name", plan.wanted.join(" or "))));
    }
    lanes::run(lanes.into_iter().map(|lane| vec!["--lane".to_owned(), lane])).map(status)
}

fn status(well: bool) -> ExitCode {
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The harness starts its own binary in each node as the web server, which in this case is this one.
fn web(listen: SocketAddr) -> Result<ExitCode> {
    probe::node_web(listen).map(|()| ExitCode::SUCCESS)
}
