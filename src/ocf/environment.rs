//! The cluster's environment variables, read and checked once per call.
//!
//! An invalid value never fails an action: the default applies, and a warning is kept for the log.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use super::agent::EIP;
use crate::base::log::{LogSettings, ignored};
use crate::base::text::one_line;

/// The environment variables of one call.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    agent: &'static str,
    warnings: Vec<String>,
}

// Lists names only: the values may be keys and tokens.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("names", &self.variables.keys()).finish_non_exhaustive()
    }
}

/// Action timeout if the cluster sets none, in milliseconds.
///
/// # Source
/// Pacemaker Explained, "Operation properties": `timeout`.
const DEFAULT_TIMEOUT_MS: u64 = 20_000;
/// Timeout of the action, in milliseconds.
const TIMEOUT: &str = "OCF_RESKEY_CRM_meta_timeout";
/// Interval of a monitor, in milliseconds.
const INTERVAL: &str = "OCF_RESKEY_CRM_meta_interval";
/// Check level of a monitor or of `validate-all`; 0 if unset.
const LEVEL: &str = "OCF_CHECK_LEVEL";
/// The same from Pacemaker before 2.0.5, which passes it like a parameter.
const OLD_LEVEL: &str = "OCF_RESKEY_OCF_CHECK_LEVEL";
/// The OCF version that the caller speaks.
const MAJOR: &str = "OCF_RA_VERSION_MAJOR";
const MINOR: &str = "OCF_RA_VERSION_MINOR";

/// Prefixes of the variables that concern the agent; others are not worth a warning.
const OURS: [&str; 4] = ["OCF_", "HA_", "AWS_", "EIP_"];

impl Environment {
    /// Takes the variables of the process, replacing bytes that are not UTF-8.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut warnings = Vec::new();
        let variables = variables
            .into_iter()
            .map(|(name, value)| {
                let name = name.to_string_lossy().into_owned();
                let value = value.into_string().unwrap_or_else(|value| {
                    if OURS.iter().any(|ours| name.starts_with(ours)) {
                        warnings.push(format!("{} is not UTF-8: invalid bytes replaced", one_line(&name)));
                    }
                    value.to_string_lossy().into_owned()
                });
                (name, value)
            })
            .collect();
        let environment = Self { variables, agent: EIP.name, warnings: Vec::new() };
        let is_number = |name| environment.number::<u32>(name).is_some();
        let checks: [(&str, bool, &dyn Display); 6] = [
            (TIMEOUT, environment.timeout_ms().is_some(), &DEFAULT_TIMEOUT_MS),
            (INTERVAL, environment.number::<u64>(INTERVAL).is_some(), &"0, a probe"),
            (LEVEL, is_number(LEVEL), &0),
            (OLD_LEVEL, is_number(OLD_LEVEL), &0),
            (MAJOR, is_number(MAJOR), &"no cluster"),
            (MINOR, is_number(MINOR), &0),
        ];
        for (name, is_valid, used) in checks {
            if let Some(value) = environment.get(name).filter(|_| !is_valid) {
                warnings.push(ignored(name, value, used));
            }
        }
        warnings.extend(environment.log_settings().warnings());
        Self { warnings, ..environment }
    }

    /// Sets the agent name used if the cluster does not provide one.
    #[must_use]
    pub fn of_agent(self, agent: &'static str) -> Self {
        Self { agent, ..self }
    }

    /// The environment that an agent would see for another resource.
    #[must_use]
    pub fn of_resource(mut self, resource: &str) -> Self {
        self.variables.insert("OCF_RESOURCE_INSTANCE".to_owned(), resource.to_owned());
        self
    }

    /// The raw value of a variable; `None` if it is unset or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// A variable as it is set, which may be to nothing.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Warnings about invalid values, one line each, for the log.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The resource name, with `:N` for a clone instance.
    pub fn instance(&self) -> &str {
        self.get("OCF_RESOURCE_INSTANCE").unwrap_or("default")
    }

    /// The agent name as the cluster knows it.
    pub fn resource_type(&self) -> &str {
        self.get("OCF_RESOURCE_TYPE").unwrap_or(self.agent)
    }

    /// The time after process start at which Pacemaker kills the action.
    pub fn action_timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms().unwrap_or(DEFAULT_TIMEOUT_MS))
    }

    fn timeout_ms(&self) -> Option<u64> {
        self.number(TIMEOUT).filter(|ms| *ms > 0)
    }

    /// The value of a variable; `None` if it is unset, empty or invalid.
    fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// Whether a `monitor` is a probe, which checks the state before anything was started. With an invalid interval it counts as
    /// one: its result never makes Pacemaker stop a healthy instance elsewhere.
    ///
    /// # Source
    /// `ocf-shellfuncs`, `ocf_is_probe`; the scheduler omits an interval of zero.
    pub fn is_probe(&self) -> bool {
        self.number(INTERVAL).unwrap_or(0u64) == 0
    }

    /// The configured check level, usually 0, 10 or 20; round down to the next known level.
    pub fn check_level(&self) -> u32 {
        self.number(LEVEL).or_else(|| self.number(OLD_LEVEL)).unwrap_or_default()
    }

    /// The OCF version that the caller speaks; `None` if the caller is not a cluster.
    pub fn ra_version(&self) -> Option<(u32, u32)> {
        Some((self.number(MAJOR)?, self.number(MINOR).unwrap_or_default()))
    }

    /// The cluster's name for this node, if it provides one.
    pub fn node_name(&self) -> Option<&str> {
        self.get("OCF_RESKEY_CRM_meta_on_node")
    }

    /// The cluster node that hosts this one; `None` unless this is a bundle or guest node.
    ///
    /// # Source
    /// Pacemaker Explained, "Bundles": `CRM_meta_physical_host`.
    pub fn physical_host(&self) -> Option<&str> {
        self.get("OCF_RESKEY_CRM_meta_physical_host")
    }

    /// The part of the environment that configures the log.
    pub fn log_settings(&self) -> LogSettings {
        LogSettings::new(self.variables.clone(), self.resource_type(), self.instance())
    }

    /// The resource parameters by name, including those that the cluster adds.
    pub fn reskeys(&self) -> BTreeMap<String, String> {
        let keys = self.variables.iter().filter_map(|(name, value)| {
            name.strip_prefix("OCF_RESKEY_").map(|name| (name.to_owned(), value.clone()))
        });
        keys.collect()
    }
}

#[cfg(test)]
mod tests;
