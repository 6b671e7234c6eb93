//! The polling interval of an unattended job.

use std::time::Duration;

/// Interval while queries succeed.
pub const USUAL: Duration = Duration::from_secs(2);
/// Longest interval while they fail.
const RAREST: Duration = Duration::from_mins(1);

/// The interval before the next query; it doubles after each one that failed, up to a minute.
pub fn next(last: Duration, succeeded: bool) -> Duration {
    if succeeded { USUAL } else { RAREST.min(last * 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_ever_more_rarely_and_what_works_is_checked_as_before() {
        let waits = std::iter::successors(Some(USUAL), |last| Some(next(*last, false))).skip(1);
        assert_eq!(waits.take(7).map(|wait| wait.as_secs()).collect::<Vec<_>>(), [4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(next(RAREST, true), USUAL);
    }
}
