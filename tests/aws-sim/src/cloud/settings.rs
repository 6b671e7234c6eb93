//! Settings that can be changed while the simulator runs.

use std::time::Duration;

use super::Cloud;
use crate::{
    buckets::{Buckets, Fill},
    credentials::CredState,
    fleet::{InstanceState, timeline::Lag},
    ids::InstanceId,
    imds::ImdsState,
    world::Metadata,
};

/// One instance or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Every instance there is.
    All,
    /// This one.
    One(InstanceId),
}

impl From<&InstanceId> for Which {
    fn from(id: &InstanceId) -> Self {
        Self::One(id.clone())
    }
}

impl Cloud {
    /// Moves an instance to another state, with what EC2 does to its addresses then.
    pub fn set_instance_state(&self, id: &InstanceId, state: InstanceState) {
        self.with(|world| world.change(None, |fleet, _| fleet.set_state(id, state)));
    }

    /// Attaches the internet gateway to the VPC or detaches it.
    pub fn attach_gateway(&self, attached: bool) {
        self.with(|world| world.change(None, |fleet, _| fleet.gateway_attached = attached));
    }

    /// Denies an action, without the service's prefix, to everyone.
    pub fn deny(&self, action: &str) {
        self.with(|world| world.iam.deny(None, action));
    }

    /// Takes a denial for everyone back.
    pub fn allow(&self, action: &str) {
        self.with(|world| world.iam.allow(None, action));
    }

    /// Denies an action to the sessions of one role.
    pub fn deny_role(&self, role: &str, action: &str) {
        self.with(|world| world.iam.deny(Some(role), action));
    }

    /// Takes a denial for one role back.
    pub fn allow_role(&self, role: &str, action: &str) {
        self.with(|world| world.iam.allow(Some(role), action));
    }

    /// Adds the access key of a user.
    pub fn add_access_key(&self, id: &str, secret: &str) {
        self.with(|world| {
            let account = world.config.account.clone();
            world.keys.add_user(&account, id, secret);
        });
    }

    /// Sets the round trip of EC2 and STS calls; half of it passes before the call takes effect.
    pub fn set_latency(&self, latency: Duration) {
        self.with(|world| world.config.latency = latency);
    }

    /// Makes Describe answers late by `lag`, at most 15 minutes, for what happens from now on.
    pub fn set_describe_lag(&self, lag: Duration) {
        self.with(|world| world.describe_lag = Lag::new(lag, world.now()));
    }

    /// Makes the metadata late by `lag`, at most 15 minutes, for what happens from now on.
    pub fn set_imds_lag(&self, which: impl Into<Which>, lag: Duration) {
        let now = self.now();
        self.each_metadata(&which.into(), |metadata| metadata.lag = Lag::new(lag, now));
    }

    /// Sets how the metadata service behaves as a whole.
    pub fn set_imds_state(&self, which: impl Into<Which>, state: ImdsState) {
        self.each_metadata(&which.into(), |metadata| metadata.state = state);
    }

    /// Sets what the metadata hands out as credentials.
    pub fn set_credentials(&self, which: impl Into<Which>, state: CredState) {
        self.each_metadata(&which.into(), |metadata| metadata.credentials = state);
    }

    /// Sets how long credentials issued from now on are good for.
    pub fn set_credential_lifetime(&self, lifetime: Duration) {
        self.with(|world| world.config.credential_lifetime = lifetime);
    }

    /// Invalidates every metadata session token handed out so far, as a restart of the service does.
    pub fn forget_tokens(&self) {
        self.with(|world| world.tokens.clear());
    }

    /// Switches throttling on, with full buckets, or off.
    pub fn set_buckets(&self, buckets: Option<Buckets>) {
        self.with(|world| (world.buckets, world.fill) = (buckets, Fill::default()));
    }

    /// Sets AWS's clock ahead of the machine's by so many seconds, or back for a negative number.
    pub fn set_clock_skew(&self, seconds: f64) {
        self.with(|world| world.skew = seconds);
    }

    fn each_metadata(&self, which: &Which, change: impl Fn(&mut Metadata)) {
        self.with(|world| match which {
            Which::All => world.metadata.values_mut().for_each(change),
            Which::One(id) => change(world.metadata.entry(id.clone()).or_default()),
        });
    }
}
