//! The settings of a call: from the arguments, the settings file and the old script's two variables, in this order.

use std::collections::BTreeMap;
use std::time::Duration;

use super::aws_params;
use crate::base::text::brief;
use crate::face::assignments::{self, seconds};
use crate::face::parameters;
use crate::params::table;

/// Settings files of Debian and RHEL; the first that exists is read.
pub const FILES: [&str; 2] = ["/etc/default/elastic-ip", "/etc/sysconfig/elastic-ip"];
/// Variable that names another settings file.
pub const FILE_VARIABLE: &str = "ELASTIC_IP_SETTINGS";
/// Default time limit of a start or stop. Heartbeat sets none and waits forever.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Upper time limit of a status: Heartbeat runs one before it takes the address.
const STATUS_TIMEOUT: Duration = Duration::from_secs(20);
/// Settings of the old script that are determined differently here, or have no use.
const NEEDLESS: [&str; 5] = ["MY_ID", "DESC", "PATH", "LANG", "LC_ALL"];
/// Settings that are not resource parameters.
const OWN: [&str; 4] = ["AWS_PARAMS", "TIMEOUT", "TRACE_RA", "TRACE_DIR"];

/// The combined settings of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InitSettings {
    /// Resource parameters, not yet validated.
    pub parameters: BTreeMap<String, String>,
    /// Time limit of a start or stop.
    pub timeout: Duration,
    /// Warnings, one line each.
    pub warnings: Vec<String>,
}

/// Combines the sources of settings.
///
/// `file` is the path and content of the settings file, `variable` looks up an environment variable, `arguments` are
/// parameters from the command line. An address in the arguments, by either of its names, replaces the file's.
///
/// # Errors
/// A value that is malformed, or not allowed for its setting.
pub fn collect(
    file: Option<(&str, &str)>,
    variable: impl Fn(&str) -> Option<String>,
    arguments: &BTreeMap<String, String>,
) -> Result<InitSettings, String> {
    let mut warnings = Vec::new();
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for name in ["ELASTIC_IP", "AWS_PARAMS"] {
        named.extend(variable(name).map(|value| (name.to_owned(), value)));
    }
    if let Some((path, text)) = file {
        named.extend(assignments::read(path, text, &NEEDLESS, is_setting, &mut warnings)?);
    }
    let mut parameters = BTreeMap::new();
    if let Some(options) = named.remove("AWS_PARAMS") {
        let options = aws_params::read(&options).ok_or("AWS_PARAMS: an unclosed quote")?;
        if !options.ignored.is_empty() {
            let ignored: Vec<_> = options.ignored.iter().map(|name| brief(name, 40)).collect();
            warnings.push(format!("AWS_PARAMS: no effect here: {}", ignored.join(" ")));
        }
        parameters = options.parameters;
    }
    let timeout = named.remove("TIMEOUT").filter(|value| !value.trim().is_empty());
    let timeout = timeout.map_or(Ok(TIMEOUT), |value| seconds("TIMEOUT", &value, 1))?;
    parameters.extend(named.into_iter().map(|(setting, value)| (setting.to_ascii_lowercase(), value)));
    parameters::override_with(&mut parameters, arguments);
    Ok(InitSettings { parameters, timeout, warnings })
}

impl InitSettings {
    /// The resource name under which this node keeps its records: one per address.
    pub fn instance(&self) -> String {
        parameters::address(&self.parameters)
            .map_or_else(|| "elastic-ip".to_owned(), |address| format!("elastic-ip-{address}"))
    }

    /// Time limit of `status`.
    pub fn status_timeout(&self) -> Duration {
        self.timeout.min(STATUS_TIMEOUT)
    }
}

/// Names are case-sensitive, as in a shell.
fn is_setting(name: &str) -> bool {
    let is_upper_case = !name.bytes().any(|byte| byte.is_ascii_lowercase());
    let is_parameter = is_upper_case && table::find(table::EIP, &name.to_ascii_lowercase()).is_some();
    is_parameter || OWN.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/etc/default/elastic-ip";

    fn file(text: &str) -> Result<InitSettings, String> {
        collect(Some((PATH, text)), |_| None, &BTreeMap::new())
    }

    fn parameter(settings: &InitSettings, name: &str) -> String {
        settings.parameters.get(name).cloned().unwrap_or_default()
    }

    #[test]
    fn the_settings_of_the_article_are_understood() {
        let text = "# elastic-ip\nDESC=\"elastic-ip remapper\"\nexport AWS_PARAMS=\"--region=eu-west-1\"\n\
                    export ELASTIC_IP=203.0.113.10\nexport MY_ID=$(curl -s http://169.254.169.254/latest/meta-data/instance-id)\n";
        let settings = file(text).unwrap();
        assert_eq!(settings.parameters.len(), 2);
        assert_eq!(parameter(&settings, "elastic_ip"), "203.0.113.10");
        assert_eq!(parameter(&settings, "region"), "eu-west-1");
        assert_eq!(settings.warnings, [""; 0]);
        assert_eq!(settings.timeout, TIMEOUT);
        assert_eq!(settings.instance(), "elastic-ip-203.0.113.10");
    }

    #[test]
    fn every_parameter_has_a_setting_of_its_name_in_upper_case() {
        for spec in table::EIP {
            let settings = file(&format!("{}=x", spec.name.to_ascii_uppercase())).unwrap();
            assert_eq!(parameter(&settings, spec.name), "x");
            assert_eq!(settings.warnings, [""; 0]);
        }
    }

    #[test]
    fn a_setting_takes_precedence_over_an_option_and_the_file_before_the_environment() {
        let variable = |name: &str| (name == "ELASTIC_IP").then(|| "203.0.113.1".to_owned());
        let settings = collect(None, variable, &BTreeMap::new()).unwrap();
        assert_eq!(parameter(&settings, "elastic_ip"), "203.0.113.1");
        let text = "REGION=eu-west-2\nAWS_PARAMS=--region=eu-west-1\nELASTIC_IP=203.0.113.2\n";
        let settings = collect(Some((PATH, text)), variable, &BTreeMap::new()).unwrap();
        assert_eq!(parameter(&settings, "region"), "eu-west-2");
        assert_eq!(parameter(&settings, "elastic_ip"), "203.0.113.2");
    }

    #[test]
    fn an_address_in_the_arguments_sets_the_files_aside_by_either_name() {
        let text = "ELASTIC_IP=203.0.113.2\nALLOCATION_ID=eipalloc-1\nINTERFACE=eth1";
        let arguments = BTreeMap::from([("elastic_ip".to_owned(), "203.0.113.3".to_owned())]);
        let settings = collect(Some((PATH, text)), |_| None, &arguments).unwrap();
        assert_eq!(parameter(&settings, "elastic_ip"), "203.0.113.3");
        assert_eq!(parameter(&settings, "allocation_id"), "");
        assert_eq!(parameter(&settings, "interface"), "eth1");
    }

    #[test]
    fn a_value_that_only_a_shell_could_find_out_is_refused_with_its_line() {
        for (text, part) in [
            ("\nELASTIC_IP=$(cat /etc/ip)", "line 2: ELASTIC_IP: commands are not run"),
            ("AWS_PARAMS=\"--region=$REGION\"", "line 1: AWS_PARAMS: variables are not expanded"),
            ("TIMEOUT=0", "TIMEOUT=0: expected"),
            ("AWS_PARAMS=\"--region='eu\"", "AWS_PARAMS: an unclosed quote"),
        ] {
            let unusable = file(text).unwrap_err();
            assert!(unusable.contains(part), "{text}: {unusable}");
            assert!(unusable.len() <= 128, "{unusable}");
        }
    }

    #[test]
    fn what_is_not_understood_is_a_warning_that_shows_no_value() {
        let text = ". /etc/other\nAWS_SECRET_ACCESS_KEY=hunter2\nelastic_ip=1\nAWS_PARAMS=\"--secrets-file=/hunter2\"";
        let warnings = file(text).unwrap().warnings.join("\n");
        assert!(warnings.contains("line 1 ignored"), "{warnings}");
        assert!(warnings.contains("AWS_SECRET_ACCESS_KEY, elastic_ip"), "{warnings}");
        assert!(warnings.contains("--secrets-file") && !warnings.contains("hunter2"), "{warnings}");
    }

    #[test]
    fn the_time_for_a_status_is_short() {
        assert_eq!(file("TIMEOUT=5").unwrap().status_timeout(), Duration::from_secs(5));
        assert_eq!(file("TIMEOUT=300").unwrap().status_timeout(), STATUS_TIMEOUT);
    }
}
