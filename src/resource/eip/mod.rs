//! An Elastic IP: who holds it, how it is taken, how it is let go.
//!
//! AWS enforces that one interface holds it at a time. So nothing here protects it from two holders; the actions *know* who
//! holds it, *take* it when told, *let go* of exactly what is their own, and never turn a failed look into "it is gone".

use std::net::Ipv4Addr;

use super::{Action, Report, Request, World};
use crate::base::deadline::Deadline;
use crate::base::retry;
use crate::cloud::{Address, Ec2 as _, Ec2Error, Imds as _, Selector};
use crate::host::Host as _;
use crate::params::{OnStop, Params};
use crate::resource::error::Error;
use crate::state::{Durable, Pair, Phase, Records as _, Volatile};

mod by_hand;
mod displaced;
mod examine;
mod finding;
mod hand_over;
mod holding;
mod journal;
mod migrate;
mod monitor;
mod place;
mod probe;
mod ready;
mod register;
mod restore;
mod start;
mod stop;
mod surroundings;
mod survey;
mod takeover;
#[cfg(all(test, feature = "paused-time"))]
mod tests;
mod validate;

pub use super::evidence::Seen;
pub use by_hand::{examine, holder, survey, would_start, would_stop};
pub use finding::{Finding, Verdict};
pub use holding::Holding;
pub use register::Entry;
pub use restore::{Known, Left, restore};
pub use surroundings::{Surroundings, Way};
pub use survey::Survey;

/// Runs one action of the resource.
///
/// # Errors
/// Why it could not do what was asked. By the deadline there is an answer in any case.
pub async fn run<W: World>(world: &W, request: &Request) -> Result<Report, Error> {
    let eip = Eip::of(world, request);
    match request.action {
        Action::Start => eip.start("start").await,
        Action::MigrateFrom => eip.start("migrate_from").await,
        Action::Stop => eip.stop().await,
        Action::Monitor { level } => eip.monitor(level).await,
        Action::Probe { level } => Ok(eip.probe(level).await),
        Action::Validate { level } => eip.validate(level).await,
        Action::MigrateTo => eip.migrate_to().await,
        // The parameters were checked when the request was made; nothing is kept running that would have to learn them.
        Action::Reload => Ok(Report::Done),
    }
}

/// Leaves the address to the node that takes it, and puts back what it had displaced here once it has gone.
///
/// # Errors
/// Where it is still here at the deadline, or EC2 gave no usable answer.
pub async fn hand_over<W: World>(world: &W, request: &Request) -> Result<Report, Error> {
    Eip::of(world, request).hand_over().await
}

/// Returns whether an address that had to make way waits to be put back.
pub fn has_displaced<W: World>(world: &W, request: &Request) -> bool {
    Eip::of(world, request).has_displaced()
}

/// Returns whether this node could take the address, asking EC2 nothing.
///
/// # Errors
/// What is missing.
pub async fn is_ready<W: World>(world: &W, request: &Request) -> Result<Report, Error> {
    Eip::of(world, request).is_ready().await
}

/// Returns whether the address is still here, asking EC2 nothing while the metadata service shows it.
///
/// # Errors
/// When it is not known.
pub async fn is_still_here<W: World>(world: &W, request: &Request) -> Result<Report, Error> {
    Eip::of(world, request).is_still_here().await
}

/// One action on one Elastic IP.
struct Eip<'a, W: World> {
    world: &'a W,
    params: &'a Params,
    deadline: Deadline,
    node: Option<&'a str>,
}

impl<'a, W: World> Eip<'a, W> {
    fn of(world: &'a W, request: &'a Request) -> Self {
        Self { world, params: &request.params, deadline: request.deadline, node: request.node.as_deref() }
    }
}

impl<W: World> Eip<'_, W> {
    /// Returns the address and allocation that EC2 once gave together, if they are the ones that are configured.
    ///
    /// Only such a pair may be associated without a look at EC2 first: a wrong `allocation_id` would take somebody else's
    /// address.
    fn checked_pair(&self, durable: &Durable) -> Option<Pair> {
        let pair = durable.pair.clone()?;
        let same_address = self.params.elastic_ip.is_none_or(|ip| ip == pair.public_ip);
        let same_allocation = self.params.allocation_id.as_ref().is_none_or(|id| *id == pair.allocation);
        (same_address && same_allocation).then_some(pair)
    }

    /// Returns the address itself, as far as it is known without asking EC2.
    fn public_ip(&self) -> Option<Ipv4Addr> {
        self.params
            .elastic_ip
            .or_else(|| self.checked_pair(&self.world.records().durable()).map(|pair| pair.public_ip))
    }

    /// Returns how to name the address to EC2: by its allocation where that is known.
    fn selector(&self) -> Option<Selector> {
        if let Some(id) = &self.params.allocation_id {
            return Some(Selector::Allocation(id.clone()));
        }
        match self.checked_pair(&self.world.records().durable()) {
            Some(pair) => Some(Selector::Allocation(pair.allocation)),
            None => self.params.elastic_ip.map(Selector::PublicIp),
        }
    }

    /// Returns how an operator names the address.
    fn name(&self) -> String {
        match (self.public_ip(), &self.params.allocation_id) {
            (Some(ip), _) => ip.to_string(),
            (None, Some(id)) => id.to_string(),
            (None, None) => "the address".to_owned(),
        }
    }

    /// Asks EC2 for the address, again and again until `until`.
    ///
    /// An allocation on record that EC2 no longer knows is dropped, and the address is looked up again by itself.
    async fn ask_ec2(&self, until: &Deadline) -> Result<Address, Error> {
        let Some(selector) = self.selector() else {
            return Err(Error::NotHere("neither elastic_ip nor allocation_id is set".to_owned()));
        };
        let mut answer = self.describe(&selector, until).await;
        if let (Err(error), Some(ip)) = (&answer, self.params.elastic_ip) {
            let by_record =
                matches!(selector, Selector::Allocation(_)) && self.params.allocation_id.is_none();
            if by_record && error.fault == crate::cloud::Ec2Fault::Unknown {
                self.world
                    .log()
                    .warn(format_args!("{selector} is not known to EC2 any more, looking {ip} up again"));
                self.forget_pair();
                answer = self.describe(&Selector::PublicIp(ip), until).await;
            }
        }
        let address = answer?;
        if let (Some(wanted), Some(allocation)) = (self.params.elastic_ip, &self.params.allocation_id)
            && address.public_ip != wanted
        {
            let actual = address.public_ip;
            return Err(Error::Mismatch { allocation: allocation.clone(), wanted, actual });
        }
        self.remember_pair(&address).await;
        Ok(address)
    }

    async fn describe(&self, selector: &Selector, until: &Deadline) -> Result<Address, Ec2Error> {
        retry::until(
            until,
            self.params.timing.max_backoff,
            || Ec2Error::cut_off("DescribeAddresses", selector),
            async || self.world.ec2().describe(selector).await,
        )
        .await
    }

    /// Keeps address and allocation as EC2 gave them together, and the region, for when the metadata service is silent.
    async fn remember_pair(&self, address: &Address) {
        if address.managed_by.is_some() {
            return;
        }
        let known = self
            .world
            .records()
            .durable()
            .pair
            .filter(|pair| pair.public_ip == address.public_ip && pair.allocation == address.allocation);
        let mut pair = known.clone().unwrap_or_else(|| Pair {
            public_ip: address.public_ip,
            allocation: address.allocation.clone(),
            region: None,
        });
        pair.region = match &self.params.api.region {
            Some(region) => Some(region.clone()),
            None if pair.region.is_some() => pair.region,
            None => self.deadline.bound(self.world.imds().region()).await.ok().and_then(Result::ok),
        };
        if known.as_ref() != Some(&pair) {
            let mut durable = self.world.records().durable();
            durable.pair = Some(pair);
            self.world.records().set_durable(&durable);
        }
    }

    fn forget_pair(&self) {
        let mut durable = self.world.records().durable();
        if durable.pair.take().is_some() {
            self.world.records().set_durable(&durable);
        }
    }

    /// Returns the record of what this node did last, if it is of this boot.
    fn last_done(&self) -> Option<Volatile> {
        let record = self.world.records().volatile();
        record.is_of(&self.world.host().boot_id()).then_some(record)
    }

    /// Returns whether this node moved the address so lately that the metadata may not show it yet.
    fn is_settling(&self) -> bool {
        let host = self.world.host();
        self.world.records().volatile().is_settling(
            &host.boot_id(),
            host.uptime(),
            self.params.timing.settle_window,
        )
    }

    /// Returns whether the last stop left the address here on purpose: until the next start it counts as not held.
    fn was_left(&self) -> bool {
        self.params.on_stop == OnStop::Leave
            && self.last_done().is_some_and(|record| record.phase == Some(Phase::Left))
    }

    /// Records that this node has just done something with the address.
    fn record(&self, phase: Phase, change: impl FnOnce(&mut Volatile)) {
        let host = self.world.host();
        let mut record = self.last_done().unwrap_or_default();
        record.phase = Some(phase);
        record.at_ms = super::millis(host.uptime());
        record.boot = host.boot_id();
        record.elastic_ip = self.public_ip().or(record.elastic_ip);
        change(&mut record);
        self.world.records().set_volatile(&record);
    }
}
