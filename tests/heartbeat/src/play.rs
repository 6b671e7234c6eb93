//! Plays the scenarios of a group on a pair, and prints each as it ends.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use cluster::error::{Error, Result};
use cluster::interrupt;
use cluster::play::{play_all, sum_up};

use crate::checks::wrong;
use crate::pair::Pair;
use crate::scenario::{Scenario, article, quick, split};
use crate::setup::Setup;

/// What a node says that is printed where a scenario fails.
const LOGS: [&str; 4] = ["init.out", "heartbeat.out", "ha-log", "ha-debug"];

/// Scenarios that are played on one pair, in order.
pub struct Group {
    /// What it is called.
    pub name: &'static str,
    setup: fn() -> Setup,
    scenarios: &'static [Scenario],
}

/// All groups.
pub const GROUPS: [Group; 3] = [
    Group { name: "quick", setup: Setup::quick, scenarios: quick::SCENARIOS },
    Group { name: "split", setup: Setup::quick, scenarios: split::SCENARIOS },
    Group { name: "article", setup: Setup::article, scenarios: article::SCENARIOS },
];

/// Plays all scenarios of a group.
///
/// # Errors
/// When there is no such group, its pair does not come up, or on a signal. A scenario that fails is no error here.
pub fn group(name: &str, packages: &Path) -> Result<ExitCode> {
    let group = GROUPS.into_iter().find(|group| group.name == name);
    let group = group.ok_or_else(|| wrong(format!("there is no group {name:?}")))?;
    interrupt::install().map_err(Error::io("installing signal handlers"))?;
    let began = Instant::now();
    let mut pair = Pair::boot((group.setup)(), packages)?;
    let rows = play_all(&mut pair, group.scenarios, &LOGS)?;
    Ok(sum_up(&rows, began))
}
