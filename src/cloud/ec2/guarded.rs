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
mod tests {
    use super::*;
    use crate::cloud::model::{Account, ModelClient};
    use tokio::time::{Duration, timeout};

    const MOMENT: Duration = Duration::from_millis(10);

    #[tokio::test(start_paused = true)]
    async fn a_superseded_process_makes_no_call_and_gets_no_answer() {
        let (account, aside) = (Account::default(), Cell::new(false));
        let id = "eipassoc-0123456789abcdef0".parse().unwrap();
        let guarded = Guarded::new(ModelClient::new(&account, "i-00000000000000001"), || aside.get());
        assert!(timeout(MOMENT, guarded.disassociate(&id)).await.is_ok());
        aside.set(true);
        assert!(timeout(MOMENT, guarded.disassociate(&id)).await.is_err(), "neither called nor answered");
        assert_eq!(account.calls().len(), 1);
        assert!(!guarded.order_under_way().get());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_counts_as_in_flight_until_its_answer_arrives() {
        let aside = Cell::new(false);
        let client = ModelClient::new(&Account::default(), "i-00000000000000001");
        let guarded = Guarded::new(client, || aside.get());
        let under_way = guarded.order_under_way();
        let call = guarded.mutate(async {
            aside.set(true);
            tokio::time::sleep(MOMENT * 2).await;
        });
        tokio::pin!(call);
        assert!(timeout(MOMENT, &mut call).await.is_err());
        assert!(under_way.get());
        assert!(timeout(MOMENT * 2, &mut call).await.is_err(), "the answer is withheld");
        assert!(!under_way.get());
    }
}
