//! Two clusters side by side, each with its part of the examples in a process of its own: most of the time one of them
//! waits.

use std::collections::BTreeSet;
use std::env;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use cluster::command::Cmd;
use cluster::error::{HarnessError, Result};
use cluster::wait::{Polled, until};

use crate::case::{self, Tool};
use crate::cli::ExamplesPlan;

/// For all examples of a lane; each step has a limit of its own.
const LIMIT: Duration = Duration::from_hours(1);

/// Runs the plan's examples and returns whether all of them did well.
///
/// # Errors
/// When none is wanted, on a signal, or when a process cannot be started or does not end.
pub fn run(plan: &ExamplesPlan) -> Result<bool> {
    let began = Instant::now();
    let lanes: BTreeSet<Tool> = case::wanted(plan).map(|case| case.tool().maker()).collect();
    if lanes.is_empty() {
        return Err(HarnessError::Wrong(format!("no example has {} in its name", plan.wanted.join(" or "))));
    }
    let mut running = Vec::new();
    let well = lanes.into_iter().try_for_each(|lane| start(lane).map(|child| running.push(child)));
    let outcomes = well.and_then(|()| wait(&mut running));
    if outcomes.is_err() {
        for child in &mut running {
            end(child);
        }
    }
    println!("\nexamples took {:.0} s", began.elapsed().as_secs_f64());
    outcomes.map(|outcomes| outcomes.into_iter().all(|well| well))
}

fn start(lane: Tool) -> Result<Child> {
    let own = env::current_exe().map_err(HarnessError::io("finding the own program"))?;
    let mut command = Command::new(own);
    command.args(env::args_os().skip(1)).args(["--lane", lane.folder()]);
    command.spawn().map_err(HarnessError::io("starting a lane"))
}

fn wait(running: &mut [Child]) -> Result<Vec<bool>> {
    let each = running.iter_mut().map(|child| {
        until("the end of a lane", LIMIT, || {
            let ended = child.try_wait().map_err(HarnessError::io("waiting for a lane"))?;
            Ok(ended.map_or(Polled::NotYet("still running".into()), |status| Polled::There(status.success())))
        })
    });
    each.collect()
}

/// Asks a lane to clean up and waits until it has.
fn end(child: &mut Child) {
    // One that has ended by itself is not asked: its number may be another's by now.
    if let Ok(None) = child.try_wait() {
        let asked = Cmd::new(["kill", "-TERM", &child.id().to_string()]).during_cleanup().run();
        drop(asked);
        drop(child.wait());
    }
}
