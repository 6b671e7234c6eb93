//! The command line: resource parameters, then the action.
//!
//! Heartbeat turns `elastic-ip::203.0.113.10::eth1` in its haresources into `elastic-ip 203.0.113.10 eth1 start`.

use std::collections::BTreeMap;

use super::sentences::{INVALID_ARGUMENT, UNIMPLEMENTED};
use crate::base::text::brief;
use crate::face::parameters;

/// The actions of the init script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitAction {
    /// Take the address, even if another node holds it.
    Start,
    /// Release the address, if it is here.
    Stop,
    /// Report whether the address is here.
    Status,
    /// Stop, then start, whether or not the address is here.
    Restart,
    /// Start again, but only if the address is here.
    ForceReload,
}

/// A valid command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InitRequest {
    /// An action, with the parameters given before it.
    Action(InitAction, BTreeMap<String, String>),
    /// Print the usage text.
    Help,
}

/// LSB actions that are optional and not implemented here, with the reason.
///
/// # Source
/// Linux Standard Base Core 5.0, 22.2 "Init Script Actions".
const OPTIONAL: [(&str, &str); 3] =
    [("reload", "every call rereads the settings"), ("try-restart", INSTEAD), ("condrestart", INSTEAD)];
const INSTEAD: &str = "force-reload restarts only if the address is here";

/// Parses the arguments, without the program name.
///
/// # Errors
/// The exit code and the reason, one line.
pub fn read(arguments: &[String]) -> Result<InitRequest, (u8, String)> {
    const EXPECTED: &str = "expected start, stop, status, restart or force-reload";
    let wrong = |reason: String| (INVALID_ARGUMENT, reason);
    let (last, before) = arguments.split_last().ok_or_else(|| wrong(format!("no action: {EXPECTED}")))?;
    let action = match last.as_str() {
        "start" => InitAction::Start,
        "stop" => InitAction::Stop,
        "status" => InitAction::Status,
        "restart" => InitAction::Restart,
        "force-reload" => InitAction::ForceReload,
        "help" | "usage" | "--help" | "-h" => return Ok(InitRequest::Help),
        other => {
            if let Some((action, reason)) = OPTIONAL.into_iter().find(|(action, _)| *action == other) {
                return Err((UNIMPLEMENTED, format!("{action} is not implemented: {reason}")));
            }
            let other = brief(other, 80);
            return Err(wrong(format!("{other} is not an action: {EXPECTED} as the last argument")));
        }
    };
    let mut parameters = BTreeMap::new();
    for argument in before.iter().filter(|argument| !argument.is_empty()) {
        if !parameters::parse(&mut parameters, argument).map_err(wrong)? {
            parameters::set(&mut parameters, "interface", argument, argument).map_err(wrong)?;
        }
    }
    Ok(InitRequest::Action(action, parameters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<InitRequest, (u8, String)> {
        read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    fn parameters(line: &str) -> Vec<(String, String)> {
        match parsed(line) {
            Ok(InitRequest::Action(InitAction::Start, parameters)) => parameters.into_iter().collect(),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_action_comes_last() {
        for (line, action) in [
            ("start", InitAction::Start),
            ("203.0.113.10 stop", InitAction::Stop),
            ("status", InitAction::Status),
            ("a=b restart", InitAction::Restart),
            ("force-reload", InitAction::ForceReload),
        ] {
            let line = line.replace("a=b", "region=eu-west-1");
            assert!(matches!(parsed(&line), Ok(InitRequest::Action(found, _)) if found == action), "{line}");
        }
        assert_eq!(parsed("--help"), Ok(InitRequest::Help));
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
    fn an_invalid_value_is_reported() {
        for (line, part) in [
            ("", "no action"),
            ("203.0.113.10", "203.0.113.10 is not an action"),
            ("start 203.0.113.10", "as the last argument"),
            ("203.0.113.10 203.0.113.11 start", "203.0.113.11: elastic_ip is already 203.0.113.10"),
            ("elastic_pi=203.0.113.10 start", "no such parameter"),
        ] {
            let refused = parsed(line).unwrap_err().1;
            assert!(refused.contains(part), "{line}: {refused}");
        }
    }

    #[test]
    fn a_restart_on_condition_is_not_refused_for_the_reason_of_a_reload() {
        for (line, message) in [
            ("reload", "reload is not implemented: every call rereads the settings"),
            (
                "try-restart",
                "try-restart is not implemented: force-reload restarts only if the address is here",
            ),
            (
                "condrestart",
                "condrestart is not implemented: force-reload restarts only if the address is here",
            ),
        ] {
            assert_eq!(parsed(line), Err((UNIMPLEMENTED, message.to_owned())));
        }
    }
}
