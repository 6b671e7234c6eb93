//! The parameters of `eip-health`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::ParamError;
use super::table;
use super::value::Values;

/// A week; a role's policy changes more often than that.
const LONGEST_INTERVAL: u64 = 604_800;

/// The parameters of a resource `eip-health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthParams {
    /// Time between dry runs of the EC2 calls.
    pub dry_run_interval: Duration,
    /// Whether the node's health is set.
    pub node_health: bool,
}

impl HealthParams {
    /// Validates the values, keyed by parameter name without the `OCF_RESKEY_` prefix.
    ///
    /// # Errors
    /// The first parameter that is malformed.
    pub fn parse(raw: &BTreeMap<String, String>) -> Result<Self, ParamError> {
        let values = Values::new(raw, table::HEALTH);
        Ok(Self {
            dry_run_interval: values.seconds("dry_run_interval", 1, LONGEST_INTERVAL)?,
            node_health: values.boolean("node_health")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dry_runs_once_an_hour_are_on_by_default() {
        let parse = |name: &str, value: &str| {
            HealthParams::parse(&BTreeMap::from([(name.to_owned(), value.to_owned())]))
        };
        let default = HealthParams { dry_run_interval: Duration::from_hours(1), node_health: false };
        assert_eq!(parse("node_health", "").unwrap(), default);
        assert!(parse("node_health", "yes").unwrap().node_health);
        let reason = parse("dry_run_interval", "0").unwrap_err().to_string();
        assert!(reason.starts_with("dry_run_interval=0"), "{reason}");
    }
}
