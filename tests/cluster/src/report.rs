//! Prints timelines for human readers.

use std::fmt::Write as _;

use crate::chronicle::Chronicle;
use crate::error::HarnessError;
use crate::story::Story;

/// A scenario's result line and timeline.
pub fn scenario(
    name: &str,
    about: &str,
    failed: Option<&HarnessError>,
    story: &Story,
    told: &Chronicle,
) -> String {
    let mut text = String::new();
    let verdict = if failed.is_none() { "ok" } else { "FAILED" };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\n{verdict:<6} {name}: {about}");
    // Before the timeline, so that a truncated output still shows it.
    if let Some(error) = failed {
        let _ = writeln!(text, "         ! {error}");
    }
    text.push_str(&timeline(told));
    for fact in story.facts() {
        let _ = writeln!(text, "         = {fact}");
    }
    text
}

/// The lines of a timeline and its summary.
pub fn timeline(told: &Chronicle) -> String {
    let mut text = String::new();
    for line in &told.lines {
        let after = line.at - told.marks.failure;
        let _ = writeln!(text, "  {after:>8.3}  {:<8} {}", line.who, line.what);
    }
    let (ec2, imds) = told.calls;
    let _ = writeln!(
        text,
        "         = without a serving holder {:.2} s (with no holder {:.2} s); client without answer {:.2} s; {ec2} EC2 and {imds} metadata calls",
        told.unheld.total, told.unassigned.total, told.outage.longest
    );
    if let Some(spread) = told.spread {
        let _ =
            writeln!(text, "         = {:.2} ms between the first and the last route table", spread * 1e3);
    }
    text
}
