//! The check of `vrrp_script`, and the look of a person. No call to EC2 is made while all is well.
//!
//! The master is well while it has the address: where EC2 says that another node does, EC2 has decided, and keepalived should
//! follow. Any other node is well while it could take the address. What is not known is no failure.

use super::master::say;
use super::work::{FAILED, Work};
use crate::resource::elastic::{self, Elastic};
use crate::resource::error::Error;
use crate::resource::{self, Action, Report};

/// What a person's look may take.
const STATUS_LIMIT: std::time::Duration = std::time::Duration::from_secs(20);

/// Returns 0 where this node is well, and 1 where it is not; a change is a line in the log.
pub(super) fn serve(work: &Work) -> u8 {
    // Until it is known whether this is the master, nothing is.
    work.otherwise.set(0);
    let guard = work.watch(work.settings.check_deadline);
    let code = check(work);
    guard.end();
    code
}

/// Looks, and says what is known by now to who has to answer where something blocks: a disk, or the log.
fn check(work: &Work) -> u8 {
    let turn = work.turns.last().ok().flatten();
    let is_master = turn.as_ref().is_some_and(|turn| turn.told == "MASTER");
    work.otherwise.set(if is_master { 0 } else { FAILED });
    // It has its own deadline, and keepalived would only make it begin anew elsewhere.
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

/// Prints the article's words for whether the address is here, as EC2 says.
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
