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

use super::folders::{file_name, folders};
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
    /// Process id, which breaks ties within a tick.
    pid: u32,
}

/// The latest request for a resource on this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestRequest {
    /// The process that made the request.
    pub generation: Generation,
    /// Boot id at the time of the request.
    boot: String,
    /// The requested state, such as `MASTER`.
    #[serde(rename = "told")]
    pub requested: String,
    /// Whether the request succeeded; `None` while it is in progress.
    #[serde(default)]
    pub done: Option<bool>,
}

/// The record of the latest request for one resource, and its locks, in the folder that is emptied at boot.
#[derive(Debug, Clone)]
pub struct Generations {
    request: PathBuf,
    gate: PathBuf,
    lock: PathBuf,
    check: PathBuf,
    boot: String,
}

/// Interval for polling the lock and checking for a later request.
pub const POLL_INTERVAL: Duration = Duration::from_millis(20);

impl Generation {
    /// The generation of this process.
    pub fn own() -> Self {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Self { born: born(&stat).unwrap_or_default(), pid: std::process::id() }
    }

    /// Serialises it for [`Self::parse`].
    pub fn to_text(self) -> String {
        format!("{}.{}", self.born, self.pid)
    }

    /// Parses the output of [`Self::to_text`].
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

impl Generations {
    /// Locates the records of the resource named by this environment.
    pub fn new(environment: &Environment, boot: String) -> Self {
        let (volatile, _) = folders(environment);
        let name = file_name(environment.instance());
        let path = |ending: &str| volatile.join(format!("{name}.{ending}"));
        Self { request: path("turn"), gate: path("gate"), lock: path("lock"), check: path("check"), boot }
    }

    /// The latest request of this boot; `None` if there is none.
    ///
    /// # Errors
    /// If the file cannot be read or has another owner.
    pub fn last(&self) -> io::Result<Option<LatestRequest>> {
        let request: Option<LatestRequest> = file::read_json(&self.request)?;
        Ok(request.filter(|request| request.boot == self.boot))
    }

    /// Records the request of this process; returns false if a later one is already recorded.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn begin(&self, generation: Generation, requested: &str) -> io::Result<bool> {
        let _gate = self.enter()?;
        // A damaged record does not show which request is later.
        if self.last().ok().flatten().is_some_and(|last| last.generation > generation) {
            return Ok(false);
        }
        self.write(&LatestRequest {
            generation,
            boot: self.boot.clone(),
            requested: requested.to_owned(),
            done: None,
        })?;
        Ok(true)
    }

    /// Records the outcome, unless a later request has replaced this one.
    ///
    /// # Errors
    /// If the folder cannot be used.
    pub fn end(&self, generation: Generation, done: bool) -> io::Result<()> {
        let _gate = self.enter()?;
        match self.last()? {
            Some(request) if request.generation == generation => {
                self.write(&LatestRequest { done: Some(done), ..request })
            }
            _ => Ok(()),
        }
    }

    /// True once a later request has replaced this one, or the record is gone, which means its work is no longer
    /// wanted.
    pub fn is_superseded(&self, generation: Generation) -> bool {
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
            if self.is_superseded(generation) {
                return Ok(None);
            }
            match lock::try_lock(&self.lock)? {
                None if Instant::now() < limit => std::thread::sleep(POLL_INTERVAL),
                locked => return Ok(locked),
            }
        }
    }

    /// True while a process holds the lock.
    pub fn is_busy(&self) -> bool {
        lock::try_lock(&self.lock).is_ok_and(|lock| lock.is_none())
    }

    /// Records the outcome of a check; true if it differs from the previous one.
    pub fn is_news(&self, outcome: &str) -> bool {
        let before = file::read(&self.check).ok().flatten();
        let changed = before.as_deref() != Some(outcome);
        if changed {
            // If it cannot be recorded, it is reported every time, which is better than never.
            let _ = file::replace(&self.check, outcome);
        }
        changed
    }

    fn write(&self, request: &LatestRequest) -> io::Result<()> {
        file::replace(&self.request, &serde_json::to_string(request).map_err(io::Error::other)?)
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

    fn generations(name: &str) -> (Generations, PathBuf) {
        let folder = std::env::temp_dir().join(format!("eip-generations-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let variables = [("EIP_STATE_DIR".into(), OsString::from(&folder))];
        (Generations::new(&Environment::new(variables), "a boot".to_owned()), folder)
    }

    const OLDER: Generation = Generation { born: 100, pid: 7 };
    const LATER: Generation = Generation { born: 100, pid: 8 };

    #[test]
    fn the_later_request_wins_whichever_is_written_first() {
        let (generations, folder) = generations("later");
        assert!(generations.begin(LATER, "BACKUP").unwrap());
        assert!(!generations.begin(OLDER, "MASTER").unwrap(), "it was started before the other");
        assert!(generations.is_superseded(OLDER) && !generations.is_superseded(LATER));
        generations.end(OLDER, true).unwrap();
        let last = generations.last().unwrap().unwrap();
        assert_eq!((last.requested.as_str(), last.done), ("BACKUP", None), "the older one ends nothing");
        generations.end(LATER, false).unwrap();
        assert_eq!(generations.last().unwrap().unwrap().done, Some(false));
        let stored = std::fs::read_to_string(&generations.request).unwrap();
        let expected = r#"{"generation":{"born":100,"pid":8},"boot":"a boot","told":"BACKUP","done":false}"#;
        assert_eq!(stored, expected, "an older version's process may read it");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_request_of_another_boot_counts_for_nothing() {
        let (mut generations, folder) = generations("boot");
        assert!(generations.begin(LATER, "MASTER").unwrap());
        generations.boot = "another".to_owned();
        assert_eq!(generations.last().unwrap(), None);
        assert!(generations.begin(OLDER, "BACKUP").unwrap(), "its clock began anew");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_process_that_waits_for_the_lock_gives_up_when_a_later_request_comes() {
        let (generations, folder) = generations("lock");
        let soon = || Instant::now() + Duration::from_millis(50);
        assert!(generations.begin(OLDER, "MASTER").unwrap());
        let held = generations.lock(OLDER, soon()).unwrap();
        assert!(held.is_some() && generations.is_busy());
        assert!(generations.begin(LATER, "BACKUP").unwrap());
        assert!(generations.lock(OLDER, soon()).unwrap().is_none(), "superseded");
        assert!(generations.lock(LATER, soon()).unwrap().is_none(), "the older one still works");
        drop(held);
        assert!(generations.lock(LATER, soon()).unwrap().is_some());
        assert!(!generations.is_busy());
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(generations.is_superseded(LATER), "the files are gone");
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
        let (generations, folder) = generations("news");
        assert!(generations.is_news("a"));
        assert!(!generations.is_news("a"));
        assert!(generations.is_news("b"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
