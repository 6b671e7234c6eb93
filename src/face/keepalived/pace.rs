//! How often something is looked at that nobody watches.

use std::time::Duration;

/// While all is well.
const USUAL: Duration = Duration::from_secs(2);
/// At the least, where it fails for long.
const RAREST: Duration = Duration::from_mins(1);

/// The time to wait before the next look.
#[derive(Debug)]
pub struct Pace(Duration);

impl Default for Pace {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl Pace {
    /// Returns the time to wait.
    #[must_use]
    pub fn wait(&self) -> Duration {
        self.0
    }

    /// Takes note that a look worked: the next one comes soon.
    pub fn well(&mut self) {
        self.0 = USUAL;
    }

    /// Takes note that it failed: the next wait is twice as long, up to a minute.
    pub fn failed(&mut self) {
        self.0 = RAREST.min(self.0 * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_ever_more_rarely_and_what_works_is_looked_at_as_before() {
        let mut pace = Pace::default();
        let waits: Vec<u64> = (0..7)
            .map(|_| {
                pace.failed();
                pace.wait().as_secs()
            })
            .collect();
        assert_eq!(waits, [4, 8, 16, 32, 60, 60, 60]);
        pace.well();
        assert_eq!(pace.wait(), USUAL);
    }
}
