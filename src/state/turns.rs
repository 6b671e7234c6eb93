//! Serialises concurrent invocations for one resource: the most recently started one wins.
//!
//! A caller that never waits, such as keepalived with its notify scripts, can request "take it" and "leave it" within
//! a millisecond. The later request must win, in whatever order the processes are scheduled and however long an older
//! one hangs. So each process records its request unless a later one is recorded, checks before every mutating call
//! that its request is still the latest, and works only while it holds a lock, which the kernel releases if the
//! process is killed.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::records::{file_name, folders};
use super::{file, lock};
use crate::ocf::environment::Environment;

/// When a process was started, in clock ticks since boot; the process id breaks ties within a tick.
///
/// A counter would follow the order in which processes are scheduled, which can differ from the order in which they
/// were started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Generation {
    /// Start time in clock ticks since boot.
    born: u64,
    /// Process id.
    pid: u32,
}

/// The latest request for a resource on this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The process that made the request.
    pub generation: Generation,
    /// Boot id at the time of the request.
    boot: String,
    /// The requested state, such as `MASTER`.
    pub told: String,
    /// Whether the request succeeded; `None` while it is in progress.
    #[serde(default)]
    pub done: Option<bool>,
}

/// The request records of one resource, in the folder that is emptied at boot.
#[derive(Debug, Clone)]
pub struct Turns {
    turn: PathBuf,
    gate: PathBuf,
    lock: PathBuf,
    check: PathBuf,
    boot: String,
}

/// Interval for polling the lock and checking for a later request.
pub const LOOK_EVERY: Duration = Duration::from_millis(20);

impl Generation {
    /// The generation of this process.
    #[must_use]
    pub fn own() -> Self {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Self { born: born(&stat).unwrap_or_default(), pid: std::process::id() }
    }

    /// Serialises it for [`Self::parse`].
    #[must_use]
    pub fn to_text(self) -> String {
        format!("{}.{}", self.born, self.pid)
    }

    /// Parses the output of [`Self::to_text`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (born, pid) = text.split_once('.')?;
        Some(Self { born: born.parse().ok()?, pid: pid.parse().ok()? })
    }
}

/// Extracts the start time, in clock ticks since boot, from a line of `/proc/PID/stat`.
///
/// # Source
/// proc(5): field 22; field 2, the program's name, may contain blanks and ends at the last parenthesis.
fn born(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

impl Turns {
    /// Locates the records of the resource named by this environment.
    #[must_use]
    pub fn new(environment: &Environment, boot: String) -> Self {
        let (volatile, _) = folders(environment);
        let name = file_name(environment.instance());
        let path = |ending: &str| volatile.join(format!("{name}.{ending}"));
        Self { turn: path("turn"), gate: path("gate"), lock: path("lock"), check: path("check"), boot }
    }

    /// The latest request of this boot; `None` if there is none.
    ///
    /// # Errors
    /// If the file cannot be read or has another owner.
    pub fn last(&self) -> io::Result<Option<Turn>> {
        let Some(text) = file::read(&self.turn)? else { return Ok(None) };
        let turn: Turn = serde_json::from_str(&text).map_err(io::Error::other)?;
        Ok((turn.boot == self.boot).then_some(turn))
    }

    /// Records the request of this process; returns false if a later one is already recorded.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn begin(&self, generation: Generation, told: &str) -> io::Result<bool> {
        let _gate = self.enter()?;
        // A damaged record does not tell which request is later.
        if self.last().ok().flatten().is_some_and(|last| last.generation > generation) {
            return Ok(false);
        }
        self.write(&Turn { generation, boot: self.boot.clone(), told: told.to_owned(), done: None })?;
        Ok(true)
    }

    /// Records the outcome, unless a later request has replaced this one.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn end(&self, generation: Generation, done: bool) -> io::Result<()> {
        let _gate = self.enter()?;
        match self.last()? {
            Some(turn) if turn.generation == generation => self.write(&Turn { done: Some(done), ..turn }),
            _ => Ok(()),
        }
    }

    /// True once a later request has replaced this one, or the record is gone, which means its work is no longer
    /// wanted.
    #[must_use]
    pub fn is_over(&self, generation: Generation) -> bool {
        match self.last() {
            Ok(last) => last.is_none_or(|last| last.generation != generation),
            // An unreadable record does not show a later request.
            Err(_) => false,
        }
    }

    /// Acquires the lock; `None` on timeout or if superseded.
    ///
    /// # Errors
    /// If the file cannot be opened or locked.
    pub fn lock(&self, generation: Generation, limit: Instant) -> io::Result<Option<File>> {
        loop {
            if self.is_over(generation) {
                return Ok(None);
            }
            match lock::try_lock(&self.lock)? {
                None if Instant::now() < limit => std::thread::sleep(LOOK_EVERY),
                locked => return Ok(locked),
            }
        }
    }

    /// True while a process holds the lock.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        lock::try_lock(&self.lock).is_ok_and(|lock| lock.is_none())
    }

    /// Records the outcome of a check; true if it differs from the previous one.
    #[must_use]
    pub fn is_news(&self, outcome: &str) -> bool {
        let before = file::read(&self.check).ok().flatten();
        let changed = before.as_deref() != Some(outcome);
        if changed {
            // If it cannot be recorded, it is reported every time, which is better than never.
            let _ = file::replace(&self.check, outcome);
        }
        changed
    }

    fn write(&self, turn: &Turn) -> io::Result<()> {
        file::replace(&self.turn, &serde_json::to_string(turn).map_err(io::Error::other)?)
    }

    /// Acquires exclusive access to the request record.
    fn enter(&self) -> io::Result<File> {
        lock::wait(&self.gate, lock::GATE_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn turns(name: &str) -> (Turns, PathBuf) {
        let folder = std::env::temp_dir().join(format!("eip-turns-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let variables = [("EIP_STATE_DIR".into(), OsString::from(&folder))];
        (Turns::new(&Environment::new(variables), "a boot".to_owned()), folder)
    }

    const OLDER: Generation = Generation { born: 100, pid: 7 };
    const LATER: Generation = Generation { born: 100, pid: 8 };

    #[test]
    fn the_later_word_wins_whichever_is_written_first() {
        let (turns, folder) = turns("later");
        assert!(turns.begin(LATER, "BACKUP").unwrap());
        assert!(!turns.begin(OLDER, "MASTER").unwrap(), "it was started before the other");
        assert!(turns.is_over(OLDER) && !turns.is_over(LATER));
        turns.end(OLDER, true).unwrap();
        let last = turns.last().unwrap().unwrap();
        assert_eq!((last.told.as_str(), last.done), ("BACKUP", None), "the older one ends nothing");
        turns.end(LATER, false).unwrap();
        assert_eq!(turns.last().unwrap().unwrap().done, Some(false));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_word_of_another_boot_counts_for_nothing() {
        let (mut turns, folder) = turns("boot");
        assert!(turns.begin(LATER, "MASTER").unwrap());
        turns.boot = "another".to_owned();
        assert_eq!(turns.last().unwrap(), None);
        assert!(turns.begin(OLDER, "BACKUP").unwrap(), "its clock began anew");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn who_waits_for_the_lock_ends_when_a_later_word_comes() {
        let (turns, folder) = turns("lock");
        let soon = || Instant::now() + Duration::from_millis(50);
        assert!(turns.begin(OLDER, "MASTER").unwrap());
        let held = turns.lock(OLDER, soon()).unwrap();
        assert!(held.is_some() && turns.is_busy());
        assert!(turns.begin(LATER, "BACKUP").unwrap());
        assert!(turns.lock(OLDER, soon()).unwrap().is_none(), "overtaken");
        assert!(turns.lock(LATER, soon()).unwrap().is_none(), "the older one still works");
        drop(held);
        assert!(turns.lock(LATER, soon()).unwrap().is_some());
        assert!(!turns.is_busy());
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(turns.is_over(LATER), "the files are gone");
    }

    #[test]
    fn a_generation_reads_back_and_this_process_has_one() {
        let own = Generation::own();
        assert!(own.born > 0 && own.pid == std::process::id());
        assert_eq!(Generation::parse(&own.to_text()), Some(own));
        assert_eq!(born("7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 0"), Some(4242));
        assert_eq!(Generation::parse("7"), None);
    }

    #[test]
    fn only_a_change_of_outcome_is_news() {
        let (turns, folder) = turns("news");
        assert!(turns.is_news("a"));
        assert!(!turns.is_news("a"));
        assert!(turns.is_news("b"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
