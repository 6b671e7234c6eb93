//! Processes that outlive the script that keepalived started, and may kill.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use super::NAME;
use super::arguments::Job;
use super::work::{FAILED, Work};

/// Runs a job in a separate process and waits for its exit code; `None` if it cannot be started. The job continues
/// even if this process is killed.
pub(super) fn wait(work: &Work, job: Job) -> Option<u8> {
    match command(work, job).status() {
        Ok(status) => Some(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED)),
        Err(error) => {
            work.log.warn(format_args!("cannot start a separate process: {error}"));
            None
        }
    }
}

/// Starts a job in a separate process, which shares no open files with this one, without waiting for it.
pub(super) fn leave(work: &Work, job: Job) {
    let started = command(work, job).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if let Err(error) = started {
        work.log.warn(format_args!("displaced address not restored before the next state: {error}"));
    }
}

fn command(work: &Work, job: Job) -> Command {
    // This path still works after an update has replaced the file.
    let mut command = Command::new("/proc/self/exe");
    command.arg0(NAME);
    command.args(work.line.parameters.iter().map(|(name, value)| format!("{name}={value}")));
    command.arg(job.argument(work.recorded_generation())).stdin(Stdio::null()).current_dir("/");
    // keepalived kills whole process groups.
    command.process_group(0);
    command
}
