//! Stops issuing mutating calls once a newer process has taken over; a call in flight is not cancelled.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;

use super::{Address, Ec2, Ec2Error, Selector, Target};
use crate::base::ids::{AllocationId, AssociationId};

/// Calls `step_aside` right before and right after each mutating call. If it returns true, the call never completes, and the
/// caller drops the work once no mutating call is in flight.
#[derive(Debug)]
pub struct Guarded<E, F> {
    inner: E,
    step_aside: F,
    order_under_way: Rc<Cell<bool>>,
}

impl<E, F: Fn() -> bool> Guarded<E, F> {
    /// Guards this client with the condition `step_aside`.
    pub fn new(inner: E, step_aside: F) -> Self {
        Self { inner, step_aside, order_under_way: Rc::default() }
    }

    /// True while a mutating call is in flight. Dropping the work then could let the call take effect after a later one of
    /// another process.
    pub fn order_under_way(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.order_under_way)
    }

    async fn mutate<T>(&self, call: impl Future<Output = T>) -> T {
        if (self.step_aside)() {
            return pending().await;
        }
        self.order_under_way.set(true);
        let outcome = call.await;
        self.order_under_way.set(false);
        if (self.step_aside)() {
            return pending().await;
        }
        outcome
    }
}

impl<E: Ec2, F: Fn() -> bool> Ec2 for Guarded<E, F> {
    async fn prepare(&self) -> Result<(), Ec2Error> {
        self.inner.prepare().await
    }

    async fn describe(&self, which: &Selector) -> Result<Address, Ec2Error> {
        self.inner.describe(which).await
    }

    async fn on_target(&self, target: &Target) -> Result<Vec<Address>, Ec2Error> {
        self.inner.on_target(target).await
    }

    async fn associate(
        &self,
        allocation: &AllocationId,
        target: &Target,
        reassociate: bool,
    ) -> Result<AssociationId, Ec2Error> {
        self.mutate(self.inner.associate(allocation, target, reassociate)).await
    }

    async fn disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        self.mutate(self.inner.disassociate(association)).await
    }

    async fn may_associate(&self, allocation: &AllocationId, target: &Target) -> Result<(), Ec2Error> {
        self.inner.may_associate(allocation, target).await
    }

    async fn may_disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        self.inner.may_disassociate(association).await
    }
}

#[cfg(all(test, feature = "paused-time"))]
mod tests;
