//! The single deadline of an action, passed to everything that waits.
//!
//! Built on tokio's clock, so that tests can pause time.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// Time reserved after the last wait for writing state, log lines and the exit reason.
const MARGIN: Duration = Duration::from_secs(1);

/// Time allowed for one final IMDS query after the deadline.
const LAST_QUERY: Duration = Duration::from_millis(200);

/// The time by which an action must have its result.
#[must_use]
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    started: Instant,
    end: Instant,
    killed: Instant,
}

/// The deadline passed before the work was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time for this action ran out")]
pub struct OutOfTime;

impl Deadline {
    /// Starts the deadline of an action that began at `started` and is killed `timeout` later.
    ///
    /// The safety margin is 5 % of `timeout` but at least one second, and never more than half of it, so that an
    /// action with a timeout of one second still has time for a query.
    ///
    /// # Source
    /// `OCF_RESKEY_CRM_meta_timeout`: Pacemaker Administration, "OCF Environment Variables". On time-out Pacemaker
    /// sends SIGKILL at once to the whole process group and does not read the exit reason.
    pub fn new(started: Instant, timeout: Duration) -> Self {
        let margin = MARGIN.max(timeout / 20).min(timeout / 2);
        Self { started, end: started + timeout.saturating_sub(margin), killed: started + timeout }
    }

    /// The same with a start by the system's clock.
    pub fn since(started: std::time::Instant, timeout: Duration) -> Self {
        Self::new(Instant::from_std(started), timeout)
    }

    /// The remaining time; zero once it has run out.
    pub fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// The total time for the action, without the safety margin.
    pub fn budget(&self) -> Duration {
        self.end - self.started
    }

    /// The time since the action began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// True once no time is left.
    pub fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// An earlier deadline: `1/parts` of the budget, counted from the start of the action.
    pub fn fraction(&self, parts: u32) -> Self {
        Self { end: self.started + self.budget() / parts.max(1), ..*self }
    }

    /// A deadline at most `limit` from now, and never later than this one.
    pub fn within(&self, limit: Duration) -> Self {
        Self { end: self.end.min(Instant::now() + limit), ..*self }
    }

    /// Deadline for a final query once the budget is spent: the remaining time, or part of the safety margin. Several
    /// such queries in a row still end before [`Self::with_grace`].
    pub fn for_last_query(&self) -> Self {
        let latest = self.end + self.killed.saturating_duration_since(self.end) * 2 / 5;
        Self { end: (Instant::now() + LAST_QUERY).min(latest).max(self.end), ..*self }
    }

    /// A deadline in the middle of the safety margin, for what must be done even if the time is up.
    pub fn with_grace(&self) -> Self {
        Self { end: self.end + self.killed.saturating_duration_since(self.end) / 2, ..*self }
    }

    /// The time until three quarters of the safety margin are used up; from then on any answer is better than none.
    pub fn until_watchdog(&self) -> Duration {
        let margin = self.killed.saturating_duration_since(self.end);
        (self.end + margin * 3 / 4).saturating_duration_since(Instant::now())
    }

    /// Runs `work` until the deadline.
    ///
    /// # Errors
    /// [`OutOfTime`] if the deadline passes first; `work` is then dropped.
    pub async fn bound<T>(&self, work: impl Future<Output = T>) -> Result<T, OutOfTime> {
        timeout_at(self.end, work).await.map_err(|_| OutOfTime)
    }

    /// Sleeps for `pause` and returns true; returns false at once if the pause would end after the deadline.
    ///
    /// Sleeping past the deadline would only waste the remaining time.
    pub async fn pause(&self, pause: Duration) -> bool {
        if pause >= self.left() {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }
}

#[cfg(all(test, feature = "paused-time"))]
mod tests;

/// A duration in milliseconds, for log lines and records.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
