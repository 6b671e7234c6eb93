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
use cluster::report::{self, Row};
use cluster::topology::NodeName;
use cluster::witness::Story;
use cluster::{interrupt, leftovers, probe};

use crate::pair::Pair;
use crate::scenario::{Scenario, article, example, fast};
use crate::setup::Setup;

/// "Not run", as automake and others know it.
const SKIPPED: u8 = 77;
/// As a shell reports a program ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

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
    match outcome {
        Ok(code) => code,
        Err(Error::Interrupted) => {
            eprintln!("keepalived: interrupted; everything has been removed");
            ExitCode::from(INTERRUPTED)
        }
        Err(error) => {
            eprintln!("keepalived: {error}");
            ExitCode::FAILURE
        }
    }
}

fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|(own, ..)| *own == name)
}

fn test(packages: &Path, groups: &[&str]) -> Result<ExitCode> {
    let missing = programs::missing();
    if !missing.is_empty() {
        return Ok(skip(&missing));
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
            rows.extend(play_all(&setup(), scenarios, &packages)?);
        }
    }
    print!("{}", report::table(&rows));
    let passed = rows.iter().filter(|row| row.failed.is_none()).count();
    let failed = rows.len() - passed;
    println!("\n{passed} passed, {failed} failed in {:.0} s", began.elapsed().as_secs_f64());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays scenarios on one pair, up to the first that fails: the others would begin where it has not arrived.
fn play_all(setup: &Setup, scenarios: &'static [Scenario], packages: &Path) -> Result<Vec<Row>> {
    let mut pair = Pair::boot(setup, packages)?;
    let mut rows = Vec::new();
    for scenario in scenarios {
        let mut story = Story::new();
        let failed = match scenario.play(&mut pair, &mut story) {
            Ok(()) => None,
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => Some(error.to_string()),
        };
        let told = pair.told(&story);
        let verdict = if failed.is_none() { "ok" } else { "FAILED" };
        println!("\n{verdict:<6} {}: {}", scenario.name, scenario.about);
        if let Some(why) = &failed {
            println!("         ! {why}");
        }
        print!("{}", report::timeline(&told));
        let ends = failed.is_some();
        rows.push(Row { name: scenario.name, failed, chronicle: Some(told) });
        if ends {
            print_logs(&pair);
            break;
        }
    }
    let played = rows.len();
    let not_played = |scenario: &Scenario| Row {
        name: scenario.name,
        failed: Some("not reached".to_owned()),
        chronicle: None,
    };
    rows.extend(scenarios.iter().skip(played).map(not_played));
    Ok(rows)
}

/// Prints the end of what each node has said.
fn print_logs(pair: &Pair) {
    const LINES: usize = 60;
    for node in NodeName::first(2) {
        let Ok(folder) = pair.node(node).map(cluster::node::Node::logs) else { continue };
        for file in ["init.out", "keepalived.out", "eip.log"] {
            let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            println!("--- {node}: {file}");
            for line in lines.iter().skip(lines.len().saturating_sub(LINES)) {
                println!("{line}");
            }
        }
    }
}

/// Is the web server of a node.
fn web(listen: &str) -> Result<()> {
    let listen: SocketAddr = listen.parse().map_err(|error| checks::wrong(format!("{listen}: {error}")))?;
    probe::node_web(listen)
}

/// A machine that cannot run keepalived is no failure, except in CI, where it would hide that nothing was tested.
fn skip(missing: &[String]) -> ExitCode {
    for line in missing {
        eprintln!("keepalived: {line}");
    }
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        eprintln!("keepalived: failed: nothing could be run (CI=true)");
        return ExitCode::FAILURE;
    }
    eprintln!("keepalived: skipped");
    ExitCode::from(SKIPPED)
}
