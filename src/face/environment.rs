//! Synthesises the OCF environment for callers other than Pacemaker.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::ocf::environment::Environment;

/// The values that a cluster would otherwise provide.
#[derive(Debug)]
pub struct ClusterValues<'a> {
    /// The resource name under which this node keeps its records.
    pub instance: String,
    /// The program name in log lines.
    pub program: &'a str,
    /// The prefix of an exit reason on standard error.
    pub reason_prefix: String,
    /// The tag of log lines; `None` for the default.
    pub log_tag: Option<String>,
    /// Time limit of the action.
    pub timeout: Duration,
    /// Resource parameters by name.
    pub parameters: &'a BTreeMap<String, String>,
    /// Variables that override those of the process.
    pub variables: &'a BTreeMap<String, String>,
}

/// Builds the environment. Logs go to syslog, unless another destination is configured or syslog is not running.
pub fn synthesise(process: &[(OsString, OsString)], values: &ClusterValues<'_>) -> Environment {
    build(process, values, Path::new("/dev/log").exists())
}

fn build(process: &[(OsString, OsString)], values: &ClusterValues<'_>, has_syslog: bool) -> Environment {
    // The caller is not a cluster, so inherited OCF variables do not apply; the record folder must not depend on the
    // caller.
    let foreign =
        |name: &str| name.starts_with("OCF_RE") || name.starts_with("OCF_RA_") || name == "HA_RSCTMP";
    let mut variables: Vec<(OsString, OsString)> =
        process.iter().filter(|(name, _)| !foreign(&name.to_string_lossy())).cloned().collect();
    let mut set = |name: &str, value: &str| variables.push((name.into(), value.into()));
    values.variables.iter().for_each(|(name, value)| set(name, value));
    values.parameters.iter().for_each(|(name, value)| set(&format!("OCF_RESKEY_{name}"), value));
    set("OCF_RESOURCE_INSTANCE", &values.instance);
    set("OCF_RESOURCE_TYPE", values.program);
    set("OCF_EXIT_REASON_PREFIX", &values.reason_prefix);
    set("OCF_RESKEY_CRM_meta_timeout", &values.timeout.as_millis().to_string());
    values.log_tag.iter().for_each(|tag| set("HA_LOGTAG", tag));
    let has = |name: &str| variables.iter().any(|(other, value)| other == name && !value.is_empty());
    if has_syslog && !has("HA_LOGFACILITY") && !has("HA_LOGFILE") {
        variables.push(("HA_LOGFACILITY".into(), "daemon".into()));
    }
    Environment::new(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(process: &[(&str, &str)], file: &[(&str, &str)], has_syslog: bool) -> Environment {
        let own = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let process: Vec<_> = process.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let values = ClusterValues {
            instance: "elastic-ip-203.0.113.10".to_owned(),
            program: "elastic-ip",
            reason_prefix: "elastic-ip: ".to_owned(),
            log_tag: None,
            timeout: Duration::from_secs(7),
            parameters: &own(&[("region", "eu-west-2")]),
            variables: &own(file),
        };
        build(&process, &values, has_syslog)
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
        let made = made(&process, &[("AWS_REGION", "b")], true);
        assert_eq!(made.get("OCF_RESKEY_region"), Some("eu-west-2"));
        assert_eq!(
            (made.get("OCF_RESKEY_on_stop"), made.get("HA_RSCTMP"), made.ra_version()),
            (None, None, None)
        );
        assert_eq!((made.get("AWS_REGION"), made.get("HOME")), (Some("b"), Some("/root")));
        assert_eq!(made.instance(), "elastic-ip-203.0.113.10");
        assert_eq!(made.action_timeout(), Duration::from_secs(7));
    }

    #[test]
    fn lines_go_to_syslog_unless_there_is_none_or_something_else_is_configured() {
        let facility = |process: &[(&str, &str)], file: &[(&str, &str)], has_syslog| {
            made(process, file, has_syslog).get("HA_LOGFACILITY").map(str::to_owned)
        };
        assert_eq!(facility(&[], &[], true).as_deref(), Some("daemon"));
        assert_eq!(facility(&[], &[], false), None, "then standard error is better than nowhere");
        assert_eq!(facility(&[("HA_LOGFILE", "/log")], &[], true), None);
        assert_eq!(facility(&[], &[("HA_LOGFILE", "/log")], true), None);
        assert_eq!(facility(&[("HA_LOGFACILITY", "local0")], &[], true).as_deref(), Some("local0"));
    }
}
