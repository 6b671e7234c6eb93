//! Runs tables of situations concurrently: a situation spends most of its time waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Checks every row in a thread of its own, then fails with the names of all rows that failed.
///
/// What a row printed when it failed is in the output of the test, between those of the others.
#[track_caller]
pub fn each<T: Send>(rows: impl IntoIterator<Item = (impl AsRef<str> + Send, T)>, check: impl Fn(T) + Sync) {
    let check = &check;
    let failed: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = rows
            .into_iter()
            .map(|(name, row)| {
                scope.spawn(move || {
                    let outcome = catch_unwind(AssertUnwindSafe(|| check(row)));
                    outcome.err().map(|cause| format!("{}: {}", name.as_ref(), text(&*cause)))
                })
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("the panic was caught")).collect()
    });
    assert!(failed.is_empty(), "{} row(s) failed:\n\n{}", failed.len(), failed.join("\n\n"));
}

fn text(cause: &(dyn std::any::Any + Send)) -> String {
    match (cause.downcast_ref::<String>(), cause.downcast_ref::<&str>()) {
        (Some(text), _) => text.clone(),
        (None, Some(text)) => (*text).to_owned(),
        (None, None) => "panicked".to_owned(),
    }
}
