//! What every destination of lines is built on.

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::{Timestamp, Zoned};

use crate::base::timezone;

/// Limit in bytes for a configured tag, date or reason prefix.
pub(super) const LONGEST_PREFIX: usize = 256;

/// Receives the lines for standard error; shared so that tests can read them.
pub type Sink = Arc<Mutex<dyn Write + Send>>;

/// Properties of the process that do not come from its environment.
#[derive(Clone)]
pub struct Process {
    /// Start of the process; trace timestamps count from here.
    pub started: Instant,
    /// Whether standard input is a terminal, as `tty` tests it: then a person is running the agent.
    pub stdin_is_terminal: bool,
    /// Standard error, or what captures it in a test.
    pub stderr: Sink,
    /// Path of the syslog socket.
    pub syslog: PathBuf,
}

impl Process {
    /// This process, which began at `started`.
    pub fn own(started: Instant) -> Self {
        Self {
            started,
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stderr: Arc::new(Mutex::new(std::io::stderr())),
            syslog: PathBuf::from("/dev/log"),
        }
    }
}

pub(super) fn now() -> Zoned {
    Timestamp::now().to_zoned(timezone::local())
}

/// Locks data that stays consistent even if a thread panics while holding it.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a line with one call, so that lines of several processes do not mix. Errors are ignored: closing the other
/// end of standard error must not end the action.
pub(super) fn write_line(to: &mut (impl Write + ?Sized), line: &str) {
    let _ = to.write_all(format!("{line}\n").as_bytes());
}
