//! What a node reports about a resource in node attributes: written by `eip-health`, read by `eipctl` on any node.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use crate::base::text::brief;

/// Followed by the resource: `true` or `false`, for location rules. A node that does not know leaves it as it is.
pub const READY_ATTRIBUTE: &str = "eip-ready-";
/// Followed by the resource: a [`NodeReport`].
pub const REPORT_ATTRIBUTE: &str = "eip-report-";

/// After how many seconds a report is written again although nothing has changed.
pub const REPEATED_AFTER: u64 = 300;
/// For how many seconds a report counts: a node that is well repeats it earlier.
const FRESH: u64 = 3 * REPEATED_AFTER;

/// Longest reason in bytes: it is one column of a table.
const LONGEST_REASON: usize = 160;

/// What a node found out about one resource: `at=EPOCH ready=true|false|unknown here=yes|no|unknown [ec2=EPOCH] reason=TEXT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeReport {
    /// When it was written, in seconds since 1970.
    pub at: u64,
    /// Whether the node could take the address, or has it; `None` if it could not be found out.
    pub ready: Option<bool>,
    /// Whether the address is on this node according to instance metadata, or to the kernel for an overlay address.
    pub here: Option<bool>,
    /// When EC2 last answered this node about the resource, in seconds since 1970; `None` if it has never answered.
    pub ec2: Option<u64>,
    /// Why, on one line.
    pub reason: String,
}

impl NodeReport {
    /// Whether the node that wrote it still reports, at a time in seconds since 1970.
    pub fn is_fresh(&self, now: u64) -> bool {
        now.saturating_sub(self.at) <= FRESH
    }

    /// What still counts of it: of one that is too old, only when it was written.
    #[must_use]
    pub fn as_of(self, now: u64) -> Self {
        if self.is_fresh(now) { self } else { Self { ready: None, here: None, ..self } }
    }
}

impl Display for NodeReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ready = word(self.ready, "true", "false");
        let here = word(self.here, "yes", "no");
        write!(f, "at={} ready={ready} here={here}", self.at)?;
        if let Some(ec2) = self.ec2 {
            write!(f, " ec2={ec2}")?;
        }
        write!(f, " reason={}", brief(&self.reason, LONGEST_REASON))
    }
}

fn word(value: Option<bool>, yes: &'static str, no: &'static str) -> &'static str {
    value.map_or("unknown", |value| if value { yes } else { no })
}

impl FromStr for NodeReport {
    type Err = String;

    /// Keys that this version does not know are skipped: nodes of a cluster are upgraded one after the other.
    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || format!("not a report of eip-health: {}", brief(text, 80));
        let (head, reason) = text.split_once("reason=").ok_or_else(malformed)?;
        let pairs: BTreeMap<_, _> = head.split_whitespace().filter_map(|pair| pair.split_once('=')).collect();
        let either = |key: &str, yes: &str, no: &str| match *pairs.get(key)? {
            text if text == yes => Some(Some(true)),
            text if text == no => Some(Some(false)),
            "unknown" => Some(None),
            _ => None,
        };
        Ok(Self {
            at: pairs.get("at").and_then(|at| at.parse().ok()).ok_or_else(malformed)?,
            ready: either("ready", "true", "false").ok_or_else(malformed)?,
            here: either("here", "yes", "no").ok_or_else(malformed)?,
            ec2: pairs.get("ec2").map(|ec2| ec2.parse()).transpose().map_err(|_| malformed())?,
            reason: reason.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_written() {
        for (line, ready, here, ec2) in [
            (
                "at=1790000000 ready=true here=yes ec2=1789999000 reason=allowed (dry run)",
                Some(true),
                Some(true),
                Some(1_789_999_000),
            ),
            (
                "at=1790000000 ready=false here=no reason=no credentials, ready=true reason=none",
                Some(false),
                Some(false),
                None,
            ),
            ("at=1790000000 ready=unknown here=unknown reason=", None, None, None),
        ] {
            let report: NodeReport = line.parse().unwrap();
            assert_eq!((report.at, report.ready, report.here, report.ec2), (1_790_000_000, ready, here, ec2));
            assert_eq!(report.to_string(), line);
        }
        let newer = "at=1 ready=true here=no zone=a reason=x".parse::<NodeReport>().unwrap();
        assert_eq!(newer.to_string(), "at=1 ready=true here=no reason=x");
    }

    /// [metrics-2]
    #[test]
    fn a_report_older_than_15_minutes_no_longer_says_that_a_node_is_ready() {
        let report: NodeReport = "at=1790000000 ready=true here=no reason=allowed".parse().unwrap();
        assert_eq!(report.clone().as_of(1_790_000_900), report);
        let old = report.as_of(1_790_000_901);
        assert_eq!((old.at, old.ready, old.here), (1_790_000_000, None, None));
    }

    #[test]
    fn a_reason_of_several_lines_stays_on_one() {
        let reason = format!("first\nsecond {}", "x".repeat(500));
        let written = NodeReport { at: 1, ready: None, here: None, ec2: None, reason }.to_string();
        assert!(written.lines().count() == 1 && written.len() < 250, "{written}");
        assert!(written.parse::<NodeReport>().unwrap().reason.starts_with("first"), "{written}");
    }

    #[test]
    fn what_is_not_a_report_is_refused_in_one_line() {
        for text in [
            "",
            "true",
            "at=x ready=true here=no reason=",
            "at=1 ready=maybe here=no reason=",
            "at=1 ready=true\nhere=yes",
        ] {
            let error = text.parse::<NodeReport>().unwrap_err();
            assert!(
                error.starts_with("not a report of eip-health: ") && error.lines().count() == 1,
                "{error}"
            );
        }
    }
}
