//! Following an address whose loss nobody will tell of, to put back what it had displaced.
//!
//! It goes on for as long as this node has the address, unattended: so what fails is tried ever more rarely, and said once.

use std::time::{Duration, Instant};

use super::pace::Pace;
use super::work::{Entry, Work};
use crate::resource::{Action, Report, elastic};

/// The time for one look.
const LOOK_LIMIT: Duration = Duration::from_secs(10);
/// How often the word is looked for between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Follows the address until it has gone and what it had displaced is back, or a later word comes.
pub(super) fn follow(work: &Work) -> u8 {
    let (mut pace, mut said) = (Pace::default(), String::new());
    loop {
        let next = Instant::now() + pace.wait();
        while Instant::now() < next {
            if work.is_over() {
                return 0;
            }
            std::thread::sleep(PAUSE);
        }
        let look = work.run(Action::Monitor { level: 0 }, LOOK_LIMIT, async |world, request| {
            elastic::is_still_here(world, request).await
        });
        let reason = match look {
            Ok(Some(Report::NotHere(reason))) => reason,
            Ok(_) => {
                pace.well();
                continue;
            }
            // What is not known is no reason to act.
            Err(_) => {
                pace.failed();
                continue;
            }
        };
        let limit = work.settings.deadline;
        let Entry::Ours(held) = work.enter(limit) else { return 0 };
        let handed =
            work.run(Action::Stop, limit, async |world, request| elastic::hand_over(world, request).await);
        drop(held);
        match handed {
            Ok(Some(_)) => {
                work.log.info(reason);
                return 0;
            }
            Ok(None) => return 0,
            Err(error) => {
                pace.failed();
                let text = error.to_string();
                if text != said {
                    work.log.warn(&text);
                    said = text;
                }
            }
        }
    }
}
