//! Reads the nodes' Corosync and Pacemaker logs as timed events.
//!
//! The times are the logs' own (milliseconds, UTC). Only lines that a timeline or a check needs are recognised.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::error::{HarnessError, Result};
use crate::topology::NodeName;
use crate::wait::Epoch;

/// The log files of a node, relative to its log folder.
pub const FILES: [&str; 2] = ["corosync/corosync.log", "pacemaker/pacemaker.log"];

/// An event in a node's log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Time in the log.
    pub at: Epoch,
    /// The node whose log it is.
    pub node: NodeName,
    /// What happened.
    pub kind: EventKind,
}

/// Meaning of a log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// Corosync: the link to a peer is down, or the token was lost.
    Suspicion(String),
    /// Pacemaker: a peer is no longer a member.
    PeerLost(String),
    /// Pacemaker: a peer is a member again.
    PeerBack(String),
    /// The controller requests an action from a node.
    Initiated {
        /// Such as `start`.
        action: String,
        /// The resource's id.
        resource: String,
        /// The node that is to run it.
        on: String,
    },
    /// The executor of this node runs the agent.
    Executing {
        /// Such as `start`.
        action: String,
        /// The resource's id.
        resource: String,
    },
    /// An action of this node ended.
    Ended {
        /// Such as `start`.
        action: String,
        /// The resource's id.
        resource: String,
        /// `ok`, `not running`, `error (...)`.
        result: String,
    },
}

/// A log file that is followed as it grows.
#[derive(Debug)]
pub struct LogFile {
    node: NodeName,
    path: PathBuf,
    offset: u64,
    rest: String,
}

impl LogFile {
    /// Reads `path`, which need not exist yet, from its beginning.
    pub fn new(node: NodeName, path: PathBuf) -> Self {
        Self { node, path, offset: 0, rest: String::new() }
    }

    /// The events of the lines written since the last call.
    ///
    /// # Errors
    /// [`HarnessError::Io`] if the file exists and cannot be read.
    pub fn read_on(&mut self) -> Result<Vec<Event>> {
        let reading = || format!("reading {}", self.path.display());
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(HarnessError::io(reading())(error)),
        };
        file.seek(SeekFrom::Start(self.offset)).map_err(HarnessError::io(reading()))?;
        let mut bytes = Vec::new();
        self.offset += file.read_to_end(&mut bytes).map_err(HarnessError::io(reading()))? as u64;
        self.rest.push_str(&String::from_utf8_lossy(&bytes));
        // The text after the last line feed is still being written.
        let complete = self.rest.rfind('\n').map_or(0, |at| at + 1);
        let tail = self.rest.split_off(complete);
        let lines = std::mem::replace(&mut self.rest, tail);
        let now = Timestamp::now();
        Ok(lines.lines().filter_map(|line| event(self.node, line, now)).collect())
    }
}

/// The event that a line reports, if it is one of those above. The year, which logs omit, is taken from `now`.
pub fn event(node: NodeName, line: &str, now: Timestamp) -> Option<Event> {
    let kind = kind(line)?;
    let mut words = line.split_whitespace();
    let stamp = [words.next()?, words.next()?, words.next()?].join(" ");
    Some(Event { at: epoch(&stamp, now)?, node, kind })
}

fn kind(line: &str) -> Option<EventKind> {
    if line.contains("[KNET  ] link: host: ") && line.ends_with(" is down") {
        return Some(EventKind::Suspicion("no answer on the link".to_owned()));
    }
    if line.contains("[TOTEM ] A processor failed") {
        return Some(EventKind::Suspicion("token lost".to_owned()));
    }
    // Each daemon logs a change of membership; only the controller's line leads to actions. A name with a blank belongs to another
    // message: "n2[2] - expected state is now member".
    if line.contains("pacemaker-controld") {
        let peer =
            |state| between(line, "Node ", state).filter(|name| !name.contains(' ')).map(str::to_owned);
        if let Some(peer) = peer(" state is now lost") {
            return Some(EventKind::PeerLost(peer));
        }
        if let Some(peer) = peer(" state is now member") {
            return Some(EventKind::PeerBack(peer));
        }
    }
    if let Some(action) = between(line, "Initiating ", " operation ") {
        let (_, rest) = line.split_once(" operation ")?;
        let (key, rest) = rest.split_once(' ')?;
        let on = rest.split_once("on ")?.1.split_whitespace().next()?;
        // eip_migrate_from_0: the action is known, the part before it is the resource.
        let (resource, _) = key.rsplit_once(&format!("_{action}_"))?;
        return Some(EventKind::Initiated {
            action: action.into(),
            resource: resource.into(),
            on: on.into(),
        });
    }
    if let Some(resource) = between(line, "executing - rsc:", " action:") {
        let action = line.split_once(" action:")?.1.split_whitespace().next()?;
        return Some(EventKind::Executing { action: action.into(), resource: resource.into() });
    }
    let action = between(line, "Result of ", " operation for ")?;
    let (resource, rest) = line.split_once(" operation for ")?.1.split_once(" on ")?;
    let result = rest.split_once(": ")?.1.split(" | ").next()?.trim();
    Some(EventKind::Ended { action: action.into(), resource: resource.into(), result: result.into() })
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    line.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

fn epoch(stamp: &str, now: Timestamp) -> Option<Epoch> {
    let of_year = |year: i16| {
        let text = format!("{year} {stamp}");
        BrokenDownTime::parse("%Y %b %d %H:%M:%S%.f", text)
            .ok()?
            .to_datetime()
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()
    };
    let today = now.to_zoned(TimeZone::UTC);
    let found = of_year(today.year())?;
    // A line of 31 December that is read on 1 January.
    let found = if found > today.saturating_add(1.day()) { of_year(today.year() - 1)? } else { found };
    Some(found.timestamp().as_duration().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Event> {
        event("n1".parse().unwrap(), line, "2026-11-21T12:00:00Z".parse().unwrap())
    }

    fn kind_of(line: &str) -> EventKind {
        read(line).unwrap().kind
    }

    #[test]
    fn times_are_utc_with_milliseconds_and_the_year_is_the_one_that_makes_sense() {
        let event = read("Nov 21 10:05:42.786 [51] n1 corosync notice  [TOTEM ] A processor failed, forming new configuration: token timed out (1000ms), waiting 1200ms for consensus.").unwrap();
        assert!((event.at - 1_795_255_542.786).abs() < 1e-3, "{}", event.at);
        let old = "Dec 31 23:59:59 [51] n1 corosync notice  [TOTEM ] A processor failed, forming new configuration.";
        let now = "2027-01-01T00:00:05Z".parse().unwrap();
        let event = super::event("n1".parse().unwrap(), old, now).unwrap();
        assert!((event.at - 1_798_761_599.0).abs() < 1e-3, "{}", event.at);
    }

    #[test]
    fn corosync_suspects_a_peer() {
        let down = "Nov 21 10:05:42.630 [51] n1 corosync info    [KNET  ] link: host: 2 link: 0 is down";
        assert!(matches!(kind_of(down), EventKind::Suspicion(_)));
    }

    #[test]
    fn a_lost_peer_counts_once_although_every_daemon_notes_it() {
        let line = |daemon: &str| {
            format!(
                "Nov 21 10:05:44.986 n1 {daemon}  [71] (update_peer_state_iter) \tnotice: Node n2 state is now lost | nodeid=2 previous=member"
            )
        };
        assert_eq!(kind_of(&line("pacemaker-controld")), EventKind::PeerLost("n2".into()));
        assert_eq!(read(&line("pacemaker-attrd")), None);
        let expected = line("pacemaker-controld").replace("n2 state", "n2[2] - expected state");
        assert_eq!(read(&expected), None);
    }

    #[test]
    fn actions_are_followed_from_the_request_to_the_result() {
        let local = "Nov 21 10:05:39.738 n1 pacemaker-controld  [71] (execute_rsc_action) \tnotice: Initiating start operation eip_start_0 locally on n1 | action 3";
        let (action, resource, on) = ("start".to_owned(), "eip".to_owned(), "n1".to_owned());
        assert_eq!(kind_of(local), EventKind::Initiated { action, resource, on });
        let remote = "Nov 21 10:05:39.738 n1 pacemaker-controld  [71] (execute_rsc_action) \tnotice: Initiating migrate_from operation eip_migrate_from_0 on n2 | action 3";
        let (action, resource, on) = ("migrate_from".to_owned(), "eip".to_owned(), "n2".to_owned());
        assert_eq!(kind_of(remote), EventKind::Initiated { action, resource, on });
        let run = "Nov 21 10:05:39.754 n1 pacemaker-execd     [68] (log_execute) \tinfo: executing - rsc:eip action:start call_id:6";
        assert_eq!(kind_of(run), EventKind::Executing { action: "start".into(), resource: "eip".into() });
        let end = "Nov 21 10:05:39.914 n1 pacemaker-controld  [71] (log_executor_event) \tnotice: Result of start operation for eip on n1: error (EC2: no answer) | CIB update 41, graph action confirmed; call=6 key=eip_start_0 rc=1";
        let result = "error (EC2: no answer)".to_owned();
        assert_eq!(kind_of(end), EventKind::Ended { action: "start".into(), resource: "eip".into(), result });
    }

    #[test]
    fn a_line_still_being_written_is_read_later() {
        let path = std::env::temp_dir().join(format!("test-of-{}-journal", crate::topology::RunId::own()));
        let mut log = LogFile::new("n1".parse().unwrap(), path.clone());
        assert!(log.read_on().unwrap().is_empty(), "no file yet");
        let line = "Nov 21 10:05:42.630 [51] n1 corosync info    [KNET  ] link: host: 2 link: 0 is down\n";
        let (begin, end) = line.split_at(60);
        std::fs::write(&path, begin).unwrap();
        assert!(log.read_on().unwrap().is_empty(), "half a line");
        std::fs::write(&path, [begin, end].concat()).unwrap();
        assert_eq!(log.read_on().unwrap().len(), 1);
        assert!(log.read_on().unwrap().is_empty(), "read twice");
        std::fs::remove_file(path).unwrap();
    }
}
