//! The command line: what the resource is, as far as it is said here, and what to do with it.
//!
//! Heartbeat turns `elastic-ip::203.0.113.10::eth1` of its haresources into `elastic-ip 203.0.113.10 eth1 start`: arguments
//! first, the action last.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::params::table;

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
    /// Two arguments say the same thing.
    #[error("{second}: {name} is {first} already")]
    Twice {
        /// The parameter.
        name: String,
        /// Its first value.
        first: String,
        /// Its second.
        second: String,
    },
    /// An argument sets something that there is not.
    #[error("{0}: there is no parameter of this name")]
    UnknownParameter(String),
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
        other => return Err(Refused::UnknownAction(other.to_owned())),
    };
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for argument in before.iter().filter(|argument| !argument.is_empty()) {
        let (name, value) = parameter(argument)?;
        if let Some(first) = parameters.insert(name.to_owned(), value.to_owned()) {
            return Err(Refused::Twice { name: name.to_owned(), first, second: argument.clone() });
        }
    }
    Ok(Asked::Action(action, parameters))
}

/// Tells by its form what an argument sets.
fn parameter(argument: &str) -> Result<(&str, &str), Refused> {
    if let Some((name, value)) = argument.split_once('=') {
        return match table::find(table::EIP, name) {
            Some(spec) => Ok((spec.name, value)),
            None => Err(Refused::UnknownParameter(argument.to_owned())),
        };
    }
    // What begins like an address is meant to be one, and is refused as one where it isn't.
    let looks_like_address = argument.contains('.') && argument.starts_with(|c: char| c.is_ascii_digit());
    Ok(if argument.parse::<Ipv4Addr>().is_ok() || looks_like_address {
        ("elastic_ip", argument)
    } else if argument.starts_with("eipalloc-") {
        ("allocation_id", argument)
    } else {
        ("interface", argument)
    })
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
            ("203.0.113.1000 start", "elastic_ip", "203.0.113.1000"),
            ("eipalloc-0123456789abcdef0 start", "allocation_id", "eipalloc-0123456789abcdef0"),
            ("eth1 start", "interface", "eth1"),
            ("eni-0123456789abcdef0 start", "interface", "eni-0123456789abcdef0"),
            ("02:00:00:00:00:01 start", "interface", "02:00:00:00:00:01"),
            ("1 start", "interface", "1"),
            (
                "private_ip_address=n1=10.0.0.1,n2=10.0.1.1 start",
                "private_ip_address",
                "n1=10.0.0.1,n2=10.0.1.1",
            ),
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
            ("elastic_pi=203.0.113.10 start", "no parameter of this name"),
        ] {
            let refused = asked(line).unwrap_err().to_string();
            assert!(refused.contains(part), "{line}: {refused}");
        }
    }
}
