//! Serves a call: reads the settings, runs the shared actions, prints the result and returns an exit code.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::NAME;
use super::arguments::{self, InitAction, InitRequest, InitUsageError};
use super::sentences::{self, Outcome};
use super::settings::{self, FILE_VARIABLE, FILES, InitSettings};
use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::face::environment::{ClusterValues, synthesise};
use crate::face::parameters;
use crate::face::watchdog::{Watchdog, report_panics};
use crate::face::{Call, settings_file};
use crate::host::Host as _;
use crate::ocf::environment::Environment;
use crate::ocf::exit::ExitCode;
use crate::params::{OnStop, ParamError, Params};
use crate::resource::elastic::Elastic;
use crate::resource::error::{Attempt, Error, exit_code};
use crate::resource::{self, Action, Report, Request, World as _};
use crate::state::{Phase, Records as _};
use crate::world;

/// Handles one call and returns its exit code.
pub(in crate::face) fn serve(call: Call) -> u8 {
    let line: Vec<String> =
        call.arguments.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    match arguments::read(&line) {
        Ok(InitRequest::Help) => {
            print(&sentences::usage());
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
        Err(refused) => {
            let _ = write!(std::io::stderr(), "{NAME}: {refused}\n{}", sentences::usage());
            match refused {
                InitUsageError::Unimplemented(..) => sentences::UNIMPLEMENTED,
                _ => sentences::INVALID_ARGUMENT,
            }
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
        let code = match refused {
            settings_file::SettingsFileError::Denied(_) => sentences::NO_PRIVILEGE,
            _ => sentences::NOT_CONFIGURED,
        };
        (code, refused.to_string())
    })?;
    let file = file.as_ref().map(|file| (file.path.as_str(), file.text.as_str()));
    let variable = |name: &str| surroundings.get(name).map(str::to_owned);
    settings::collect(file, variable, arguments)
        .map_err(|unusable| (sentences::NOT_CONFIGURED, unusable.to_string()))
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
    let values = ClusterValues {
        instance: instance.to_owned(),
        program: NAME,
        reason_prefix: format!("{}: ", sentences::DESCRIPTION),
        log_tag: None,
        timeout,
        parameters: &settings.parameters,
        variables: &BTreeMap::new(),
    };
    synthesise(variables, &values)
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
        let code = self.code(&run);
        let outcome = if code == 0 { Outcome::Associated } else { Outcome::NotMapped };
        run.print(outcome);
        code
    }

    fn stop(&self) -> u8 {
        let run = self.run("stop", Action::Stop, self.started, self.settings.timeout);
        let code = self.code(&run);
        run.print(match (code, run.on_stop, run.phase) {
            (0, Some(OnStop::Leave), _) => Outcome::Left,
            (0, _, Some(Phase::Left)) => Outcome::MaybeLeft,
            (0, ..) => Outcome::Disowned,
            _ => Outcome::NotDisowned,
        });
        code
    }

    fn status(&self) -> u8 {
        let limit = self.settings.status_timeout();
        let run = self.run("status", Action::Monitor { level: 0 }, self.started, limit);
        let code = match &run.outcome {
            Ok(Report::Done) => 0,
            Ok(Report::NotHere(_)) => sentences::STATUS_STOPPED,
            Err(error) => sentences::status_code(exit_code(error, Attempt::Monitor)),
        };
        match code {
            0 => run.print(Outcome::Here),
            sentences::STATUS_STOPPED => {
                if let Ok(Report::NotHere(reason)) = &run.outcome {
                    run.log.debug(reason);
                    if std::io::stdin().is_terminal() {
                        let _ = writeln!(std::io::stderr(), "{reason}");
                    }
                }
                run.print(Outcome::NotHere);
            }
            _ => run.print(Outcome::Unknown),
        }
        code
    }

    /// The exit code of a start or stop.
    fn code(&self, run: &ActionRun) -> u8 {
        match &run.outcome {
            Ok(_) => 0,
            // A cluster's stop succeeds here, since it runs with the parameters of the last start; this face reads
            // them anew.
            Err(Error::Parameter(_)) if self.has_arguments => sentences::INVALID_ARGUMENT,
            Err(Error::Parameter(_)) => sentences::NOT_CONFIGURED,
            // OCF has one code for every failed stop, since each means fencing; the LSB distinguishes them.
            Err(error) => match exit_code(error, run.attempt) {
                ExitCode::Success => 0,
                _ => sentences::code(exit_code(error, Attempt::Start)),
            },
        }
    }

    /// Runs one action on the address, and reports any failure.
    fn run(&self, name: &str, action: Action, began: Instant, timeout: Duration) -> ActionRun {
        let attempt = action.attempt();
        let instance = self.settings.instance();
        let environment = environment(&self.variables, &instance, &self.settings, timeout);
        let log = Log::new(&environment.log_settings(), name, began);
        let late = exit_code(&Error::OutOfTime(timeout), attempt);
        let late =
            if attempt == Attempt::Monitor { sentences::status_code(late) } else { sentences::code(late) };
        report_panics(&log, late);
        let deadline = Deadline::new(tokio::time::Instant::from_std(began), timeout);
        let guard = Watchdog::start(&deadline, late, &log);
        if attempt != Attempt::Monitor {
            for warning in environment.warnings().iter().chain(&self.settings.warnings) {
                log.warn(warning);
            }
        }
        let mut run = ActionRun::new(attempt, &self.settings, log);
        match Params::parse(&environment.reskeys()) {
            Ok(params) => run.run(&Request { action, params, deadline, nodes: Vec::new() }, &environment),
            Err(error) => run.outcome = Err(Error::Parameter(error)),
        }
        run.report();
        guard.end();
        run
    }
}

/// The outcome of one action, with what is known about the address afterwards.
struct ActionRun {
    attempt: Attempt,
    log: Log,
    outcome: Result<Report, Error>,
    /// The address as the operator named it, if one is set.
    name: Option<String>,
    /// The id of this instance, if known.
    node: String,
    on_stop: Option<OnStop>,
    /// The phase of the last action, according to this node's record.
    phase: Option<Phase>,
}

impl ActionRun {
    fn new(attempt: Attempt, settings: &InitSettings, log: Log) -> Self {
        Self {
            attempt,
            log,
            outcome: Ok(Report::Done),
            name: parameters::address(&settings.parameters).map(str::to_owned),
            node: "this instance".to_owned(),
            on_stop: None,
            phase: None,
        }
    }

    fn run(&mut self, request: &Request, environment: &Environment) {
        let (params, deadline) = (&request.params, request.deadline);
        self.on_stop = Some(params.on_stop);
        let (world, warnings) =
            match world::build(&params.api, &params.timing, deadline, environment, &self.log) {
                Ok(made) => made,
                Err(error) => return self.outcome = Err(error),
            };
        if self.attempt != Attempt::Monitor {
            for warning in &warnings {
                self.log.warn(warning);
            }
        }
        self.outcome = world::run(deadline, resource::run::<Elastic, _>(&world, request));
        let (volatile, durable) = (world.records().volatile(), world.records().durable());
        self.phase = volatile.phase;
        if let Some(id) = volatile.instance.or_else(|| world.host().instance_id()) {
            self.node = id.to_string();
        }
        if let (None, Some(pair)) = (params.elastic_ip, durable.pair) {
            self.name = Some(pair.public_ip.to_string());
        }
    }

    /// Reports a failure: in the log, and on one line of standard error.
    fn report(&self) {
        let Err(error) = &self.outcome else {
            return;
        };
        // A monitor can report "not here" and a stop can succeed in spite of an error.
        if matches!(exit_code(error, self.attempt), ExitCode::Success | ExitCode::NotRunning)
            && !matches!(error, Error::Parameter(_))
        {
            return self.log.warn(world::in_full(error));
        }
        if let Error::Parameter(ParamError::NoAddress) = error {
            let file = FILES.join(" or ");
            return self.log.exit_reason(format_args!(
                "no address: set ELASTIC_IP in {file}, or give it before the action"
            ));
        }
        world::give_reason(error, &self.log);
    }

    fn print(&self, outcome: Outcome) {
        print(&sentences::sentence(outcome, self.name.as_deref(), &self.node));
    }
}

/// Prints a text; a closed reader is not an error.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
