//! Runs the groups of a cluster manager's scenarios.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Instant;

use super::{Group, Manager, NodePair};
use crate::error::{HarnessError, Result};
use crate::suite;

/// Plays groups of scenarios with the packages of a folder. Several groups that may be played at the same time are, each in a process of
/// its own: most of the time they wait.
pub fn test(manager: &'static Manager, packages: &Path, wanted: &[String]) -> Result<ExitCode> {
    let packages = std::fs::canonicalize(packages).map_err(HarnessError::io(packages.display()))?;
    let groups: Vec<&'static Group> = manager
        .groups
        .iter()
        .filter(|group| wanted.is_empty() || wanted.iter().any(|name| name == group.name))
        .collect();
    if manager.side_by_side && groups.len() > 1 {
        return side_by_side(manager, &packages, &groups);
    }
    let began = Instant::now();
    let mut rows = Vec::new();
    for group in groups {
        let mut pair = Some(NodePair::boot(manager, (group.setup)(), &packages)?);
        // One that has failed leaves the next one nothing to begin with.
        let pair_for = |_: &_, before: Option<NodePair>| Ok(before.or_else(|| pair.take()));
        rows.extend(suite::play(group.scenarios, pair_for, |pair, _| pair.print_logs())?);
    }
    Ok(suite::sum_up(&rows, began))
}

fn side_by_side(manager: &Manager, packages: &Path, groups: &[&Group]) -> Result<ExitCode> {
    let own = std::env::current_exe().map_err(HarnessError::io("finding the harness's own binary"))?;
    let began = Instant::now();
    println!(
        "{} pairs of nodes at the same time; each tells when it is done, after one to two minutes",
        groups.len()
    );
    let play = |group: &'static str| {
        let mut command = Command::new("setpriv");
        // If this process is ended, the pairs go, too.
        command.args(["--pdeathsig", "TERM", "--"]).arg(&own).arg(manager.name).arg(packages).arg(group);
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        output.map_err(HarnessError::io(format_args!("playing {group}"))).map(|output| {
            println!("\n=== {group}\n{}", String::from_utf8_lossy(&output.stdout).trim_end());
            output.status.success()
        })
    };
    let outcomes: Vec<Result<bool>> = thread::scope(|scope| {
        let players: Vec<_> = groups.iter().map(|group| scope.spawn(|| play(group.name))).collect();
        players.into_iter().map(|player| player.join().unwrap_or(Ok(false))).collect()
    });
    let passed = outcomes.into_iter().collect::<Result<Vec<bool>>>()?.into_iter().all(|passed| passed);
    println!("\n{} in {:.0} s", if passed { "all passed" } else { "FAILED" }, began.elapsed().as_secs_f64());
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
