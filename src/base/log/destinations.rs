//! Where a log line goes and how it is formatted: terminal, syslog, the cluster's log files, standard error.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::settings::{LogSettings, facility, in_format, is_date_format};
use super::sink::{LONGEST_PREFIX, Process, Sink, lock, now, write_line};
use crate::base::text::{cut, without_controls};

/// Severity, in the order of `ocf_log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

impl Level {
    /// The word that begins the line.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARNING",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }
}

pub(super) struct Destinations {
    route: LogTarget,
    debug: bool,
}

enum LogTarget {
    /// Run by a person: standard error only, with this prefix.
    Terminal(String),
    Cluster(Cluster),
    Memory(Mutex<Vec<String>>),
}

/// The cluster's logging configuration.
struct Cluster {
    tag: String,
    date_format: String,
    facility: Option<u8>,
    file: Option<PathBuf>,
    debug_file: Option<PathBuf>,
    syslog: PathBuf,
}

impl Destinations {
    /// Derives the destinations from the cluster's configuration and the kind of standard input.
    ///
    /// # Source
    /// resource-agents 4.12, `ocf-shellfuncs`: `ha_log`, `ha_debug`, `set_logtag`.
    pub(super) fn new(settings: &LogSettings, process: &Process) -> Self {
        let shown = |text: &str| cut(&without_controls(text), LONGEST_PREFIX);
        let own_tag = settings.get("HA_LOGTAG").map(shown);
        let route = if process.stdin_is_terminal {
            LogTarget::Terminal(own_tag.map(|tag| format!("{tag}: ")).unwrap_or_default())
        } else {
            let (agent, instance) = (shown(&settings.agent), shown(&settings.instance));
            let file = |name| settings.get(name).map(PathBuf::from);
            let date_format = settings.get("HA_DATEFMT").filter(|format| is_date_format(format));
            LogTarget::Cluster(Cluster {
                tag: own_tag.unwrap_or_else(|| format!("{agent}({instance})[{}]", std::process::id())),
                date_format: date_format.unwrap_or(DATE_FORMAT).to_owned(),
                facility: settings
                    .get("HA_LOGFACILITY")
                    .filter(|name| *name != "none")
                    .map(|name| facility(name).unwrap_or(DAEMON)),
                file: file("HA_LOGFILE"),
                debug_file: file("HA_DEBUGLOG"),
                syslog: process.syslog.clone(),
            })
        };
        Self { route, debug: settings.get("HA_debug").is_some_and(|value| value != "0") }
    }

    pub(super) fn memory() -> Self {
        Self { route: LogTarget::Memory(Mutex::default()), debug: true }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        if let LogTarget::Memory(lines) = &self.route { lock(lines).clone() } else { Vec::new() }
    }

    /// Records a line if the log is in memory.
    pub(super) fn remember(&self, line: &str) {
        if let LogTarget::Memory(lines) = &self.route {
            lock(lines).push(line.to_owned());
        }
    }

    /// False only for debug lines while debugging is off.
    pub(super) fn wants(&self, level: Level) -> bool {
        self.debug || level != Level::Debug
    }

    /// Writes a line, `LEVEL: TEXT`, to every destination of its level; without `stderr`, standard error is none of them.
    pub(super) fn write(&self, level: Level, line: &str, stderr: Option<&Sink>) {
        let to_stderr = |line: &str| {
            if let Some(stderr) = stderr {
                write_line(&mut *lock(stderr), line);
            }
        };
        match &self.route {
            LogTarget::Terminal(prefix) => to_stderr(&format!("{prefix}{line}")),
            LogTarget::Cluster(cluster) => cluster.write(level, line, to_stderr),
            LogTarget::Memory(_) => self.remember(line),
        }
    }
}

impl Cluster {
    fn write(&self, level: Level, line: &str, to_stderr: impl Fn(&str)) {
        let (now, tag) = (now(), &self.tag);
        // The format could contain line breaks or expand to thousands of dates.
        let date = cut(&without_controls(&in_format(&self.date_format, &now)), LONGEST_PREFIX);
        let debug = level == Level::Debug;
        if let Some(facility) = self.facility {
            let severity = if debug { DEBUG } else { severity(line) };
            // Syslog prescribes its date format, whatever the log files use.
            let date = in_format("%b %e %T", &now);
            let datagram = format!("<{}>{date} {tag}: {line}", facility * 8 + severity);
            send(&self.syslog, datagram.as_bytes());
        }
        match &self.file {
            Some(file) if !debug => append(file, &format!("{date} {tag}:    {line}")),
            // Debug lines go to the debug log only; without one they are dropped.
            None if !debug && self.facility.is_none() => to_stderr(&format!("{date}{line}")),
            _ => {}
        }
        if let Some(file) = self.debug_file.as_ref().filter(|file| debug || self.file.as_ref() != Some(*file))
        {
            append(file, &format!("{tag}:\t{date}{line}"));
        }
    }
}

/// Default date format of the log files; includes the separating space, as `HA_DATEFMT` does.
const DATE_FORMAT: &str = "%b %d %T ";

/// Syslog facility `daemon`.
const DAEMON: u8 = 3;
/// Syslog severity `debug`.
const DEBUG: u8 = 7;

/// Derives the syslog severity from the words in the line, as `ha_log` does; notice if none matches.
fn severity(line: &str) -> u8 {
    let words = [("ERROR", 3), ("WARN", 4), ("INFO", 6)];
    words.iter().find(|(word, _)| line.contains(word)).map_or(5, |(_, severity)| *severity)
}

/// Sends a line to syslog; drops it if the socket is missing or full.
fn send(socket: &Path, datagram: &[u8]) {
    if let Ok(from) = UnixDatagram::unbound()
        && from.set_nonblocking(true).is_ok()
    {
        let _ = from.send_to(datagram, socket);
    }
}

/// Appends a line to a file. A pipe without a reader is skipped, since opening it would block.
fn append(file: &Path, line: &str) {
    let opened = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(file);
    if let Ok(mut opened) = opened {
        write_line(&mut opened, line);
    }
}
