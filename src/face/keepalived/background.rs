//! Processes that go on when keepalived has ended the one it started.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use super::NAME;
use super::arguments::Job;
use super::work::{FAILED, Work};

/// Starts a job in a process of its own and waits for it; nothing where it can't be started. It goes on if this one is killed.
pub(super) fn wait(work: &Work, job: Job) -> Option<u8> {
    match command(work, job).status() {
        Ok(status) => Some(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED)),
        Err(error) => {
            work.log.warn(format_args!("no process of its own: {error}"));
            None
        }
    }
}

/// Starts a job in a process of its own, which nobody waits for and which holds nothing of this one open.
pub(super) fn leave(work: &Work, job: Job) {
    let started = command(work, job).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if let Err(error) = started {
        work.log.warn(format_args!("what was displaced is not put back before the next state: {error}"));
    }
}

fn command(work: &Work, job: Job) -> Command {
    // By this name the file is found also after an update has replaced it.
    let mut command = Command::new("/proc/self/exe");
    command.arg0(NAME);
    command.args(work.line.parameters.iter().map(|(name, value)| format!("{name}={value}")));
    command.arg(job.argument(work.word())).stdin(Stdio::null()).current_dir("/");
    // keepalived kills whole process groups.
    command.process_group(0);
    command
}
