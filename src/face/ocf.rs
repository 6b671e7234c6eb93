//! The OCF face: one argument, `OCF_*` in the environment, an exit code, and a reason in one line for every failure.

use std::ffi::OsString;
use std::io::Write as _;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command};
use tokio::time::Instant;

use super::Call;
use super::last_resort::{Watchdog, report_panics};
use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::ocf::agent::{self, Agent};
use crate::ocf::environment::Environment;
use crate::ocf::exit::ExitCode;
use crate::ocf::{meta_data, usage};
use crate::params;
use crate::resource::error::{Attempt, Error, exit_code};
use crate::resource::kind::Kind;
use crate::resource::{self, Action, Report, Request};
use crate::with_kind;
use crate::world::{self, RealWorld};

/// What the one argument asks for.
enum Asked {
    /// Something of the resource.
    Action(Action),
    /// The description of the agent.
    MetaData,
    /// A text for people.
    Usage,
    /// The names of the actions, one a line.
    Methods,
}

/// Serves one call by the OCF standard and returns its exit code.
pub(super) fn serve(name: &str, call: Call) -> u8 {
    let agent = agent::named(name);
    let environment = Environment::new(call.variables).of_agent(agent.name);
    let Some(asked) = asked(agent, name, call.arguments, &environment) else {
        print_error(&usage::text(agent, name));
        return ExitCode::Unimplemented as u8;
    };
    match asked {
        Asked::MetaData => print(&meta_data::meta_data(agent, environment.ra_version())),
        Asked::Usage => print(&usage::text(agent, name)),
        Asked::Methods => print(&usage::methods(agent)),
        Asked::Action(action) => with_kind!(agent, K => act::<K>(action, call.started, &environment)) as u8,
    }
}

/// Returns what the arguments ask for; nothing where they ask for something unknown, or for nothing.
fn asked(
    agent: &'static Agent,
    name: &str,
    arguments: Vec<OsString>,
    environment: &Environment,
) -> Option<Asked> {
    let actions = PossibleValuesParser::new(usage::actions(agent));
    let matches = Command::new(agent.name)
        .bin_name(name.to_owned())
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(Arg::new("action").required(true).value_parser(actions))
        // The standard says to ignore further arguments.
        .arg(
            Arg::new("ignored")
                .num_args(0..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .action(ArgAction::Append)
                .value_parser(clap::value_parser!(OsString)),
        )
        .try_get_matches_from(arguments)
        .ok()?;
    let level = environment.check_level();
    Some(match matches.get_one::<String>("action")?.as_str() {
        "start" => Asked::Action(Action::Start),
        "stop" => Asked::Action(Action::Stop),
        "monitor" | "status" if environment.is_probe() => Asked::Action(Action::Probe { level }),
        "monitor" | "status" => Asked::Action(Action::Monitor { level }),
        "validate-all" => Asked::Action(Action::Validate { level }),
        "migrate_to" => Asked::Action(Action::MigrateTo),
        "migrate_from" => Asked::Action(Action::MigrateFrom),
        "reload-agent" => Asked::Action(Action::Reload),
        "meta-data" => Asked::MetaData,
        "usage" | "help" => Asked::Usage,
        "methods" => Asked::Methods,
        _ => return None,
    })
}

/// Runs an action and turns what came of it into an exit code and, where it is not success, one line for the operator.
fn act<K: Kind<RealWorld>>(
    action: Action,
    started: std::time::Instant,
    environment: &Environment,
) -> ExitCode {
    let log = Log::new(&environment.log_settings(), name_of(action), started);
    let attempt = attempt_of(action);
    let without_answer = u8::from(exit_code(&Error::OutOfTime(Duration::ZERO), attempt));
    report_panics(&log, without_answer);
    let deadline = Deadline::new(Instant::from_std(started), environment.action_timeout());
    // Around the logging too: what blocks may be the file it goes to.
    let guard = Watchdog::start(&deadline, without_answer, &log);
    if is_worth_warnings(action) {
        for warning in environment.warnings() {
            log.warn(warning);
        }
    }
    let outcome = match prepare::<K>(action, deadline, environment) {
        Ok(_) if needs_nothing(action) => Ok(Report::Done),
        Ok(request) => run::<K>(&request, environment, &log),
        Err(error) => Err(error),
    };
    let code = conclude(outcome, attempt, &log);
    guard.end();
    code
}

/// Checks everything that needs no look at the world.
fn prepare<K: Kind<RealWorld>>(
    action: Action,
    deadline: Deadline,
    environment: &Environment,
) -> Result<Request<K::Params>, Error> {
    if let Some((major, _)) = environment.ra_version().filter(|(major, _)| *major != 1) {
        return Err(Error::OcfVersion(major));
    }
    let params = K::parse(&environment.reskeys()).map_err(Error::Parameter)?;
    Ok(Request { action, params, deadline, node: environment.node_name().map(str::to_owned) })
}

/// Returns whether right parameters are all that the action asks for: then no runtime and no client is built.
fn needs_nothing(action: Action) -> bool {
    match action {
        Action::Reload => true,
        Action::Validate { level } => level < 10,
        Action::Start
        | Action::Stop
        | Action::Monitor { .. }
        | Action::Probe { .. }
        | Action::MigrateTo
        | Action::MigrateFrom => false,
    }
}

/// Runs the action in the real world, at most to the deadline.
fn run<K: Kind<RealWorld>>(
    request: &Request<K::Params>,
    environment: &Environment,
    log: &Log,
) -> Result<Report, Error> {
    let deadline = request.deadline;
    let common = K::common(&request.params);
    let (world, warnings) = world::build(common.api, common.timing, deadline, environment, log)?;
    if is_worth_warnings(request.action) {
        let unknown = params::unknown(&environment.reskeys(), K::AGENT.parameters);
        if matches!(request.action, Action::Validate { .. }) && !unknown.is_empty() {
            log.warn(format_args!("unknown parameters ignored: {}", unknown.join(", ")));
        }
        for warning in &warnings {
            log.warn(warning);
        }
    }
    world::run(deadline, resource::run::<K, _>(&world, request))
}

/// Writes the log entry and the reason, and returns the exit code.
fn conclude(outcome: Result<Report, Error>, attempt: Attempt, log: &Log) -> ExitCode {
    let (code, reason) = match outcome {
        Ok(Report::Done) => return ExitCode::Success,
        Ok(Report::NotHere(reason)) => {
            if attempt == Attempt::Probe {
                log.debug(&reason);
                return ExitCode::NotRunning;
            }
            (ExitCode::NotRunning, reason)
        }
        Err(error) => {
            let code = exit_code(&error, attempt);
            let (reason, whole) = (error.to_string(), world::in_full(&error));
            if code == ExitCode::Success || attempt == Attempt::Probe {
                log.warn(whole);
                return code;
            }
            log.exit_reason(&reason);
            if whole != reason {
                log.info(whole);
            }
            return code;
        }
    };
    log.exit_reason(reason);
    code
}

fn attempt_of(action: Action) -> Attempt {
    match action {
        Action::Start | Action::MigrateTo | Action::MigrateFrom | Action::Reload => Attempt::Start,
        Action::Stop => Attempt::Stop,
        Action::Monitor { .. } => Attempt::Monitor,
        Action::Probe { .. } => Attempt::Probe,
        Action::Validate { .. } => Attempt::Validate,
    }
}

fn name_of(action: Action) -> &'static str {
    match action {
        Action::Start => "start",
        Action::Stop => "stop",
        Action::Monitor { .. } | Action::Probe { .. } => "monitor",
        Action::Validate { .. } => "validate-all",
        Action::MigrateTo => "migrate_to",
        Action::MigrateFrom => "migrate_from",
        Action::Reload => "reload-agent",
    }
}

/// Returns whether warnings about the surroundings belong in the log of this action. Not each monitor of each ten seconds;
/// and not level 0 of `validate-all`, where pcs shows whatever is printed as a finding.
fn is_worth_warnings(action: Action) -> bool {
    match action {
        Action::Start | Action::Stop | Action::MigrateFrom => true,
        Action::Validate { level } => level >= 10,
        Action::Monitor { .. } | Action::Probe { .. } | Action::MigrateTo | Action::Reload => false,
    }
}

fn print(text: &str) -> u8 {
    // A reader that has gone away is no reason to panic.
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::Success as u8,
        Err(_) => ExitCode::Generic as u8,
    }
}

fn print_error(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
