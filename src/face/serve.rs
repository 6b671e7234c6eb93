//! Entry point: selects the face by the name of the binary.

use std::ffi::OsString;
use std::io::Write as _;
use std::time::Instant;

use super::{alert, ctl, init, keepalived, ocf, program_name};

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

/// Serves the call and returns the exit code of the process.
pub fn serve(mut call: Call) -> u8 {
    match program_name::take(&mut call.arguments).as_str() {
        name if name == ctl::NAME || ctl::assign::is_script(name) => ctl::serve(name, call),
        alert::NAME => alert::serve(&call),
        name if init::is_name(name) => init::serve(call),
        name if keepalived::is_name(name) => keepalived::serve(&call),
        name => ocf::serve(name, call),
    }
}

/// Prints a text. Returns the exit code: a closed reader is an error, but no reason to panic.
pub(super) fn print(text: &str) -> u8 {
    u8::from(std::io::stdout().write_all(text.as_bytes()).is_err())
}
