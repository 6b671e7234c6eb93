//! Prints timelines and the final table, for people.

use std::fmt::Write as _;

use crate::chronicle::Chronicle;
use crate::error::HarnessError;
use crate::story::Story;

/// A scenario's row of the final table.
#[derive(Debug)]
pub struct ScenarioResult {
    /// The scenario.
    pub name: &'static str,
    /// What was wrong; nothing where all checks held.
    pub failed: Option<String>,
    /// What is known of it, if it got so far.
    pub chronicle: Option<Chronicle>,
}

/// Returns a scenario's line and timeline.
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
    // Before the timeline: who sees only the beginning of a long output sees this.
    if let Some(error) = failed {
        let _ = writeln!(text, "         ! {error}");
    }
    text.push_str(&timeline(told));
    for fact in story.facts() {
        let _ = writeln!(text, "         = {fact}");
    }
    text
}

/// Returns the lines of a timeline and its sum.
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

/// Returns the table of all scenarios. Seconds after the failure, then seconds of duration.
pub fn table(rows: &[ScenarioResult]) -> String {
    let mut text = String::new();
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default().max("scenario".len());
    let _ = writeln!(
        text,
        "\n{:<width$}  {:<6}  {:>8}  {:>7}  {:>9}  {:>7}  {:>8}  {:>8}  {:>7}  {:>8}",
        "scenario", "", "detected", "start", "associate", "moved", "answered", "unserved", "outage", "spread"
    );
    for row in rows {
        let verdict = if row.failed.is_none() { "ok" } else { "FAILED" };
        let _ = write!(text, "{:<width$}  {verdict:<6}", row.name);
        if let Some(told) = &row.chronicle {
            let marks = &told.marks;
            let cells = [
                (8, marks.after(marks.detected)),
                (7, marks.after(marks.start)),
                (9, marks.after(marks.associate)),
                (7, marks.after(marks.moved)),
                (8, marks.after(marks.answered)),
                (8, Some(told.unheld.total)),
                (7, Some(told.outage.longest)),
            ];
            for (width, seconds) in cells {
                let cell = seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2}"));
                let _ = write!(text, "  {cell:>width$}");
            }
            let spread = told.spread.map_or_else(|| "-".to_owned(), |spread| format!("{:.2}", spread * 1e3));
            let _ = write!(text, "  {spread:>8}");
        }
        text.push('\n');
    }
    text.push_str(
        "Seconds after the failure or command; unserved: time without a holder that could serve; outage: longest \
         time without an answer for a client; spread: milliseconds between the first and the last route table.\n",
    );
    for row in rows {
        if let Some(reason) = &row.failed {
            let _ = writeln!(text, "FAILED {}: {reason}", row.name);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Marks;

    #[test]
    fn columns_stand_below_their_heads() {
        let marks = Marks { failure: 10.0, detected: Some(11.5), ..Marks::default() };
        let chronicle = Some(Chronicle { marks, spread: Some(0.0025), ..Chronicle::default() });
        let table = table(&[ScenarioResult { name: "kill-node", failed: None, chronicle }]);
        let lines: Vec<_> = table.lines().skip(1).collect();
        assert_eq!(lines[0].len(), lines[1].len(), "{table}");
        assert_eq!(
            lines[1].find("1.50").map(|at| at + 4),
            lines[0].find("detected").map(|at| at + 8),
            "{table}"
        );
        assert!(lines[1].ends_with(" 2.50"), "milliseconds: {table}");
    }
}
