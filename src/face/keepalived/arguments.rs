//! The command line: what the user wrote in `keepalived.conf`, then what keepalived appends to a `notify` script.

use std::collections::BTreeMap;

use crate::base::text::{cut, one_line};
use crate::face::given;
use crate::state::turns::Generation;

/// A state of keepalived, as far as the address is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// This node is to have the address.
    Master,
    /// Another node is to have it.
    Backup,
    /// Something that keepalived watches is broken here.
    Fault,
    /// keepalived ends, or no longer has the instance.
    Stop,
}

impl State {
    /// Returns the state's name as keepalived writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Master => "MASTER",
            Self::Backup => "BACKUP",
            Self::Fault => "FAULT",
            Self::Stop => "STOP",
        }
    }

    /// # Source
    /// keepalived.conf(5), `notify`: MASTER, BACKUP, FAULT, STOP, DELETED. `notify_master_rx_lower_pri` is for a master whose
    /// network was split: the node on the other side may have taken the address.
    fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_uppercase().as_str() {
            "MASTER" | "MASTER_RX_LOWER_PRI" => Self::Master,
            "BACKUP" => Self::Backup,
            "FAULT" => Self::Fault,
            "STOP" | "DELETED" => Self::Stop,
            _ => return None,
        })
    }
}

/// Who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Teller {
    /// keepalived, by what it appends to `notify`: so it will tell of the next state too. The name is the instance's or group's.
    Notify(String),
    /// A word of the user's, in `notify_master` and the like, or by hand.
    Word,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The node's state is another one now.
    Transition(State, Teller),
    /// Is the address here? For a person.
    Status,
    /// Is this node well? For `vrrp_script`.
    Check,
    /// A text for people.
    Help,
    /// The version.
    Version,
    /// What a transition left to a process of its own, with its word; nothing where that could not be written down.
    Background(Job, Option<Generation>),
}

/// What goes on after the process that keepalived started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Letting go, or leaving the address to who takes it.
    Lose(State),
    /// Waiting for the address to go, where nobody will tell.
    Follow,
}

/// In place of a word that could not be written down.
const UNWRITTEN: &str = "unwritten";

/// The command line, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What is asked.
    pub asked: Asked,
    /// Parameters of the resource.
    pub parameters: BTreeMap<String, String>,
}

/// A command line that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Nothing says what to do.
    #[error("no action: expected start, stop, status, check, or what keepalived appends to notify")]
    NoAction,
    /// A word that is nothing.
    #[error("{0}: expected an address, PARAMETER=VALUE, or start, stop, status or check")]
    Word(String),
    /// A state that keepalived does not have.
    #[error("{0}: expected the state MASTER, BACKUP, FAULT or STOP")]
    State(String),
    /// Two things are asked.
    #[error("{0}: one action is enough; notify needs none, because keepalived appends the state")]
    TwoActions(String),
    /// No such parameter, or one that is set already.
    #[error(transparent)]
    Parameter(#[from] given::Refused),
}

/// Reads the arguments after the name of the program.
///
/// # Errors
/// What makes no sense, in one line that says what would.
pub fn read(arguments: &[String]) -> Result<Line, Unusable> {
    let (own, appended) = split(arguments);
    let mut parameters = BTreeMap::new();
    let mut asked = match appended {
        Some((name, state)) => {
            let state = State::parse(state).ok_or_else(|| Unusable::State(shown(state)))?;
            Some(Asked::Transition(state, Teller::Notify(name.to_owned())))
        }
        None => None,
    };
    for word in own {
        if let Some(found) = action(word) {
            if asked.is_some() {
                return Err(Unusable::TwoActions(shown(word)));
            }
            asked = Some(found);
        } else if !given::take(&mut parameters, word)? {
            return Err(Unusable::Word(shown(word)));
        }
    }
    asked.map(|asked| Line { asked, parameters }).ok_or(Unusable::NoAction)
}

/// Splits off what keepalived appends: `INSTANCE` or `GROUP`, its name, the state, the priority (which old versions lack).
fn split(arguments: &[String]) -> (&[String], Option<(&str, &str)>) {
    let appended = |index: usize| match arguments.get(index..)? {
        [kind, name, state] | [kind, name, state, _] if matches!(kind.as_str(), "INSTANCE" | "GROUP") => {
            Some((name.as_str(), state.as_str()))
        }
        _ => None,
    };
    let places = [arguments.len().checked_sub(4), arguments.len().checked_sub(3)];
    let found: Vec<_> = places
        .into_iter()
        .flatten()
        .filter_map(|index| appended(index).map(|found| (index, found)))
        .collect();
    // An instance can be called GROUP: the reading that makes sense is meant.
    let sound = found.iter().find(|(_, (_, state))| State::parse(state).is_some());
    match sound.or(found.first()) {
        Some((index, appended)) => (arguments.get(..*index).unwrap_or_default(), Some(*appended)),
        None => (arguments, None),
    }
}

fn action(word: &str) -> Option<Asked> {
    let transition = |state| Some(Asked::Transition(state, Teller::Word));
    match word {
        "start" => return transition(State::Master),
        "stop" => return transition(State::Stop),
        "status" => return Some(Asked::Status),
        "check" => return Some(Asked::Check),
        "help" | "usage" | "--help" | "-h" => return Some(Asked::Help),
        "version" | "--version" | "-V" => return Some(Asked::Version),
        _ => {}
    }
    if let Some(background) = word.strip_prefix("--background=") {
        let (job, generation) = background.split_once(',')?;
        let job = if job == "follow" { Job::Follow } else { Job::Lose(State::parse(job)?) };
        let word = if generation == UNWRITTEN { None } else { Some(Generation::parse(generation)?) };
        return Some(Asked::Background(job, word));
    }
    State::parse(word).and_then(transition)
}

impl Job {
    /// Returns the argument that asks for it.
    #[must_use]
    pub fn argument(self, word: Option<Generation>) -> String {
        let job = match self {
            Self::Follow => "follow",
            Self::Lose(state) => state.name(),
        };
        format!("--background={job},{}", word.map_or_else(|| UNWRITTEN.to_owned(), Generation::to_text))
    }
}

fn shown(word: &str) -> String {
    cut(&one_line(word), 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<Line, Unusable> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        read(&words)
    }

    fn notify(state: State, name: &str) -> Asked {
        Asked::Transition(state, Teller::Notify(name.to_owned()))
    }

    fn word(state: State) -> Asked {
        Asked::Transition(state, Teller::Word)
    }

    #[test]
    fn every_form_is_understood() {
        for (text, asked, address) in [
            ("INSTANCE VI_1 MASTER 100", notify(State::Master, "VI_1"), None),
            ("203.0.113.10 INSTANCE VI_1 BACKUP 100", notify(State::Backup, "VI_1"), Some("203.0.113.10")),
            ("203.0.113.10 GROUP VG STOP 0", notify(State::Stop, "VG"), Some("203.0.113.10")),
            ("GROUP INSTANCE FAULT", notify(State::Fault, "INSTANCE"), None),
            ("INSTANCE GROUP MASTER 100", notify(State::Master, "GROUP"), None),
            ("INSTANCE VI_1 DELETED 100", notify(State::Stop, "VI_1"), None),
            ("203.0.113.10 start", word(State::Master), Some("203.0.113.10")),
            ("203.0.113.10 stop", word(State::Stop), Some("203.0.113.10")),
            ("203.0.113.10 status", Asked::Status, Some("203.0.113.10")),
            ("check", Asked::Check, None),
            ("203.0.113.10 MASTER", word(State::Master), Some("203.0.113.10")),
            ("backup 203.0.113.10", word(State::Backup), Some("203.0.113.10")),
            ("203.0.113.10 fault", word(State::Fault), Some("203.0.113.10")),
            ("203.0.113.10 master_rx_lower_pri", word(State::Master), Some("203.0.113.10")),
            ("54.192.x.x start", word(State::Master), Some("54.192.x.x")),
            ("--help", Asked::Help, None),
        ] {
            let found = line(text).unwrap();
            assert_eq!(found.asked, asked, "{text}");
            assert_eq!(found.parameters.get("elastic_ip").map(String::as_str), address, "{text}");
        }
    }

    #[test]
    fn parameters_and_allocations_can_stand_beside_the_address() {
        let found = line("eipalloc-0123456789abcdef0 interface=eth1 INSTANCE VI_1 MASTER 100").unwrap();
        let parameters: Vec<_> =
            found.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(parameters, ["allocation_id=eipalloc-0123456789abcdef0", "interface=eth1"]);
    }

    #[test]
    fn the_background_argument_reads_back() {
        for word in [Some(Generation::own()), None] {
            for job in [Job::Follow, Job::Lose(State::Backup), Job::Lose(State::Stop)] {
                let found = line(&format!("203.0.113.10 {}", job.argument(word))).unwrap();
                assert_eq!(found.asked, Asked::Background(job, word));
            }
        }
    }

    #[test]
    fn a_call_that_makes_no_sense_gets_one_line_that_says_what_would() {
        for (text, part) in [
            ("", "no action"),
            ("203.0.113.10", "no action"),
            ("203.0.113.10 strat", "strat: expected"),
            ("INSTANCE VI_1 MISTER 100", "MISTER: expected the state"),
            ("203.0.113.10 start stop", "stop: one action"),
            ("203.0.113.10 start INSTANCE VI_1 MASTER 100", "start: one action"),
            ("203.0.113.10 203.0.113.11 start", "203.0.113.11: elastic_ip is 203.0.113.10 already"),
            ("interface=eth0 interface=eth1 start", "interface=eth1: interface is eth0 already"),
            ("colour=red start", "colour=red: there is no such parameter"),
            ("--background=follow start", "there is no such parameter"),
        ] {
            let unusable = line(text).unwrap_err().to_string();
            assert!(unusable.contains(part), "{text}: {unusable}");
            assert!(unusable.len() <= 128, "{unusable}");
        }
    }
}
