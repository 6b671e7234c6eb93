//! Runs several clusters concurrently, each with its share of the tests in its own process: a cluster spends most of its time
//! waiting.

use std::env;
use std::ffi::OsStr;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::command::Cmd;
use crate::error::{HarnessError, Result};
use crate::wait::{Polled, until};

/// For all tests of a lane; each step has its own limit.
const LIMIT: Duration = Duration::from_hours(1);

/// Runs this program once for each lane, with its own arguments followed by those of the lane; returns whether all succeeded.
///
/// # Errors
/// On a signal, or if a process cannot be started or does not end.
pub fn run<W: AsRef<OsStr>>(lanes: impl IntoIterator<Item = Vec<W>>) -> Result<bool> {
    let began = Instant::now();
    let mut running = Vec::new();
    let well = lanes.into_iter().try_for_each(|words| start(&words).map(|child| running.push(child)));
    let outcomes = well.and_then(|()| wait(&mut running));
    if outcomes.is_err() {
        for child in &mut running {
            end(child);
        }
    }
    println!("\n{} clusters side by side took {:.0} s", running.len(), began.elapsed().as_secs_f64());
    outcomes.map(|outcomes| outcomes.into_iter().all(|well| well))
}

fn start<W: AsRef<OsStr>>(words: &[W]) -> Result<Child> {
    let own = env::current_exe().map_err(HarnessError::io("finding the own program"))?;
    let mut command = Command::new(own);
    command.args(env::args_os().skip(1)).args(words);
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

/// Requests a lane to clean up, and waits until it has.
fn end(child: &mut Child) {
    // Only if it still runs: after its end, another process may have its pid.
    if let Ok(None) = child.try_wait() {
        let asked = Cmd::new(["kill", "-TERM", &child.id().to_string()]).during_cleanup().run();
        drop(asked);
        drop(child.wait());
    }
}
