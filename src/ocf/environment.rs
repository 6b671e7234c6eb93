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

/// The environment variables of one call, with those of the OCF standard parsed.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    agent: &'static str,
    action_timeout: Duration,
    interval: Duration,
    check_level: u32,
    ra_version: Option<(u32, u32)>,
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
        let mut reader = EnvironmentReader { variables: &variables, warnings };
        let ra_version = reader.ra_version();
        let action_timeout = reader.action_timeout();
        let interval = reader.interval();
        let check_level = reader.check_level();
        let warnings = reader.warnings;
        let mut environment =
            Self { variables, agent: EIP.name, action_timeout, interval, check_level, ra_version, warnings };
        environment.warnings.extend(environment.log_settings().warnings());
        environment
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
        self.action_timeout
    }

    /// Whether a `monitor` is a probe, which checks the state before anything was started.
    ///
    /// # Source
    /// `ocf-shellfuncs`, `ocf_is_probe`; the scheduler omits an interval of zero.
    pub fn is_probe(&self) -> bool {
        self.interval.is_zero()
    }

    /// The configured check level, usually 0, 10 or 20; round down to the next known level.
    pub fn check_level(&self) -> u32 {
        self.check_level
    }

    /// The OCF version that the caller speaks; `None` if the caller is not a cluster.
    pub fn ra_version(&self) -> Option<(u32, u32)> {
        self.ra_version
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

/// Parses values and collects a warning for each invalid one.
struct EnvironmentReader<'a> {
    variables: &'a BTreeMap<String, String>,
    warnings: Vec<String>,
}

impl EnvironmentReader<'_> {
    /// Parses and validates a value; `None` if the variable is unset, empty or invalid.
    fn value<T: FromStr>(
        &mut self,
        name: &str,
        valid: impl Fn(&T) -> bool,
        instead: &impl Display,
    ) -> Option<T> {
        let value = self.variables.get(name).filter(|value| !value.is_empty())?;
        let parsed = value.parse().ok().filter(|parsed| valid(parsed));
        if parsed.is_none() {
            self.warnings.push(ignored(name, value, instead));
        }
        parsed
    }

    fn action_timeout(&mut self) -> Duration {
        let name = "OCF_RESKEY_CRM_meta_timeout";
        let set = self.value(name, |&milliseconds: &u64| milliseconds > 0, &DEFAULT_TIMEOUT_MS);
        Duration::from_millis(set.unwrap_or(DEFAULT_TIMEOUT_MS))
    }

    /// An invalid interval counts as a probe: its result never makes Pacemaker stop a healthy instance elsewhere.
    fn interval(&mut self) -> Duration {
        let set = self.value("OCF_RESKEY_CRM_meta_interval", |_: &u64| true, &"0, a probe");
        Duration::from_millis(set.unwrap_or_default())
    }

    /// Pacemaker before 2.0.5 passes the level like a parameter.
    fn check_level(&mut self) -> u32 {
        let set = self.value("OCF_CHECK_LEVEL", |_: &u32| true, &0);
        set.or_else(|| self.value("OCF_RESKEY_OCF_CHECK_LEVEL", |_: &u32| true, &0)).unwrap_or_default()
    }

    fn ra_version(&mut self) -> Option<(u32, u32)> {
        let major = self.value("OCF_RA_VERSION_MAJOR", |_: &u32| true, &"no cluster")?;
        let minor = self.value("OCF_RA_VERSION_MINOR", |_: &u32| true, &0).unwrap_or_default();
        Some((major, minor))
    }
}

#[cfg(test)]
mod tests;
