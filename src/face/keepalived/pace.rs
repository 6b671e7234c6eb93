//! The polling interval of an unattended job.

use std::time::Duration;

/// Interval while queries succeed.
const USUAL: Duration = Duration::from_secs(2);
/// Longest interval while they fail.
const RAREST: Duration = Duration::from_mins(1);

/// The interval before the next query.
#[derive(Debug)]
pub struct Pace(Duration);

impl Default for Pace {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl Pace {
    /// The time to wait before the next query.
    pub fn wait(&self) -> Duration {
        self.0
    }

    /// Resets the interval after a successful query.
    pub fn succeeded(&mut self) {
        self.0 = USUAL;
    }

    /// Doubles the interval after a failed query, up to a minute.
    pub fn failed(&mut self) {
        self.0 = RAREST.min(self.0 * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_ever_more_rarely_and_what_works_is_checked_as_before() {
        let mut pace = Pace::default();
        let waits: Vec<u64> = (0..7)
            .map(|_| {
                pace.failed();
                pace.wait().as_secs()
            })
            .collect();
        assert_eq!(waits, [4, 8, 16, 32, 60, 60, 60]);
        pace.succeeded();
        assert_eq!(pace.wait(), USUAL);
    }
}
