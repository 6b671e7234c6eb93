//! The health check for `vrrp_script`, and `status` for people. A healthy node makes no EC2 calls.
//!
//! The master is healthy while it holds the address: if EC2 reports another holder, EC2 has decided and keepalived
//! should follow. Any other node is healthy while it could take over. An unknown holder is not a failure.

use super::master::print_line;
use super::work::{FAILED, Work};
use crate::resource::elastic::Elastic;
use crate::resource::error::Error;
use crate::resource::{self, Action, Report, op};

/// Time limit of `status`, which a person waits for.
const STATUS_LIMIT: std::time::Duration = std::time::Duration::from_secs(20);

/// Exit code 0 if this node is healthy, otherwise 1; only a change is logged.
pub(super) fn serve(work: &Work) -> u8 {
    // Without knowing whether this is the master, report no failure.
    work.fallback.set(0);
    let guard = work.watch(work.settings.check_deadline);
    let code = check(work);
    guard.end();
    code
}

/// Runs the check and keeps the watchdog's fallback exit code up to date.
fn check(work: &Work) -> u8 {
    let latest = work.generations.last().ok().flatten();
    let is_master = latest.as_ref().is_some_and(|latest| latest.requested == "MASTER");
    work.fallback.set(if is_master { 0 } else { FAILED });
    // The takeover in progress has its own deadline; failing now would only make keepalived start over on another
    // node.
    if is_master && latest.is_some_and(|latest| latest.done.is_none()) && work.generations.is_busy() {
        return 0;
    }
    let limit = work.settings.check_deadline;
    let outcome = if is_master {
        let action = Action::Monitor { level: 0 };
        work.query(action, limit, async |world, request| {
            op::<Elastic, _>(world, request).is_still_here().await
        })
    } else {
        work.query(Action::Start, limit, async |world, request| {
            op::<Elastic, _>(world, request).is_ready().await
        })
    };
    let (code, text) = match outcome {
        Ok(Report::Done) => (0, "well".to_owned()),
        Ok(Report::NotHere(reason)) => (FAILED, reason),
        Err(error @ Error::Parameter(_)) => (FAILED, error.to_string()),
        Err(error) if is_master => (0, format!("holder unknown: {error}")),
        Err(error) => (FAILED, format!("this node could not take the address: {error}")),
    };
    work.fallback.set(code);
    if work.generations.is_news(&text) {
        match (code, text.as_str()) {
            (0, "well") => work.log.info("check: this node is healthy"),
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
    let found = work.query(action, STATUS_LIMIT, async |world, request| {
        resource::run::<Elastic, _>(world, request).await
    });
    guard.end();
    match found {
        Ok(Report::Done) => {
            print_line("OK");
            0
        }
        Ok(Report::NotHere(reason)) => {
            print_line("FAIL");
            work.log.info(reason);
            FAILED
        }
        Err(error) => {
            print_line("FAIL");
            work.fail(&error)
        }
    }
}
