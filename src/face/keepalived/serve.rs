//! Serves a call: reads arguments and settings, then dispatches to the requested work.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::time::Duration;

use super::arguments::{self, CommandLine, Job, KeepalivedRequest, NotificationSource, VrrpState};
use super::settings::{FILE_VARIABLE, KeepalivedSettings};
use super::work::{FAILED, UNUSABLE, Work};
use super::{FILE, NAME, check, follow, transition, usage};
use crate::base::log::Log;
use crate::face::Call;
use crate::face::call::print;
use crate::face::settings_file::{self, SettingsFile};
use crate::face::watchdog::report_panics;
use crate::ocf::environment::Environment;
use crate::params::{ParamError, Params};
use crate::state::generations::Generation;
use crate::world;

/// Handles one call and returns its exit code.
pub(in crate::face) fn serve(call: &Call) -> u8 {
    let CommandLine { request, parameters } = match arguments::read(&call.words()) {
        Ok(line) => line,
        Err(unusable) => {
            let code = refuse(call, &unusable);
            let _ = std::io::stderr().write_all(usage().as_bytes());
            return code;
        }
    };
    if let KeepalivedRequest::Print(text) = &request {
        return print(text);
    }
    let settings = match settings(&call.variables, &parameters) {
        Ok(settings) => settings,
        Err(reason) => return refuse(call, &reason),
    };
    let environment = settings.environment(&call.variables, settings.deadline);
    let log = Log::new(&environment.log_settings(), log_name(&request), call.started);
    let params = match Params::parse(&environment.reskeys()) {
        Ok(params) => params,
        Err(error) => {
            log.exit_reason(match error {
                ParamError::NoAddress => {
                    format!("no address: give it before the action, or set ELASTIC_IP in {FILE}")
                }
                error => error.to_string(),
            });
            return UNUSABLE;
        }
    };
    let mut work = Work {
        parameters,
        settings,
        generations: world::generations(&environment),
        environment,
        log: log.clone(),
        params,
        generation: Some(Generation::own()),
        started: call.started,
        fallback: FAILED.into(),
    };
    report_panics(&log, work.fallback.clone());
    match request {
        KeepalivedRequest::Transition(VrrpState::Master, source) => transition::master(work, &source),
        KeepalivedRequest::Transition(state, source) => transition::lose(work, state, &source),
        KeepalivedRequest::Background(job, generation) => {
            work.generation = generation;
            match job {
                Job::Lose(state) => transition::lose_here(&work, state, &NotificationSource::Action),
                Job::Follow => follow::follow(&work),
            }
        }
        KeepalivedRequest::Check => check::check(&work),
        KeepalivedRequest::Status => check::status(&work),
        KeepalivedRequest::Print(text) => print(&text),
    }
}

/// Reads the settings file, if there is one, and combines it with the command line.
fn settings(
    variables: &[(OsString, OsString)],
    parameters: &BTreeMap<String, String>,
) -> Result<KeepalivedSettings, String> {
    let surroundings = Environment::new(variables.to_vec());
    let file = settings_file::find(surroundings.get(FILE_VARIABLE), &[FILE]);
    let file = file.map_err(|refused| refused.to_string())?;
    let text = file.as_ref().map(|file| (file.path.as_str(), file.text.as_str()));
    let mut settings = KeepalivedSettings::collect(text, parameters)?;
    if let Some(SettingsFile { path, is_public: true, .. }) = &file
        && settings.variables.contains_key("AWS_SECRET_ACCESS_KEY")
    {
        settings.warnings.push(format!("{path} contains a secret key and is world-readable: chmod o-r"));
    }
    Ok(settings)
}

/// Reports why the call cannot be served.
fn refuse(call: &Call, reason: &str) -> u8 {
    let environment = KeepalivedSettings::default().environment(&call.variables, Duration::from_secs(1));
    Log::new(&environment.log_settings(), NAME, call.started).exit_reason(reason);
    UNUSABLE
}

fn log_name(request: &KeepalivedRequest) -> &'static str {
    match request {
        KeepalivedRequest::Transition(state, _) | KeepalivedRequest::Background(Job::Lose(state), _) => {
            state.name()
        }
        KeepalivedRequest::Background(Job::Follow, _) => "follow",
        KeepalivedRequest::Status => "status",
        KeepalivedRequest::Check => "check",
        KeepalivedRequest::Print(_) => "print",
    }
}
