//! What the cluster configures about logging, under the names that `ocf_log` of the shell agents reads.

use std::collections::BTreeMap;
use std::fmt::Display;

use jiff::Zoned;
use jiff::fmt::strtime;

use crate::base::text::brief;

/// The environment variables of a call, as far as the log needs them.
#[derive(Clone)]
pub struct LogSettings {
    pub(super) variables: BTreeMap<String, String>,
    pub(super) agent: String,
    pub(super) instance: String,
}

impl LogSettings {
    /// Takes the variables of the process and the names by which the cluster knows the agent and the resource.
    pub fn new(variables: BTreeMap<String, String>, agent: &str, instance: &str) -> Self {
        Self { variables, agent: agent.to_owned(), instance: instance.to_owned() }
    }

    /// `None` if the variable is unset or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Warnings about values that the log ignores, one line each.
    pub fn warnings(&self) -> Vec<String> {
        let ignored = |name: &str, valid: &dyn Fn(&str) -> bool, used: &dyn Display| {
            let value = self.get(name).filter(|value| !valid(value))?;
            Some(ignored(name, value, used))
        };
        let facility =
            ignored("HA_LOGFACILITY", &|name| name == "none" || facility(name).is_some(), &"daemon");
        let date = ignored("HA_DATEFMT", &is_date_format, &"the default date format");
        facility.into_iter().chain(date).collect()
    }
}

/// Formats the warning about a variable with an invalid value, including the value used instead.
pub(crate) fn ignored(name: &str, value: &str, used: &dyn Display) -> String {
    format!("{name}={} is invalid: using {used}", brief(value, 40))
}

/// False if the format has an unknown conversion.
pub(super) fn is_date_format(format: &str) -> bool {
    strtime::format(format, &Zoned::default()).is_ok()
}

/// Formats a date with English names; empty if the format is invalid.
pub(super) fn in_format(format: &str, now: &Zoned) -> String {
    strtime::format(format, now).unwrap_or_default()
}

/// Maps a syslog facility name to its number; `None` if the name is unknown.
///
/// # Source
/// RFC 5424, 6.2.1; the names are those of `logger -p`.
pub(super) fn facility(name: &str) -> Option<u8> {
    const NAMES: [&str; 12] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    ];
    let name = name.to_ascii_lowercase();
    let local = |name: &str| name.strip_prefix("local")?.parse().ok().filter(|n| *n < 8).map(|n: u8| 16 + n);
    local(&name).or_else(|| NAMES.iter().position(|known| *known == name).and_then(|n| u8::try_from(n).ok()))
}
