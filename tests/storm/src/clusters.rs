//! Very many clusters in one process, on virtual time: each has a surviving node that runs the agent's own `start`.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use eip::base::deadline::Deadline;
use eip::base::log::Log;
use eip::params::Params;
use eip::resource::elastic::Elastic;
use eip::resource::{self, Action, Parts, Report, Request};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::Instant;

use crate::account::Account;
use crate::figures::Figures;
use crate::machine::{Machine, Memory};
use crate::names::public_ip;
use crate::node::Node;
use crate::policy::Policy;

/// A storm to be played.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// How many clusters lose their node.
    pub clusters: usize,
    /// How long the cluster manager gives each start.
    pub timeout: Duration,
    /// What they do when AWS asks them to slow down.
    pub policy: Policy,
    /// Where times and pauses are drawn from: the same seed gives the same storm.
    pub seed: u64,
}

impl Storm {
    /// Plays it: all of them start at the same instant.
    #[must_use]
    pub fn play(&self) -> Figures {
        // The agent draws its pauses from here.
        fastrand::seed(self.seed);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap_or_else(|error| panic!("no runtime: {error}"));
        LocalSet::new().block_on(&runtime, self.blow())
    }

    async fn blow(&self) -> Figures {
        let account = Rc::new(Account::new(self.clusters, self.seed));
        let deadline = Deadline::new(Instant::now(), self.timeout);
        let mut starts = Vec::with_capacity(self.clusters);
        for cluster in 0..self.clusters {
            let account = Rc::clone(&account);
            starts.push(spawn_local(start(account, cluster, self.policy, deadline)));
        }
        let mut taken = Vec::new();
        for (cluster, start) in starts.into_iter().enumerate() {
            let took = start.await.unwrap_or_else(|error| panic!("cluster {cluster}: {error}"));
            assert!(
                took.is_none() || account.held(cluster).is_some(),
                "cluster {cluster} says that it has its address, which it has not"
            );
            taken.extend(took);
        }
        let what = self.policy.to_string();
        Figures::new(what, self.clusters, self.timeout, taken, account.count())
    }
}

/// Starts the resource on the surviving node, and returns when that was done, or nothing where it failed.
async fn start(account: Rc<Account>, cluster: usize, policy: Policy, deadline: Deadline) -> Option<Duration> {
    let raw = BTreeMap::from([("elastic_ip".to_owned(), public_ip(cluster).to_string())]);
    let params = Params::parse(&raw).unwrap_or_else(|error| panic!("{error}"));
    let node = Node::new(&account, cluster, policy, deadline);
    let world = Parts {
        ec2: node.clone(),
        imds: node,
        host: Machine::new(cluster),
        records: Memory::of_a_standby(cluster),
        log: Log::memory(),
    };
    let request = Request { action: Action::Start, params, deadline, node: None };
    match resource::run::<Elastic, _>(&world, &request).await {
        Ok(Report::Done) => Some(account.now()),
        Ok(Report::NotHere(why)) => panic!("a start has no such answer: {why}"),
        Err(_) => None,
    }
}
