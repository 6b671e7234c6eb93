//! Log lines, exit reasons and traces, to the places where `ocf_log` and `ocf_exit_reason` of the shell agents put them.
//!
//! Nothing here fails or holds up an action: a destination that is broken, full or gone loses its lines.

mod destinations;
mod settings;
mod trace;

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use jiff::{Timestamp, Zoned};

use super::text::{MASK, cut, one_line, without_controls};
use super::timezone;
use destinations::{Dates, Destinations, Level, Stderr};
pub use settings::LogSettings;
pub(crate) use settings::ignored;
use trace::Trace;

/// Where the lines go that are for standard error. Shared, so that tests can see them.
pub type Sink = Arc<Mutex<dyn Write + Send>>;

/// What Pacemaker keeps of an exit reason, in bytes.
///
/// # Source
/// Pacemaker 1.1.13 to 3.0.1, `EXIT_REASON_MAX_LEN`.
const LONGEST_REASON: usize = 128;
/// A longer line is cut: what EC2 or a file says may be of any length, and a log is for people.
const LONGEST_LINE: usize = 4096;
/// What a cluster puts before a line, or before a reason, is shorter.
const LONGEST_PREFIX: usize = 256;
/// Shorter texts are no secrets, and masking them would make a log unreadable.
const SHORTEST_SECRET: usize = 8;
/// How long a reason waits for another thread to finish its line on standard error.
const PATIENCE: Duration = Duration::from_millis(50);

/// The log of one action. Clones write to the same places.
#[derive(Clone)]
pub struct Log(Arc<Shared>);

struct Shared {
    destinations: Destinations,
    trace: Option<Trace>,
    stderr: Sink,
    prefix: String,
    secrets: Mutex<Vec<String>>,
    /// Warnings that are not said again.
    said: Mutex<BTreeSet<String>>,
    /// Whether a reason was given.
    reason_given: AtomicBool,
    /// Whether the process is about to end for want of time.
    ending: AtomicBool,
}

/// What a log needs to know about the process beside its environment.
#[derive(Clone)]
pub struct Process {
    /// When it began; traces count from here.
    pub started: Instant,
    /// Whether a person at a terminal runs it, as `tty` tells.
    pub stdin_is_terminal: bool,
    /// Its standard error.
    pub stderr: Sink,
    /// The socket of the system's log.
    pub syslog: PathBuf,
}

impl Log {
    /// Opens the log of this process, and its trace if one is asked for.
    #[must_use]
    pub fn new(settings: &LogSettings, action: &str, started: Instant) -> Self {
        let process = Process {
            started,
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stderr: Arc::new(Mutex::new(std::io::stderr())),
            syslog: PathBuf::from("/dev/log"),
        };
        Self::with(settings, action, process)
    }

    /// Opens the log of a process with these properties.
    #[must_use]
    pub fn with(settings: &LogSettings, action: &str, process: Process) -> Self {
        let (trace, warning) = trace::open(settings, action, &process);
        let log = Self(Arc::new(Shared {
            destinations: Destinations::new(settings, &process),
            trace,
            stderr: process.stderr,
            prefix: cut(&without_controls(settings.reason_prefix()), LONGEST_PREFIX),
            secrets: Mutex::default(),
            said: Mutex::default(),
            reason_given: AtomicBool::default(),
            ending: AtomicBool::default(),
        }));
        if let Some(warning) = warning {
            log.warn(warning);
        }
        for line in log.0.trace.iter().flat_map(|_| trace::header(settings, action)) {
            log.trace(line);
        }
        log
    }

    /// Opens a log that keeps its lines in memory, of every level but trace, for tests to look at.
    #[must_use]
    pub fn memory() -> Self {
        Self(Arc::new(Shared {
            destinations: Destinations::memory(),
            trace: None,
            stderr: Arc::new(Mutex::new(std::io::sink())),
            prefix: "ocf-exit-reason:".to_owned(),
            secrets: Mutex::default(),
            said: Mutex::default(),
            reason_given: AtomicBool::default(),
            ending: AtomicBool::default(),
        }))
    }

    /// Returns what a log in memory holds: `LEVEL: TEXT` for lines, `ocf-exit-reason:TEXT` for reasons.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.destinations.lines()
    }

    /// Says that something failed.
    pub fn error(&self, text: impl Display) {
        self.line(Level::Error, Stderr::Allowed, text);
    }

    /// Says that something is not as it should be, and that the action goes on.
    pub fn warn(&self, text: impl Display) {
        self.line(Level::Warn, Stderr::Allowed, text);
    }

    /// Says it as [`Self::warn`] does, unless this process has said the same before.
    pub fn warn_once(&self, text: impl Display) {
        let text = text.to_string();
        if lock(&self.0.said).insert(text.clone()) {
            self.warn(text);
        }
    }

    /// Says what was done.
    pub fn info(&self, text: impl Display) {
        self.line(Level::Info, Stderr::Allowed, text);
    }

    /// Says how a decision came about; kept only where the cluster runs with debugging on.
    pub fn debug(&self, text: impl Display) {
        self.line(Level::Debug, Stderr::Allowed, text);
    }

    /// Adds a line to the trace. Without a trace the text is not even put together.
    pub fn trace(&self, text: impl Display) {
        if let Some(trace) = &self.0.trace {
            trace.line(&self.clean(text), &self.0.stderr);
        }
    }

    /// Keeps a text, such as a secret key or a session token, out of every line from now on.
    pub fn keep_secret(&self, secret: &str) {
        if secret.len() >= SHORTEST_SECRET {
            lock(&self.0.secrets).push(secret.to_owned());
        }
    }

    /// Says why the action failed: to the operator by way of Pacemaker, in at most 128 bytes of ASCII, and at full length
    /// as an error in the log, without a second line on standard error.
    pub fn exit_reason(&self, text: impl Display) {
        let text = self.clean(text);
        // Pacemaker reads one line.
        if !self.0.ending.load(Ordering::SeqCst) {
            self.give_reason(&text);
        }
        self.line(Level::Error, Stderr::Has, text);
    }

    /// Says why the action failed to standard error alone, in a process that ends at once: not where a reason was given already,
    /// and not at all where a blocked write keeps standard error occupied.
    pub fn print_reason(&self, text: impl Display) {
        self.0.ending.store(true, Ordering::SeqCst);
        if !self.0.reason_given.load(Ordering::SeqCst) {
            self.give_reason(text);
        }
    }

    fn give_reason(&self, text: impl Display) {
        self.0.reason_given.store(true, Ordering::SeqCst);
        let reason = format!("{}{}", self.0.prefix, cut(&one_line(&self.clean(text)), LONGEST_REASON));
        self.0.destinations.remember(&reason);
        let give_up = Instant::now() + PATIENCE;
        loop {
            match self.0.stderr.try_lock() {
                Ok(mut stderr) => return write_line(&mut *stderr, &reason),
                Err(TryLockError::Poisoned(stderr)) => return write_line(&mut *stderr.into_inner(), &reason),
                Err(TryLockError::WouldBlock) if Instant::now() > give_up => return,
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn line(&self, level: Level, stderr: Stderr, text: impl Display) {
        let wanted = self.0.destinations.wants(level);
        if !wanted && self.0.trace.is_none() {
            return;
        }
        let line = format!("{}: {}", level.label(), self.clean(text));
        if let Some(trace) = &self.0.trace {
            trace.line(&line, &self.0.stderr);
        }
        if wanted {
            self.0.destinations.write(level, stderr, &line, &self.0.stderr);
        }
    }

    /// Returns the text as one line without the secrets.
    fn clean(&self, text: impl Display) -> String {
        let mut text = text.to_string();
        for secret in lock(&self.0.secrets).iter() {
            if text.contains(secret) {
                text = text.replace(secret, MASK);
            }
        }
        cut(&without_controls(&text), LONGEST_LINE)
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}

/// Returns the time of day of this node.
fn now() -> Zoned {
    Timestamp::now().to_zoned(timezone::local())
}

/// Locks what stays whole even if a thread panics half-way.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a line at once, so that lines of several processes don't mix, and forgets about errors: a reader of standard
/// error that has gone away must not end the action.
fn write_line(to: &mut (impl Write + ?Sized), line: &str) {
    let _ = to.write_all(format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests;
