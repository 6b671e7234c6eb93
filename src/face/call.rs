//! What a process was called with, and how it prints its result.

use std::ffi::OsString;
use std::io::Write as _;
use std::time::Instant;

/// How the process was started; read once by `main` and passed down.
#[derive(Debug)]
pub struct Call {
    /// Start of the process, as early as `main` can read the clock.
    pub started: Instant,
    /// All arguments; the first one is the name it was called by.
    pub arguments: Vec<OsString>,
    /// The environment variables.
    pub variables: Vec<(OsString, OsString)>,
}

impl Call {
    /// The arguments without the name.
    pub(super) fn words(&self) -> Vec<String> {
        self.arguments.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect()
    }
}

/// Prints a text. Returns the exit code: a closed reader is an error, but no reason to panic.
pub(super) fn print(text: &str) -> u8 {
    u8::from(std::io::stdout().write_all(text.as_bytes()).is_err())
}
