//! Gives an answer when the action cannot: after a panic, or when a system call blocks past the deadline.
//!
//! Otherwise the cluster would kill the process, or treat an unknown exit code as a plain failure, and the operator
//! would see no reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc;

use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::resource::error::Error;

/// The fallback exit code of the process, shared by all clones.
#[derive(Debug, Clone)]
pub(super) struct FallbackCode(Arc<AtomicU8>);

impl FallbackCode {
    /// Replaces the exit code once more is known.
    pub(super) fn set(&self, code: u8) {
        self.0.store(code, Ordering::SeqCst);
    }

    fn exit(&self) -> ! {
        std::process::exit(i32::from(self.0.load(Ordering::SeqCst)))
    }
}

impl From<u8> for FallbackCode {
    fn from(code: u8) -> Self {
        Self(Arc::new(AtomicU8::new(code)))
    }
}

/// Turns a panic into an exit reason and this exit code; otherwise it would exit 101 with nothing an operator can use.
pub(super) fn report_panics(log: &Log, code: impl Into<FallbackCode>) {
    let (log, code) = (log.clone(), code.into());
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        log.exit_reason(format_args!("internal error at {place}: please report it"));
        code.exit();
    }));
}

/// Ends the process when a system call blocks past the deadline, unless it is dropped before, or with a panic.
#[must_use]
pub(super) struct Watchdog {
    _ended: mpsc::Sender<()>,
}

impl Watchdog {
    pub(super) fn start(deadline: &Deadline, code: impl Into<FallbackCode>, log: &Log) -> Self {
        let (ended, wait) = mpsc::channel();
        let (limit, budget, log) = (deadline.until_watchdog(), deadline.budget(), log.clone());
        let code = code.into();
        report_panics(&log, code.clone());
        let watch = move || {
            if wait.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                // Print the reason first: the log may be what blocks.
                log.print_reason(Error::OutOfTime(budget));
                code.exit();
            }
        };
        // If no thread can be started, the action runs without a watchdog.
        let _ = std::thread::Builder::new().name("watchdog".to_owned()).spawn(watch);
        Self { _ended: ended }
    }
}
