//! What the resource is: from the command line, from `/etc/keepalived/aws.conf`, which is read and never run, and from the
//! environment, in this order.
//!
//! The file is the article's: keys of a user, the constants that stood at the top of its script, and whatever parameter of
//! the resource there is.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::time::Duration;

use super::NAME;
use super::arguments::State;
use crate::face::init::shell::{self, Assignment, Expansion};
use crate::ids::InstanceId;
use crate::ocf::environment::Environment;
use crate::ocf::text::{cut, one_line};
use crate::params::table;

/// Where the settings file is.
pub const FILE: &str = "/etc/keepalived/aws.conf";
/// The variable that names another one.
pub const FILE_VARIABLE: &str = "EIP_KEEPALIVED_CONF";

/// What a change of state has: keepalived sets no limit.
const DEADLINE: u64 = 60;
/// What a check has: keepalived asks every few seconds.
const CHECK_DEADLINE: u64 = 2;
/// For how long a claim is looked at again: an order that another node gave earlier may be carried out later.
const VERIFY: u64 = 10;
/// The longest that any of them may be.
const LONGEST: u64 = 3600;

/// Names of the article and of the tools it used, and what each of them is here.
const OTHER_NAMES: [(&str, &str); 12] = [
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
    ("STATE_DIR", "EIP_STATE_DIR"),
];
/// What the old tools needed and this one does not.
const NEEDLESS: [&str; 7] =
    ["EC2_HOME", "JAVA_HOME", "EC2_PRIVATE_KEY", "EC2_CERT", "PATH", "LANG", "LC_ALL"];
/// Settings that are neither parameters nor variables.
const OWN: [&str; 7] =
    ["INST_ID", "ON_BACKUP", "ON_FAULT", "ON_STOP", "DEADLINE", "CHECK_DEADLINE", "VERIFY"];

/// What becomes of an address that this node is not to have any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Losing {
    /// It stays until another node takes it.
    Leave,
    /// It is let go at once.
    Release,
}

/// The settings of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The parameters of the resource, not yet checked.
    pub parameters: BTreeMap<String, String>,
    /// Variables of the file that the parts below look at.
    pub variables: BTreeMap<String, String>,
    /// The instance that the file was written for.
    pub instance: Option<InstanceId>,
    /// The time for a change of state.
    pub deadline: Duration,
    /// The time for a check.
    pub check_deadline: Duration,
    /// For how long a claim is looked at again.
    pub verify: Duration,
    losing: [Losing; 3],
    /// What is strange, a line each.
    pub warnings: Vec<String>,
}

/// Settings that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// A quote or the like never ends.
    #[error("{0} line {1}: a quote, bracket or brace that begins here never ends")]
    Unclosed(String, usize),
    /// The value is something that only a shell could find out.
    #[error("{0} line {1}: {2}: the file is read, never run; write the value itself")]
    Expansion(String, usize, String),
    /// A number of seconds is none.
    #[error("{0}={1}: expected a whole number of seconds from {2} to {LONGEST}")]
    Seconds(&'static str, String, u64),
    /// Neither of the two words.
    #[error("{0}={1}: expected leave or release")]
    Losing(&'static str, String),
    /// No instance.
    #[error("INST_ID={0}: expected an instance id such as i-0123456789abcdef0")]
    Instance(String),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            parameters: BTreeMap::new(),
            variables: BTreeMap::new(),
            instance: None,
            deadline: Duration::from_secs(DEADLINE),
            check_deadline: Duration::from_secs(CHECK_DEADLINE),
            verify: Duration::from_secs(VERIFY),
            losing: [Losing::Leave; 3],
            warnings: Vec::new(),
        }
    }
}

impl Settings {
    /// Puts the settings together: `file` is the path and the text of the settings file, `arguments` are parameters from the
    /// command line, which go before it.
    ///
    /// # Errors
    /// What can't be used.
    pub fn collect(
        file: Option<(&str, &str)>,
        arguments: &BTreeMap<String, String>,
    ) -> Result<Self, Unusable> {
        let mut settings = Self::default();
        let mut own = BTreeMap::new();
        if let Some((path, text)) = file {
            settings.read(path, text, &mut own)?;
        }
        let value = |name: &'static str| {
            let value = own.get(name).map(|value: &String| value.trim()).filter(|value| !value.is_empty());
            value.map(|value| (name, value))
        };
        let seconds = |name, default, least| value(name).map_or(Ok(default), |value| seconds(value, least));
        settings.deadline = seconds("DEADLINE", settings.deadline, 1)?;
        settings.check_deadline = seconds("CHECK_DEADLINE", settings.check_deadline, 1)?;
        settings.verify = seconds("VERIFY", settings.verify, 0)?;
        for (losing, name) in settings.losing.iter_mut().zip(["ON_BACKUP", "ON_FAULT", "ON_STOP"]) {
            if let Some((name, value)) = value(name) {
                *losing = match value.to_ascii_lowercase().as_str() {
                    "leave" => Losing::Leave,
                    "release" | "disassociate" => Losing::Release,
                    _ => return Err(Unusable::Losing(name, shown(value))),
                };
            }
        }
        if let Some((_, value)) = value("INST_ID") {
            let id = value.parse().map_err(|_| Unusable::Instance(shown(value)))?;
            settings.instance = Some(id);
        }
        settings.parameters.extend(arguments.clone());
        Ok(settings)
    }

    /// Returns what becomes of the address in a state that is not MASTER's.
    #[must_use]
    pub fn losing(&self, state: State) -> Losing {
        let [backup, fault, stop] = self.losing;
        match state {
            State::Master => Losing::Leave,
            State::Backup => backup,
            State::Fault => fault,
            State::Stop => stop,
        }
    }

    /// Returns how an operator names the address.
    #[must_use]
    pub fn address(&self) -> &str {
        let set = |name: &str| self.parameters.get(name).map(|value| value.trim()).filter(|v| !v.is_empty());
        set("elastic_ip").or_else(|| set("allocation_id")).unwrap_or("the address")
    }

    /// Returns the environment that the parts below look into: what the process has, with the file's variables before it, and
    /// the parameters in the place of what a cluster would say.
    #[must_use]
    pub fn environment(&self, process: &[(OsString, OsString)], deadline: Duration) -> Environment {
        // Whatever calls, it is no OCF cluster; and what was done must be remembered in one place, whoever calls.
        let foreign =
            |name: &str| name.starts_with("OCF_RE") || name.starts_with("OCF_RA_") || name == "HA_RSCTMP";
        let mut variables: Vec<(OsString, OsString)> =
            process.iter().filter(|(name, _)| !foreign(&name.to_string_lossy())).cloned().collect();
        let has = |name: &str| variables.iter().any(|(other, value)| other == name && !value.is_empty());
        let to_syslog = !has("HA_LOGFACILITY") && !has("HA_LOGFILE");
        let tag = format!("{NAME}({})[{}]", self.address(), std::process::id());
        let set = [
            ("OCF_RESOURCE_INSTANCE", format!("keepalived-{}", self.address())),
            ("OCF_RESOURCE_TYPE", NAME.to_owned()),
            ("OCF_EXIT_REASON_PREFIX", format!("{NAME}: ")),
            ("OCF_RESKEY_CRM_meta_timeout", deadline.as_millis().to_string()),
            ("HA_LOGTAG", tag),
        ];
        let set = set.into_iter().map(|(name, value)| (name.to_owned(), value));
        let syslog = to_syslog.then(|| ("HA_LOGFACILITY".to_owned(), "daemon".to_owned()));
        let parameters =
            self.parameters.iter().map(|(name, value)| (format!("OCF_RESKEY_{name}"), value.clone()));
        let file = self.variables.clone().into_iter();
        variables.extend(file.chain(parameters).chain(set).chain(syslog).map(|(n, v)| (n.into(), v.into())));
        Environment::new(variables)
    }

    fn read(&mut self, path: &str, text: &str, own: &mut BTreeMap<String, String>) -> Result<(), Unusable> {
        let reading = shell::read(text);
        if let Some(line) = reading.unclosed {
            return Err(Unusable::Unclosed(path.to_owned(), line));
        }
        for line in reading.ignored {
            self.warnings
                .push(format!("{path} line {line} ignored: not NAME=VALUE, and the file is never run"));
        }
        let mut unknown = BTreeSet::new();
        for assignment in reading.assignments {
            let name = assignment.name.clone();
            let known = OTHER_NAMES.iter().find(|(other, _)| *other == name);
            let meant = known.map_or(name.as_str(), |(_, meant)| meant).to_owned();
            let parameter = meant.to_ascii_lowercase();
            if OWN.contains(&meant.as_str()) {
                own.insert(meant, plain(path, assignment)?);
            } else if table::find(table::EIP, &parameter).is_some() {
                self.parameters.insert(parameter, plain(path, assignment)?);
            } else if ["AWS_", "EIP_", "HA_"].iter().any(|ours| meant.starts_with(ours)) {
                self.variables.insert(meant, plain(path, assignment)?);
            } else if !NEEDLESS.contains(&meant.as_str()) {
                unknown.insert(name);
            }
        }
        if !unknown.is_empty() {
            let names: Vec<_> = unknown.into_iter().collect();
            self.warnings.push(format!("{path}: unknown settings ignored: {}", names.join(", ")));
        }
        Ok(())
    }
}

/// Returns the value, unless it is something that only a shell could turn into text.
fn plain(path: &str, found: Assignment) -> Result<String, Unusable> {
    match found.expansion {
        None => Ok(found.value),
        Some(Expansion::Command | Expansion::Variable) => {
            Err(Unusable::Expansion(path.to_owned(), found.line, found.name))
        }
    }
}

fn seconds((name, value): (&'static str, &str), least: u64) -> Result<Duration, Unusable> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|seconds| (least..=LONGEST).contains(seconds));
    let wrong = || Unusable::Seconds(name, shown(value), least);
    number.filter(|_| digits).map(Duration::from_secs).ok_or_else(wrong)
}

fn shown(value: &str) -> String {
    cut(&one_line(value), 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<Settings, Unusable> {
        Settings::collect(Some((FILE, text)), &BTreeMap::new())
    }

    fn parameter<'a>(settings: &'a Settings, name: &str) -> &'a str {
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
        assert_eq!(environment.get("HA_LOGFACILITY"), Some("daemon"));
        assert_eq!(environment.instance(), "keepalived-eipalloc-39000000");
        assert_eq!(settings.losing(State::Stop), Losing::Leave);
    }

    #[test]
    fn the_command_line_goes_before_the_file_and_the_file_before_the_environment() {
        let arguments = BTreeMap::from([("elastic_ip".to_owned(), "203.0.113.10".to_owned())]);
        let text = "ELASTIC_IP=203.0.113.9\nregion=eu-west-2\nAWS_PROFILE=b\nON_STOP=release\nON_FAULT=Leave\nDEADLINE=30\n";
        let settings = Settings::collect(Some((FILE, text)), &arguments).unwrap();
        assert_eq!(settings.address(), "203.0.113.10");
        assert_eq!(settings.deadline, Duration::from_secs(30));
        assert_eq!(settings.losing(State::Stop), Losing::Release);
        assert_eq!(settings.losing(State::Fault), Losing::Leave);
        let process =
            [("AWS_PROFILE", "a"), ("OCF_RESKEY_region", "x"), ("HA_LOGFILE", "/log"), ("HA_RSCTMP", "/x")];
        let process = process.map(|(name, value)| (name.into(), value.into()));
        let environment = settings.environment(&process, settings.deadline);
        assert_eq!(environment.get("AWS_PROFILE"), Some("b"));
        assert_eq!(environment.get("OCF_RESKEY_region"), Some("eu-west-2"));
        assert_eq!(environment.get("HA_LOGFACILITY"), None, "it has a file to log to");
        assert_eq!(environment.get("HA_RSCTMP"), None);
        assert_eq!(environment.action_timeout(), Duration::from_secs(30));
    }

    #[test]
    fn what_can_not_be_used_is_refused_in_one_line() {
        for (text, part) in [
            ("\nENI_ID=$(curl x)", "line 2: ENI_ID: the file is read, never run"),
            ("ELASTIC_IP=$1", "line 1: ELASTIC_IP: the file is read"),
            ("ENI_ID='eni", "line 1: a quote"),
            ("DEADLINE=soon", "DEADLINE=soon: expected a whole number of seconds from 1 to 3600"),
            ("VERIFY=+1", "VERIFY=+1: expected a whole number of seconds from 0"),
            ("ON_BACKUP=keep", "ON_BACKUP=keep: expected leave or release"),
            ("INST_ID=here", "INST_ID=here: expected an instance id"),
        ] {
            let unusable = file(text).unwrap_err().to_string();
            assert!(unusable.contains(part), "{text}: {unusable}");
            assert!(unusable.len() <= 128, "{unusable}");
        }
    }

    #[test]
    fn commands_and_unknown_names_are_a_warning_that_shows_no_value() {
        let settings = file(". /lib/lsb/init-functions\nPASSWORD=hunter2\ncolour=red\n").unwrap();
        let warnings = settings.warnings.join("\n");
        assert!(warnings.contains("line 1 ignored"), "{warnings}");
        assert!(warnings.contains("unknown settings ignored: PASSWORD, colour"), "{warnings}");
        assert!(!warnings.contains("hunter2"), "{warnings}");
    }
}
