//! The states of the fleet over time, so that a reader can be shown an old one.
//!
//! EC2 is eventually consistent: a Describe, and the instance metadata even more, may answer with what was true
//! some seconds ago. Here such a reader sees the whole fleet as it was, never a mixture.

use std::{sync::Arc, time::Duration};

use super::Fleet;

/// States older than this are dropped once a newer one covers them; no lag can reach further back.
const KEPT: f64 = 900.0;

/// How far a reader is behind.
///
/// The view never goes back in time: when a lag is set, the reader has seen everything up to then, and only what
/// happens later is late.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lag {
    delay: f64,
    set_at: f64,
}

impl Lag {
    pub(crate) fn new(delay: Duration, set_at: f64) -> Self {
        Self { delay: delay.as_secs_f64().min(KEPT), set_at }
    }

    /// Returns the time whose state the reader sees at `now`.
    pub(crate) fn view(&self, now: f64) -> f64 {
        (now - self.delay).max(self.set_at.min(now))
    }
}

/// Every state of the fleet, by the time it came about.
#[derive(Debug)]
pub(crate) struct Timeline {
    states: Vec<(f64, Arc<Fleet>)>,
    present: Arc<Fleet>,
}

impl Timeline {
    pub(crate) fn start(fleet: Fleet) -> Self {
        let present = Arc::new(fleet);
        Self { states: vec![(f64::NEG_INFINITY, Arc::clone(&present))], present }
    }

    pub(crate) fn present(&self) -> &Arc<Fleet> {
        &self.present
    }

    /// Returns the state at time `then`; the oldest one kept when `then` lies before it.
    pub(crate) fn as_of(&self, then: f64) -> &Arc<Fleet> {
        self.states.iter().rev().find(|(at, _)| *at <= then).map_or(&self.present, |(_, fleet)| fleet)
    }

    /// Makes `fleet` the state from `now` on.
    pub(crate) fn push(&mut self, now: f64, fleet: Fleet) {
        self.present = Arc::new(fleet);
        self.states.push((now, Arc::clone(&self.present)));
        let covered = self.states.iter().take_while(|(at, _)| *at < now - KEPT).count().saturating_sub(1);
        self.states.drain(..covered);
        if let Some(oldest) = self.states.first_mut() {
            oldest.0 = f64::NEG_INFINITY;
        }
    }

    /// Changes the present and every kept state alike: what `change` brings about was always so.
    pub(crate) fn amend(&mut self, change: impl Fn(&mut Fleet)) {
        for (_, state) in &mut self.states {
            change(Arc::make_mut(state));
        }
        if let Some((_, newest)) = self.states.last() {
            self.present = Arc::clone(newest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(next_auto: u8) -> Fleet {
        Fleet { next_auto, ..Fleet::default() }
    }

    #[test]
    fn a_late_reader_sees_the_state_of_then() {
        let mut line = Timeline::start(fleet(0));
        line.push(10.0, fleet(1));
        line.push(20.0, fleet(2));
        let seen = |then| line.as_of(then).next_auto;
        assert_eq!((seen(5.0), seen(10.0), seen(19.9), seen(20.0)), (0, 1, 1, 2));
        assert_eq!(line.present().next_auto, 2);
    }

    #[test]
    fn a_lag_hides_only_what_happens_after_it_was_set() {
        let lag = Lag::new(Duration::from_secs(5), 100.0);
        assert!((lag.view(101.0) - 100.0).abs() < 1e-9, "not back to 96");
        assert!((lag.view(110.0) - 105.0).abs() < 1e-9);
        assert!((Lag::default().view(110.0) - 110.0).abs() < 1e-9);
    }

    #[test]
    fn old_states_are_dropped_but_one_always_answers() {
        let mut line = Timeline::start(fleet(0));
        for step in 1..=100_u8 {
            line.push(f64::from(step) * 100.0, fleet(step));
        }
        assert!(line.states.len() < 12, "{} states kept", line.states.len());
        assert_eq!(line.as_of(10_000.0 - KEPT).next_auto, 91);
        assert!(line.as_of(0.0).next_auto > 0);
    }
}
