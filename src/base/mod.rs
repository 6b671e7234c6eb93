//! What every floor above may use: text, time, log lines, small files, identifiers, deadlines and retries.
//!
//! Knows nothing about OCF, AWS or addresses. A floor knows only floors below it; this is the lowest one, and
//! `tests/check/floors` holds the order.

pub mod deadline;
pub mod ids;
pub mod log;
pub(crate) mod ownership;
pub mod retry;
pub(crate) mod small_file;
pub(crate) mod text;
pub(crate) mod timezone;

/// Returns an error with all its causes in one line. A cause that the line has already is left out.
#[must_use]
pub fn chain_of(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(this) = cause {
        let more = this.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = this.source();
    }
    text
}
