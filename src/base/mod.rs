//! The lowest floor, open to all others: text, time, logging, small files, identifiers, deadlines and retries.
//!
//! Knows nothing about OCF, AWS or addresses. A floor may use only floors below it, which `tests/check/floors`
//! enforces.

pub mod deadline;
pub mod ids;
pub mod log;
pub(crate) mod ownership;
pub mod retry;
pub(crate) mod small_file;
pub(crate) mod text;
pub(crate) mod timezone;

/// An error, then its causes.
pub(crate) fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The first cause of this type.
#[cfg(feature = "sdk")]
pub(crate) fn find<'a, T: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The innermost cause: "connection refused" says more than "an IO error occurred".
#[cfg(feature = "sdk")]
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Formats an error with all its causes on one line, leaving out a cause that the line already contains.
pub fn chain_of(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in causes(error).skip(1) {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
    }
    text
}
