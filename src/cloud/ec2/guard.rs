//! Stops issuing mutating calls once a newer process has taken over; a call in flight is not cancelled.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;

/// Whether this process may still make mutating calls; the default always may. Clones share what is in flight.
#[derive(Clone, Default)]
pub struct CallGuard {
    superseded: Option<Rc<dyn Fn() -> bool>>,
    in_flight: Rc<Cell<bool>>,
}

impl CallGuard {
    /// Queries `superseded` right before and right after each mutating call. If it returns true, the call never completes, and the
    /// caller drops the work as soon as [`Self::is_over`].
    pub fn new(superseded: impl Fn() -> bool + 'static) -> Self {
        Self { superseded: Some(Rc::new(superseded)), in_flight: Rc::default() }
    }

    /// Whether the work is to be dropped. Not while a mutating call is in flight: it could take effect after a later one of another
    /// process.
    pub fn is_over(&self) -> bool {
        !self.in_flight.get() && self.is_superseded()
    }

    fn is_superseded(&self) -> bool {
        self.superseded.as_ref().is_some_and(|superseded| superseded())
    }

    /// Makes a mutating call.
    pub async fn mutate<T>(&self, call: impl Future<Output = T>) -> T {
        if self.is_superseded() {
            return pending().await;
        }
        self.in_flight.set(true);
        let outcome = call.await;
        self.in_flight.set(false);
        if self.is_superseded() {
            return pending().await;
        }
        outcome
    }
}

#[cfg(all(test, feature = "paused-time"))]
mod tests;
