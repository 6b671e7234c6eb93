//! One account on virtual time: its buckets, its addresses, and a count of what it was asked.

use std::cell::RefCell;
use std::time::Duration;

use aws_sim::{Buckets, Fill};
use eip::base::ids::AssociationId;
use tokio::time::{Instant, sleep};

/// One way of a call, at least and at most: what is between two zones and an API endpoint of their Region.
const WAY_MS: std::ops::Range<u64> = 10..30;

/// An action of EC2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Gives an address to a node.
    Associate,
    /// Asks who has it.
    Describe,
}

impl Call {
    /// Returns its name in EC2.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Associate => "AssociateAddress",
            Self::Describe => "DescribeAddresses",
        }
    }
}

/// What the account was asked.
#[derive(Debug, Clone, Default)]
pub struct Count {
    /// Orders, with those that were refused.
    pub associate: usize,
    /// Looks, with those that were refused.
    pub describe: usize,
    /// How many of both were refused.
    pub refused: usize,
    /// How many there were in each second.
    pub by_second: Vec<usize>,
}

impl Count {
    /// Counts a request.
    pub fn add(&mut self, call: Call, at: Duration, refused: bool) {
        match call {
            Call::Associate => self.associate += 1,
            Call::Describe => self.describe += 1,
        }
        self.refused += usize::from(refused);
        let second = usize::try_from(at.as_secs()).unwrap_or(usize::MAX);
        if self.by_second.len() <= second {
            self.by_second.resize(second + 1, 0);
        }
        if let Some(count) = self.by_second.get_mut(second) {
            *count += 1;
        }
    }
}

/// The account.
#[derive(Debug)]
pub struct Account {
    began: Instant,
    random: RefCell<fastrand::Rng>,
    fill: RefCell<Fill>,
    holders: RefCell<Vec<Option<AssociationId>>>,
    count: RefCell<Count>,
}

impl Account {
    /// Makes an account with an address for each of so many clusters, each held by the node that died, and full buckets.
    #[must_use]
    pub fn new(clusters: usize, seed: u64) -> Self {
        Self {
            began: Instant::now(),
            random: RefCell::new(fastrand::Rng::with_seed(seed)),
            fill: RefCell::default(),
            holders: RefCell::new(vec![None; clusters]),
            count: RefCell::default(),
        }
    }

    /// Returns the time since the zone failed.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Returns what the account was asked so far.
    #[must_use]
    pub fn count(&self) -> Count {
        self.count.borrow().clone()
    }

    /// Takes as long as one way of a call.
    pub async fn travel(&self) {
        let way = self.random.borrow_mut().u64(WAY_MS);
        sleep(Duration::from_millis(way)).await;
    }

    /// Counts a call that arrives, and returns whether the bucket lets it pass.
    #[must_use]
    pub fn admits(&self, call: Call) -> bool {
        let now = self.now();
        let admitted = self.fill.borrow_mut().take(&Buckets::aws(), call.name(), true, now.as_secs_f64());
        self.count.borrow_mut().add(call, now, !admitted);
        admitted
    }

    /// Gives a cluster's address to its surviving node.
    pub fn associate(&self, cluster: usize, id: AssociationId) {
        if let Some(holder) = self.holders.borrow_mut().get_mut(cluster) {
            *holder = Some(id);
        }
    }

    /// Returns by which association the surviving node of a cluster has the address; nothing where the dead one has it.
    #[must_use]
    pub fn held(&self, cluster: usize) -> Option<AssociationId> {
        self.holders.borrow().get(cluster).cloned().flatten()
    }
}
