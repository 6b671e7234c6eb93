//! Stops issuing mutating calls once a newer process has taken over; a call in flight is not cancelled.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;

use super::{Address, Ec2, Ec2Error, Selector, Target};
use crate::base::ids::{AllocationId, AssociationId};

/// Calls `step_aside` right before and right after each mutating call. If it returns true, the call never completes:
/// the driver of the work drops it once no mutating call is in flight.
#[derive(Debug)]
pub struct Guarded<E, F> {
    inner: E,
    step_aside: F,
    order_under_way: Rc<Cell<bool>>,
}

impl<E, F: Fn() -> bool> Guarded<E, F> {
    /// Guards this client with the condition `step_aside`.
    #[must_use]
    pub fn new(inner: E, step_aside: F) -> Self {
        Self { inner, step_aside, order_under_way: Rc::default() }
    }

    /// A cell that is true while a mutating call is in flight. Dropping the work at that time could let the call take
    /// effect after a later one of another process.
    #[must_use]
    pub fn order_under_way(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.order_under_way)
    }

    async fn order<T>(&self, order: impl Future<Output = T>) -> T {
        if (self.step_aside)() {
            return pending().await;
        }
        self.order_under_way.set(true);
        let outcome = order.await;
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
        self.order(self.inner.associate(allocation, target, reassociate)).await
    }

    async fn disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        self.order(self.inner.disassociate(association)).await
    }

    async fn may_associate(&self, allocation: &AllocationId, target: &Target) -> Result<(), Ec2Error> {
        self.inner.may_associate(allocation, target).await
    }

    async fn may_disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        self.inner.may_disassociate(association).await
    }
}

#[cfg(all(test, feature = "paused-time"))]
mod tests {
    use super::*;
    use crate::cloud::model::{Account, ModelClient};
    use tokio::time::{Duration, timeout};

    const MOMENT: Duration = Duration::from_millis(10);

    #[tokio::test(start_paused = true)]
    async fn no_order_is_given_once_somebody_else_has_the_word() {
        let (account, aside) = (Account::default(), Cell::new(false));
        let id = "eipassoc-0123456789abcdef0".parse().unwrap();
        let guarded = Guarded::new(ModelClient::new(&account, "i-00000000000000001"), || aside.get());
        assert!(timeout(MOMENT, guarded.disassociate(&id)).await.is_ok());
        aside.set(true);
        assert!(timeout(MOMENT, guarded.disassociate(&id)).await.is_err(), "it neither orders nor answers");
        assert_eq!(account.calls().len(), 1);
        assert!(!guarded.order_under_way().get());
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_under_way_is_known_until_its_answer_is_there() {
        let aside = Cell::new(false);
        let client = ModelClient::new(&Account::default(), "i-00000000000000001");
        let guarded = Guarded::new(client, || aside.get());
        let under_way = guarded.order_under_way();
        let order = guarded.order(async {
            aside.set(true);
            tokio::time::sleep(MOMENT * 2).await;
        });
        tokio::pin!(order);
        assert!(timeout(MOMENT, &mut order).await.is_err());
        assert!(under_way.get());
        assert!(timeout(MOMENT * 2, &mut order).await.is_err(), "what came of it is not acted on");
        assert!(!under_way.get());
    }
}
