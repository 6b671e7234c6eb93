//! Serves one event: finds what there is to announce, and sends it.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::NAME;
use super::announcement::{AlertEvent, Announcement, detection, newest};
use super::recipient::Recipient;
use crate::base::deadline::Deadline;
use crate::base::deadline::millis;
use crate::base::log::Log;
use crate::base::retry::{self, Patience, Retryable};
use crate::base::small_file;
use crate::face::Call;
use crate::face::assignments::seconds;
use crate::face::cluster::tools::watch;
use crate::face::environment::synthesise;
use crate::face::watchdog::Watchdog;
use crate::ocf::environment::Environment;
use crate::resource::error::Error;
use crate::state::alerts::AlertFiles;
use crate::world;

/// Exit code of a call that could not announce what it should.
const FAILED: u8 = 1;
/// The alert's option for the time that one call may take.
const LIMIT_OPTION: &str = "eip_alert_timeout";
/// Default of that. Pacemaker ends an alert agent after 30 seconds.
const LIMIT: Duration = Duration::from_secs(20);
/// The alert's option for the certificate authorities of a webhook.
const CA_OPTION: &str = "ca_bundle";
/// Limit for one attempt to reach a webhook.
const ATTEMPT: Duration = Duration::from_secs(5);
/// Corosync's configuration, which determines how long it takes to notice the loss of a node.
const COROSYNC: &str = "/etc/corosync/corosync.conf";
/// Largest size of that.
const LARGEST_SETTINGS: u64 = 64 << 10;
/// Longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Handles one event and returns the exit code, which Pacemaker only logs.
pub(in crate::face) fn serve(call: &Call) -> u8 {
    let environment = Environment::new(call.variables.clone());
    let limit = environment.get(LIMIT_OPTION).map(|value| seconds(LIMIT_OPTION, value, 1));
    let resource = environment.get("CRM_alert_rsc").unwrap_or(NAME);
    let timeout = limit.clone().and_then(Result::ok).unwrap_or(LIMIT);
    let tag = ("HA_LOGTAG".to_owned(), NAME.to_owned());
    let environment = synthesise(&call.variables, NAME, resource, timeout, [tag]);
    let log = Log::new(&environment.log_settings(), NAME, call.started);
    let deadline = Deadline::since(call.started, timeout);
    let _guard = Watchdog::start(&deadline, FAILED, &log);
    if let Some(Err(error)) = limit {
        log.warn(format_args!("{error}; using {}", LIMIT.as_secs()));
    }
    match handle(&environment, deadline, &log) {
        Ok(()) => 0,
        Err(reason) => {
            log.exit_reason(reason);
            FAILED
        }
    }
}

fn handle(environment: &Environment, deadline: Deadline, log: &Log) -> Result<(), String> {
    let now = millis(world::now());
    let event = AlertEvent::of(environment, now).ok_or_else(|| {
        format!("no CRM_alert_kind: this program is run by Pacemaker, after pcs alert create path=.../{NAME}")
    })?;
    let value = environment.get("CRM_alert_recipient").unwrap_or_default();
    let recipient = Recipient::parse(value)?;
    let files = AlertFiles::new(environment);
    let (resource, node) = match event {
        AlertEvent::Other => return Ok(()),
        AlertEvent::Lost(loss) => {
            // Only the estimate of the outage depends on it, and before the first probe there is no folder for it.
            let failed = |error| log.debug(format_args!("loss of {} not recorded: {error}", loss.node));
            files.remember_loss(&loss).unwrap_or_else(failed);
            return Ok(());
        }
        AlertEvent::Joined(node) => {
            let failed = |error| log.debug(format_args!("loss of {node} not forgotten: {error}"));
            files.forget_loss(&node).unwrap_or_else(failed);
            return Ok(());
        }
        AlertEvent::Started { resource, node } => (resource, node),
    };
    let history =
        files.history(&resource).map_err(|error| format!("history of {resource} not read: {error}"))?;
    let Some(history) = history else { return Ok(()) };
    let Some(change) = newest(&history, &node, now) else { return Ok(()) };
    let is_first = files.claim(&resource, value, change);
    if !is_first.map_err(|error| format!("move of {resource} not announced, could not record it: {error}"))? {
        return Ok(());
    }
    let before = history.iter().rev().nth(1);
    let loss = files.last_loss();
    let corosync = small_file::read(Path::new(COROSYNC), LARGEST_SETTINGS).unwrap_or_default();
    let detection = detection(&String::from_utf8_lossy(&corosync));
    let loss = loss.as_ref().map(|loss| (loss, detection));
    let announcement = Announcement::new(&resource, &node, change, before, loss);
    let announced = match recipient {
        Recipient::Syslog => {
            log.info(&announcement.text);
            Ok(())
        }
        Recipient::Command(path) => run(&path, &announcement, &deadline),
        Recipient::Webhook(url) => post(&url, &announcement, environment, deadline),
    };
    announced.map_err(|reason| format!("move not announced: {reason}"))
}

/// Runs a program until the deadline, in a process group of its own, with which all that it has started ends.
fn run(path: &Path, announcement: &Announcement, deadline: &Deadline) -> Result<(), String> {
    let shown = path.display().to_string();
    let mut command = Command::new(path);
    command.arg(&announcement.text).envs(announcement.variables()).stdin(Stdio::null()).process_group(0);
    let mut child = command.spawn().map_err(|error| format!("{shown}: {error}"))?;
    if watch(&mut child, &shown, deadline.left())? { Ok(()) } else { Err(format!("{shown} failed")) }
}

/// Why a webhook did not take the announcement.
struct Rejected {
    reason: String,
    patience: Patience,
}

impl Retryable for Rejected {
    fn patience(&self) -> Patience {
        self.patience
    }
}

/// Sends the announcement until the webhook takes it, refuses it, or the deadline.
fn post(
    url: &http::Uri,
    announcement: &Announcement,
    environment: &Environment,
    deadline: Deadline,
) -> Result<(), String> {
    let document = serde_json::to_string(announcement).map_err(|error| error.to_string())?;
    // The path may be the secret.
    let host = url.host().unwrap_or_default();
    let webhook = world::webhook(environment.get(CA_OPTION), ATTEMPT)?;
    let cut_off = || Rejected { reason: "no answer in time".to_owned(), patience: Patience::Never };
    let sending = retry::until(&deadline, LONGEST_PAUSE, cut_off, async || {
        let (reason, patience) = match webhook.post(url, document.clone()).await {
            Ok(200..=299) => return Ok(()),
            // Overloaded, or a gateway before it.
            Ok(status @ (408 | 429 | 500..=599)) => (format!("HTTP {status}"), Patience::Lasting),
            Ok(status) => (format!("HTTP {status}"), Patience::Never),
            Err(reason) => (reason, Patience::Lasting),
        };
        Err(Rejected { reason, patience })
    });
    match world::run(deadline, async { Ok(sending.await) }) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(rejected)) => Err(format!("{host}: {}", rejected.reason)),
        Err(error @ Error::OutOfTime(_)) => Err(format!("{host}: {error}")),
        Err(error) => Err(error.to_string()),
    }
}
