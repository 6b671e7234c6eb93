//! Serves a call: reads the settings, runs the shared actions, prints the result and returns an exit code.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::NAME;
use super::arguments::{self, InitAction, InitRequest, InitUsageError};
use super::settings::{self, FILE_VARIABLE, FILES, InitSettings};
use super::words::{self, Outcome};
use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::face::given;
use crate::face::last_resort::{Watchdog, report_panics};
use crate::face::no_cluster::{self, Instead};
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
            print(&words::usage());
            0
        }
        Ok(InitRequest::Action(action, parameters)) => match settings(&call, &parameters) {
            Ok(settings) => InitCall::new(call, settings, !parameters.is_empty()).act(action),
            Err((code, reason)) => refuse(&call, action, code, &reason),
        },
        Err(refused) => {
            let _ = write!(std::io::stderr(), "{NAME}: {refused}\n{}", words::usage());
            match refused {
                InitUsageError::Unimplemented(_) => words::UNIMPLEMENTED,
                _ => words::INVALID_ARGUMENT,
            }
        }
    }
}

/// Reads and combines the settings.
///
/// # Errors
/// The exit code, and one line that says why the settings cannot be used.
fn settings(call: &Call, given: &BTreeMap<String, String>) -> Result<InitSettings, (u8, String)> {
    let surroundings = Environment::new(call.variables.clone());
    let file = settings_file::find(surroundings.get(FILE_VARIABLE), &FILES).map_err(|refused| {
        let code = match refused {
            settings_file::SettingsFileError::Denied(_) => words::NO_PRIVILEGE,
            _ => words::NOT_CONFIGURED,
        };
        (code, refused.to_string())
    })?;
    let file = file.as_ref().map(|file| (file.path.as_str(), file.text.as_str()));
    let variable = |name: &str| surroundings.get(name).map(str::to_owned);
    settings::collect(file, variable, given).map_err(|unusable| (words::NOT_CONFIGURED, unusable.to_string()))
}

/// Reports why the call cannot be served.
fn refuse(call: &Call, action: InitAction, code: u8, reason: &str) -> u8 {
    let environment = environment(&call.variables, NAME, &InitSettings::default(), Duration::from_secs(1));
    Log::new(&environment.log_settings(), name_of(action), call.started).exit_reason(reason);
    if action == InitAction::Status {
        print(&words::sentence(Outcome::Unknown, "the address", "this instance"));
        return words::STATUS_UNKNOWN;
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
    let instead = Instead {
        instance: instance.to_owned(),
        program: NAME,
        reason_prefix: format!("{}: ", words::DESCRIPTION),
        log_tag: None,
        timeout,
        parameters: &settings.parameters,
        variables: &BTreeMap::new(),
    };
    no_cluster::environment(variables, &instead)
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
    fn new(call: Call, settings: InitSettings, has_arguments: bool) -> Self {
        Self { started: call.started, variables: call.variables, settings, has_arguments }
    }

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
                words::STATUS_STOPPED => 0,
                code => code,
            },
        }
    }

    fn start(&self, began: Instant) -> u8 {
        let step = self.step(Action::Start, began, self.settings.timeout);
        let code = self.code(&step);
        let outcome = if code == 0 { Outcome::Associated } else { Outcome::NotMapped };
        step.say(outcome);
        code
    }

    fn stop(&self) -> u8 {
        let step = self.step(Action::Stop, self.started, self.settings.timeout);
        let code = self.code(&step);
        step.say(match (code, step.on_stop, step.phase) {
            (0, Some(OnStop::Leave), _) => Outcome::Left,
            (0, _, Some(Phase::Left)) => Outcome::MaybeLeft,
            (0, ..) => Outcome::Disowned,
            _ => Outcome::NotDisowned,
        });
        code
    }

    fn status(&self) -> u8 {
        let step = self.step(Action::Monitor { level: 0 }, self.started, self.settings.status_timeout());
        let code = match &step.came {
            Ok(Report::Done) => 0,
            Ok(Report::NotHere(_)) => words::STATUS_STOPPED,
            Err(error) => words::status_code(exit_code(error, Attempt::Monitor)),
        };
        match code {
            0 => step.say(Outcome::Here),
            words::STATUS_STOPPED => {
                if let Ok(Report::NotHere(reason)) = &step.came {
                    step.log.debug(reason);
                    if std::io::stdin().is_terminal() {
                        let _ = writeln!(std::io::stderr(), "{reason}");
                    }
                }
                step.say(Outcome::NotHere);
            }
            _ => step.say(Outcome::Unknown),
        }
        code
    }

    /// The exit code of a start or stop.
    fn code(&self, step: &ActionRun) -> u8 {
        match &step.came {
            Ok(_) => 0,
            // A cluster's stop succeeds here, since it runs with the parameters of the last start; this face reads
            // them anew.
            Err(Error::Parameter(_)) if self.has_arguments => words::INVALID_ARGUMENT,
            Err(Error::Parameter(_)) => words::NOT_CONFIGURED,
            // OCF has one code for every failed stop, since each means fencing; the LSB distinguishes them.
            Err(error) => match exit_code(error, step.attempt) {
                ExitCode::Success => 0,
                _ => words::code(exit_code(error, Attempt::Start)),
            },
        }
    }

    /// Runs one action on the address, and reports any failure.
    fn step(&self, action: Action, began: Instant, timeout: Duration) -> ActionRun {
        let attempt = match action {
            Action::Start => Attempt::Start,
            Action::Stop => Attempt::Stop,
            _ => Attempt::Monitor,
        };
        let instance = self.settings.instance();
        let environment = environment(&self.variables, &instance, &self.settings, timeout);
        let log = Log::new(&environment.log_settings(), log_name(action), began);
        let late = exit_code(&Error::OutOfTime(timeout), attempt);
        let late = if attempt == Attempt::Monitor { words::status_code(late) } else { words::code(late) };
        report_panics(&log, late);
        let deadline = Deadline::new(tokio::time::Instant::from_std(began), timeout);
        let guard = Watchdog::start(&deadline, late, &log);
        if attempt != Attempt::Monitor {
            for warning in environment.warnings().iter().chain(&self.settings.warnings) {
                log.warn(warning);
            }
        }
        let mut step = ActionRun::new(attempt, &self.settings, log);
        match Params::parse(&environment.reskeys()) {
            Ok(params) => step.run(&Request { action, params, deadline, nodes: Vec::new() }, &environment),
            Err(error) => step.came = Err(Error::Parameter(error)),
        }
        step.report();
        guard.end();
        step
    }
}

/// The outcome of one action, with what is known about the address afterwards.
struct ActionRun {
    attempt: Attempt,
    log: Log,
    came: Result<Report, Error>,
    /// The address as the operator named it.
    name: String,
    /// The id of this instance, if known.
    node: String,
    on_stop: Option<OnStop>,
    /// The phase of the last action, according to this node's record.
    phase: Option<Phase>,
}

impl ActionRun {
    fn new(attempt: Attempt, settings: &InitSettings, log: Log) -> Self {
        let name = given::address(&settings.parameters).map(str::to_owned);
        Self {
            attempt,
            log,
            came: Ok(Report::Done),
            name: name.unwrap_or_else(|| "the address".to_owned()),
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
                Err(error) => return self.came = Err(error),
            };
        if self.attempt != Attempt::Monitor {
            for warning in &warnings {
                self.log.warn(warning);
            }
        }
        self.came = world::run(deadline, resource::run::<Elastic, _>(&world, request));
        let (volatile, durable) = (world.records().volatile(), world.records().durable());
        self.phase = volatile.phase;
        if let Some(id) = volatile.instance.or_else(|| world.host().instance_id()) {
            self.node = id.to_string();
        }
        if let (None, Some(pair)) = (params.elastic_ip, durable.pair) {
            self.name = pair.public_ip.to_string();
        }
    }

    /// Reports a failure: in the log, and on one line of standard error.
    fn report(&self) {
        let Err(error) = &self.came else {
            return;
        };
        let whole = world::in_full(error);
        // A monitor can report "not here" and a stop can succeed in spite of an error.
        if matches!(exit_code(error, self.attempt), ExitCode::Success | ExitCode::NotRunning)
            && !matches!(error, Error::Parameter(_))
        {
            return self.log.warn(whole);
        }
        if let Error::Parameter(ParamError::NoAddress) = error {
            let file = FILES.join(" or ");
            return self.log.exit_reason(format_args!(
                "no address: set ELASTIC_IP in {file}, or give it before the action"
            ));
        }
        self.log.exit_reason(error);
        if whole != error.to_string() {
            self.log.info(whole);
        }
    }

    fn say(&self, outcome: Outcome) {
        print(&words::sentence(outcome, &self.name, &self.node));
    }
}

fn name_of(action: InitAction) -> &'static str {
    match action {
        InitAction::Start => "start",
        InitAction::Stop => "stop",
        InitAction::Status => "status",
        InitAction::Restart => "restart",
        InitAction::ForceReload => "force-reload",
    }
}

fn log_name(action: Action) -> &'static str {
    match action {
        Action::Start => "start",
        Action::Stop => "stop",
        _ => "status",
    }
}

/// Prints a text; a closed reader is not an error.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
