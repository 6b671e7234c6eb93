//! Runs the groups of a cluster manager's scenarios.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use super::{Manager, NodePair};
use crate::error::{HarnessError, Result};
use crate::{lanes, suite};

/// Plays groups of scenarios with the packages of a folder. Groups that may run at the same time do, each in its own process: most
/// of the time they wait.
pub fn test(manager: &'static Manager, packages: &Path, wanted: &[String]) -> Result<ExitCode> {
    if manager.side_by_side && wanted.is_empty() {
        let well = lanes::run(manager.groups.iter().map(|group| vec![group.name]))?;
        return Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let packages = std::fs::canonicalize(packages).map_err(HarnessError::io(packages.display()))?;
    let began = Instant::now();
    let mut rows = Vec::new();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    for group in manager.groups.iter().filter(|group| is_wanted(group.name)) {
        let mut pair = Some(NodePair::boot(manager, (group.setup)(), &packages)?);
        // After a failure the next scenario has no state to begin with.
        let pair_for = |_: &_, before: Option<NodePair>| Ok(before.or_else(|| pair.take()));
        rows.extend(suite::play(group.scenarios, pair_for, |pair, _| pair.print_logs())?);
    }
    Ok(suite::sum_up(&rows, began))
}
