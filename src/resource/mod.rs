//! The kinds of address, and what each action does with them: the decisions, and nothing about how a request comes in.
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
pub mod finding;
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

/// What is asked of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Hold the address.
    Start,
    /// Release the address.
    Stop,
    /// Say whether it is held; asked again and again while the resource runs.
    Monitor {
        /// `OCF_CHECK_LEVEL`: from 10 on EC2 is asked in any case.
        level: u32,
    },
    /// Say whether it is held; asked before anything was started, on every node.
    Probe {
        /// As for [`Action::Monitor`].
        level: u32,
    },
    /// Say whether the parameters are right; from level 10 on, whether they are right on this node.
    Validate {
        /// `OCF_CHECK_LEVEL`.
        level: u32,
    },
    /// Get ready to be moved to another node.
    MigrateTo,
    /// Take the address from the node it is moved from.
    MigrateFrom,
    /// Take over changed parameters.
    Reload,
}

/// One request to a resource, by default to one of the kind `eip`.
#[derive(Debug, Clone)]
pub struct Request<P = Params> {
    /// What is asked.
    pub action: Action,
    /// With which parameters.
    pub params: P,
    /// Until when.
    pub deadline: Deadline,
    /// The names by which the cluster knows this node, the nearest first: a bundle has its own name and its host's. Empty if
    /// the cluster says none.
    pub nodes: Vec<String>,
}

/// The result of a request that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Done; for a monitor: the address is here.
    Done,
    /// The address is not here, and why that is known.
    NotHere(String),
}

/// From this level on `validate-all` looks at the host, instance metadata and EC2.
const LOOK_AROUND_LEVEL: u32 = 10;

/// Runs one action of a resource of the kind `K`.
///
/// # Errors
/// Why it could not do what was asked. By the deadline there is an answer in any case.
pub async fn run<K: Kind<W>, W: World>(world: &W, request: &Request<K::Params>) -> Result<Report, Error> {
    let op = op::<K, W>(world, request);
    match request.action {
        Action::Start => op.start("start").await,
        Action::MigrateFrom => op.start("migrate_from").await,
        Action::Stop => op.stop().await,
        Action::Monitor { level } => op.monitor(level).await,
        Action::Probe { level } => Ok(op.probe(level).await),
        // The form of the parameters was checked when the request was made, which is all of level 0: the tools may run it on a
        // node that never hosts the resource.
        Action::Validate { level } if level < LOOK_AROUND_LEVEL => Ok(Report::Done),
        Action::Validate { .. } => op.validate().await,
        Action::MigrateTo => op.migrate_to().await,
        // The parameters were checked when the request was made; nothing is kept running that would have to learn them.
        Action::Reload => Ok(Report::Done),
    }
}

fn op<'a, K: Kind<W>, W: World>(world: &'a W, request: &'a Request<K::Params>) -> Op<'a, K, W> {
    Op { world, params: &request.params, deadline: request.deadline, nodes: &request.nodes }
}

/// Returns a duration as milliseconds for log lines and records.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The parts of the world an action works with: real ones in the agent, others in tests.
pub trait World {
    /// EC2.
    type Ec2: crate::cloud::Ec2;
    /// The metadata service.
    type Imds: crate::cloud::Imds;
    /// This host.
    type Host: crate::host::Host;
    /// What this node remembers.
    type Records: crate::state::Records;

    /// Returns EC2.
    fn ec2(&self) -> &Self::Ec2;
    /// Returns the metadata service.
    fn imds(&self) -> &Self::Imds;
    /// Returns this host.
    fn host(&self) -> &Self::Host;
    /// Returns what this node remembers of the resource.
    fn records(&self) -> &Self::Records;
    /// Returns where to report.
    fn log(&self) -> &crate::base::log::Log;
}

/// A world put together from its parts.
#[derive(Debug)]
pub struct Parts<E, I, H, R> {
    /// EC2.
    pub ec2: E,
    /// The metadata service.
    pub imds: I,
    /// This host.
    pub host: H,
    /// What this node remembers.
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
