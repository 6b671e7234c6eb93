//! An answer where the action itself can give none: after a panic, or when a call of the system blocks past the deadline.
//!
//! Without it the cluster would kill the process, or take an exit code it does not know for a plain failure, and the operator
//! would read nothing.

use std::sync::mpsc;

use crate::deadline::Deadline;
use crate::error::Error;
use crate::ocf::log::Log;

/// Makes a panic an answer, with this exit code: without this it would exit 101 and say nothing an operator can use.
pub(super) fn report_panics(log: &Log, code: u8) {
    let log = log.clone();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        log.exit_reason(format_args!("internal error at {place}: please report it"));
        std::process::exit(i32::from(code));
    }));
}

/// Ends the process with an exit code where the action can't: a call of the system that blocks past the deadline.
pub(super) struct Watchdog(mpsc::Sender<()>);

impl Watchdog {
    pub(super) fn start(deadline: &Deadline, code: u8, log: &Log) -> Self {
        let (ended, wait) = mpsc::channel();
        let (limit, budget, log) = (deadline.last_resort(), deadline.budget(), log.clone());
        let watch = move || {
            if wait.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                // The reason first: what blocks may be the log.
                log.print_reason(Error::OutOfTime(budget));
                std::process::exit(i32::from(code));
            }
        };
        // Where no thread can be had the action goes on without its watchdog.
        let _ = std::thread::Builder::new().name("watchdog".to_owned()).spawn(watch);
        Self(ended)
    }

    pub(super) fn end(self) {
        let _ = self.0.send(());
    }
}
