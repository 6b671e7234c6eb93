//! The handle on the simulator's state, for tests and the control API: the account, and what the wire adds to it.

use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use eip::base::ids::InstanceId;
use eip::cloud::model::{Account, Lag, Reads};

use crate::credentials::CredState;
use crate::imds::ImdsState;
use crate::log::LoggedRequest;
use crate::world::{Metadata, SEED, SimulatorState};

/// One instance or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Every instance in the account.
    All,
    /// Only this instance.
    One(InstanceId),
}

impl From<&InstanceId> for Which {
    fn from(id: &InstanceId) -> Self {
        Self::One(id.clone())
    }
}

/// An [`Account`] together with its simulator's log, keys and metadata services; cheap to clone, usable from any thread.
#[derive(Clone, Debug)]
pub struct Cloud {
    account: Account,
    shared: Arc<CloudState>,
}

#[derive(Debug)]
struct CloudState {
    world: Mutex<SimulatorState>,
    changed: Condvar,
}

impl Deref for Cloud {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.account
    }
}

impl Cloud {
    pub(crate) fn new() -> Self {
        let account = Account::new(SEED);
        let world = Mutex::new(SimulatorState::new(&account));
        Self { account, shared: Arc::new(CloudState { world, changed: Condvar::new() }) }
    }

    /// Runs `work` with exclusive access to the state, then wakes the threads that wait for a change.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut SimulatorState) -> R) -> R {
        // A panicking test must not make the next one fail with a poisoned lock.
        let result = work(&mut self.shared.world.lock().unwrap_or_else(PoisonError::into_inner));
        self.shared.changed.notify_all();
        result
    }

    /// The request log so far, in order of arrival.
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.with(|world| world.log.all().to_vec())
    }

    /// Empties the request log.
    pub fn clear_log(&self) {
        self.with(|world| world.log.clear());
    }

    /// Waits until a request in the log satisfies `wanted`; `None` if none does within `limit`.
    pub fn wait_for_request(
        &self,
        limit: Duration,
        mut wanted: impl FnMut(&LoggedRequest) -> bool,
    ) -> Option<LoggedRequest> {
        let until = Instant::now() + limit;
        let mut world = self.shared.world.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = world.log.all().iter().find(|request| wanted(request)) {
                return Some(found.clone());
            }
            let left = until.checked_duration_since(Instant::now())?;
            world = self.shared.changed.wait_timeout(world, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Denies an action to every caller; its name has no service prefix.
    pub fn deny(&self, action: &str) {
        self.with(|world| world.iam.deny(None, action));
    }

    /// Removes a denial for every caller.
    pub fn allow(&self, action: &str) {
        self.with(|world| world.iam.allow(None, action));
    }

    /// Denies an action to the sessions of one role.
    pub fn deny_role(&self, role: &str, action: &str) {
        self.with(|world| world.iam.deny(Some(role), action));
    }

    /// Removes a denial for one role.
    pub fn allow_role(&self, role: &str, action: &str) {
        self.with(|world| world.iam.allow(Some(role), action));
    }

    /// Adds the access key of a user.
    pub fn add_access_key(&self, id: &str, secret: &str) {
        self.with(|world| world.keys.add_user(id, secret));
    }

    /// The key id, secret and session token that a working metadata service shows an instance; `None` without a role.
    pub fn role_key(&self, id: &InstanceId) -> Option<[String; 3]> {
        self.with(|world| {
            let principal = world.role_of(id)?;
            let now = world.aws_now();
            let key = world.keys.shown_to(&mut world.rng, &principal, CredState::Valid, now)?;
            Some([key.id, key.secret, key.session_token?])
        })
    }

    /// Sets the round-trip time of EC2 and STS calls; half of it passes before the call takes effect.
    pub fn set_latency(&self, latency: Duration) {
        self.with(|world| world.latency = latency);
    }

    /// Makes Describe responses stale by `lag`, for changes from now on.
    pub fn set_describe_lag(&self, lag: Duration) {
        self.set_lag(Reads::Describes, Lag::Fixed(lag));
    }

    /// Makes instance metadata stale by `lag`, for changes from now on.
    pub fn set_imds_lag(&self, which: impl Into<Which>, lag: Duration) {
        let reads = match which.into() {
            Which::All => Reads::Metadata,
            Which::One(id) => Reads::MetadataOf(id),
        };
        self.set_lag(reads, Lag::Fixed(lag));
    }

    /// Sets how the metadata service behaves as a whole.
    pub fn set_imds_state(&self, which: impl Into<Which>, state: ImdsState) {
        self.each_metadata(which.into(), |metadata| metadata.state = state);
    }

    /// Sets which credentials instance metadata shows.
    pub fn set_credentials(&self, which: impl Into<Which>, state: CredState) {
        self.each_metadata(which.into(), |metadata| metadata.credentials = state);
    }

    /// Invalidates every metadata session token issued so far, as a restart of the service does.
    pub fn forget_tokens(&self) {
        self.with(|world| world.tokens.clear());
    }

    /// Sets AWS's clock ahead of the machine's by this many seconds, or behind it if negative.
    pub fn set_clock_skew(&self, seconds: f64) {
        self.with(|world| world.skew = seconds);
    }

    /// Resets the state: no instances, addresses, faults, denials, keys, settings or log.
    pub(crate) fn start_over(&self) {
        self.with(|world| {
            self.reset(SEED);
            *world = SimulatorState::new(&self.account);
        });
    }

    fn each_metadata(&self, which: Which, change: impl Fn(&mut Metadata)) {
        let ids = match which {
            Which::All => self.instances().into_iter().map(|instance| instance.id).collect(),
            Which::One(id) => vec![id],
        };
        self.with(|world| ids.into_iter().for_each(|id| change(world.metadata.entry(id).or_default())));
    }
}
