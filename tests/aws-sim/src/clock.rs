//! Times on the wire, from seconds since 1970.

use std::time::Duration;

use time::OffsetDateTime;

/// A time in seconds since 1970 as a calendar time, in whole seconds; 1970 if it is out of the calendar's range.
pub(crate) fn calendar(seconds: f64) -> OffsetDateTime {
    let whole = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let whole = i64::try_from(whole.as_secs()).unwrap_or_default();
    OffsetDateTime::from_unix_timestamp(whole).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A time in seconds since 1970, in the form `2026-11-21T10:00:00Z`.
pub(crate) fn iso8601(seconds: f64) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    calendar(seconds).format(format).unwrap_or_default()
}

/// A time in seconds since 1970, in the form of an HTTP `Date` header.
pub(crate) fn http_date(seconds: f64) -> String {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    calendar(seconds).format(format).unwrap_or_default()
}
