//! What a command works with: its options as parameters of the agent, the log for a person, the world for one resource.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::future::Future;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clap::ArgMatches;

use super::options;
use crate::base::deadline::Deadline;
use crate::base::log::{Log, Process};
use crate::base::text::one_line;
use crate::face::Call;
use crate::face::last_resort::{Watchdog, report_panics};
use crate::host::Host as _;
use crate::ocf::environment::Environment;
use crate::params::{self, ApiSettings, ParamError, Params, Timing, table};
use crate::resource::elastic::Entry;
use crate::resource::error::Error;
use crate::resource::{Action, Request};
use crate::state::{FileRecords, Records as _};
use crate::world::{self, RealWorld};

/// The name of the records of what is done by hand, where none of a resource of the cluster is meant.
pub(super) const BY_HAND: &str = "eipctl";

/// The exit code of a command that came to no answer at all.
const FAILED: u8 = 1;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was asked wrongly.
    Usage(String),
    /// It could not be done.
    Failed(String),
    /// It could not be done, which was said already.
    Told,
}

impl From<ParamError> for Failure {
    fn from(error: ParamError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(world::in_full(&error))
    }
}

/// One call of a command.
pub(super) struct Asked<'a> {
    /// The options of the command.
    pub matches: &'a ArgMatches,
    /// Where to report to the person.
    pub log: Log,
    /// By when it has to be done.
    pub deadline: Deadline,
    variables: Vec<(OsString, OsString)>,
    guard: Option<Watchdog>,
}

impl<'a> Asked<'a> {
    /// Takes the call of a command, made by this name. From here on there is an answer in time, also where something blocks or panics.
    pub(super) fn new(name: &str, command: &str, matches: &'a ArgMatches, call: Call) -> Self {
        // A command without such an option waits for nobody; what is on disk may still block.
        let limit = matches.try_get_one::<u64>(options::TIMEOUT).ok().flatten().copied().unwrap_or(20);
        let variables = variables(name, call.variables, limit);
        let environment = Environment::new(variables.clone());
        let process = Process {
            started: call.started,
            stdin_is_terminal: true,
            stderr: Arc::new(Mutex::new(std::io::stderr())),
            syslog: PathBuf::from("/dev/log"),
        };
        let log = Log::with(&environment.log_settings(), command, process);
        report_panics(&log, FAILED);
        let deadline = deadline(call.started, limit);
        // Not over a drill: it puts things right again before it ends, and each of its moves has a limit of its own.
        let guard = (command != "drill").then(|| Watchdog::start(&deadline, FAILED, &log));
        Self { matches, log, deadline, variables, guard }
    }

    /// Ends the watch over the deadline: there is an answer.
    pub(super) fn end(self) {
        if let Some(guard) = self.guard {
            guard.end();
        }
    }

    /// Returns a value that was given.
    pub(super) fn text(&self, id: &str) -> Option<&str> {
        self.matches.try_get_one::<String>(id).ok().flatten().map(String::as_str)
    }

    /// Returns all values that were given.
    pub(super) fn texts(&self, id: &str) -> Vec<&str> {
        let values = self.matches.try_get_many::<String>(id).ok().flatten();
        values.into_iter().flatten().map(String::as_str).collect()
    }

    /// Returns whether an option without value was given.
    pub(super) fn is_set(&self, id: &str) -> bool {
        self.matches.try_get_one::<bool>(id).ok().flatten().copied().unwrap_or_default()
    }

    /// Returns the options that are parameters of this table, by parameter.
    pub(super) fn given(&self, parameters: &[table::Spec]) -> BTreeMap<String, String> {
        let given = |spec: &table::Spec| Some((spec.name.to_owned(), self.text(spec.name)?.to_owned()));
        parameters.iter().filter_map(given).collect()
    }

    /// Returns what names the address and how AWS is reached, by parameter.
    pub(super) fn raw(&self) -> BTreeMap<String, String> {
        let mut raw = self.given(table::EIP);
        if let Some(address) = self.text(options::ADDRESS) {
            let name = if address.trim_start().starts_with("eip") { "allocation_id" } else { "elastic_ip" };
            raw.insert(name.to_owned(), address.to_owned());
        }
        raw
    }

    /// Returns them checked.
    pub(super) fn params(&self) -> Result<Params, Failure> {
        Ok(Params::parse(&self.raw())?)
    }

    /// Returns how AWS is to be reached, for a command that is about no single address.
    pub(super) fn reach(&self) -> Result<(ApiSettings, Timing), Failure> {
        Ok(params::reach(&self.raw())?)
    }

    /// Returns the surroundings as the agent would see them for this resource.
    pub(super) fn environment(&self, resource: &str) -> Environment {
        let mut variables = self.variables.clone();
        variables.push(("OCF_RESOURCE_INSTANCE".into(), resource.into()));
        Environment::new(variables)
    }

    /// Puts the real world together for a resource, and says what is strange about the settings.
    pub(super) fn world(
        &self,
        resource: &str,
        api: &ApiSettings,
        timing: &Timing,
    ) -> Result<RealWorld, Failure> {
        let environment = self.environment(resource);
        let (world, warnings) = world::build(api, timing, self.deadline, &environment, &self.log)?;
        for warning in environment.warnings().iter().chain(&warnings) {
            self.log.warn(warning);
        }
        Ok(world)
    }

    /// Returns what is on record of every resource of this node, in the order of their names.
    pub(super) fn on_record(&self) -> Vec<Entry> {
        let boot = world::host().boot_id();
        let all = world::records(&self.environment(BY_HAND), &self.log).all();
        let entry =
            |records: FileRecords| Entry::new(records.name(), records.volatile(), records.durable(), &boot);
        all.into_iter().map(entry).collect()
    }

    /// Returns what is on record about the address that was named.
    pub(super) fn on_record_about(&self, params: &Params) -> Vec<Entry> {
        let (ip, allocation) = (params.elastic_ip, params.allocation_id.as_ref());
        self.on_record().into_iter().filter(|entry| entry.is_about(ip, allocation)).collect()
    }

    /// Returns a request about the address that was named; the action says nothing where none is run.
    pub(super) fn request(&self, action: Action, params: Params) -> Request {
        Request { action, params, deadline: self.deadline, node: None }
    }

    /// Drives a piece of work to its end or to the deadline.
    pub(super) fn run<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        Ok(world::run(self.deadline, work)?)
    }
}

/// Returns the variables with what the cluster would add, so that the parts of the agent find what they look for.
///
/// What a cluster has said about another action must not count for this one.
fn variables(name: &str, variables: Vec<(OsString, OsString)>, limit: u64) -> Vec<(OsString, OsString)> {
    let kept = |variable: &OsString| !variable.to_string_lossy().starts_with("OCF_RE");
    let mut variables: Vec<_> = variables.into_iter().filter(|(variable, _)| kept(variable)).collect();
    for (variable, value) in [
        ("OCF_RESOURCE_INSTANCE", BY_HAND.to_owned()),
        ("OCF_RESKEY_CRM_meta_timeout", (limit * 1000).to_string()),
        ("OCF_EXIT_REASON_PREFIX", format!("{name}: ")),
        ("HA_LOGTAG", name.to_owned()),
    ] {
        variables.push((variable.into(), value.into()));
    }
    variables
}

fn deadline(started: Instant, seconds: u64) -> Deadline {
    Deadline::new(tokio::time::Instant::from_std(started), Duration::from_secs(seconds))
}

/// Returns lines of a label and a text each, aligned.
pub(super) fn aligned(lines: &[(String, String)]) -> String {
    let width = lines.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let mut shown = String::new();
    for (label, text) in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(shown, "{label:width$}  {}", one_line(text));
    }
    shown
}

/// Prints a text that was asked for.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    // A reader that has gone away has read what it wanted.
    std::io::stdout().write_all(text.as_bytes()).map_err(|_| Failure::Told)
}

/// Prints a value as JSON that people can read too.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Failed(error.to_string()))?;
    print(&format!("{text}\n"))
}
