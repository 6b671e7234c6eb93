//! Everything the servers share, behind one lock.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use serde::Serialize;

use crate::{
    buckets::{Buckets, Fill},
    clock::Clock,
    config::Config,
    credentials::{CredState, Keyring, Principal},
    error::ApiError,
    faults::Faults,
    fleet::{
        Fleet, Holder,
        timeline::{Lag, Timeline},
    },
    iam::Iam,
    ids::InstanceId,
    imds::ImdsState,
    log::Log,
};

/// A change of holder of one address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HolderChange {
    /// When, in seconds since 1970.
    pub at: f64,
    /// Who holds the address from then on.
    pub holder: Option<Holder>,
    /// The instance whose request it was; `None` for an administrator.
    pub by: Option<InstanceId>,
}

/// A change of the instance that has a private address.
#[derive(Clone, Debug, PartialEq)]
pub struct PrivateIpChange {
    /// When, in seconds since 1970.
    pub at: f64,
    /// The instance that has the address from then on.
    pub instance: Option<InstanceId>,
    /// The instance whose request it was; `None` for an administrator.
    pub by: Option<InstanceId>,
}

/// How one instance's metadata behaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) state: ImdsState,
    pub(crate) credentials: CredState,
    pub(crate) lag: Lag,
}

/// The state of the simulator.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    /// Seconds by which AWS's clock is ahead of the machine's.
    pub(crate) skew: f64,
    pub(crate) rng: fastrand::Rng,
    pub(crate) fleet: Timeline,
    pub(crate) describe_lag: Lag,
    pub(crate) buckets: Option<Buckets>,
    pub(crate) fill: Fill,
    pub(crate) faults: Faults,
    pub(crate) iam: Iam,
    pub(crate) keys: Keyring,
    pub(crate) log: Log,
    pub(crate) history: BTreeMap<Ipv4Addr, Vec<HolderChange>>,
    pub(crate) private_history: BTreeMap<Ipv4Addr, Vec<PrivateIpChange>>,
    pub(crate) metadata: BTreeMap<InstanceId, Metadata>,
    /// Metadata session tokens: whose, and until when.
    pub(crate) tokens: BTreeMap<String, (InstanceId, f64)>,
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        let clock = Clock::start();
        let fleet = Fleet { gateway_attached: true, ..Fleet::default() };
        Self {
            describe_lag: Lag::new(config.describe_lag, clock.now()),
            clock,
            skew: 0.0,
            rng: fastrand::Rng::with_seed(config.seed),
            fleet: Timeline::start(fleet),
            buckets: config.buckets,
            fill: Fill::default(),
            faults: Faults::default(),
            iam: Iam::default(),
            keys: Keyring::default(),
            log: Log::default(),
            history: BTreeMap::new(),
            private_history: BTreeMap::new(),
            metadata: BTreeMap::new(),
            tokens: BTreeMap::new(),
            config,
        }
    }

    pub(crate) fn now(&self) -> f64 {
        self.clock.now()
    }

    /// Returns what AWS's clock shows.
    pub(crate) fn aws_now(&self) -> f64 {
        self.clock.now() + self.skew
    }

    /// Returns a new identifier of the kind that begins with `prefix`.
    pub(crate) fn mint<T: From<String>>(&mut self, prefix: &str) -> T {
        T::from(format!("{prefix}0{:016x}", self.rng.u64(..)))
    }

    /// Returns a new request identifier.
    pub(crate) fn request_id(&mut self) -> String {
        let (high, low) = (self.rng.u64(..), self.rng.u64(..));
        let hex = format!("{high:016x}{low:016x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }

    /// Returns the true present.
    pub(crate) fn present(&self) -> &Arc<Fleet> {
        self.fleet.present()
    }

    /// Returns what a Describe sees.
    pub(crate) fn described(&self) -> Arc<Fleet> {
        Arc::clone(self.fleet.as_of(self.describe_lag.view(self.now())))
    }

    /// Returns what the metadata of `instance` sees.
    pub(crate) fn seen_by_metadata(&self, instance: &InstanceId) -> Arc<Fleet> {
        let lag = self.metadata.get(instance).map(|m| m.lag).unwrap_or_default();
        Arc::clone(self.fleet.as_of(lag.view(self.now())))
    }

    /// Changes the fleet in the name of `by`, and records every change of a holder.
    pub(crate) fn change<R>(
        &mut self,
        by: Option<&InstanceId>,
        change: impl FnOnce(&mut Fleet, f64) -> R,
    ) -> R {
        let now = self.now();
        let before = Arc::clone(self.present());
        let mut fleet = Fleet::clone(&before);
        let result = change(&mut fleet, now);
        for address in &fleet.addresses {
            let holder = fleet.holder(address);
            let held = before.address(&(&address.allocation_id).into()).map(|a| before.holder(a));
            if held.as_ref() != Some(&holder) {
                let entry = HolderChange { at: now, holder, by: by.cloned() };
                self.history.entry(address.public_ip).or_default().push(entry);
            }
        }
        let (had, have) = (before.private_ips(), fleet.private_ips());
        for ip in had.keys().chain(have.keys()).collect::<BTreeSet<_>>() {
            if had.get(ip) != have.get(ip) {
                let instance = have.get(ip).map(|id| InstanceId::clone(id));
                let entry = PrivateIpChange { at: now, instance, by: by.cloned() };
                self.private_history.entry(*ip).or_default().push(entry);
            }
        }
        self.fleet.push(now, fleet);
        result
    }

    /// Adds to the fleet as if it had always been so.
    pub(crate) fn found(&mut self, change: impl Fn(&mut Fleet)) {
        self.fleet.amend(change);
    }

    /// Returns the instance that calls from `peer`.
    pub(crate) fn instance_at(&self, peer: IpAddr) -> Option<InstanceId> {
        let IpAddr::V4(ip) = peer else { return None };
        self.present().owner_of(ip).map(|i| i.id.clone())
    }

    /// Returns who the role of an instance is.
    pub(crate) fn role_of(&self, id: &InstanceId) -> Option<Principal> {
        let role = self.present().instance(id)?.role.clone()?;
        Some(Principal {
            arn: format!("arn:aws:sts::{}:assumed-role/{role}/{id}", self.config.account),
            user_id: format!("AROAJ55LAZY5NEXAMPLE:{id}"),
            role: Some(role),
            instance: Some(id.clone()),
        })
    }

    /// Returns the ARN of an EC2 resource of the account.
    pub(crate) fn arn(&self, kind: &str, id: &str) -> String {
        format!("arn:aws:ec2:{}:{}:{kind}/{id}", self.config.region, self.config.account)
    }

    /// Checks a signed caller against the account's policies.
    ///
    /// # Errors
    /// As [`Iam::check`].
    pub(crate) fn authorize(&self, who: &Principal, action: &str, resource: &str) -> Result<(), ApiError> {
        self.iam.check(who, action, resource)
    }
}
