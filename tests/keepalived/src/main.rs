//! Real keepalived on two nodes in network namespaces, with `eip-keepalived` as its notify script and its check.
//!
//! `keepalived test PACKAGES [NAME...]` runs the scenarios, or those groups of them, with the .deb files of that folder. The nodes, the
//! cloud and the client are those of the crate `cluster`; what is here is keepalived.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

mod checks;
mod guide;
mod pair;
mod programs;
mod scenario;
mod setup;

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use cluster::error::{Error, Result};
use cluster::play::{play_all, sum_up};
use cluster::{interrupt, leftovers, prerequisites, probe, program};

use crate::pair::Pair;
use crate::scenario::{Scenario, article, example, fast};
use crate::setup::Setup;

/// What a node says that is printed where a scenario fails.
const LOGS: [&str; 3] = ["init.out", "keepalived.out", "eip.log"];

/// Scenarios that share a pair, which is set up so.
type Group = (&'static str, fn() -> Setup, &'static [Scenario]);

const GROUPS: [Group; 3] = [
    ("article", Setup::article, article::SCENARIOS),
    ("v2", Setup::example, example::SCENARIOS),
    ("v3", Setup::fast, fast::SCENARIOS),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test", packages, groups @ ..] if groups.iter().all(|name| group(name).is_some()) => {
            test(Path::new(packages), groups)
        }
        ["node-web", listen] => web(listen).map(|()| ExitCode::SUCCESS),
        _ => {
            let names: Vec<_> = GROUPS.iter().map(|(name, ..)| *name).collect();
            eprintln!("usage: keepalived test FOLDER-OF-THE-DEB-FILES [{}]...", names.join("|"));
            return ExitCode::from(2);
        }
    };
    program::end("keepalived", outcome)
}

fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|(own, ..)| *own == name)
}

fn test(packages: &Path, groups: &[&str]) -> Result<ExitCode> {
    let missing = prerequisites::missing_for_packages(&programs::PROGRAMS);
    if !missing.is_empty() {
        return Ok(program::skip("keepalived", &missing));
    }
    interrupt::install().map_err(Error::io("installing signal handlers"))?;
    for item in leftovers::sweep()? {
        println!("removed from a dead run: {item}");
    }
    let packages = std::fs::canonicalize(packages).map_err(Error::io(packages.display()))?;
    let began = Instant::now();
    let mut rows = Vec::new();
    for (name, setup, scenarios) in &GROUPS {
        if groups.is_empty() || groups.contains(name) {
            let mut pair = Pair::boot(&setup(), &packages)?;
            rows.extend(play_all(&mut pair, scenarios, &LOGS)?);
        }
    }
    Ok(sum_up(&rows, began))
}

/// Is the web server of a node.
fn web(listen: &str) -> Result<()> {
    let listen: SocketAddr = listen.parse().map_err(|error| checks::wrong(format!("{listen}: {error}")))?;
    probe::node_web(listen)
}
