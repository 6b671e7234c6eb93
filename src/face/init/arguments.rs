//! The command line: what the resource is, as far as it is said here, and what to do with it.
//!
//! Heartbeat turns `elastic-ip::203.0.113.10::eth1` of its haresources into `elastic-ip 203.0.113.10 eth1 start`: arguments
//! first, the action last.

use std::collections::BTreeMap;

use crate::base::text::{cut, one_line};
use crate::face::given;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Take the address.
    Start,
    /// Let it go.
    Stop,
    /// Say whether it is here.
    Status,
    /// Let it go and take it again.
    Restart,
    /// Start again, if the address is here.
    ForceReload,
}

/// A command line that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// An action, with the parameters that the arguments before it set.
    Action(Action, BTreeMap<String, String>),
    /// The text that says how it is called.
    Help,
}

/// A command line that does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no argument.
    #[error("no action: start, stop, status, restart or force-reload is expected")]
    NoAction,
    /// The last argument is no action.
    #[error(
        "{0} is no action: start, stop, status, restart or force-reload is expected as the last argument"
    )]
    UnknownAction(String),
    /// The last argument is an action of init scripts that this one does not have.
    #[error("{0} is not implemented: every call reads the settings anew")]
    Unimplemented(String),
    /// An argument sets something that there is not, or that is set already.
    #[error(transparent)]
    Parameter(#[from] given::Refused),
}

/// Actions that the standard calls optional and that this script leaves out.
///
/// # Source
/// Linux Standard Base Core 5.0, 22.2 "Init Script Actions".
const OPTIONAL: [&str; 3] = ["reload", "try-restart", "condrestart"];

/// Reads the arguments, the name of the program left out.
///
/// # Errors
/// What makes no sense about them.
pub fn read(arguments: &[String]) -> Result<Asked, Refused> {
    let Some((last, before)) = arguments.split_last() else {
        return Err(Refused::NoAction);
    };
    let action = match last.as_str() {
        "start" => Action::Start,
        "stop" => Action::Stop,
        "status" => Action::Status,
        "restart" => Action::Restart,
        "force-reload" => Action::ForceReload,
        "help" | "usage" | "--help" | "-h" => return Ok(Asked::Help),
        other if OPTIONAL.contains(&other) => return Err(Refused::Unimplemented(other.to_owned())),
        other => return Err(Refused::UnknownAction(cut(&one_line(other), 80))),
    };
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for argument in before.iter().filter(|argument| !argument.is_empty()) {
        if !given::take(&mut parameters, argument)? {
            given::set(&mut parameters, "interface", argument, argument)?;
        }
    }
    Ok(Asked::Action(action, parameters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked, Refused> {
        read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    fn parameters(line: &str) -> Vec<(String, String)> {
        match asked(line) {
            Ok(Asked::Action(Action::Start, parameters)) => parameters.into_iter().collect(),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_action_comes_last() {
        for (line, action) in [
            ("start", Action::Start),
            ("203.0.113.10 stop", Action::Stop),
            ("status", Action::Status),
            ("a=b restart", Action::Restart),
            ("force-reload", Action::ForceReload),
        ] {
            let line = line.replace("a=b", "region=eu-west-1");
            assert!(matches!(asked(&line), Ok(Asked::Action(found, _)) if found == action), "{line}");
        }
        assert_eq!(asked("--help"), Ok(Asked::Help));
    }

    #[test]
    fn arguments_are_known_by_their_form() {
        for (line, name, value) in [
            ("203.0.113.10 start", "elastic_ip", "203.0.113.10"),
            ("eipalloc-0123456789abcdef0 start", "allocation_id", "eipalloc-0123456789abcdef0"),
            ("eth1 start", "interface", "eth1"),
            ("eni-0123456789abcdef0 start", "interface", "eni-0123456789abcdef0"),
            ("02:00:00:00:00:01 start", "interface", "02:00:00:00:00:01"),
            ("1 start", "interface", "1"),
        ] {
            assert_eq!(parameters(line), [(name.to_owned(), value.to_owned())], "{line}");
        }
        assert_eq!(parameters("203.0.113.10 eth1 on_stop=leave start").len(), 3);
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (line, part) in [
            ("", "no action"),
            ("203.0.113.10", "203.0.113.10 is no action"),
            ("start 203.0.113.10", "as the last argument"),
            ("reload", "not implemented"),
            ("203.0.113.10 203.0.113.11 start", "203.0.113.11: elastic_ip is 203.0.113.10 already"),
            ("elastic_pi=203.0.113.10 start", "there is no such parameter"),
        ] {
            let refused = asked(line).unwrap_err().to_string();
            assert!(refused.contains(part), "{line}: {refused}");
        }
    }
}
