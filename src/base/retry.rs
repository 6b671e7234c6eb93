//! The one layer that tries again.
//!
//! Whether an error is worth another attempt is asked of the error ([`Retryable`]); how long to wait between attempts is
//! decided here, by decorrelated jitter clipped to the deadline. The SDK's own retries are switched off.
//!
//! The pauses after throttling are made for a storm, when a zone fails and thousands of clusters of one account take over at
//! once; `tests/storm` measures them.

use std::time::Duration;

use tokio::time::Instant;

use crate::base::deadline::Deadline;

/// How long an error is worth further attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// The same question gets the same answer.
    Never,
    /// One more attempt: something just created may not be visible everywhere yet.
    Once,
    /// For some seconds: a fresh role needs them before its credentials are accepted.
    Brief,
    /// Until the deadline, with short pauses: nobody asked us to slow down.
    Lasting,
    /// Until the deadline, with pauses that grow: the service asked for them.
    Throttled,
}

/// An error that knows whether another attempt may help.
pub trait Retryable {
    /// Returns how long this error is worth further attempts.
    fn patience(&self) -> Patience;
}

/// The longest that [`Patience::Brief`] lasts; half the budget where that is shorter.
pub const BRIEF: Duration = Duration::from_secs(15);
/// Where the last attempt could not come so much later, there is none.
const LEAST_PAUSE: Duration = Duration::from_millis(25);
/// First pause after an attempt that got no answer.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause after an attempt that got no answer: a network that has come back is noticed within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// What an attempt needs for its answer; an eighth of the budget where that is shorter. One that the deadline cuts off says
/// nothing about who was asked, and would pass for silence.
const LEAST_ATTEMPT: Duration = Duration::from_millis(250);
/// First pause after a throttled attempt: the buckets of the mutating calls refill at five a second.
const FIRST_THROTTLED_PAUSE: Duration = Duration::from_millis(400);
/// Longest pause after a throttled attempt while the series is young: who is throttled for a moment is done in seconds.
const YOUNG_PAUSE: Duration = Duration::from_secs(5);
/// Between this part of the time that the series has lasted and twice as much: the pauses after throttling, once that is
/// longer. So the attempts grow with the digits of that time, not with its seconds; and whoever is refused for the last time
/// just before there is a token for everybody is late by a sixth of the time that this took, at most.
const LEAST_PART: u32 = 12;

/// The pauses of one series of attempts.
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
    /// Begins a series whose pauses after throttling never exceed `longest`.
    #[must_use]
    pub fn new(longest: Duration) -> Self {
        Self { random: fastrand::Rng::new(), began: Instant::now(), previous: Duration::ZERO, longest }
    }

    /// Sleeps before the next attempt and returns true, or returns false at once where the deadline leaves no time for one and
    /// its answer.
    ///
    /// After throttling the pauses get shorter towards the deadline, so that the last attempt comes shortly before it, with
    /// time for its answer: in a storm each moment may be the one in which it is this node's turn.
    pub async fn pause(&mut self, deadline: &Deadline, patience: Patience) -> bool {
        let left = deadline.left();
        if patience == Patience::Throttled && left < FIRST_THROTTLED_PAUSE * 2 {
            return false;
        }
        let latest = left.saturating_sub(LEAST_ATTEMPT.min(deadline.budget() / 8));
        let pause = self.next(patience, left).min(latest);
        latest >= LEAST_PAUSE && deadline.pause(pause).await
    }

    /// Returns the next pause for an error of this patience, with so much time left.
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
            // Without this the first pause would always be `base`, and all nodes that lost a zone would come in step.
            self.previous = base.mul_f64(0.5 + self.random.f64()).min(cap);
        }
        self.previous
    }
}

/// A series of attempts at one thing: which failure is worth another one, and the pause before it.
#[derive(Debug)]
pub struct Series {
    backoff: Backoff,
    deadline: Deadline,
    brief: Deadline,
    repeated: bool,
}

impl Series {
    /// Returns a series that begins now and keeps the deadline.
    #[must_use]
    pub fn new(deadline: &Deadline, longest_pause: Duration) -> Self {
        let brief = deadline.within(BRIEF.min(deadline.budget() / 2));
        Self { backoff: Backoff::new(longest_pause), deadline: *deadline, brief, repeated: false }
    }

    /// Waits as long as is due before the next attempt and returns true; returns false at once where none is worth it, or the
    /// time does not suffice.
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

/// Runs `attempt` until it succeeds, its error is not worth another attempt, or the deadline is near.
///
/// An attempt is never started when the time has run out, except the first one.
///
/// # Errors
/// The error of the last attempt; where the deadline cut an attempt off, what `cut_off` makes of it.
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
            // The error before says more than "out of time".
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
    struct Fault(Patience);

    impl Retryable for Fault {
        fn patience(&self) -> Patience {
            self.0
        }
    }

    async fn attempts_of(patience: Patience, timeout: u64) -> (usize, Duration) {
        let started = Instant::now();
        let deadline = Deadline::new(started, Duration::from_secs(timeout));
        let mut count = 0;
        let longest = Duration::from_secs(5);
        let result: Result<(), Fault> = until(
            &deadline,
            longest,
            || Fault(Patience::Never),
            async || {
                count += 1;
                Err(Fault(patience))
            },
        )
        .await;
        assert_eq!(result, Err(Fault(patience)));
        (count, started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_cannot_change_is_reported_at_once() {
        assert_eq!(attempts_of(Patience::Never, 20).await, (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_id_is_looked_up_twice() {
        assert_eq!(attempts_of(Patience::Once, 20).await.0, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn every_attempt_has_the_time_for_its_answer() {
        for seed in 0..500 {
            fastrand::seed(seed);
            // Less what the clock is rounded to.
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
        let hanging = async || std::future::pending::<Result<(), Fault>>().await;
        let result = until(&deadline, Duration::from_secs(1), || Fault(Patience::Never), hanging).await;
        assert_eq!(result, Err(Fault(Patience::Never)));
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
    async fn who_is_throttled_for_a_moment_is_done_in_seconds() {
        for moment in [1, 5, 20] {
            let began = Instant::now();
            let deadline = Deadline::new(began, Duration::from_mins(1));
            let attempt = async || {
                let throttled = began.elapsed() < Duration::from_secs(moment);
                if throttled { Err(Fault(Patience::Throttled)) } else { Ok(()) }
            };
            let done = until(&deadline, Duration::from_mins(1), || Fault(Patience::Never), attempt).await;
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
