//! The health check for `vrrp_script`, and `status` for people. A healthy node makes no EC2 calls.
//!
//! The master is healthy while it holds the address: if EC2 reports another holder, EC2 has decided and keepalived
//! should follow. Any other node is healthy while it could take over. An unknown holder is not a failure.

use super::master::say;
use super::work::{FAILED, Work};
use crate::resource::elastic::{self, Elastic};
use crate::resource::error::Error;
use crate::resource::{self, Action, Report};

/// Time limit of `status`, which a person waits for.
const STATUS_LIMIT: std::time::Duration = std::time::Duration::from_secs(20);

/// Exit code 0 if this node is healthy, otherwise 1; only a change is logged.
pub(super) fn serve(work: &Work) -> u8 {
    // Without knowing whether this is the master, report no failure.
    work.otherwise.set(0);
    let guard = work.watch(work.settings.check_deadline);
    let code = check(work);
    guard.end();
    code
}

/// Runs the check and keeps the watchdog's fallback exit code up to date.
fn check(work: &Work) -> u8 {
    let turn = work.turns.last().ok().flatten();
    let is_master = turn.as_ref().is_some_and(|turn| turn.told == "MASTER");
    work.otherwise.set(if is_master { 0 } else { FAILED });
    // The takeover in progress has its own deadline; failing now would only make keepalived start over on another
    // node.
    if is_master && turn.is_some_and(|turn| turn.done.is_none()) && work.turns.is_busy() {
        return 0;
    }
    let limit = work.settings.check_deadline;
    let outcome = if is_master {
        let action = Action::Monitor { level: 0 };
        work.look(action, limit, async |world, request| elastic::is_still_here(world, request).await)
    } else {
        work.look(Action::Start, limit, async |world, request| elastic::is_ready(world, request).await)
    };
    let (code, text) = match outcome {
        Ok(Report::Done) => (0, "well".to_owned()),
        Ok(Report::NotHere(reason)) => (FAILED, reason),
        Err(error @ Error::Parameter(_)) => (FAILED, error.to_string()),
        Err(error) if is_master => (0, format!("the holder is not known: {error}")),
        Err(error) => (FAILED, format!("this node could not take the address: {error}")),
    };
    work.otherwise.set(code);
    if work.turns.is_news(&text) {
        match (code, text.as_str()) {
            (0, "well") => work.log.info("check: this node is well"),
            (0, _) => work.log.warn(format_args!("check: {text}")),
            _ => work.log.error(format_args!("check: {text}")),
        }
    }
    code
}

/// Prints the article's `OK` or `FAIL` for whether the address is here according to EC2.
pub(super) fn status(work: &Work) -> u8 {
    let action = Action::Monitor { level: 10 };
    let guard = work.watch(STATUS_LIMIT);
    let found = work
        .look(action, STATUS_LIMIT, async |world, request| resource::run::<Elastic, _>(world, request).await);
    guard.end();
    match found {
        Ok(Report::Done) => {
            say("OK");
            0
        }
        Ok(Report::NotHere(reason)) => {
            say("FAIL");
            work.log.info(reason);
            FAILED
        }
        Err(error) => {
            say("FAIL");
            work.fail(&error)
        }
    }
}
