//! The command line: what the user wrote in `keepalived.conf`, followed by what keepalived appends to a `notify`
//! script.

use std::collections::BTreeMap;

use crate::base::text::brief;
use crate::face::parameters;
use crate::state::generations::Generation;

/// The VRRP state of this node, as far as it matters for the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VrrpState {
    /// This node should hold the address.
    Master,
    /// Another node should hold it.
    Backup,
    /// A tracked interface or script has failed on this node.
    Fault,
    /// keepalived is stopping, or the instance was removed from its configuration.
    Stop,
}

impl VrrpState {
    /// The name of the state as keepalived writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Master => "MASTER",
            Self::Backup => "BACKUP",
            Self::Fault => "FAULT",
            Self::Stop => "STOP",
        }
    }

    /// # Source
    /// keepalived.conf(5), `notify`: MASTER, BACKUP, FAULT, STOP, DELETED. `notify_master_rx_lower_pri` reports a
    /// master that was partitioned: the node on the other side may have taken the address.
    fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "MASTER" | "MASTER_RX_LOWER_PRI" => Self::Master,
            "BACKUP" => Self::Backup,
            "FAULT" => Self::Fault,
            "STOP" | "DELETED" => Self::Stop,
            _ => return None,
        })
    }
}

/// Where a notification comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationSource {
    /// keepalived's `notify`, which will also report the next state. Contains the name of the instance or group.
    Notify(String),
    /// An action, from `notify_master` and the like or typed by hand.
    Action,
}

/// What a call requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepalivedRequest {
    /// The node has changed to this state.
    Transition(VrrpState, NotificationSource),
    /// Whether the address is here, for a person.
    Status,
    /// Whether this node is healthy, for `vrrp_script`.
    Check,
    /// The usage text.
    Help,
    /// The version.
    Version,
    /// A background job of an earlier call, with that call's generation; `None` if it could not be recorded.
    Background(Job, Option<Generation>),
}

/// Work that continues after the process that keepalived started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Release the address, or hand it over to the peer.
    Lose(VrrpState),
    /// Poll until the address has moved, if keepalived will not notify us.
    Follow,
}

/// Stands for a generation that could not be recorded.
const UNWRITTEN: &str = "unwritten";

/// The parsed command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The requested action.
    pub request: KeepalivedRequest,
    /// Resource parameters, not yet validated.
    pub parameters: BTreeMap<String, String>,
}

/// Why a command line is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandLineError {
    /// No action.
    #[error("no action: expected start, stop, status, check, or what keepalived appends to notify")]
    NoAction,
    /// Neither an address, a parameter nor an action.
    #[error("{0}: expected an address, PARAMETER=VALUE, or start, stop, status or check")]
    Unexpected(String),
    /// Not a state of keepalived.
    #[error("{0}: expected the state MASTER, BACKUP, FAULT or STOP")]
    State(String),
    /// More than one action.
    #[error("{0}: one action is enough; notify needs none, because keepalived appends the state")]
    TwoActions(String),
    /// Unknown parameter, or one set twice.
    #[error(transparent)]
    Parameter(#[from] parameters::ArgumentError),
}

/// Parses the arguments, without the program name.
///
/// # Errors
/// Any [`CommandLineError`]; its text states what is expected.
pub fn read(arguments: &[String]) -> Result<CommandLine, CommandLineError> {
    let (own, appended) = split(arguments);
    let mut parameters = BTreeMap::new();
    let mut request = match appended {
        Some((name, state)) => {
            let state = VrrpState::parse(state).ok_or_else(|| CommandLineError::State(brief(state, 40)))?;
            Some(KeepalivedRequest::Transition(state, NotificationSource::Notify(name.to_owned())))
        }
        None => None,
    };
    for argument in own {
        if let Some(found) = action(argument) {
            if request.is_some() {
                return Err(CommandLineError::TwoActions(brief(argument, 40)));
            }
            request = Some(found);
        } else if !parameters::parse(&mut parameters, argument)? {
            return Err(CommandLineError::Unexpected(brief(argument, 40)));
        }
    }
    request.map(|request| CommandLine { request, parameters }).ok_or(CommandLineError::NoAction)
}

/// Splits off what keepalived appends: `INSTANCE` or `GROUP`, a name, the state, the priority (missing in old
/// versions).
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
    // An instance may be named GROUP, so prefer the split that yields a valid state.
    let sound = found.iter().find(|(_, (_, state))| VrrpState::parse(state).is_some());
    match sound.or(found.first()) {
        Some((index, appended)) => (arguments.get(..*index).unwrap_or_default(), Some(*appended)),
        None => (arguments, None),
    }
}

fn action(argument: &str) -> Option<KeepalivedRequest> {
    let transition = |state| Some(KeepalivedRequest::Transition(state, NotificationSource::Action));
    match argument {
        "start" => return transition(VrrpState::Master),
        "stop" => return transition(VrrpState::Stop),
        "status" => return Some(KeepalivedRequest::Status),
        "check" => return Some(KeepalivedRequest::Check),
        "help" | "usage" | "--help" | "-h" => return Some(KeepalivedRequest::Help),
        "version" | "--version" | "-V" => return Some(KeepalivedRequest::Version),
        _ => {}
    }
    if let Some(background) = argument.strip_prefix("--background=") {
        let (job, generation) = background.split_once(',')?;
        let job = if job == "follow" { Job::Follow } else { Job::Lose(VrrpState::parse(job)?) };
        let generation = if generation == UNWRITTEN { None } else { Some(Generation::parse(generation)?) };
        return Some(KeepalivedRequest::Background(job, generation));
    }
    VrrpState::parse(argument).and_then(transition)
}

impl Job {
    /// The command-line argument that starts this job.
    pub fn argument(self, generation: Option<Generation>) -> String {
        let job = match self {
            Self::Follow => "follow",
            Self::Lose(state) => state.name(),
        };
        format!("--background={job},{}", generation.map_or_else(|| UNWRITTEN.to_owned(), Generation::to_text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<CommandLine, CommandLineError> {
        let arguments: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        read(&arguments)
    }

    fn notify(state: VrrpState, name: &str) -> KeepalivedRequest {
        KeepalivedRequest::Transition(state, NotificationSource::Notify(name.to_owned()))
    }

    fn by_action(state: VrrpState) -> KeepalivedRequest {
        KeepalivedRequest::Transition(state, NotificationSource::Action)
    }

    #[test]
    fn every_form_is_understood() {
        for (text, request, address) in [
            ("INSTANCE VI_1 MASTER 100", notify(VrrpState::Master, "VI_1"), None),
            (
                "203.0.113.10 INSTANCE VI_1 BACKUP 100",
                notify(VrrpState::Backup, "VI_1"),
                Some("203.0.113.10"),
            ),
            ("203.0.113.10 GROUP VG STOP 0", notify(VrrpState::Stop, "VG"), Some("203.0.113.10")),
            ("GROUP INSTANCE FAULT", notify(VrrpState::Fault, "INSTANCE"), None),
            ("INSTANCE GROUP MASTER 100", notify(VrrpState::Master, "GROUP"), None),
            ("INSTANCE VI_1 DELETED 100", notify(VrrpState::Stop, "VI_1"), None),
            ("203.0.113.10 start", by_action(VrrpState::Master), Some("203.0.113.10")),
            ("203.0.113.10 stop", by_action(VrrpState::Stop), Some("203.0.113.10")),
            ("203.0.113.10 status", KeepalivedRequest::Status, Some("203.0.113.10")),
            ("check", KeepalivedRequest::Check, None),
            ("203.0.113.10 MASTER", by_action(VrrpState::Master), Some("203.0.113.10")),
            ("backup 203.0.113.10", by_action(VrrpState::Backup), Some("203.0.113.10")),
            ("203.0.113.10 fault", by_action(VrrpState::Fault), Some("203.0.113.10")),
            ("203.0.113.10 master_rx_lower_pri", by_action(VrrpState::Master), Some("203.0.113.10")),
            ("54.192.x.x start", by_action(VrrpState::Master), Some("54.192.x.x")),
            ("--help", KeepalivedRequest::Help, None),
        ] {
            let found = line(text).unwrap();
            assert_eq!(found.request, request, "{text}");
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
        for generation in [Some(Generation::own()), None] {
            for job in [Job::Follow, Job::Lose(VrrpState::Backup), Job::Lose(VrrpState::Stop)] {
                let found = line(&format!("203.0.113.10 {}", job.argument(generation))).unwrap();
                assert_eq!(found.request, KeepalivedRequest::Background(job, generation));
            }
        }
    }

    #[test]
    fn an_invalid_call_gets_one_line_with_what_would() {
        for (text, part) in [
            ("", "no action"),
            ("203.0.113.10", "no action"),
            ("203.0.113.10 strat", "strat: expected"),
            ("INSTANCE VI_1 MISTER 100", "MISTER: expected the state"),
            ("203.0.113.10 start stop", "stop: one action"),
            ("203.0.113.10 start INSTANCE VI_1 MASTER 100", "start: one action"),
            ("203.0.113.10 203.0.113.11 start", "203.0.113.11: elastic_ip is already 203.0.113.10"),
            ("interface=eth0 interface=eth1 start", "interface=eth1: interface is already eth0"),
            ("colour=red start", "colour=red: no such parameter"),
            ("--background=follow start", "no such parameter"),
        ] {
            let unusable = line(text).unwrap_err().to_string();
            assert!(unusable.contains(part), "{text}: {unusable}");
            assert!(unusable.len() <= 128, "{unusable}");
        }
    }
}
