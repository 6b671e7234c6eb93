//! Doing something beside an order that nothing waits for.

use std::future::Future;

/// Runs two things at once and returns when the first is done, with the second's outcome if it has one by then.
pub(super) async fn beside<A, B>(
    main: impl Future<Output = A>,
    side: impl Future<Output = B>,
) -> (A, Option<B>) {
    tokio::pin!(main, side);
    let mut outcome = None;
    loop {
        tokio::select! {
            // The look goes out first, by a hair, so that it sees who held the address before the order.
            biased;
            value = &mut side, if outcome.is_none() => outcome = Some(value),
            value = &mut main => return (value, outcome),
        }
    }
}
