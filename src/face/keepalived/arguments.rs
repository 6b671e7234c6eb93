//! The command line: what the user wrote in `keepalived.conf`, followed by what keepalived appends to a `notify`
//! script.

use std::collections::BTreeMap;

use super::usage;
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

impl NotificationSource {
    /// How the log names a change to this state.
    pub fn transition(&self, state: VrrpState) -> String {
        match self {
            Self::Notify(name) => format!("{name} is {}", state.name()),
            Self::Action => state.name().to_owned(),
        }
    }
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
    /// To print this text.
    Print(String),
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

/// The parsed command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// What keepalived reports, or the operator requests.
    pub request: KeepalivedRequest,
    /// Resource parameters, not yet validated.
    pub parameters: BTreeMap<String, String>,
}

/// Parses the arguments, without the program name.
///
/// # Errors
/// What is wrong, and what is expected.
pub fn read(arguments: &[String]) -> Result<CommandLine, String> {
    let mut parameters = BTreeMap::new();
    let (own, mut request) = match split(arguments) {
        Some((own, name, state)) => {
            let expected =
                || format!("{}: expected the state MASTER, BACKUP, FAULT or STOP", brief(state, 40));
            let state = VrrpState::parse(state).ok_or_else(expected)?;
            let source = NotificationSource::Notify(name.to_owned());
            (own, Some(KeepalivedRequest::Transition(state, source)))
        }
        None => (arguments, None),
    };
    for argument in own {
        let shown = brief(argument, 40);
        if let Some(found) = action(argument) {
            if request.replace(found).is_some() {
                return Err(format!(
                    "{shown}: one action is enough; notify needs none, because keepalived appends the state"
                ));
            }
        } else if !parameters::parse(&mut parameters, argument)? {
            return Err(format!(
                "{shown}: expected an address, PARAMETER=VALUE, or start, stop, status or check"
            ));
        }
    }
    let missing = "no action: expected start, stop, status, check, or what keepalived appends to notify";
    Ok(CommandLine { request: request.ok_or(missing)?, parameters })
}

/// Splits off what keepalived appends: `INSTANCE` or `GROUP`, a name, the state, the priority (missing in old
/// versions). The result is what precedes that, the name and the state.
fn split(arguments: &[String]) -> Option<(&[String], &str, &str)> {
    let split = |appended: usize| {
        let (own, appended) = arguments.split_at(arguments.len().checked_sub(appended)?);
        match appended {
            [kind, name, state] | [kind, name, state, _] if matches!(kind.as_str(), "INSTANCE" | "GROUP") => {
                Some((own, name.as_str(), state.as_str()))
            }
            _ => None,
        }
    };
    let found = [4, 3].map(split);
    // An instance may be named GROUP, so prefer the split that yields a valid state.
    let is_sound = |(_, _, state): &(_, _, &str)| VrrpState::parse(state).is_some();
    found.into_iter().flatten().find(is_sound).or_else(|| found.into_iter().flatten().next())
}

fn action(argument: &str) -> Option<KeepalivedRequest> {
    let transition = |state| KeepalivedRequest::Transition(state, NotificationSource::Action);
    Some(match argument {
        "start" => transition(VrrpState::Master),
        "stop" => transition(VrrpState::Stop),
        "status" => KeepalivedRequest::Status,
        "check" => KeepalivedRequest::Check,
        "help" | "usage" | "--help" | "-h" => KeepalivedRequest::Print(usage()),
        "version" | "--version" | "-V" => {
            KeepalivedRequest::Print(concat!("eip ", env!("CARGO_PKG_VERSION"), "\n").to_owned())
        }
        _ => match argument.strip_prefix("--background=") {
            Some(background) => {
                let (job, generation) = background.split_once(',')?;
                let job = if job == "follow" { Job::Follow } else { Job::Lose(VrrpState::parse(job)?) };
                // Nothing stands for a generation that could not be recorded.
                let is_recorded = !generation.is_empty();
                let generation = if is_recorded { Some(Generation::parse(generation)?) } else { None };
                KeepalivedRequest::Background(job, generation)
            }
            None => transition(VrrpState::parse(argument)?),
        },
    })
}

impl Job {
    /// The command-line argument that starts this job.
    pub fn argument(self, generation: Option<Generation>) -> String {
        let job = match self {
            Self::Follow => "follow",
            Self::Lose(state) => state.name(),
        };
        format!("--background={job},{}", generation.map(Generation::to_text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<CommandLine, String> {
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
            ("--help", KeepalivedRequest::Print(usage()), None),
        ] {
            let found = line(text).unwrap();
            assert_eq!(found.request, request, "{text}");
            assert_eq!(found.parameters.get("elastic_ip").map(String::as_str), address, "{text}");
        }
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
            let unusable = line(text).unwrap_err();
            assert!(unusable.contains(part), "{text}: {unusable}");
            assert!(unusable.len() <= 128, "{unusable}");
        }
    }
}
