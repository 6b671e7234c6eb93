//! The OCF face: one argument, `OCF_*` variables, an exit code, and a one-line exit reason for every failure.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use super::call::print;
use super::ctl::metrics::exposition::ABSENT;
use super::watchdog::Watchdog;
use super::{Call, health};
use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::host::Host as _;
use crate::ocf::agent::{self, Agent};
use crate::ocf::environment::Environment;
use crate::ocf::exit::ExitCode;
use crate::ocf::{meta_data, usage};
use crate::params;
use crate::resource::error::{Error, exit_code, scope};
use crate::resource::kind::Kind;
use crate::resource::recorded::RecordedResource;
use crate::resource::{self, Action, Report, Request};
use crate::state::Records as _;
use crate::with_kind;
use crate::world::{self, RealWorld};

/// Handles one call according to the OCF standard and returns its exit code.
pub(super) fn serve(name: &str, call: Call) -> u8 {
    let agent = agent::named(name);
    let environment = Environment::new(call.variables).of_agent(agent.name);
    let level = environment.check_level();
    // The standard requires further arguments to be ignored.
    let requested = call.arguments.get(1).and_then(|first| first.to_str()).unwrap_or_default();
    let action = match requested {
        _ if !usage::actions(agent).any(|action| action == requested) => {
            let _ = std::io::stderr().write_all(usage::text(agent, name).as_bytes());
            return ExitCode::Unimplemented as u8;
        }
        "meta-data" => return print(&meta_data::meta_data(agent, environment.ra_version())),
        "methods" => return print(&usage::methods(agent)),
        "start" => Action::Start,
        "stop" => Action::Stop,
        "monitor" | "status" if environment.is_probe() => Action::Probe { level },
        "monitor" | "status" => Action::Monitor { level },
        "validate-all" => Action::Validate { level },
        "migrate_to" => Action::MigrateTo,
        "migrate_from" => Action::MigrateFrom,
        "reload-agent" => Action::Reload,
        // `usage` and `help`.
        _ => return print(&usage::text(agent, name)),
    };
    act(agent, action, call.started, &environment) as u8
}

/// Runs an action and maps its outcome to an exit code and, unless it succeeded, a one-line exit reason.
fn act(
    agent: &'static Agent,
    action: Action,
    started: std::time::Instant,
    environment: &Environment,
) -> ExitCode {
    let log = Log::new(&environment.log_settings(), action.name(), started);
    let without_answer = exit_code(&Error::OutOfTime(Duration::ZERO), action) as u8;
    let deadline = Deadline::since(started, environment.action_timeout());
    // Started before logging: the log file may be what blocks.
    let _guard = Watchdog::start(&deadline, without_answer, &log);
    if is_worth_warnings(action) {
        log.warn_all(environment.warnings());
    }
    let outcome = if agent.address.is_empty() {
        health::run(action, deadline, environment, &log)
    } else {
        with_kind!(agent, K => on_address::<K>(action, deadline, environment, &log))
    };
    let (code, failure) = conclude(outcome, action, &log);
    if !agent.address.is_empty() {
        // After the exit reason is out: nothing depends on it.
        keep_account(action, failure, environment, &log);
    }
    code
}

/// Counts a failed action for the metrics, and at a probe makes the history readable for the alert agent.
fn keep_account(action: Action, failure: Option<&'static str>, environment: &Environment, log: &Log) {
    let records = world::records(environment, log);
    if let Some(reason) = failure {
        records.update_tally(|tally| {
            let of_action = tally.failures.entry(action.name().to_owned()).or_default();
            *of_action.entry(reason.to_owned()).or_default() += 1;
        });
    } else if matches!(action, Action::Probe { .. }) {
        let _ = records.share();
    }
}

/// Runs an action on an address with the real services until the deadline.
fn on_address<K: Kind<RealWorld>>(
    action: Action,
    deadline: Deadline,
    environment: &Environment,
    log: &Log,
) -> Result<Report, Error> {
    if let Some((major, _)) = environment.ra_version().filter(|(major, _)| *major != 1) {
        return Err(Error::OcfVersion(major));
    }
    let mut raw = environment.reskeys();
    let of_record = recall(K::AGENT, action, &mut raw, environment, log);
    let outcome = perform::<K>(action, deadline, &raw, environment, log);
    match outcome {
        // No failure of a resource that the cluster no longer has is worth fencing the node.
        Err(error) if of_record => {
            log.warn(world::in_full(&error));
            Ok(Report::Done)
        }
        outcome => outcome,
    }
}

/// Adds to a stop that got no address what this resource has on record; false if it has nothing, or this is not such a stop. [stop-12]
fn recall(
    agent: &Agent,
    action: Action,
    raw: &mut BTreeMap<String, String>,
    environment: &Environment,
    log: &Log,
) -> bool {
    let is_set = |name: &&str| raw.get(*name).is_some_and(|value| !value.trim().is_empty());
    if action != Action::Stop || agent.address.iter().any(is_set) {
        return false;
    }
    let records = world::records(environment, log);
    let (name, boot) = (records.name(), world::host().boot_id());
    let recorded = RecordedResource::new(name, records.volatile(), records.durable(), &boot);
    let Some(parameters) = recorded.of_stop(agent) else { return false };
    let shown: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    log.warn(format_args!("stop without an address, using this resource's record: {}", shown.join(" ")));
    raw.extend(parameters);
    true
}

/// Runs an action on an address with these parameters.
fn perform<K: Kind<RealWorld>>(
    action: Action,
    deadline: Deadline,
    raw: &BTreeMap<String, String>,
    environment: &Environment,
    log: &Log,
) -> Result<Report, Error> {
    let params = K::parse(raw)?;
    // Valid parameters are all that these require: no runtime and no client is built.
    if matches!(action, Action::Reload | Action::Validate { level: ..10 }) {
        return Ok(Report::Done);
    }
    let common = K::common(&params);
    let (world, warnings) = world::build(common.api, common.timing, deadline, environment, log)?;
    if is_worth_warnings(action) {
        let unknown = params::unknown(raw, K::AGENT.parameters);
        let options = params::options_of_awscli(raw);
        let validates = matches!(action, Action::Validate { .. });
        if validates && !unknown.is_empty() {
            log.warn(format_args!("unknown parameters ignored: {}", unknown.join(", ")));
        }
        if validates && !options.is_empty() {
            log.warn(format_args!("awscli: no effect here: {}", options.join(" ")));
        }
        log.warn_all(&warnings);
    }
    let nodes = [environment.node_name(), environment.physical_host()].into_iter().flatten();
    let request = Request { action, params, deadline, nodes: nodes.map(str::to_owned).collect() };
    world::run(deadline, resource::run::<K, _>(&world, &request))
}

/// Logs the outcome and prints the exit reason. Returns the exit code, and why the action counts as failed: the scope of its error;
/// `None` if it does not.
fn conclude(outcome: Result<Report, Error>, action: Action, log: &Log) -> (ExitCode, Option<&'static str>) {
    let is_probe = matches!(action, Action::Probe { .. });
    let (code, failure) = match outcome {
        Ok(Report::Done) => (ExitCode::Success, None),
        Ok(Report::NotHere(reason)) => {
            if is_probe {
                log.debug(reason);
            } else {
                log.exit_reason(reason);
            }
            (ExitCode::NotRunning, Some(ABSENT))
        }
        Err(error) => {
            let code = exit_code(&error, action);
            let is_failure = code != ExitCode::Success;
            if is_failure && !is_probe {
                world::give_reason(&error, log);
            } else {
                log.warn(world::in_full(&error));
            }
            (code, is_failure.then(|| scope(&error).name()))
        }
    };
    (code, failure.filter(|_| !matches!(action, Action::Probe { .. } | Action::Validate { .. })))
}

/// Whether warnings about the environment are logged for this action. Not for monitors, which would repeat them every
/// few seconds, and not at level 0 of `validate-all`, where pcs shows any output as a problem.
fn is_worth_warnings(action: Action) -> bool {
    matches!(action, Action::Start | Action::Stop | Action::MigrateFrom | Action::Validate { level: 10.. })
}
