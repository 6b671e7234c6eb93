//! What only an Elastic IP has: ids, displaced addresses, private addresses that carry it.

// Test code: it fails by panicking.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::resource::tests::*;
use crate::state::Volatile;

mod displaced;
mod hand_over;
mod monitor;
mod ready;
mod restore;
mod start;
mod stop;
mod target;
mod validate;

type ElasticNode = Resource<Elastic>;

/// A node that holds the address, which has displaced another Elastic IP of the account.
async fn with_displaced() -> ElasticNode {
    let account = account();
    account.give(OTHER, OWN);
    let node = ElasticNode::on(&account, 1).settled().await;
    assert_eq!((account.place(OTHER), node.displaced().len()), (None, 1));
    node
}

impl ElasticNode {
    fn displaced(&self) -> Vec<crate::state::Displaced> {
        self.world.records.durable().displaced
    }

    /// Puts an allocation on record, as a probe does.
    fn recorded(self, public_ip: &str, allocation: &str) -> Self {
        let (public_ip, allocation) = (public_ip.parse().unwrap(), allocation.parse().unwrap());
        self.world.records.durable.borrow_mut().pair = Some(Pair { public_ip, allocation, region: None });
        self
    }
}
