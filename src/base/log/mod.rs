//! Log lines, exit reasons and traces, written where `ocf_log` and `ocf_exit_reason` of the shell agents write them.
//!
//! Logging never fails or delays an action: lines for a destination that is broken, full or gone are dropped.

mod destinations;
mod settings;
mod sink;
mod trace;

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::{Duration, Instant};

use super::text::{MASK, brief, cut, without_controls};
use destinations::{Destinations, Level};
pub use settings::LogSettings;
pub(crate) use settings::ignored;
use sink::{LONGEST_PREFIX, lock, write_line};
pub use sink::{Process, Sink};
use trace::Trace;

/// How much of an exit reason Pacemaker keeps, in bytes.
///
/// # Source
/// Pacemaker 1.1.13 to 3.0.1, `EXIT_REASON_MAX_LEN`.
const LONGEST_REASON: usize = 128;
/// The prefix of an exit reason on standard error, unless the cluster configures another.
const REASON_PREFIX: &str = "ocf-exit-reason:";
/// Longer lines are cut, in bytes: text from EC2 or a file can have any length.
const LONGEST_LINE: usize = 4096;
/// Secrets shorter than this are not masked: masking short strings would make the log unreadable.
const SHORTEST_SECRET: usize = 8;
/// How long an exit reason waits for another thread to finish its line on standard error.
const PATIENCE: Duration = Duration::from_millis(50);

/// The log of one action; clones share its destinations.
#[derive(Clone)]
pub struct Log(Arc<SharedLog>);

struct SharedLog {
    destinations: Destinations,
    trace: Option<Trace>,
    stderr: Sink,
    prefix: String,
    secrets: Mutex<Vec<String>>,
    /// Warnings logged by [`Log::warn_once`].
    warned: Mutex<BTreeSet<String>>,
    reason_given: AtomicBool,
    /// Set when the watchdog is about to end the process.
    ending: AtomicBool,
}

impl Log {
    /// Opens the log of this process, and its trace if one is configured.
    pub fn new(settings: &LogSettings, action: &str, started: Instant) -> Self {
        Self::with(settings, action, Process::own(started))
    }

    /// Opens a log with explicit process properties.
    pub fn with(settings: &LogSettings, action: &str, process: Process) -> Self {
        let (trace, warning) = trace::open(settings, action, &process);
        let prefix = settings.get("OCF_EXIT_REASON_PREFIX").unwrap_or(REASON_PREFIX);
        let prefix = cut(&without_controls(prefix), LONGEST_PREFIX);
        let log = Self::of(Destinations::new(settings, &process), trace, process.stderr, prefix);
        if let Some(warning) = warning {
            log.warn(warning);
        }
        for line in log.0.trace.iter().flat_map(|_| trace::header(settings, action)) {
            log.trace(line);
        }
        log
    }

    /// Opens a log that keeps lines of every level except trace in memory, for tests.
    pub fn memory() -> Self {
        let stderr = Arc::new(Mutex::new(std::io::sink()));
        Self::of(Destinations::memory(), None, stderr, REASON_PREFIX.to_owned())
    }

    fn of(destinations: Destinations, trace: Option<Trace>, stderr: Sink, prefix: String) -> Self {
        Self(Arc::new(SharedLog {
            destinations,
            trace,
            stderr,
            prefix,
            secrets: Mutex::default(),
            warned: Mutex::default(),
            reason_given: AtomicBool::default(),
            ending: AtomicBool::default(),
        }))
    }

    /// The lines of a log in memory: `LEVEL: TEXT`, and `ocf-exit-reason:TEXT` for exit reasons.
    pub fn lines(&self) -> Vec<String> {
        self.0.destinations.lines()
    }

    /// Logs a failure.
    pub fn error(&self, text: impl Display) {
        self.line(Level::Error, Some(&self.0.stderr), text);
    }

    /// Logs a problem that does not stop the action.
    pub fn warn(&self, text: impl Display) {
        self.line(Level::Warn, Some(&self.0.stderr), text);
    }

    /// Logs problems that do not stop the action, a line for each.
    pub fn warn_all(&self, texts: impl IntoIterator<Item = impl Display>) {
        texts.into_iter().for_each(|text| self.warn(text));
    }

    /// Like [`Self::warn`], but only once per process for the same text.
    pub fn warn_once(&self, text: impl Display) {
        let text = text.to_string();
        if lock(&self.0.warned).insert(text.clone()) {
            self.warn(text);
        }
    }

    /// Logs what was done.
    pub fn info(&self, text: impl Display) {
        self.line(Level::Info, Some(&self.0.stderr), text);
    }

    /// Logs how a decision was made; dropped unless the cluster runs with debugging on.
    pub fn debug(&self, text: impl Display) {
        self.line(Level::Debug, Some(&self.0.stderr), text);
    }

    /// Adds a line to the trace. Without a trace the text is not even formatted.
    pub fn trace(&self, text: impl Display) {
        if let Some(trace) = &self.0.trace {
            trace.line(&self.clean(text), &self.0.stderr);
        }
    }

    /// Masks a secret, such as a secret key or a session token, in every line from now on.
    pub fn keep_secret(&self, secret: &str) {
        if secret.len() >= SHORTEST_SECRET {
            lock(&self.0.secrets).push(secret.to_owned());
        }
    }

    /// Reports why the action failed: to the operator through Pacemaker, in at most 128 bytes of ASCII, and in full as
    /// an error in the log, without repeating it on standard error.
    pub fn exit_reason(&self, text: impl Display) {
        let text = self.clean(text);
        // Pacemaker reads only one line.
        if !self.0.ending.load(Ordering::SeqCst) {
            self.give_reason(&text);
        }
        // Standard error already has the text.
        self.line(Level::Error, None, text);
    }

    /// Prints the exit reason to standard error only, for a process that is about to exit. Does nothing if a reason
    /// was printed already or a blocked write holds standard error.
    pub fn print_reason(&self, text: impl Display) {
        self.0.ending.store(true, Ordering::SeqCst);
        if !self.0.reason_given.load(Ordering::SeqCst) {
            self.give_reason(text);
        }
    }

    fn give_reason(&self, text: impl Display) {
        self.0.reason_given.store(true, Ordering::SeqCst);
        let reason = format!("{}{}", self.0.prefix, brief(&self.clean(text), LONGEST_REASON));
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

    fn line(&self, level: Level, stderr: Option<&Sink>, text: impl Display) {
        let wanted = self.0.destinations.wants(level);
        if !wanted && self.0.trace.is_none() {
            return;
        }
        let line = format!("{}: {}", level.label(), self.clean(text));
        if let Some(trace) = &self.0.trace {
            trace.line(&line, &self.0.stderr);
        }
        if wanted {
            self.0.destinations.write(level, &line, stderr);
        }
    }

    /// Reduces a text to one line with its secrets masked.
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

#[cfg(test)]
mod tests;
