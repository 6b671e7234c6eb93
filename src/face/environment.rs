//! Synthesises the OCF environment for callers other than Pacemaker.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::ocf::environment::Environment;

/// Builds the environment of a call for a resource: that of the process without what a cluster has set, and `own` on top. Logs go to
/// syslog, unless another destination is configured or syslog is not running.
pub fn synthesise(
    process: &[(OsString, OsString)],
    program: &str,
    resource: &str,
    timeout: Duration,
    own: impl IntoIterator<Item = (String, String)>,
) -> Environment {
    // The caller is not a cluster, so inherited OCF variables do not apply; the record folder must not depend on the
    // caller.
    let foreign =
        |name: &str| name.starts_with("OCF_RE") || name.starts_with("OCF_RA_") || name == "HA_RSCTMP";
    let inherited = process.iter().filter(|(name, _)| !foreign(&name.to_string_lossy())).cloned();
    let standard = [
        ("OCF_RESOURCE_INSTANCE", resource.to_owned()),
        ("OCF_RESOURCE_TYPE", program.to_owned()),
        ("OCF_EXIT_REASON_PREFIX", format!("{program}: ")),
        ("OCF_RESKEY_CRM_meta_timeout", timeout.as_millis().to_string()),
    ];
    let standard = standard.map(|(name, value)| (name.into(), value.into()));
    let own = own.into_iter().map(|(name, value)| (name.into(), value.into()));
    let variables = inherited.chain(standard).chain(own).collect();
    Environment::new(with_facility(variables, Path::new("/dev/log").exists()))
}

/// Adds the facility for syslog, unless another destination is configured or syslog is not running.
fn with_facility(mut variables: Vec<(OsString, OsString)>, has_syslog: bool) -> Vec<(OsString, OsString)> {
    let has = |name: &str| variables.iter().any(|(other, value)| other == name && !value.is_empty());
    if has_syslog && !has("HA_LOGFACILITY") && !has("HA_LOGFILE") {
        variables.push(("HA_LOGFACILITY".into(), "daemon".into()));
    }
    variables
}

/// Resource parameters as the variables in which a cluster passes them.
pub fn reskeys(parameters: &BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    parameters.iter().map(|(name, value)| (format!("OCF_RESKEY_{name}"), value.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn nothing_that_a_cluster_sets_is_taken_for_a_setting_and_the_file_takes_precedence_over_the_process() {
        let process = [
            ("OCF_RESKEY_region", "x"),
            ("OCF_RESKEY_on_stop", "x"),
            ("OCF_RA_VERSION_MAJOR", "9"),
            ("HA_RSCTMP", "/x"),
            ("AWS_REGION", "a"),
            ("HOME", "/root"),
        ];
        let file = [("OCF_RESKEY_region", "eu-west-2"), ("AWS_REGION", "b")];
        let file = file.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let resource = "elastic-ip-203.0.113.10";
        let made = synthesise(&own(&process), "elastic-ip", resource, Duration::from_secs(7), file);
        assert_eq!(made.get("OCF_RESKEY_region"), Some("eu-west-2"));
        assert_eq!(
            (made.get("OCF_RESKEY_on_stop"), made.get("HA_RSCTMP"), made.ra_version()),
            (None, None, None)
        );
        assert_eq!((made.get("AWS_REGION"), made.get("HOME")), (Some("b"), Some("/root")));
        assert_eq!(made.instance(), resource);
        assert_eq!(made.action_timeout(), Duration::from_secs(7));
    }

    #[test]
    fn lines_go_to_syslog_unless_there_is_none_or_something_else_is_configured() {
        let facility = |set: &[(&str, &str)], has_syslog| {
            let environment = Environment::new(with_facility(own(set), has_syslog));
            environment.get("HA_LOGFACILITY").map(str::to_owned)
        };
        assert_eq!(facility(&[], true).as_deref(), Some("daemon"));
        assert_eq!(facility(&[], false), None, "then standard error is better than nowhere");
        assert_eq!(facility(&[("HA_LOGFILE", "/log")], true), None);
        assert_eq!(facility(&[("HA_LOGFACILITY", "local0")], true).as_deref(), Some("local0"));
    }
}
