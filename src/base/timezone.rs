//! The node's local time zone, for times that people read.
//!
//! Follows the rules of the C library but opens a single small file. jiff's own search opens whatever `TZ` names,
//! including a FIFO or an endless device, and walks the whole tree below `TZDIR`.

use std::path::{Component, Path};
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::small_file;

/// Size limit for a time zone file, in bytes; real ones have about 4 KiB.
const LARGEST: u64 = 64 << 10;
/// Time zone database, unless `TZDIR` names another.
const FOLDER: &str = "/usr/share/zoneinfo";
/// Zone file used if `TZ` is unset.
const LOCAL: &str = "/etc/localtime";

/// The local zone; UTC if it cannot be determined.
pub(crate) fn local() -> TimeZone {
    static LOCAL: OnceLock<TimeZone> = OnceLock::new();
    let find = || {
        let text = |name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let folder = text("TZDIR").filter(|folder| !folder.is_empty());
        of(text("TZ").as_deref(), Path::new(folder.as_deref().unwrap_or(FOLDER)))
    };
    LOCAL.get_or_init(find).clone()
}

/// A time in milliseconds since 1970 in this form; the number itself if it is not a valid time.
fn shown(at_ms: u64, zone: TimeZone, format: &str) -> String {
    let since_1970 = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let shown = since_1970.and_then(|at| jiff::fmt::strtime::format(format, &at.to_zoned(zone)).ok());
    shown.unwrap_or_else(|| at_ms.to_string())
}

/// The local time of a moment in milliseconds since 1970, for people.
pub(crate) fn local_time(at_ms: u64) -> String {
    shown(at_ms, local(), "%Y-%m-%d %H:%M:%S %z")
}

/// The local time for a reader who knows the time zone.
pub(crate) fn wall_time(at_ms: u64) -> String {
    shown(at_ms, local(), "%Y-%m-%d %H:%M:%S")
}

/// The same in UTC, for programs.
pub(crate) fn utc_time(at_ms: u64) -> String {
    shown(at_ms, TimeZone::UTC, "%Y-%m-%dT%H:%M:%SZ")
}

/// Interprets a value of `TZ`: a zone name, a path or a POSIX rule.
///
/// # Source
/// POSIX.1-2024, 8.3 "Other Environment Variables"; tzset(3).
fn of(tz: Option<&str>, folder: &Path) -> TimeZone {
    let Some(tz) = tz else { return read(Path::new(LOCAL)).unwrap_or(TimeZone::UTC) };
    let name = tz.strip_prefix(':').unwrap_or(tz);
    let path = folder.join(name);
    let leaves = Path::new(name).components().any(|part| part == Component::ParentDir);
    let found = if name.is_empty() || leaves { None } else { read(&path) };
    found.or_else(|| TimeZone::posix(name).ok()).unwrap_or(TimeZone::UTC)
}

fn read(path: &Path) -> Option<TimeZone> {
    let bytes = small_file::read(path, LARGEST).ok()?;
    TimeZone::tzif("Local", &bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(tz: &str) -> i8 {
        Timestamp::UNIX_EPOCH.to_zoned(of(Some(tz), Path::new(FOLDER))).hour()
    }

    #[test]
    fn a_zone_is_found_by_name_by_path_and_by_rule() {
        assert_eq!(hour("EST5EDT"), 19);
        assert_eq!(hour("UTC"), 0);
        assert_eq!(hour("<+02>-2"), 2);
        if Path::new(FOLDER).join("Europe/Berlin").exists() {
            for tz in ["Europe/Berlin", ":Europe/Berlin", "/usr/share/zoneinfo/Europe/Berlin"] {
                assert_eq!(hour(tz), 1, "{tz}");
            }
        }
    }

    #[test]
    fn what_is_not_a_zone_is_utc_at_once() {
        for tz in [
            "",
            ":",
            "/dev/zero",
            "/proc/self/fd/0",
            "/",
            "../zoneinfo/EST5EDT",
            "nowhere/at all",
            "\u{1b}[2J",
        ] {
            assert_eq!(hour(tz), 0, "{tz}");
        }
    }
}
