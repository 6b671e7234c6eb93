//! What each action does, for every kind of address. Knows nothing about how a request comes in.
//!
//! `start`, `stop` and `monitor` are written once; [`kind::Kind`] is what a kind of address supplies.

mod action;
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
mod world;

pub use self::action::{Action, Report, Request};
use self::error::Error;
use self::kind::{Kind, Op};
#[cfg(feature = "sdk")]
pub(crate) use self::start::join_all;
pub use self::world::{Parts, World};

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
