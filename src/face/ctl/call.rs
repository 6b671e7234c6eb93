//! What every command needs: its options as agent parameters, a log for the terminal, and the services for one
//! resource.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::future::Future;
use std::io::Write as _;
use std::time::{Duration, Instant};

use clap::ArgMatches;

use super::options;
use crate::base::deadline::Deadline;
use crate::base::log::{Log, Process};
use crate::base::text::{json_without_controls, one_line};
use crate::face::Call;
use crate::face::cluster::cib::Configuration;
use crate::face::cluster::tools::Tools;
use crate::face::watchdog::{Watchdog, report_panics};
use crate::host::Host as _;
use crate::ocf::environment::Environment;
use crate::params::{ApiSettings, ParamError, Timing, table};
use crate::resource::by_hand::BY_HAND;
use crate::resource::error::Error;
use crate::resource::kind::Kind;
use crate::resource::recorded::RecordedResource;
use crate::resource::{Action, Request};
use crate::state::{FileRecords, Records as _};
use crate::world::{self, RealWorld};

/// Exit code of a command that the watchdog ended.
const FAILED: u8 = 1;

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line is wrong: exit code 2, with this line.
    Usage(String),
    /// The command failed: exit code 1, with this line.
    Failed(String),
    /// The command failed and has already reported why.
    Reported,
}

impl Failure {
    /// Why, for a list of what failed.
    pub(super) fn text(self) -> String {
        match self {
            Self::Usage(text) | Self::Failed(text) => text,
            Self::Reported => "internal error".to_owned(),
        }
    }
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

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

/// One invocation of a command.
pub(super) struct Invocation<'a> {
    /// The parsed options of the command.
    pub matches: &'a ArgMatches,
    /// Reports to the person at the terminal.
    pub log: Log,
    /// Set by `--timeout`, or 20 seconds.
    pub deadline: Deadline,
    /// The environment of a command that is about no resource.
    pub environment: Environment,
    limit: u64,
    /// Ends with the invocation, when the command has an answer.
    _guard: Option<Watchdog>,
}

impl<'a> Invocation<'a> {
    /// Sets up log, panic handler and watchdog: from here on the command answers in time even if something blocks or
    /// panics.
    pub(super) fn new(name: &str, command: &str, matches: &'a ArgMatches, call: Call) -> Self {
        // A command without this option waits for no service, but the disk may still block.
        let limit = matches.try_get_one::<u64>(options::TIMEOUT).ok().flatten().copied().unwrap_or(20);
        let environment = environment(name, call.variables, limit);
        let process = Process { stdin_is_terminal: true, ..Process::own(call.started) };
        let log = Log::with(&environment.log_settings(), command, process);
        report_panics(&log, FAILED);
        let deadline = Deadline::since(call.started, Duration::from_secs(limit));
        // No watchdog for a drill: it restores the original state before it ends, and each move has its own time
        // limit. None for what is shown again and again either: each round has its own.
        let is_long = command == "drill" || matches!(matches.try_contains_id("watch"), Ok(true));
        let guard = (!is_long).then(|| Watchdog::start(&deadline, FAILED, &log));
        Self { matches, log, deadline, environment, limit, _guard: guard }
    }

    /// The same command once more, with a deadline and a watchdog of its own.
    pub(super) fn again(&self) -> Self {
        let deadline = Deadline::since(Instant::now(), Duration::from_secs(self.limit));
        let guard = Some(Watchdog::start(&deadline, FAILED, &self.log));
        let (log, environment) = (self.log.clone(), self.environment.clone());
        Self { matches: self.matches, log, deadline, environment, limit: self.limit, _guard: guard }
    }

    /// The cluster's tools, each with this limit.
    pub(super) fn tools(&self, limit: Duration) -> Tools {
        Tools::new(self.environment.get("PATH"), limit, None)
    }

    /// The value of an option, if given.
    pub(super) fn text(&self, id: &str) -> Option<&str> {
        self.matches.try_get_one::<String>(id).ok().flatten().map(String::as_str)
    }

    /// All values of a repeatable option.
    pub(super) fn texts(&self, id: &str) -> Vec<&str> {
        let values = self.matches.try_get_many::<String>(id).ok().flatten();
        values.into_iter().flatten().map(String::as_str).collect()
    }

    /// Whether a flag was given.
    pub(super) fn is_set(&self, id: &str) -> bool {
        self.matches.try_get_one::<bool>(id).ok().flatten().copied().unwrap_or_default()
    }

    /// The given options that are parameters in this table, by parameter name.
    pub(super) fn parameters(&self, specs: &[table::Spec]) -> BTreeMap<String, String> {
        let value = |spec: &table::Spec| Some((spec.name.to_owned(), self.text(spec.name)?.to_owned()));
        specs.iter().filter_map(value).collect()
    }

    /// The environment that the agent would see for this resource.
    pub(super) fn environment_of(&self, resource: &str) -> Environment {
        self.environment.clone().of_resource(resource)
    }

    /// Builds the real services for a resource, and logs warnings about the settings.
    pub(super) fn world(
        &self,
        resource: &str,
        api: &ApiSettings,
        timing: &Timing,
    ) -> Result<RealWorld, Failure> {
        let environment = self.environment_of(resource);
        let (world, warnings) = world::build(api, timing, self.deadline, &environment, &self.log)?;
        for warning in environment.warnings().iter().chain(&warnings) {
            self.log.warn_once(warning);
        }
        Ok(world)
    }

    /// A request about a resource; `action` is irrelevant if no action is run. Parameters that are not decided are not used, unless
    /// forced.
    pub(super) fn request<K: Kind<RealWorld>>(
        &self,
        action: Action,
        configuration: &Configuration,
        nodes: &[String],
    ) -> Result<Request<K::Params>, Failure> {
        if let Some(reason) = configuration.undecided().filter(|_| !self.is_set("force")) {
            return Err(format!("{reason}: give it as an option").into());
        }
        let params = K::parse(&configuration.parameters)?;
        Ok(Request { action, params, deadline: self.deadline, nodes: nodes.to_vec() })
    }

    /// The services for a query about a resource, which change no record.
    pub(super) fn querying<K: Kind<RealWorld>>(
        &self,
        resource: &str,
        params: &K::Params,
    ) -> Result<RealWorld, Failure> {
        let common = K::common(params);
        let mut world = self.world(resource, common.api, common.timing)?;
        world.records = world.records.read_only();
        Ok(world)
    }

    /// The records of every resource on this node, sorted by name.
    pub(super) fn on_record(&self) -> Vec<RecordedResource> {
        let boot = world::host().boot_id();
        let all = world::records(&self.environment, &self.log).all();
        let recorded = |records: FileRecords| {
            RecordedResource::new(records.name(), records.volatile(), records.durable(), &boot)
        };
        all.into_iter().map(recorded).collect()
    }

    /// Runs the work on the async runtime until the deadline.
    pub(super) fn run<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
        Ok(world::run(self.deadline, work)?)
    }
}

/// Adds the variables that a cluster would set, since the rest of the agent reads them.
///
/// OCF variables inherited from another action are dropped.
fn environment(name: &str, variables: Vec<(OsString, OsString)>, limit: u64) -> Environment {
    let kept = |variable: &OsString| !variable.to_string_lossy().starts_with("OCF_RE");
    let variables = variables.into_iter().filter(|(variable, _)| kept(variable));
    let own = [
        ("OCF_RESOURCE_INSTANCE", BY_HAND.to_owned()),
        ("OCF_RESKEY_CRM_meta_timeout", (limit * 1000).to_string()),
        ("OCF_EXIT_REASON_PREFIX", format!("{name}: ")),
        ("HA_LOGTAG", name.to_owned()),
    ];
    Environment::new(variables.chain(own.map(|(variable, value)| (variable.into(), value.into()))))
}

/// Formats label and text pairs as aligned lines.
pub(super) fn aligned(lines: &[(String, String)]) -> String {
    let width = lines.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let mut shown = String::new();
    for (label, text) in lines {
        // Writing to a `String` cannot fail.
        let _ = writeln!(shown, "{label:width$}  {}", one_line(text));
    }
    shown
}

/// Prints the output of a command.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    // A closed reader has what it wanted.
    std::io::stdout().write_all(text.as_bytes()).map_err(|_| Failure::Reported)
}

/// Prints a value as indented JSON.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Failed(error.to_string()))?;
    print(&format!("{}\n", json_without_controls(&text)))
}
