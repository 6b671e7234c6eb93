//! Polls until the address has moved when keepalived will not notify us, then restores the displaced one.
//!
//! Runs unattended for as long as this node holds the address, so failures are retried at growing intervals and logged
//! once.

use std::time::{Duration, Instant};

use super::pace;
use super::work::{LockOutcome, Work};
use crate::resource::elastic::Elastic;
use crate::resource::{Action, Report, op};

/// Time limit of one query.
const QUERY_LIMIT: Duration = Duration::from_secs(10);
/// How often to check for a later notification between queries.
const PAUSE: Duration = Duration::from_millis(100);

/// Ends once the address has moved and the displaced one is restored, or a later notification has arrived.
pub(super) fn follow(work: &Work) -> u8 {
    let (mut wait, mut last_warning) = (pace::USUAL, String::new());
    loop {
        let next = Instant::now() + wait;
        while Instant::now() < next {
            if work.is_superseded() {
                return 0;
            }
            std::thread::sleep(PAUSE);
        }
        let outcome = work.run(Action::Monitor { level: 0 }, QUERY_LIMIT, async |world, request| {
            op::<Elastic, _>(world, request).is_still_here().await
        });
        let reason = match outcome {
            Ok(Some(Report::NotHere(reason))) => reason,
            // An unknown holder is no reason to act.
            other => {
                wait = pace::next(wait, other.is_ok());
                continue;
            }
        };
        let limit = work.settings.deadline;
        let LockOutcome::Acquired(held) = work.enter(limit) else { return 0 };
        let handed = work.run(Action::Stop, limit, async |world, request| {
            op::<Elastic, _>(world, request).hand_over().await
        });
        drop(held);
        match handed {
            Ok(Some(_)) => {
                work.log.info(reason);
                return 0;
            }
            Ok(None) => return 0,
            Err(error) => {
                wait = pace::next(wait, false);
                let text = error.to_string();
                if text != last_warning {
                    work.log.warn(&text);
                    last_warning = text;
                }
            }
        }
    }
}
