//! Serves a call: reads arguments and settings, then dispatches to the requested work.

use std::ffi::OsString;
use std::io::Write as _;
use std::time::Duration;

use super::arguments::{self, Job, KeepalivedRequest, NotificationSource, VrrpState};
use super::settings::{FILE, FILE_VARIABLE, KeepalivedSettings};
use super::work::{FAILED, UNUSABLE, Work};
use super::{NAME, check, follow, lose, master, usage};
use crate::base::log::Log;
use crate::face::Call;
use crate::face::settings_file::{self, SettingsFile};
use crate::face::watchdog::report_panics;
use crate::params::ParamError;
use crate::resource::error::Error;

/// Handles one call and returns its exit code.
pub(in crate::face) fn serve(call: &Call) -> u8 {
    let arguments = call.arguments.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let arguments: Vec<String> = arguments.collect();
    let line = match arguments::read(&arguments) {
        Ok(line) => line,
        Err(unusable) => {
            let code = refuse(call, &KeepalivedSettings::default(), &unusable.to_string());
            let _ = std::io::stderr().write_all(usage().as_bytes());
            return code;
        }
    };
    match line.request {
        KeepalivedRequest::Help => return print(&usage()),
        KeepalivedRequest::Version => return print(concat!("eip ", env!("CARGO_PKG_VERSION"), "\n")),
        _ => {}
    }
    let settings = match settings(&call.variables, &line) {
        Ok(settings) => settings,
        Err(reason) => return refuse(call, &KeepalivedSettings::default(), &reason),
    };
    let environment = settings.environment(&call.variables, settings.deadline);
    let log = Log::new(&environment.log_settings(), log_name(&line.request), call.started);
    let request = line.request.clone();
    let mut work = match Work::new(line, settings, environment, log.clone(), call.started) {
        Ok(work) => work,
        Err(Error::Parameter(ParamError::NoAddress)) => {
            log.exit_reason(format_args!(
                "no address: give it before the action, or set ELASTIC_IP in {FILE}"
            ));
            return UNUSABLE;
        }
        Err(error) => {
            log.exit_reason(&error);
            return UNUSABLE;
        }
    };
    report_panics(&log, work.fallback.clone());
    match request {
        KeepalivedRequest::Transition(VrrpState::Master, source) => master::serve(work, &source),
        KeepalivedRequest::Transition(state, source) => lose::serve(work, state, &source),
        KeepalivedRequest::Background(job, generation) => {
            work.adopt(generation);
            match job {
                Job::Lose(state) => lose::here(&work, state, &NotificationSource::Action),
                Job::Follow => follow::follow(&work),
            }
        }
        KeepalivedRequest::Check => check::serve(&work),
        KeepalivedRequest::Status => check::status(&work),
        KeepalivedRequest::Help | KeepalivedRequest::Version => 0,
    }
}

/// Reads the settings file, if there is one, and combines it with the command line.
fn settings(
    variables: &[(OsString, OsString)],
    line: &arguments::CommandLine,
) -> Result<KeepalivedSettings, String> {
    let named = variables.iter().find(|(name, value)| name == FILE_VARIABLE && !value.is_empty());
    let named = named.map(|(_, value)| value.to_string_lossy());
    let file = settings_file::find(named.as_deref(), &[FILE]).map_err(|refused| refused.to_string())?;
    let text = file.as_ref().map(|file| (file.path.as_str(), file.text.as_str()));
    let collected = KeepalivedSettings::collect(text, &line.parameters);
    let mut settings = collected.map_err(|unusable| unusable.to_string())?;
    if let Some(SettingsFile { path, is_public: true, .. }) = &file
        && settings.variables.contains_key("AWS_SECRET_ACCESS_KEY")
    {
        settings.warnings.push(format!("{path} contains a secret key and is world-readable: chmod o-r"));
    }
    Ok(settings)
}

/// Reports why the call cannot be served.
fn refuse(call: &Call, settings: &KeepalivedSettings, reason: &str) -> u8 {
    let environment = settings.environment(&call.variables, Duration::from_secs(1));
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
        KeepalivedRequest::Help => "help",
        KeepalivedRequest::Version => "version",
    }
}

fn print(text: &str) -> u8 {
    // A closed reader is no reason to panic.
    if std::io::stdout().write_all(text.as_bytes()).is_ok() { 0 } else { FAILED }
}
