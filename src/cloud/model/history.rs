//! A fact with all its past values, and the choice of the past moment that a reader is shown.
//!
//! EC2 is eventually consistent: a Describe, and instance metadata even more, may return what was true some seconds ago.
//! A reader sees the whole account as it was at one moment, never a mixture.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::ids::InstanceId;

/// The origin of a change. The default is an administrator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// The instance that sent it; `None` for an administrator.
    pub instance: Option<InstanceId>,
    /// The process on that instance, numbered by its client.
    pub process: usize,
    /// When the request was sent, since the model's beginning; it may have been in flight for long.
    pub sent: Duration,
}

/// One value of a fact, valid until the next version.
#[derive(Debug, Clone)]
pub struct Version<T> {
    /// Start of validity, since the model's beginning.
    pub at: Duration,
    /// The caller that made the change.
    pub by: Caller,
    /// What a reader without lag sees while the version is valid.
    pub value: T,
}

/// A fact over time; it always has a present value.
#[derive(Debug, Clone)]
pub struct History<T> {
    past: Vec<Version<T>>,
    present: Version<T>,
}

impl<T: Clone + PartialEq> History<T> {
    /// Starts with a value that every reader sees at once, whatever its lag.
    pub fn new(at: Duration, value: T) -> Self {
        Self { past: Vec::new(), present: Version { at, by: Caller::default(), value } }
    }

    /// The present value, without any lag.
    pub fn now(&self) -> &T {
        &self.present.value
    }

    /// The value at a moment.
    pub fn at(&self, moment: Duration) -> &T {
        let seen = self.changes().rev().find(|change| change.at <= moment);
        seen.or(self.past.first()).map_or(&self.present.value, |change| &change.value)
    }

    /// How long the value of a moment had been valid at that moment.
    pub fn age(&self, moment: Duration) -> Duration {
        let seen = self.changes().rev().find(|change| change.at <= moment);
        seen.map_or(Duration::ZERO, |change| moment.saturating_sub(change.at))
    }

    /// Changes the value from `at` on. Setting the same value again is not a change.
    pub fn set(&mut self, at: Duration, by: &Caller, value: T) {
        if value != self.present.value {
            let before = std::mem::replace(&mut self.present, Version { at, by: by.clone(), value });
            self.past.push(before);
        }
    }

    /// Every version, oldest first.
    pub fn changes(&self) -> impl DoubleEndedIterator<Item = &Version<T>> {
        self.past.iter().chain([&self.present])
    }
}

/// How far a reader lags behind the truth.
///
/// Applies only to changes after the lag was set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lag {
    /// Changes show at once.
    #[default]
    None,
    /// Every change shows this much later.
    Fixed(Duration),
    /// A random lag per read, up to this: a later read may show an older state than an earlier one.
    UpTo(Duration),
}

/// The view of one reader, or of one kind of read.
#[derive(Debug, Clone, Default)]
pub(super) struct Reader {
    lag: Lag,
    since: Duration,
    frozen: Option<Duration>,
    pinned: VecDeque<Duration>,
}

impl Reader {
    /// Changes the lag from `now` on.
    pub(super) fn set_lag(&mut self, lag: Lag, now: Duration) {
        (self.lag, self.since) = (lag, now);
    }

    /// Shows nothing newer than `moment`, until called with `None`.
    pub(super) fn freeze(&mut self, moment: Option<Duration>) {
        self.frozen = moment;
    }

    /// Shows the state at `moment` to the next `count` reads, whatever happens meanwhile.
    pub(super) fn pin(&mut self, count: usize, moment: Duration) {
        self.pinned.extend(std::iter::repeat_n(moment, count));
    }

    /// The moment that the next read shows.
    pub(super) fn moment(&mut self, now: Duration, random: &mut fastrand::Rng) -> Duration {
        if let Some(moment) = self.pinned.pop_front().or(self.frozen) {
            return moment;
        }
        let behind = match self.lag {
            Lag::None => Duration::ZERO,
            Lag::Fixed(behind) => behind,
            Lag::UpTo(longest) => longest.mul_f64(random.f64()),
        };
        now.saturating_sub(behind).max(self.since.min(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_late_reader_sees_what_was_true_then() {
        let mut fact = History::new(at(5), 'a');
        fact.set(at(10), &Caller::default(), 'b');
        fact.set(at(20), &Caller::default(), 'c');
        let seen: Vec<char> = [0, 5, 9, 10, 19, 20, 99].map(|second| *fact.at(at(second))).into();
        assert_eq!(seen, ['a', 'a', 'a', 'b', 'b', 'c', 'c']);
        assert_eq!((*fact.now(), fact.changes().count()), ('c', 3));
    }

    #[test]
    fn a_lag_hides_only_what_happens_after_it_was_set() {
        let (mut reader, mut random) = (Reader::default(), fastrand::Rng::with_seed(1));
        assert_eq!(reader.moment(at(110), &mut random), at(110));
        reader.set_lag(Lag::Fixed(at(5)), at(100));
        assert_eq!(reader.moment(at(101), &mut random), at(100), "not back to 96");
        assert_eq!(reader.moment(at(110), &mut random), at(105));
    }

    #[test]
    fn each_read_may_come_from_any_moment_and_they_are_not_in_order() {
        let (mut reader, mut random) = (Reader::default(), fastrand::Rng::with_seed(1));
        reader.set_lag(Lag::UpTo(at(10)), at(0));
        let moments: Vec<_> = (100..130).map(|second| reader.moment(at(second), &mut random)).collect();
        assert!((100..).zip(&moments).all(|(now, seen)| *seen <= at(now) && *seen >= at(now - 10)));
        assert!(!moments.is_sorted());
    }

    #[test]
    fn a_frozen_reader_and_a_pinned_read_stay_where_they_are() {
        let (mut reader, mut random) = (Reader::default(), fastrand::Rng::with_seed(1));
        reader.freeze(Some(at(7)));
        reader.pin(1, at(3));
        assert_eq!([(); 3].map(|()| reader.moment(at(50), &mut random)), [at(3), at(7), at(7)]);
        reader.freeze(None);
        assert_eq!(reader.moment(at(50), &mut random), at(50));
    }
}
