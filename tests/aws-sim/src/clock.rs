//! The simulator's time: one monotonic clock that reads as seconds since 1970.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

/// Counts on monotonically from the wall clock at its making, so that no step of the wall clock reorders the log.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    origin: Instant,
    epoch: f64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        Self { origin: Instant::now(), epoch }
    }

    /// Returns the seconds since 1970.
    pub(crate) fn now(&self) -> f64 {
        self.epoch + self.origin.elapsed().as_secs_f64()
    }
}

/// Returns `seconds` since 1970 as a calendar time, whole seconds; 1970 for what no calendar holds.
pub(crate) fn calendar(seconds: f64) -> OffsetDateTime {
    let whole = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let whole = i64::try_from(whole.as_secs()).unwrap_or_default();
    OffsetDateTime::from_unix_timestamp(whole).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Returns `seconds` since 1970 as `2026-11-21T10:00:00Z`.
pub(crate) fn iso8601(seconds: f64) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    calendar(seconds).format(format).unwrap_or_default()
}

/// Returns `seconds` since 1970 as `2026-11-21T10:00:00.000Z`, the form of EC2's answers.
pub(crate) fn iso8601_millis(seconds: f64) -> String {
    iso8601(seconds).replace('Z', ".000Z")
}

/// Returns `seconds` since 1970 in the form of an HTTP `Date` header.
pub(crate) fn http_date(seconds: f64) -> String {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    calendar(seconds).format(format).unwrap_or_default()
}
