//! Serves a call: reads the settings, runs the shared actions, prints the result and returns an exit code.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::NAME;
use super::arguments::{self, InitAction, InitRequest};
use super::sentences::{self, Outcome};
use super::settings::{self, FILE_VARIABLE, FILES, InitSettings};
use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::face::call::print;
use crate::face::environment::{reskeys, synthesise};
use crate::face::parameters;
use crate::face::watchdog::Watchdog;
use crate::face::{Call, settings_file};
use crate::host::Host as _;
use crate::ocf::environment::Environment;
use crate::ocf::exit::ExitCode;
use crate::params::{OnStop, ParamError, Params};
use crate::resource::elastic::Elastic;
use crate::resource::error::{Error, exit_code};
use crate::resource::{self, Action, Report, Request, World as _};
use crate::state::{Phase, Records as _};
use crate::world;

/// Handles one call and returns its exit code.
pub(in crate::face) fn serve(call: Call) -> u8 {
    let line = call.words();
    match arguments::read(&line) {
        Ok(InitRequest::Help) => {
            // A closed reader is not an error.
            print(sentences::USAGE);
            0
        }
        Ok(InitRequest::Action(action, parameters)) => match settings(&call, &parameters) {
            Ok(settings) => {
                let has_arguments = !parameters.is_empty();
                let Call { started, variables, .. } = call;
                InitCall { started, variables, settings, has_arguments }.act(action)
            }
            Err((code, reason)) => refuse(&call, line.last(), code, &reason),
        },
        Err((code, refused)) => {
            let _ = write!(std::io::stderr(), "{NAME}: {refused}\n{}", sentences::USAGE);
            code
        }
    }
}

/// Reads and combines the settings.
///
/// # Errors
/// The exit code, and one line with the reason if the settings cannot be used.
fn settings(call: &Call, arguments: &BTreeMap<String, String>) -> Result<InitSettings, (u8, String)> {
    let surroundings = Environment::new(call.variables.clone());
    let file = settings_file::find(surroundings.get(FILE_VARIABLE), &FILES).map_err(|refused| {
        let code = match refused.kind() {
            ErrorKind::PermissionDenied => sentences::NO_PRIVILEGE,
            _ => sentences::NOT_CONFIGURED,
        };
        (code, refused.to_string())
    })?;
    let file = file.as_ref().map(|file| (file.path.as_str(), file.text.as_str()));
    let variable = |name: &str| surroundings.get(name).map(str::to_owned);
    settings::collect(file, variable, arguments).map_err(|unusable| (sentences::NOT_CONFIGURED, unusable))
}

/// Reports why the call cannot be served.
fn refuse(call: &Call, action: Option<&String>, code: u8, reason: &str) -> u8 {
    let action = action.map(String::as_str).unwrap_or_default();
    let environment = environment(&call.variables, NAME, &InitSettings::default(), Duration::from_secs(1));
    Log::new(&environment.log_settings(), action, call.started).exit_reason(reason);
    if action == "status" {
        print(&sentences::sentence(Outcome::Unknown, None, "this instance"));
        return sentences::STATUS_UNKNOWN;
    }
    code
}

/// Builds the environment in which the shared code runs.
fn environment(
    variables: &[(OsString, OsString)],
    instance: &str,
    settings: &InitSettings,
    timeout: Duration,
) -> Environment {
    let prefix = ("OCF_EXIT_REASON_PREFIX".to_owned(), format!("{}: ", sentences::DESCRIPTION));
    synthesise(variables, NAME, instance, timeout, reskeys(&settings.parameters).chain([prefix]))
}

/// One call with its settings.
struct InitCall {
    started: Instant,
    variables: Vec<(OsString, OsString)>,
    settings: InitSettings,
    /// Whether parameters came from the command line: then a malformed one may be a usage error.
    has_arguments: bool,
}

impl InitCall {
    fn act(self, action: InitAction) -> u8 {
        match action {
            InitAction::Start => self.start(self.started),
            InitAction::Stop => self.stop(),
            InitAction::Status => self.status(),
            // Two actions, each with its own time limit.
            InitAction::Restart => match self.stop() {
                0 => self.start(Instant::now()),
                code => code,
            },
            // There is no daemon to reload. If the address is not here, a start could take it from the peer.
            InitAction::ForceReload => match self.status() {
                0 => self.start(Instant::now()),
                sentences::STATUS_STOPPED => 0,
                code => code,
            },
        }
    }

    fn start(&self, began: Instant) -> u8 {
        let run = self.run("start", Action::Start, began, self.settings.timeout);
        run.print(if run.code == 0 { Outcome::Associated } else { Outcome::NotMapped })
    }

    fn stop(&self) -> u8 {
        let run = self.run("stop", Action::Stop, self.started, self.settings.timeout);
        run.print(if run.code == 0 { run.stopped } else { Outcome::NotDisowned })
    }

    fn status(&self) -> u8 {
        let limit = self.settings.status_timeout();
        let run = self.run("status", Action::Monitor { level: 0 }, self.started, limit);
        run.print(match run.code {
            0 => Outcome::Here,
            sentences::STATUS_STOPPED => Outcome::NotHere,
            _ => Outcome::Unknown,
        })
    }

    /// The exit code for an outcome.
    fn code(&self, outcome: &Result<Report, Error>, action: Action) -> u8 {
        match outcome {
            Ok(Report::NotHere(_)) if is_monitor(action) => sentences::STATUS_STOPPED,
            Ok(_) => 0,
            Err(error) if is_monitor(action) => sentences::status_code(exit_code(error, action)),
            // A cluster's stop succeeds here, since it runs with the parameters of the last start; this face reads
            // them anew.
            Err(Error::Parameter(_)) if self.has_arguments => sentences::INVALID_ARGUMENT,
            Err(Error::Parameter(_)) => sentences::NOT_CONFIGURED,
            Err(error) if exit_code(error, action) == ExitCode::Success => 0,
            // OCF has one code for every failed stop, since each means fencing; the LSB distinguishes them.
            Err(error) => sentences::code(exit_code(error, Action::Start)),
        }
    }

    /// Runs one action on the address, and reports any failure.
    fn run(&self, name: &str, action: Action, began: Instant, timeout: Duration) -> ActionRun {
        let instance = self.settings.instance();
        let environment = environment(&self.variables, &instance, &self.settings, timeout);
        let log = Log::new(&environment.log_settings(), name, began);
        let late = self.code(&Err(Error::OutOfTime(timeout)), action);
        let deadline = Deadline::since(began, timeout);
        let _guard = Watchdog::start(&deadline, late, &log);
        if !is_monitor(action) {
            log.warn_all(environment.warnings().iter().chain(&self.settings.warnings));
        }
        let name = parameters::address(&self.settings.parameters).map(str::to_owned);
        let node = "this instance".to_owned();
        let mut run = ActionRun { code: late, name, node, stopped: Outcome::Disowned };
        let outcome = run.act(action, deadline, &environment, &log);
        run.code = self.code(&outcome, action);
        report(&outcome, action, &log);
        run
    }
}

/// The outcome of one action, with what is known about the address afterwards.
struct ActionRun {
    code: u8,
    /// The address as the operator named it, if one is set.
    name: Option<String>,
    /// The id of this instance, if known.
    node: String,
    /// What a stop that succeeded did.
    stopped: Outcome,
}

impl ActionRun {
    fn act(
        &mut self,
        action: Action,
        deadline: Deadline,
        environment: &Environment,
        log: &Log,
    ) -> Result<Report, Error> {
        let params = Params::parse(&environment.reskeys())?;
        if params.on_stop == OnStop::Leave {
            self.stopped = Outcome::Left;
        }
        let (world, warnings) = world::build(&params.api, &params.timing, deadline, environment, log)?;
        if !is_monitor(action) {
            log.warn_all(&warnings);
        }
        let request = Request { action, params, deadline, nodes: Vec::new() };
        let outcome = world::run(deadline, resource::run::<Elastic, _>(&world, &request));
        let (volatile, durable) = (world.records().volatile(), world.records().durable());
        if self.stopped == Outcome::Disowned && volatile.phase == Some(Phase::Left) {
            self.stopped = Outcome::MaybeLeft;
        }
        if let Some(id) = volatile.instance.or_else(|| world.host().instance_id()) {
            self.node = id.to_string();
        }
        if let (None, Some(pair)) = (request.params.elastic_ip, durable.pair) {
            self.name = Some(pair.public_ip.to_string());
        }
        outcome
    }

    /// Prints the outcome; returns the exit code.
    fn print(&self, outcome: Outcome) -> u8 {
        print(&sentences::sentence(outcome, self.name.as_deref(), &self.node));
        self.code
    }
}

/// Reports a failure in the log, and on one line of standard error; to a person also why the address is not here.
fn report(outcome: &Result<Report, Error>, action: Action, log: &Log) {
    match outcome {
        Ok(Report::NotHere(reason)) if is_monitor(action) => {
            log.debug(reason);
            if std::io::stdin().is_terminal() {
                let _ = writeln!(std::io::stderr(), "{reason}");
            }
        }
        Ok(_) => {}
        Err(Error::Parameter(ParamError::NoAddress)) => {
            let file = FILES.join(" or ");
            log.exit_reason(format_args!(
                "no address: set ELASTIC_IP in {file}, or give it before the action"
            ));
        }
        // A monitor can report "not here" and a stop can succeed in spite of an error.
        Err(error)
            if matches!(exit_code(error, action), ExitCode::Success | ExitCode::NotRunning)
                && !matches!(error, Error::Parameter(_)) =>
        {
            log.warn(world::in_full(error));
        }
        Err(error) => world::give_reason(error, log),
    }
}

fn is_monitor(action: Action) -> bool {
    matches!(action, Action::Monitor { .. })
}
