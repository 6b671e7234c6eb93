//! The only layer that retries; the SDK's own retries are disabled.
//!
//! The error decides whether another attempt is worthwhile ([`Retryable`]); this module decides how long to wait
//! between attempts: decorrelated jitter, clipped to the deadline.
//!
//! The pauses after throttling are tuned for the failure of an availability zone, when thousands of clusters of one
//! account take over at once; `tests/storm` measures them.

use std::time::Duration;

use tokio::time::Instant;

use crate::base::deadline::Deadline;

/// For how long an error is worth retrying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Not at all: the same request would get the same answer.
    Never,
    /// One more attempt: a new object may not be visible everywhere yet.
    Once,
    /// For [`BRIEF`]: the credentials of a new role take some seconds to be accepted.
    Brief,
    /// Until the deadline, with short pauses: the service did not ask us to slow down.
    Lasting,
    /// Until the deadline, with growing pauses: the service asked us to slow down.
    Throttled,
}

/// An error that knows whether a retry may help.
pub trait Retryable {
    /// For how long this error is worth retrying.
    fn patience(&self) -> Patience;
}

/// How long [`Patience::Brief`] lasts; at most half the budget.
pub const BRIEF: Duration = Duration::from_secs(15);
/// Minimum pause; with less time left, give up.
const LEAST_PAUSE: Duration = Duration::from_millis(25);
/// First pause after an attempt without an answer.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause after an attempt without an answer: a network that recovers is noticed within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Time reserved for an attempt to complete (at most 1/8 of the budget). One cut off by our own deadline would look
/// like a service timeout.
const LEAST_ATTEMPT: Duration = Duration::from_millis(250);
/// First pause after throttling: the token buckets of mutating calls refill at five per second.
const FIRST_THROTTLED_PAUSE: Duration = Duration::from_millis(400);
/// Longest pause while a series is young: a client throttled only briefly recovers within seconds.
const YOUNG_PAUSE: Duration = Duration::from_secs(5);
/// Once throttling has lasted a while, each pause is 1/12 to 1/6 of the time since the first attempt. Attempts grow
/// logarithmically, and a client refused just before capacity returns is late by at most a sixth of the outage.
const LEAST_PART: u32 = 12;

/// Computes the pauses of one series of attempts.
///
/// # Source
/// "Exponential Backoff And Jitter", AWS Architecture Blog: decorrelated jitter, `min(cap, random(base, 3 * previous))`.
#[derive(Debug)]
pub struct Backoff {
    random: fastrand::Rng,
    began: Instant,
    previous: Duration,
    longest: Duration,
}

impl Backoff {
    /// Starts a series; `longest` caps every pause.
    #[must_use]
    pub fn new(longest: Duration) -> Self {
        Self { random: fastrand::Rng::new(), began: Instant::now(), previous: Duration::ZERO, longest }
    }

    /// Sleeps before the next attempt and returns true; returns false at once if the deadline leaves no time for
    /// another attempt and its answer.
    ///
    /// After throttling, pauses shorten towards the deadline so that the last attempt comes shortly before it, with
    /// time for its answer: in a storm, capacity may come free at any moment.
    pub async fn pause(&mut self, deadline: &Deadline, patience: Patience) -> bool {
        let left = deadline.left();
        if patience == Patience::Throttled && left < FIRST_THROTTLED_PAUSE * 2 {
            return false;
        }
        let latest = left.saturating_sub(LEAST_ATTEMPT.min(deadline.budget() / 8));
        let pause = self.next(patience, left).min(latest);
        latest >= LEAST_PAUSE && deadline.pause(pause).await
    }

    /// Computes the next pause; `left` is the time until the deadline.
    fn next(&mut self, patience: Patience, left: Duration) -> Duration {
        let (base, cap) = match patience {
            Patience::Throttled => {
                let part = self.began.elapsed() / LEAST_PART;
                let cap = YOUNG_PAUSE.max(part * 2).min(self.longest).min(left / 2);
                (part.min(cap / 2).max(FIRST_THROTTLED_PAUSE), cap)
            }
            Patience::Never | Patience::Once | Patience::Brief | Patience::Lasting => {
                (FIRST_PAUSE, LONGEST_PAUSE.min(self.longest))
            }
        };
        let upper = (self.previous * 3).clamp(base, cap.max(base));
        let span = upper.saturating_sub(base).as_secs_f64();
        self.previous = (base + Duration::from_secs_f64(span * self.random.f64())).min(cap);
        if self.previous == base {
            // Otherwise the first pause would always be `base`, and all nodes that lost a zone would retry in step.
            self.previous = base.mul_f64(0.5 + self.random.f64()).min(cap);
        }
        self.previous
    }
}

/// A series of attempts: decides whether a failure is worth another one, and pauses before it.
#[derive(Debug)]
pub struct Series {
    backoff: Backoff,
    deadline: Deadline,
    brief: Deadline,
    repeated: bool,
}

impl Series {
    /// Starts a series that ends at the deadline.
    #[must_use]
    pub fn new(deadline: &Deadline, longest_pause: Duration) -> Self {
        let brief = deadline.within(BRIEF.min(deadline.budget() / 2));
        Self { backoff: Backoff::new(longest_pause), deadline: *deadline, brief, repeated: false }
    }

    /// Waits before the next attempt and returns true; returns false at once if a retry is not worthwhile or time is
    /// short.
    pub async fn again(&mut self, patience: Patience) -> bool {
        let worthwhile = match patience {
            Patience::Never => false,
            Patience::Once => !std::mem::replace(&mut self.repeated, true),
            Patience::Brief => !self.brief.is_over(),
            Patience::Lasting | Patience::Throttled => true,
        };
        worthwhile && self.backoff.pause(&self.deadline, patience).await
    }
}

/// Runs `attempt` until it succeeds, fails with an error not worth retrying, or the deadline is near.
///
/// The first attempt always runs, even if no time is left; later ones never start after the deadline.
///
/// # Errors
/// The error of the last completed attempt; `cut_off()` if the deadline interrupted the very first one.
pub async fn until<T, E, F>(
    deadline: &Deadline,
    longest_pause: Duration,
    cut_off: impl Fn() -> E,
    mut attempt: F,
) -> Result<T, E>
where
    E: Retryable,
    F: AsyncFnMut() -> Result<T, E>,
{
    let mut series = Series::new(deadline, longest_pause);
    let mut last: Option<E> = None;
    loop {
        let error = match deadline.bound(attempt()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            // The previous error says more than "out of time".
            Err(_) => return Err(last.unwrap_or_else(cut_off)),
        };
        if !series.again(error.patience()).await {
            return Err(error);
        }
        last = Some(error);
    }
}

#[cfg(all(test, feature = "paused-time"))]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, Clone, Copy)]
    struct FixedPatience(Patience);

    impl Retryable for FixedPatience {
        fn patience(&self) -> Patience {
            self.0
        }
    }

    async fn attempts_of(patience: Patience, timeout: u64) -> (usize, Duration) {
        let started = Instant::now();
        let deadline = Deadline::new(started, Duration::from_secs(timeout));
        let mut count = 0;
        let longest = Duration::from_secs(5);
        let result: Result<(), FixedPatience> = until(
            &deadline,
            longest,
            || FixedPatience(Patience::Never),
            async || {
                count += 1;
                Err(FixedPatience(patience))
            },
        )
        .await;
        assert_eq!(result, Err(FixedPatience(patience)));
        (count, started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_cannot_change_is_reported_at_once() {
        assert_eq!(attempts_of(Patience::Never, 20).await, (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_id_is_queried_twice() {
        assert_eq!(attempts_of(Patience::Once, 20).await.0, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn every_attempt_has_the_time_for_its_answer() {
        for seed in 0..500 {
            fastrand::seed(seed);
            // Allows for the resolution of the clock.
            for (timeout, least) in [(20, 248), (2, 123)] {
                let deadline = Deadline::new(Instant::now(), Duration::from_secs(timeout));
                let mut backoff = Backoff::new(Duration::from_secs(5));
                while backoff.pause(&deadline, Patience::Lasting).await {
                    assert!(deadline.left() > Duration::from_millis(least), "{:?} left", deadline.left());
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lasting_fault_is_retried_up_to_the_deadline_but_not_past_it() {
        for patience in [Patience::Lasting, Patience::Throttled] {
            let (count, took) = attempts_of(patience, 20).await;
            assert!(count >= 4, "{patience:?}: {count} attempts");
            assert!(
                took <= Duration::from_secs(19) && took > Duration::from_secs(12),
                "{patience:?}: {took:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn rejected_credentials_are_retried_for_some_seconds() {
        let (_, took) = attempts_of(Patience::Brief, 60).await;
        assert!(took >= BRIEF && took < BRIEF + LONGEST_PAUSE * 2, "{took:?}");
        let (_, took) = attempts_of(Patience::Brief, 11).await;
        assert!(took < Duration::from_secs(7), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_hanging_attempt_is_cut_off_at_the_deadline() {
        let deadline = Deadline::new(Instant::now(), Duration::from_secs(5));
        let hanging = async || std::future::pending::<Result<(), FixedPatience>>().await;
        let result =
            until(&deadline, Duration::from_secs(1), || FixedPatience(Patience::Never), hanging).await;
        assert_eq!(result, Err(FixedPatience(Patience::Never)));
        assert!(deadline.is_over());
    }

    #[test]
    fn pauses_stay_within_their_bounds_and_differ() {
        let (longest, ample) = (Duration::from_secs(5), Duration::from_hours(1));
        let mut firsts = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let mut backoff = Backoff::new(longest);
            firsts.insert(backoff.next(Patience::Throttled, ample));
            for _ in 0..20 {
                let pause = backoff.next(Patience::Throttled, ample);
                assert!(pause >= FIRST_THROTTLED_PAUSE / 2 && pause <= longest, "{pause:?}");
                assert!(Backoff::new(longest).next(Patience::Lasting, ample) <= LONGEST_PAUSE);
            }
        }
        assert!(firsts.len() > 100, "nodes that fail together must not come back in step");
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_after_throttling_grow_with_the_time_up_to_their_limit() {
        let (longest, ample) = (Duration::from_mins(1), Duration::from_hours(10));
        let mut backoff = Backoff::new(longest);
        let mut attempts = 0;
        while backoff.began.elapsed() < Duration::from_hours(1) {
            let waited = backoff.began.elapsed();
            let pause = backoff.next(Patience::Throttled, ample);
            assert!(pause <= YOUNG_PAUSE.max(waited / 6).min(longest), "{pause:?} after {waited:?}");
            if waited > Duration::from_mins(1) {
                assert!(pause >= (waited / 12).min(longest / 2), "{pause:?} after {waited:?}");
            }
            tokio::time::sleep(pause).await;
            attempts += 1;
        }
        assert!(attempts < 150, "{attempts} in an hour");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_throttled_for_a_moment_is_done_in_seconds() {
        for moment in [1, 5, 20] {
            let began = Instant::now();
            let deadline = Deadline::new(began, Duration::from_mins(1));
            let attempt = async || {
                let throttled = began.elapsed() < Duration::from_secs(moment);
                if throttled { Err(FixedPatience(Patience::Throttled)) } else { Ok(()) }
            };
            let done =
                until(&deadline, Duration::from_mins(1), || FixedPatience(Patience::Never), attempt).await;
            assert_eq!(done, Ok(()));
            assert!(began.elapsed() <= Duration::from_secs(moment) + YOUNG_PAUSE, "{:?}", began.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_attempt_after_throttling_comes_shortly_before_the_deadline() {
        for timeout in [5, 20, 60, 600] {
            for _ in 0..50 {
                let (_, took) = attempts_of(Patience::Throttled, timeout).await;
                let budget = Deadline::new(Instant::now(), Duration::from_secs(timeout)).budget();
                assert!(took < budget && took + FIRST_THROTTLED_PAUSE * 2 > budget, "{took:?} of {budget:?}");
            }
        }
    }
}
