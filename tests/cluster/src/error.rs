//! Errors of the harness: the machine, a program, a timeout, or (the interesting one) the state of the cluster.

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
        /// What the harness was doing.
        what: String,
        /// The system's error.
        source: io::Error,
    },
    /// A program ended with a status other than 0.
    #[error("`{command}` ended with {status}: {output}")]
    Command {
        /// The program and its arguments.
        command: String,
        /// Exit code or signal.
        status: String,
        /// The end of its standard error, or of its standard output if that is empty.
        output: String,
    },
    /// A program did not end in time and was killed.
    #[error("`{command}` was still running after {} s", limit.as_secs())]
    CommandTimeout {
        /// The program and its arguments.
        command: String,
        /// Its time limit.
        limit: Duration,
    },
    /// An expected state was not reached in time.
    #[error("{what}: not within {} s; last seen: {last}", limit.as_secs())]
    TimedOut {
        /// The expected state.
        what: String,
        /// The time limit.
        limit: Duration,
        /// Result of the last check.
        last: String,
    },
    /// The cluster or the cloud is in a state that it must not be in.
    #[error("{0}")]
    Wrong(String),
    /// A signal ended the run.
    #[error("interrupted")]
    Interrupted,
}

impl HarnessError {
    /// For `map_err`: wraps an I/O error with what the harness was doing.
    pub fn io(what: impl Display) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.to_string(), source }
    }
}

/// Result of a step of the harness.
pub type Result<T, E = HarnessError> = std::result::Result<T, E>;

/// Parses a program's JSON output.
///
/// # Errors
/// [`HarnessError::Wrong`] with that output.
pub fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| HarnessError::Wrong(format!("cannot read {text}: {error}")))
}

/// Fails with `why` unless `holds`.
///
/// # Errors
/// [`HarnessError::Wrong`] if `holds` is false.
pub fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(HarnessError::Wrong(why())) }
}
