//! The health check for `vrrp_script`, and `status` for people. A healthy node makes no EC2 calls.
//!
//! The master is healthy while it holds the address: if EC2 reports another holder, EC2 has decided and keepalived
//! should follow. Any other node is healthy while it could take over. An unknown holder is not a failure.

use std::time::Duration;

use super::work::{FAILED, Work};
use crate::face::call::print;
use crate::resource::elastic::Elastic;
use crate::resource::error::Error;
use crate::resource::{self, Action, Report, op};

/// Time limit of `status`, which a person waits for.
const STATUS_LIMIT: Duration = Duration::from_secs(20);

/// Exit code 0 if this node is healthy, otherwise 1; only a change is logged. Keeps the watchdog's fallback exit code up to date.
pub(super) fn check(work: &Work) -> u8 {
    let limit = work.settings.check_deadline;
    // Without knowing whether this is the master, report no failure.
    work.fallback.set(0);
    let _guard = work.watch(limit);
    let latest = work.generations.last().ok().flatten();
    let is_master = latest.as_ref().is_some_and(|latest| latest.requested == "MASTER");
    work.fallback.set(if is_master { 0 } else { FAILED });
    // The takeover in progress has its own deadline; failing now would only make keepalived start over on another
    // node.
    if is_master && latest.is_some_and(|latest| latest.done.is_none()) && work.generations.is_busy() {
        return 0;
    }
    let action = if is_master { Action::Monitor { level: 0 } } else { Action::Start };
    let outcome = work.query(action, limit, async |world, request| {
        let op = op::<Elastic, _>(world, request);
        if is_master { op.is_still_here().await } else { op.is_ready().await }
    });
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
    let _guard = work.watch(STATUS_LIMIT);
    let found = work.query(Action::Monitor { level: 10 }, STATUS_LIMIT, async |world, request| {
        resource::run::<Elastic, _>(world, request).await
    });
    print(if matches!(found, Ok(Report::Done)) { "OK\n" } else { "FAIL\n" });
    match found {
        Ok(Report::Done) => 0,
        Ok(Report::NotHere(reason)) => {
            work.log.info(reason);
            FAILED
        }
        Err(error) => work.fail(&error),
    }
}
