//! A secondary private address: which interface has it, how it is taken, how it is let go, and where the kernel has it.
//!
//! EC2 gives the address to one interface of a subnet at a time, and routes by that; the network device of the node has to
//! have it too, or nobody there listens. So there are two halves, and their order is the whole art:
//!
//! - A start asks EC2 first and the kernel second: a node never claims an address that EC2 has not given to it.
//! - A stop asks the kernel first and EC2 second. A node killed in between, or cut off from EC2, has traffic that nobody
//!   answers, which the next start anywhere ends. In the other order it would keep an address that is its peer's by then:
//!   its own clients would talk to themselves, and its answers would be dropped by EC2.

use std::time::Duration;

use super::{Action, Report, Request, World};
use crate::base::deadline::Deadline;
use crate::base::retry;
use crate::cloud::{Ec2Error, Imds as _, PrivateIps};
use crate::host::Host as _;
use crate::network::Network;
use crate::params::{OnVipStop, VipParams};
use crate::resource::error::Error;
use crate::resource::evidence::Subject;
use crate::state::{Phase, Records as _, Volatile};

mod assign;
mod device;
mod holding;
mod journal;
mod monitor;
mod place;
mod probe;
mod start;
mod stop;
mod takeover;
#[cfg(all(test, feature = "paused-time"))]
mod tests;
mod validate;

pub use assign::{Assigned, Order, assign};

/// The parts of the world that this kind of address needs beside the usual ones.
pub trait VipWorld: World<Ec2: PrivateIps, Host: Network> {}

impl<W: World<Ec2: PrivateIps, Host: Network>> VipWorld for W {}

/// Runs one action of the resource.
///
/// # Errors
/// Why it could not do what was asked. By the deadline there is an answer in any case.
pub async fn run<W: VipWorld>(world: &W, request: &Request<VipParams>) -> Result<Report, Error> {
    let vip = Vip { world, params: &request.params, deadline: request.deadline };
    match request.action {
        Action::Start => vip.start("start").await,
        Action::MigrateFrom => vip.start("migrate_from").await,
        Action::Stop => vip.stop().await,
        Action::Monitor { level } => vip.monitor(level).await,
        Action::Probe { level } => Ok(vip.probe(level).await),
        Action::Validate { level } => vip.validate(level).await,
        Action::MigrateTo => vip.migrate_to().await,
        // The parameters were checked when the request was made; nothing is kept running that would have to learn them.
        Action::Reload => Ok(Report::Done),
    }
}

/// One action on one secondary private address.
struct Vip<'a, W: VipWorld> {
    world: &'a W,
    params: &'a VipParams,
    deadline: Deadline,
}

impl<W: VipWorld> Vip<'_, W> {
    /// Checks that the address is here, and lets nothing go: the target takes it in one call, so that an Elastic IP on it
    /// moves along, and the stop that follows on this node finds it there.
    ///
    /// # Errors
    /// [`Error::NotHeld`] when it is not here.
    async fn migrate_to(&self) -> Result<Report, Error> {
        match self.monitor(0).await? {
            Report::Done => Ok(Report::Done),
            Report::NotHere(why) => Err(Error::NotHeld(why)),
        }
    }

    /// Makes one call to EC2 again and again until `until`, where its failure is worth it.
    async fn call_ec2<T>(
        &self,
        operation: &'static str,
        until: &Deadline,
        call: impl AsyncFnMut() -> Result<T, Ec2Error>,
    ) -> Result<T, Ec2Error> {
        let cut_off = || Ec2Error::cut_off(operation, &self.params.address);
        retry::until(until, self.params.timing.max_backoff, cut_off, call).await
    }

    /// Returns the record of what this node did last, if it is of this boot and this address.
    fn last_done(&self) -> Option<Volatile> {
        let record = self.world.records().volatile();
        let same = record.secondary_private_ip == Some(self.params.address);
        (same && record.is_of(&self.world.host().boot_id())).then_some(record)
    }

    /// Returns whether this node moved the address so lately that the metadata may not show it yet.
    fn is_settling(&self) -> bool {
        let host = self.world.host();
        let window = self.params.timing.settle_window;
        self.last_done().is_some_and(|record| record.is_settling(&host.boot_id(), host.uptime(), window))
    }

    /// Returns whether the last stop left the address here on purpose: until the next start it counts as not held.
    fn was_left(&self) -> bool {
        self.params.on_stop == OnVipStop::Leave
            && self.last_done().is_some_and(|record| record.phase == Some(Phase::Left))
    }

    /// Records that this node has just done something with the address.
    fn record(&self, phase: Phase, change: impl FnOnce(&mut Volatile)) {
        let host = self.world.host();
        let mut record = self.last_done().unwrap_or_default();
        record.phase = Some(phase);
        record.at_ms = super::millis(host.uptime());
        record.boot = host.boot_id();
        record.secondary_private_ip = Some(self.params.address);
        change(&mut record);
        self.world.records().set_volatile(&record);
    }

    /// Keeps the region for when the metadata service is silent.
    async fn remember_region(&self) {
        let known = self.world.records().durable().region;
        let region = match &self.params.api.region {
            Some(region) => Some(region.clone()),
            None if known.is_some() => return,
            None => self.deadline.bound(self.world.imds().region()).await.ok().and_then(Result::ok),
        };
        if region.is_some() && region != known {
            let mut durable = self.world.records().durable();
            durable.region = region;
            self.world.records().set_durable(&durable);
        }
    }
}

impl<W: VipWorld> Subject for Vip<'_, W> {
    type World = W;

    fn world(&self) -> &W {
        self.world
    }

    fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    fn max_backoff(&self) -> Duration {
        self.params.timing.max_backoff
    }

    fn name(&self) -> String {
        self.params.address.to_string()
    }

    fn is_settling(&self) -> bool {
        Vip::is_settling(self)
    }
}
