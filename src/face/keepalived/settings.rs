//! The settings of a call: from the command line, from `/etc/keepalived/aws.conf`, which is parsed and never executed,
//! and from the environment, in this order.
//!
//! The file is the article's: a user's access keys, the constants from the top of its script, and any parameter of the
//! resource.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use super::NAME;
use super::arguments::VrrpState;
use crate::base::ids::InstanceId;
use crate::base::text::brief;
use crate::cloud::settings::VARIABLES;
use crate::face::assignments::{self, seconds};
use crate::face::environment::{reskeys, synthesise};
use crate::face::parameters;
use crate::ocf::environment::Environment;
use crate::params::table;

/// Variable that names another settings file.
pub const FILE_VARIABLE: &str = "EIP_KEEPALIVED_CONF";

/// Default time limit of a state change; keepalived sets none.
const DEADLINE: Duration = Duration::from_mins(1);
/// Default time limit of a check; keepalived runs one every few seconds.
const CHECK_DEADLINE: Duration = Duration::from_secs(2);
/// How long a takeover is verified by default: a call sent earlier by another node may take effect later.
const VERIFY: Duration = Duration::from_secs(10);
/// Names used by the article and its tools, with their equivalents here.
const OTHER_NAMES: [(&str, &str); 13] = [
    ("ENI_ID", "interface"),
    ("ALOC_ID", "allocation_id"),
    ("ALLOC_ID", "allocation_id"),
    ("EIP", "elastic_ip"),
    ("EC2_REGION", "region"),
    ("EC2_URL", "endpoint_url"),
    ("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
    ("AWS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
    ("AWS_DELEGATION_TOKEN", "AWS_SESSION_TOKEN"),
    ("EC2_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
    ("EC2_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
    ("AWS_PROFILE", "profile"),
    ("STATE_DIR", "EIP_STATE_DIR"),
];
/// Settings of the old tools that are not needed here.
const NEEDLESS: [&str; 7] =
    ["EC2_HOME", "JAVA_HOME", "EC2_PRIVATE_KEY", "EC2_CERT", "PATH", "LANG", "LC_ALL"];
/// Variables that the file may set for the shared code, in addition to [`VARIABLES`].
const OTHER_VARIABLES: [&str; 6] =
    ["EIP_STATE_DIR", "HA_LOGFILE", "HA_LOGFACILITY", "HA_DEBUGLOG", "HA_debug", "HA_DATEFMT"];
/// Settings that are neither parameters nor variables.
const OWN: [&str; 7] =
    ["INST_ID", "ON_BACKUP", "ON_FAULT", "ON_STOP", "DEADLINE", "CHECK_DEADLINE", "VERIFY"];

/// The combined settings of one call.
///
/// Cannot be printed: the values of the variables may be keys.
#[derive(Clone, Default)]
pub struct KeepalivedSettings {
    /// Resource parameters, not yet validated.
    pub parameters: BTreeMap<String, String>,
    /// Environment variables that the file sets for the shared code.
    pub variables: BTreeMap<String, String>,
    /// The instance for which the file was written (`INST_ID`).
    pub instance: Option<InstanceId>,
    /// Time limit of a state change.
    pub deadline: Duration,
    /// Time limit of a check.
    pub check_deadline: Duration,
    /// How long a takeover is verified; zero disables it.
    pub verify: Duration,
    /// The states in which the address is disassociated at once; in the others it stays until another node takes it.
    pub released_in: Vec<VrrpState>,
    /// Warnings, one line each.
    pub warnings: Vec<String>,
}

impl KeepalivedSettings {
    /// Combines the sources of settings: `file` is the path and content of the settings file, `arguments` are
    /// parameters from the command line, which take precedence. An address in the arguments, by either of its names,
    /// replaces the file's.
    ///
    /// # Errors
    /// A value that is malformed, or not allowed for its setting.
    pub fn collect(file: Option<(&str, &str)>, arguments: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut settings = Self::default();
        let mut own = BTreeMap::new();
        if let Some((path, text)) = file {
            let is_setting = |name: &str| known_as(name).is_some();
            let found = assignments::read(path, text, &NEEDLESS, is_setting, &mut settings.warnings)?;
            for (name, value) in found {
                let Some(name) = known_as(&name) else { continue };
                let kind = if OWN.contains(&name) {
                    &mut own
                } else if table::find(table::EIP, name).is_some() {
                    &mut settings.parameters
                } else {
                    &mut settings.variables
                };
                kind.insert(name.to_owned(), value);
            }
        }
        let value = |name| own.get(name).map(|value: &String| value.trim()).filter(|value| !value.is_empty());
        let seconds =
            |name, default, least| value(name).map_or(Ok(default), |value| seconds(name, value, least));
        settings.deadline = seconds("DEADLINE", DEADLINE, 1)?;
        settings.check_deadline = seconds("CHECK_DEADLINE", CHECK_DEADLINE, 1)?;
        settings.verify = seconds("VERIFY", VERIFY, 0)?;
        let states = [VrrpState::Backup, VrrpState::Fault, VrrpState::Stop];
        for (state, name) in states.into_iter().zip(["ON_BACKUP", "ON_FAULT", "ON_STOP"]) {
            let Some(value) = value(name) else { continue };
            match value.to_ascii_lowercase().as_str() {
                "leave" => {}
                "release" | "disassociate" => settings.released_in.push(state),
                _ => return Err(format!("{name}={}: expected leave or release", brief(value, 32))),
            }
        }
        if let Some(value) = value("INST_ID") {
            let expected = "expected an instance id such as i-0123456789abcdef0";
            let wrong = |_| format!("INST_ID={}: {expected}", brief(value, 32));
            settings.instance = Some(InstanceId::parse(value).map_err(wrong)?);
        }
        parameters::override_with(&mut settings.parameters, arguments);
        Ok(settings)
    }

    /// The address as the operator named it.
    pub fn address(&self) -> &str {
        parameters::address(&self.parameters).unwrap_or("the address")
    }

    /// Builds the environment in which the shared code runs: the process environment, overridden by the file's
    /// variables, with the parameters set as a cluster would set them.
    pub fn environment(&self, process: &[(OsString, OsString)], deadline: Duration) -> Environment {
        let address = parameters::address(&self.parameters);
        let of_address = address.map(|address| format!("({address})")).unwrap_or_default();
        let instance =
            address.map_or_else(|| "keepalived".to_owned(), |address| format!("keepalived-{address}"));
        let tag = ("HA_LOGTAG".to_owned(), format!("{NAME}{of_address}[{}]", std::process::id()));
        let own = self.variables.clone().into_iter().chain(reskeys(&self.parameters)).chain([tag]);
        synthesise(process, NAME, &instance, deadline, own)
    }
}

/// The setting that a name stands for: one of ours, a parameter or a variable; `None` if it would have no effect.
fn known_as(name: &str) -> Option<&'static str> {
    let meant = OTHER_NAMES.iter().find(|(other, _)| *other == name).map_or(name, |(_, meant)| meant);
    let among = |names: &'static [&'static str]| names.iter().find(|known| **known == meant).copied();
    let parameter = || table::find(table::EIP, &meant.to_ascii_lowercase()).map(|spec| spec.name);
    among(&OWN).or_else(parameter).or_else(|| among(&VARIABLES)).or_else(|| among(&OTHER_VARIABLES))
}

#[cfg(test)]
mod tests {
    use super::super::FILE;
    use super::*;

    fn file(text: &str) -> Result<KeepalivedSettings, String> {
        KeepalivedSettings::collect(Some((FILE, text)), &BTreeMap::new())
    }

    fn parameter<'a>(settings: &'a KeepalivedSettings, name: &str) -> &'a str {
        settings.parameters.get(name).map_or("", String::as_str)
    }

    #[test]
    fn the_constants_and_the_keys_of_the_article_are_understood() {
        let settings = file(
            "export AWS_ACCESS_KEY=AKIDEXAMPLE\nexport AWS_SECRET_KEY='s3cret'\nexport EC2_HOME=/opt/ec2\n\
             ENI_ID=\"eni-2d000000\"\nALOC_ID=\"eipalloc-39000000\"\nINST_ID=\"i-ac000000\"\n",
        )
        .unwrap();
        assert_eq!(settings.warnings, [""; 0]);
        assert_eq!(parameter(&settings, "interface"), "eni-2d000000");
        assert_eq!(parameter(&settings, "allocation_id"), "eipalloc-39000000");
        assert_eq!(settings.instance.as_ref().unwrap().as_str(), "i-ac000000");
        let environment = settings.environment(&[], settings.deadline);
        assert_eq!(environment.get("AWS_ACCESS_KEY_ID"), Some("AKIDEXAMPLE"));
        assert_eq!(environment.get("AWS_SECRET_ACCESS_KEY"), Some("s3cret"));
        assert_eq!(environment.instance(), "keepalived-eipalloc-39000000");
        assert!(!settings.released_in.contains(&VrrpState::Stop));
    }

    #[test]
    fn the_command_line_takes_precedence_over_the_file_and_the_file_before_the_environment() {
        let arguments = BTreeMap::from([("elastic_ip".to_owned(), "203.0.113.10".to_owned())]);
        let text = "ELASTIC_IP=203.0.113.9\nregion=eu-west-2\nAWS_CA_BUNDLE=b\nON_STOP=release\nON_FAULT=Leave\nDEADLINE=30\n";
        let settings = KeepalivedSettings::collect(Some((FILE, text)), &arguments).unwrap();
        assert_eq!(settings.address(), "203.0.113.10");
        assert_eq!(settings.deadline, Duration::from_secs(30));
        assert!(
            settings.released_in.contains(&VrrpState::Stop)
                && !settings.released_in.contains(&VrrpState::Fault)
        );
        let process =
            [("AWS_CA_BUNDLE", "a"), ("OCF_RESKEY_region", "x"), ("HA_LOGFILE", "/log"), ("HA_RSCTMP", "/x")];
        let process = process.map(|(name, value)| (name.into(), value.into()));
        let environment = settings.environment(&process, settings.deadline);
        assert_eq!(environment.get("AWS_CA_BUNDLE"), Some("b"));
        assert_eq!(environment.get("OCF_RESKEY_region"), Some("eu-west-2"));
        assert_eq!(environment.get("HA_LOGFACILITY"), None, "it has a file to log to");
        assert_eq!(environment.get("HA_RSCTMP"), None);
        assert_eq!(environment.action_timeout(), Duration::from_secs(30));
    }

    #[test]
    fn what_can_not_be_used_is_refused_in_one_line() {
        for (text, part) in [
            ("\nENI_ID=$(curl x)", "line 2: ENI_ID: commands are not run"),
            ("DEADLINE=soon", "DEADLINE=soon: expected a whole number of seconds from 1 to 3600"),
            ("VERIFY=+1", "VERIFY=+1: expected a whole number of seconds from 0"),
            ("ON_BACKUP=keep", "ON_BACKUP=keep: expected leave or release"),
            ("INST_ID=here", "INST_ID=here: expected an instance id"),
        ] {
            let unusable = file(text).err().unwrap();
            assert!(unusable.contains(part), "{text}: {unusable}");
            assert!(unusable.len() <= 128, "{unusable}");
        }
    }

    #[test]
    fn a_variable_of_the_aws_tools_has_an_effect_or_is_reported_to_have_none() {
        let settings = file("AWS_PROFILE=floating\nAWS_USE_FIPS_ENDPOINT=true\nSTATE_DIR=/state\n").unwrap();
        assert_eq!(parameter(&settings, "profile"), "floating");
        let environment = settings.environment(&[], settings.deadline);
        assert_eq!(environment.get("AWS_USE_FIPS_ENDPOINT"), Some("true"));
        assert_eq!(environment.get("EIP_STATE_DIR"), Some("/state"));
        assert_eq!(settings.warnings, [""; 0]);
        // The SDK reads these from the process environment, which the file does not change.
        for name in
            ["AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "EIP_X"]
        {
            let settings = file(&format!("{name}=x\n")).unwrap();
            let expected = format!("{FILE}: unknown settings ignored: {name}");
            assert_eq!((settings.warnings, settings.variables.len()), (vec![expected], 0));
        }
    }

    #[test]
    fn without_an_address_the_log_tag_is_the_program_alone() {
        for (address, start) in
            [(None, "eip-keepalived["), (Some("203.0.113.10"), "eip-keepalived(203.0.113.10)[")]
        {
            let arguments =
                address.map(|ip: &str| ("elastic_ip".to_owned(), ip.to_owned())).into_iter().collect();
            let settings = KeepalivedSettings::collect(None, &arguments).unwrap();
            let environment = settings.environment(&[], settings.deadline);
            let tag = environment.get("HA_LOGTAG").unwrap();
            assert!(tag.starts_with(start) && tag.ends_with(']'), "{tag}");
        }
    }

    #[test]
    fn the_manual_names_every_variable_that_has_an_effect() {
        let manual = include_str!("../../../packaging/man/man8/eip-keepalived.8");
        for name in VARIABLES {
            assert!(manual.contains(&format!("\\fB{name}\\fR")), "{name}");
        }
    }
}
