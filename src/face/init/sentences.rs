//! Output and exit codes: the sentences of the old script, the words that Heartbeat looks for, the codes of the Linux
//! Standard Base.

use crate::base::text::one_line;
use crate::ocf::exit::ExitCode;

/// Prefix of every sentence, as in the old script.
pub const DESCRIPTION: &str = "elastic-ip remapper";

/// The outcome of an action, as far as the output distinguishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Start: this node holds the address.
    Associated,
    /// Start: this node could not take the address.
    NotMapped,
    /// Stop: this node no longer holds the address.
    Disowned,
    /// Stop left the address in place, as configured.
    Left,
    /// Stop succeeded without reaching AWS, so the address may still be here.
    MaybeLeft,
    /// Stop: the address may still be here.
    NotDisowned,
    /// Status: the address is here.
    Here,
    /// Status: the address is not here.
    NotHere,
    /// Status: cannot be determined.
    Unknown,
}

/// The output for an outcome; `name` is the address as the operator named it, if one is set, `node` the id of this instance.
///
/// Heartbeat reads only the words of `status`: "not running" means stopped, "running" or "OK" means started, anything
/// else means stopped. The first line is the old script's, unchanged; the second one is for Heartbeat. Neither quotes
/// a reason if the result is "unknown": a reason such as "no TOKEN" would mean started.
///
/// # Source
/// Heartbeat 3.0.6, `ResourceManager`, `we_own_resource`.
pub fn sentence(outcome: Outcome, name: Option<&str>, node: &str) -> String {
    let (d, name) = (DESCRIPTION, name.map(one_line));
    let ip = name.as_ref().map_or_else(|| "an IP address".to_owned(), |name| format!("IP {name}"));
    let name = name.unwrap_or_else(|| "an IP address".into());
    match outcome {
        Outcome::Associated => format!("{d}: {ip} associated with {node}\n"),
        Outcome::NotMapped => format!("{d}: Could not map {ip} to {node}\n"),
        Outcome::Disowned => format!("{d}: {ip} disowned\n"),
        Outcome::Left => format!("{d}: {ip} left where it is\n"),
        Outcome::MaybeLeft => format!("{d}: {ip} may still be associated with {node}\n"),
        Outcome::NotDisowned => format!("{d}: Could not disown {name}\n"),
        Outcome::Here => format!("{d}: I have {name}\n{d}: running\n"),
        Outcome::NotHere => format!("{d}: I do not have {name}\n{d}: not running\n"),
        Outcome::Unknown => format!("{d}: I cannot tell who has {name}\n{d}: unknown\n"),
    }
}

/// `status`: stopped.
pub const STATUS_STOPPED: u8 = 3;
/// `status`: unknown.
pub const STATUS_UNKNOWN: u8 = 4;
/// The command line is wrong (LSB, "invalid or excess argument(s)").
pub const INVALID_ARGUMENT: u8 = 2;
/// The action is not implemented (LSB, "unimplemented feature").
pub const UNIMPLEMENTED: u8 = 3;
/// The settings file cannot be read.
pub const NO_PRIVILEGE: u8 = 4;
/// The settings are invalid, in general or on this node.
pub const NOT_CONFIGURED: u8 = 6;

/// Maps an OCF exit code to the LSB code of `start`, `stop`, `restart` and `force-reload`.
///
/// # Source
/// Linux Standard Base Core 5.0, 22.2 "Init Script Actions". Its code 2 covers only the command line, so what OCF
/// calls a wrong argument, such as an address that the account does not have or an interface that this node lacks,
/// becomes "not configured".
pub fn code(code: ExitCode) -> u8 {
    match code {
        ExitCode::Success => 0,
        ExitCode::Generic => 1,
        ExitCode::Unimplemented => UNIMPLEMENTED,
        ExitCode::Permission => NO_PRIVILEGE,
        ExitCode::Installed => 5,
        ExitCode::Args | ExitCode::Configured => NOT_CONFIGURED,
        ExitCode::NotRunning => 7,
    }
}

/// Maps a monitor's exit code to the LSB code of `status`.
pub fn status_code(code: ExitCode) -> u8 {
    match code {
        ExitCode::Success => 0,
        ExitCode::NotRunning => STATUS_STOPPED,
        _ => STATUS_UNKNOWN,
    }
}

/// What `elastic-ip` prints without an action, or with a wrong one.
pub const USAGE: &str = "usage: elastic-ip [ARGUMENT...] {start|stop|status|restart|force-reload}\n\n\
     Moves an AWS Elastic IP to this node and releases it. Called by Heartbeat, by init, or by hand.\n\
     ARGUMENT is the address, its allocation id (eipalloc-...), the interface that gets it (eth1, eni-..., a MAC\n\
     address), or NAME=VALUE for any parameter of ocf:heartbeat:eip. In haresources they are joined by \"::\", as in\n\
     elastic-ip::203.0.113.10::eth1. Without them the settings come from /etc/default/elastic-ip or\n\
     /etc/sysconfig/elastic-ip.\n";

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Outcome; 9] = [
        Outcome::Associated,
        Outcome::NotMapped,
        Outcome::Disowned,
        Outcome::Left,
        Outcome::MaybeLeft,
        Outcome::NotDisowned,
        Outcome::Here,
        Outcome::NotHere,
        Outcome::Unknown,
    ];

    /// Interprets `status` output like `we_own_resource`.
    fn owns(words: &str) -> bool {
        let after = |word: &str, then: &str| words.to_lowercase().contains(&format!("{word} {then}"));
        if after("not", "running") {
            return false;
        }
        words.contains("running") || words.contains("Running") || words.contains("OK")
    }

    #[test]
    fn heartbeat_reads_the_right_answer_from_the_words() {
        for outcome in ALL {
            let words = sentence(outcome, Some("203.0.113.10"), "i-0123456789abcdef0");
            assert_eq!(owns(&words), outcome == Outcome::Here, "{words}");
        }
    }

    #[test]
    fn the_sentences_of_the_old_script_are_whole_lines() {
        for (outcome, line) in [
            (Outcome::Here, "elastic-ip remapper: I have 203.0.113.10"),
            (Outcome::NotHere, "elastic-ip remapper: I do not have 203.0.113.10"),
            (Outcome::Associated, "elastic-ip remapper: IP 203.0.113.10 associated with i-1"),
            (Outcome::NotMapped, "elastic-ip remapper: Could not map IP 203.0.113.10 to i-1"),
            (Outcome::Disowned, "elastic-ip remapper: IP 203.0.113.10 disowned"),
            (Outcome::NotDisowned, "elastic-ip remapper: Could not disown 203.0.113.10"),
        ] {
            assert_eq!(sentence(outcome, Some("203.0.113.10"), "i-1").lines().next(), Some(line));
        }
    }

    #[test]
    fn the_usage_is_for_people_and_mentions_every_action() {
        assert!(USAGE.is_ascii() && USAGE.lines().all(|line| line.len() <= 120), "{USAGE}");
        assert!(
            ["start", "stop", "status", "restart", "force-reload"]
                .iter()
                .all(|action| USAGE.contains(action))
        );
    }
}
