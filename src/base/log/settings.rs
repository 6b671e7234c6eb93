//! What the cluster configures about logging, under the names that `ocf_log` of the shell agents reads.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::destinations::{Dates, facility};
use crate::base::text::brief;

/// The environment variables of a call, as far as the log needs them.
#[derive(Clone)]
pub struct LogSettings {
    variables: BTreeMap<String, String>,
    agent: String,
    instance: String,
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

    /// All variables, sorted by name.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(super) fn agent(&self) -> &str {
        &self.agent
    }

    pub(super) fn instance(&self) -> &str {
        &self.instance
    }

    /// The prefix of an exit reason on standard error.
    pub(super) fn reason_prefix(&self) -> &str {
        self.get("OCF_EXIT_REASON_PREFIX").unwrap_or("ocf-exit-reason:")
    }

    /// Warnings about values that the log ignores, one line each.
    pub fn warnings(&self) -> Vec<String> {
        let ignored = |name: &str, valid: &dyn Fn(&str) -> bool, used: &dyn Display| {
            let value = self.get(name).filter(|value| !valid(value))?;
            Some(ignored(name, value, used))
        };
        let facility =
            ignored("HA_LOGFACILITY", &|name| name == "none" || facility(name).is_some(), &"daemon");
        let date = ignored("HA_DATEFMT", &Dates::are_possible_in, &"the default date format");
        facility.into_iter().chain(date).collect()
    }
}

/// Formats the warning about a variable with an invalid value, including the value used instead.
pub(crate) fn ignored(name: &str, value: &str, used: &dyn Display) -> String {
    format!("{name}={} is invalid: using {used}", brief(value, 40))
}
