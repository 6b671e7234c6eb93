//! An answer where the action itself can give none: after a panic, or when a call of the system blocks past the deadline.
//!
//! Without it the cluster would kill the process, or take an exit code it does not know for a plain failure, and the operator
//! would read nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc;

use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::resource::error::Error;

/// The exit code of a process that ends without an answer of its own. Clones are the same one.
#[derive(Debug, Clone)]
pub(super) struct Otherwise(Arc<AtomicU8>);

impl Otherwise {
    /// Makes it another one from now on: more is known.
    pub(super) fn set(&self, code: u8) {
        self.0.store(code, Ordering::SeqCst);
    }

    fn exit(&self) -> ! {
        std::process::exit(i32::from(self.0.load(Ordering::SeqCst)))
    }
}

impl From<u8> for Otherwise {
    fn from(code: u8) -> Self {
        Self(Arc::new(AtomicU8::new(code)))
    }
}

/// Makes a panic an answer, with this exit code: without this it would exit 101 and say nothing an operator can use.
pub(super) fn report_panics(log: &Log, code: impl Into<Otherwise>) {
    let (log, code) = (log.clone(), code.into());
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        log.exit_reason(format_args!("internal error at {place}: please report it"));
        code.exit();
    }));
}

/// Ends the process with an exit code where the action can't: a call of the system that blocks past the deadline.
pub(super) struct Watchdog(mpsc::Sender<()>);

impl Watchdog {
    pub(super) fn start(deadline: &Deadline, code: impl Into<Otherwise>, log: &Log) -> Self {
        let (ended, wait) = mpsc::channel();
        let (limit, budget, log) = (deadline.last_resort(), deadline.budget(), log.clone());
        let code = code.into();
        let watch = move || {
            if wait.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                // The reason first: what blocks may be the log.
                log.print_reason(Error::OutOfTime(budget));
                code.exit();
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
