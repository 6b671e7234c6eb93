//! Many cases side by side, but not all of them: most of what an agent in trouble does is waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many run at a time where nothing says so: a case waits about a hundred times as long as it computes.
const THREADS: usize = 100;

/// Does `work` on every item and returns the results in the order of the items; a panic is an error.
pub(crate) fn all<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<Result<R, String>> {
    let threads = std::env::var("MATRIX_THREADS").ok().and_then(|text| text.parse().ok()).unwrap_or(THREADS);
    let results: Vec<Mutex<Option<Result<R, String>>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..threads.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(item), Some(place)) = (items.get(index), results.get(index)) else { break };
                    let outcome = catch_unwind(AssertUnwindSafe(|| work(item)));
                    *place.lock().unwrap() = Some(outcome.map_err(|cause| text(&*cause)));
                }
            });
        }
    });
    results.into_iter().map(|result| result.into_inner().unwrap().expect("every item had its turn")).collect()
}

fn text(cause: &(dyn std::any::Any + Send)) -> String {
    match (cause.downcast_ref::<String>(), cause.downcast_ref::<&str>()) {
        (Some(text), _) => text.clone(),
        (None, Some(text)) => (*text).to_owned(),
        (None, None) => "panicked".to_owned(),
    }
}
