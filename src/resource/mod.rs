//! What each action does, for every kind of address. Knows nothing about how a request comes in.
//!
//! `start`, `stop` and `monitor` are written once; [`kind::Kind`] is what a kind of address supplies.

use std::time::Duration;

use crate::base::deadline::Deadline;
use crate::params::Params;

pub mod by_hand;
mod device;
pub mod elastic;
pub mod error;
pub mod examine;
#[cfg(feature = "model")]
pub mod fixtures;
mod journal;
pub mod kind;
mod location;
mod monitor;
pub mod overlay;
pub mod policy;
pub mod private;
pub mod readiness;
pub mod recorded;
mod start;
mod stop;
pub mod surroundings;
pub mod survey;
#[cfg(all(test, feature = "paused-time"))]
mod tests;

use self::error::Error;
use self::kind::{Kind, Op};
#[cfg(feature = "sdk")]
pub(crate) use self::start::join_all;

/// An action of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Take the address, unless it is here already.
    Start,
    /// Release the address if it is here, as far as `on_stop` says.
    Stop,
    /// Check whether it is held; recurs while the resource runs.
    Monitor {
        /// `OCF_CHECK_LEVEL`: from 10 on, always query EC2.
        level: u32,
    },
    /// Check whether it is held; runs on every node before anything is started.
    Probe {
        /// `OCF_CHECK_LEVEL`, as for [`Action::Monitor`].
        level: u32,
    },
    /// Check the parameters; from level 10 on, also whether they work on this node.
    Validate {
        /// `OCF_CHECK_LEVEL`: below 10 only the parameters are checked.
        level: u32,
    },
    /// Prepare for the move to another node.
    MigrateTo,
    /// Take the address from the node that it is migrated from.
    MigrateFrom,
    /// Accept changed parameters: nothing runs on that would have to learn them.
    Reload,
}

impl Action {
    /// Its name in OCF.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Monitor { .. } | Self::Probe { .. } => "monitor",
            Self::Validate { .. } => "validate-all",
            Self::MigrateTo => "migrate_to",
            Self::MigrateFrom => "migrate_from",
            Self::Reload => "reload-agent",
        }
    }
}

/// One request to a resource, by default to one of the kind `eip`.
#[derive(Debug, Clone)]
pub struct Request<P = Params> {
    /// What to do.
    pub action: Action,
    /// Parameters of the resource.
    pub params: P,
    /// When to give up.
    pub deadline: Deadline,
    /// The cluster's names for this node, the nearest first: a bundle has its own name and its host's. Empty if the cluster
    /// provides none.
    pub nodes: Vec<String>,
}

/// The result of a request that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Done; for a monitor: the address is here.
    Done,
    /// The address is not here, with the evidence.
    NotHere(String),
}

/// From this level on `validate-all` checks the host, instance metadata and EC2.
const LOOK_AROUND_LEVEL: u32 = 10;

/// Runs one action of a resource of the kind `K`.
///
/// # Errors
/// Why the action failed. There is always a result by the deadline.
pub async fn run<K: Kind<W>, W: World>(world: &W, request: &Request<K::Params>) -> Result<Report, Error> {
    let op = op::<K, W>(world, request);
    match request.action {
        Action::Start => op.start("start").await,
        Action::MigrateFrom => op.start("migrate_from").await,
        Action::Stop => op.stop().await,
        Action::Monitor { level } => op.monitor(level).await,
        Action::Probe { level } => Ok(op.probe(level).await),
        // Level 0 checks only the form of the parameters, which was done when the request was built: tools may run it on a node
        // that never hosts the resource.
        Action::Validate { level } if level < LOOK_AROUND_LEVEL => Ok(Report::Done),
        Action::Validate { .. } => op.validate().await,
        Action::MigrateTo => op.migrate_to().await,
        // The parameters were checked when the request was built, and no long-running process has to learn them.
        Action::Reload => Ok(Report::Done),
    }
}

/// The context of an action or a query.
pub fn op<'a, K: Kind<W>, W: World>(world: &'a W, request: &'a Request<K::Params>) -> Op<'a, K, W> {
    Op { world, params: &request.params, deadline: request.deadline, nodes: &request.nodes }
}

/// A duration in milliseconds, for log lines and records.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The services that an action works with: real ones in the agent, others in tests.
pub trait World {
    /// EC2.
    type Ec2: crate::cloud::Ec2;
    /// Instance metadata.
    type Imds: crate::cloud::Imds;
    /// This host.
    type Host: crate::host::Host;
    /// This node's records.
    type Records: crate::state::Records;

    /// EC2.
    fn ec2(&self) -> &Self::Ec2;
    /// Instance metadata.
    fn imds(&self) -> &Self::Imds;
    /// This host.
    fn host(&self) -> &Self::Host;
    /// The records of the resource.
    fn records(&self) -> &Self::Records;
    /// Where to report.
    fn log(&self) -> &crate::base::log::Log;
}

/// A [`World`] assembled from its parts.
#[derive(Debug)]
pub struct Parts<E, I, H, R> {
    /// EC2.
    pub ec2: E,
    /// Instance metadata.
    pub imds: I,
    /// This host.
    pub host: H,
    /// This node's records.
    pub records: R,
    /// Where to report.
    pub log: crate::base::log::Log,
}

impl<E, I, H, R> World for Parts<E, I, H, R>
where
    E: crate::cloud::Ec2,
    I: crate::cloud::Imds,
    H: crate::host::Host,
    R: crate::state::Records,
{
    type Ec2 = E;
    type Imds = I;
    type Host = H;
    type Records = R;

    fn ec2(&self) -> &E {
        &self.ec2
    }
    fn imds(&self) -> &I {
        &self.imds
    }
    fn host(&self) -> &H {
        &self.host
    }
    fn records(&self) -> &R {
        &self.records
    }
    fn log(&self) -> &crate::base::log::Log {
        &self.log
    }
}
