//! Runs tables of situations concurrently: a situation spends most of its time waiting.

use crate::pool;

/// Checks every row in its own thread, then fails with the names of all rows that failed.
///
/// What a failing row printed is in the output of the test, between that of the others.
#[track_caller]
pub fn each<T: Clone + Sync>(rows: impl IntoIterator<Item = (impl AsRef<str>, T)>, check: impl Fn(T) + Sync) {
    let (names, rows): (Vec<_>, Vec<T>) = rows.into_iter().unzip();
    let outcomes = pool::all(&rows, rows.len(), |row| check(row.clone()));
    let failed: Vec<String> = names
        .iter()
        .zip(outcomes)
        .filter_map(|(name, outcome)| outcome.err().map(|text| format!("{}: {text}", name.as_ref())))
        .collect();
    assert!(failed.is_empty(), "{} row(s) failed:\n\n{}", failed.len(), failed.join("\n\n"));
}
