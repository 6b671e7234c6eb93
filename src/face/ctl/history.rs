//! `eipctl history`: the changes of holder that this node has made.

use std::fmt::Write as _;

use serde::Serialize;

use super::call::{Failure, Invocation, print, print_json};
use crate::base::text::one_line;
use crate::base::timezone;
use crate::state::Change;

/// A change together with its resource.
#[derive(Serialize)]
struct HistoryRow<'a> {
    time: String,
    resource: &'a str,
    #[serde(flatten)]
    change: &'a Change,
}

/// Prints the changes of one resource, or of all.
pub(super) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let mut entries = invocation.whole_record()?;
    if let Some(wanted) = invocation.text("resource") {
        entries.retain(|entry| entry.resource == wanted);
        if entries.is_empty() {
            return Err(format!("nothing is on record about a resource {wanted} on this node").into());
        }
    }
    let mut changes: Vec<_> = entries
        .iter()
        .flat_map(|entry| entry.durable.history.iter().map(|change| (entry.resource.as_str(), change)))
        .collect();
    changes.sort_by_key(|(_, change)| change.at_ms);
    if invocation.is_set(super::options::JSON) {
        let rows = changes.iter().map(|(resource, change)| HistoryRow {
            time: timezone::utc_time(change.at_ms),
            resource,
            change,
        });
        return print_json(&rows.collect::<Vec<_>>());
    }
    let mut text = String::new();
    for (resource, change) in changes {
        let time = timezone::local_time(change.at_ms);
        let (from, to, resource) = (one_line(&change.from), one_line(&change.to), one_line(resource));
        let _ = write!(text, "{time}  {resource}  {}: from {from} to {to}", one_line(&change.action));
        if let Some(association) = &change.association {
            let _ = write!(text, ", {association}");
        }
        let _ = writeln!(text, ", {} ms", change.took_ms);
    }
    print(&text)
}
