//! Failures of the harness: the machine, a program, a timeout, or (the interesting one) the cluster's state.

use std::fmt::Display;
use std::io;
use std::time::Duration;

use serde_json::Value;

/// Why a step ended early.
#[derive(Debug, thiserror::Error)]
pub enum HarnessError {
    /// A system call or a file of the harness failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system answered.
        source: io::Error,
    },
    /// A program ended with a status other than 0.
    #[error("`{command}` ended with {status}: {output}")]
    Command {
        /// The program and its arguments.
        command: String,
        /// Exit code or signal.
        status: String,
        /// The end of its standard error, or of its standard output where that is empty.
        output: String,
    },
    /// A program did not end in time and was killed.
    #[error("`{command}` was still running after {} s", limit.as_secs())]
    CommandTimeout {
        /// The program and its arguments.
        command: String,
        /// The time it had.
        limit: Duration,
    },
    /// A wanted state did not come about in time.
    #[error("{what}: not within {} s; last seen: {last}", limit.as_secs())]
    TimedOut {
        /// The state that was waited for.
        what: String,
        /// The time it had.
        limit: Duration,
        /// Why the last look did not satisfy.
        last: String,
    },
    /// The cluster or the cloud is in a state that must not be.
    #[error("{0}")]
    Wrong(String),
    /// A signal asked the run to end.
    #[error("interrupted")]
    Interrupted,
}

impl HarnessError {
    /// Wraps an I/O error with what was being done: for `map_err`.
    pub fn io(what: impl Display) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.to_string(), source }
    }
}

/// The result of a step of the harness.
pub type Result<T, E = HarnessError> = std::result::Result<T, E>;

/// Reads JSON that a program has written.
///
/// # Errors
/// [`HarnessError::Wrong`] with what it has written.
pub fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| HarnessError::Wrong(format!("cannot read {text}: {error}")))
}

/// Returns [`HarnessError::Wrong`] with `why` unless `holds`.
///
/// # Errors
/// [`HarnessError::Wrong`] when `holds` is false.
pub fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(HarnessError::Wrong(why())) }
}
