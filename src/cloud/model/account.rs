//! The handle on the account: tests build, break and query it, and the faces answer from it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::time::Instant;

use super::buckets::{Buckets, Fill};
use super::error::ApiError;
use super::faults::{Fault, FaultId, FaultKind, Faults, Service, throttled};
use super::history::{Caller, Lag, Reader, Version};
use super::operations::Operation;
use super::state::{Associated, Instance, InstanceState, Objects};
use crate::base::ids::{AssociationId, InstanceId, InterfaceId};
use crate::cloud::ec2::private_ips::Eni;
use crate::cloud::ec2::{Address, Selector};

/// The only region of the model.
pub const REGION: &str = "eu-west-1";
/// Id of the only account.
pub const ACCOUNT: &str = "123456789012";

/// The reads that a lag applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Every Describe of any caller.
    Describes,
    /// The Describes of one instance.
    DescribesOf(InstanceId),
    /// The metadata of every instance.
    Metadata,
    /// The metadata of one instance.
    MetadataOf(InstanceId),
}

/// The instance that holds an Elastic IP.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ElasticIpHolder {
    /// The instance to which the interface is attached.
    pub instance: InstanceId,
    /// Its interface that carries the address.
    pub eni: InterfaceId,
    /// Private address on that interface.
    pub private_ip: Ipv4Addr,
    /// Id of the association.
    pub association_id: AssociationId,
}

/// A change of holder of one address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HolderChange {
    /// Time in seconds since 1970.
    pub at: f64,
    /// New holder; `None` if unassigned.
    pub holder: Option<ElasticIpHolder>,
    /// The instance that sent the request; `None` for an administrator.
    pub by: Option<InstanceId>,
}

/// A change of the instance that has a private address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PrivateIpChange {
    /// Time in seconds since 1970.
    pub at: f64,
    /// The instance that has the address from then on; `None` if none has.
    pub instance: Option<InstanceId>,
    /// The instance that sent the request; `None` for an administrator.
    pub by: Option<InstanceId>,
}

/// One request of a [`ModelClient`](super::ModelClient) and its outcome. Times count from the model's beginning.
#[derive(Clone, Debug)]
pub struct CallRecord {
    /// The service called.
    pub service: Service,
    /// The EC2 action, marked if it is a dry run; for instance metadata, method and path.
    pub operation: String,
    /// The id or address that it concerns.
    pub object: String,
    /// Sender and time of sending.
    pub by: Caller,
    /// When the service processed it, if it did.
    pub served: Option<Duration>,
    /// The moment that a read shows.
    pub seen: Option<Duration>,
    /// When the response arrived; `None` if none has.
    pub answered: Option<Duration>,
    /// EC2's error code, or what happened instead of a response; `None` on success.
    pub failure: Option<String>,
}

impl fmt::Display for CallRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation, self.object)
    }
}

/// One-way latency of calls to EC2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// Usual latency, drawn anew for each way.
    pub usual: Range<Duration>,
    /// Percentage of slow ways.
    pub slow_percent: u8,
    /// Upper bound of a slow way.
    pub slow: Duration,
}

impl Journey {
    /// A journey that takes the same time each way, and is never slow.
    pub const fn of(way: Duration) -> Self {
        Self { usual: way..way, slow_percent: 0, slow: Duration::ZERO }
    }

    fn draw(&self, random: &mut fastrand::Rng) -> Duration {
        if self.slow_percent > 0 && random.u8(0..100) < self.slow_percent {
            return self.slow.mul_f64(random.f64());
        }
        let Range { start, end } = self.usual;
        start + end.saturating_sub(start).mul_f64(random.f64())
    }
}

/// The state behind the lock.
#[derive(Debug)]
pub(super) struct AccountState {
    pub(super) objects: Objects,
    pub(super) random: fastrand::Rng,
    calls: Vec<CallRecord>,
    /// Number of calls removed from the record.
    forgotten: usize,
    /// The newest moment given to a change or a reader.
    newest: Duration,
    began: Instant,
    epoch: f64,
    faults: Faults,
    buckets: Option<Buckets>,
    fill: Fill,
    describes: Reader,
    describes_of: BTreeMap<InstanceId, Reader>,
    metadata: Reader,
    metadata_of: BTreeMap<InstanceId, Reader>,
    journey: Journey,
    journeys: BTreeMap<InstanceId, Journey>,
}

impl AccountState {
    fn new(seed: u64) -> Self {
        Self {
            objects: Objects::default(),
            random: fastrand::Rng::with_seed(seed),
            calls: Vec::new(),
            forgotten: 0,
            newest: Duration::ZERO,
            began: Instant::now(),
            epoch: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            faults: Faults::default(),
            buckets: None,
            fill: Fill::default(),
            describes: Reader::default(),
            describes_of: BTreeMap::new(),
            metadata: Reader::default(),
            metadata_of: BTreeMap::new(),
            journey: Journey::of(Duration::ZERO),
            journeys: BTreeMap::new(),
        }
    }

    /// Time since the beginning. A step of the wall clock reorders nothing.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// The moment of a change: later than that of every earlier change and reader, even while the clock is paused.
    pub(super) fn stamp(&mut self) -> Duration {
        self.newest = self.now().max(self.newest + Duration::from_nanos(1));
        self.newest
    }

    /// The present moment: a reader at it sees every change so far, and none that follows.
    pub(super) fn present(&mut self) -> Duration {
        self.newest = self.newest.max(self.now());
        self.newest
    }

    /// A moment as seconds since 1970.
    pub(super) fn since_1970(&self, moment: Duration) -> f64 {
        self.epoch + moment.as_secs_f64()
    }

    /// A new id of the kind that begins with `prefix`.
    pub(super) fn mint<I: std::str::FromStr<Err: fmt::Display>>(&mut self, prefix: &str) -> I {
        let text = format!("{prefix}0{:016x}", self.random.u64(..));
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Records a request. Returns its index in the record.
    pub(super) fn put_on_record(&mut self, record: CallRecord) -> usize {
        self.calls.push(record);
        self.forgotten + self.calls.len() - 1
    }

    /// The record of a request, unless it was removed.
    pub(super) fn record(&mut self, place: usize) -> Option<&mut CallRecord> {
        self.calls.get_mut(place.checked_sub(self.forgotten)?)
    }

    /// Notes that a request is processed now, and which moment it shows if it reads.
    pub(super) fn note_served(&mut self, place: usize, seen: Option<Duration>) {
        let now = self.now();
        if let Some(record) = self.record(place) {
            (record.served, record.seen) = (Some(now), seen);
        }
    }

    /// Draws the moment that the next Describe of this instance shows.
    pub(super) fn described_moment(&mut self, instance: Option<&InstanceId>) -> Duration {
        let now = self.present();
        let own = instance.and_then(|id| self.describes_of.get_mut(id));
        own.unwrap_or(&mut self.describes).moment(now, &mut self.random)
    }

    /// Draws the moment that the next read of an instance's metadata shows.
    pub(super) fn metadata_moment(&mut self, instance: &InstanceId) -> Duration {
        let now = self.present();
        let own = self.metadata_of.get_mut(instance);
        own.unwrap_or(&mut self.metadata).moment(now, &mut self.random)
    }

    /// Draws the one-way latency between an instance and EC2.
    pub(super) fn journey(&mut self, instance: &InstanceId) -> Duration {
        self.journeys.get(instance).unwrap_or(&self.journey).draw(&mut self.random)
    }

    /// The fault that strikes this request, if any.
    pub(super) fn strike(
        &mut self,
        service: Service,
        operation: &str,
        instance: Option<&InstanceId>,
    ) -> Option<FaultKind> {
        self.faults.strike(service, operation, instance, &mut self.random)
    }

    /// Takes a token for a request to EC2.
    ///
    /// # Errors
    /// `RequestLimitExceeded` if its bucket is empty.
    pub(super) fn admit(&mut self, action: &str, filtered: bool) -> Result<(), ApiError> {
        let now = self.now().as_secs_f64();
        match &self.buckets {
            Some(buckets) if !self.fill.take(buckets, action, filtered, now) => Err(throttled(Service::Ec2)),
            _ => Ok(()),
        }
    }

    fn holder(&self, held: &Associated, moment: Duration) -> Option<ElasticIpHolder> {
        Some(ElasticIpHolder {
            instance: self.objects.eni_at(&held.target.interface, moment)?.instance?,
            eni: held.target.interface.clone(),
            private_ip: held.target.private_ip,
            association_id: held.id.clone(),
        })
    }

    /// The instance that currently holds an address.
    fn present_holder(&self, which: &Selector) -> Option<ElasticIpHolder> {
        let held = self.objects.elastic_ip(which)?.association.now().as_ref()?;
        self.holder(held, self.newest)
    }

    /// Every change of holder of an address, oldest first.
    fn changes<'s>(
        &'s self,
        which: &Selector,
    ) -> impl Iterator<Item = (Option<ElasticIpHolder>, &'s Version<Option<Associated>>)> {
        let changes =
            self.objects.elastic_ip(which).into_iter().flat_map(|address| address.association.changes());
        changes.map(|change| {
            let holder = change.value.as_ref().and_then(|held| self.holder(held, change.at));
            (holder, change)
        })
    }

    fn readers(&mut self, which: Reads) -> Vec<&mut Reader> {
        match which {
            Reads::Describes => {
                [&mut self.describes].into_iter().chain(self.describes_of.values_mut()).collect()
            }
            Reads::Metadata => {
                [&mut self.metadata].into_iter().chain(self.metadata_of.values_mut()).collect()
            }
            Reads::DescribesOf(id) => {
                let usual = self.describes.clone();
                vec![self.describes_of.entry(id).or_insert(usual)]
            }
            Reads::MetadataOf(id) => {
                let usual = self.metadata.clone();
                vec![self.metadata_of.entry(id).or_insert(usual)]
            }
        }
    }
}

/// The account. Clones are handles on the same account, usable from any thread.
#[derive(Clone, Debug)]
pub struct Account(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<AccountState>,
    changed: Condvar,
}

impl Default for Account {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Account {
    /// An empty account. Ids, lags and chances are drawn from `seed`, so that runs are reproducible.
    pub fn new(seed: u64) -> Self {
        let state = Mutex::new(AccountState::new(seed));
        Self(Arc::new(Shared { state, changed: Condvar::new() }))
    }

    /// Starts over with an empty account.
    pub fn reset(&self, seed: u64) {
        self.with(|state| *state = AccountState::new(seed));
    }

    /// Gives `work` exclusive access to the state, then wakes the tasks that wait for a change.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut AccountState) -> R) -> R {
        // A panicking test must not make the next one fail with a poisoned lock.
        let result = work(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.changed.notify_all();
        result
    }

    /// Waits in real time until `look` returns a value; `None` after `limit`.
    fn wait<T>(&self, limit: Duration, mut look: impl FnMut(&AccountState) -> Option<T>) -> Option<T> {
        let until = std::time::Instant::now() + limit;
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = look(&state) {
                return Some(found);
            }
            let left = until.checked_duration_since(std::time::Instant::now())?;
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Time since the model's beginning.
    pub fn elapsed(&self) -> Duration {
        self.with(AccountState::present)
    }

    /// The same clock in seconds since 1970.
    pub fn now(&self) -> f64 {
        self.with(|state| state.since_1970(state.now()))
    }

    // Changes by an administrator.

    /// Associates an address as an administrator. Returns the association.
    ///
    /// # Errors
    /// Those of `AssociateAddress`.
    pub fn try_associate(
        &self,
        which: impl Into<Selector>,
        eni: &InterfaceId,
        private_ip: Option<Ipv4Addr>,
    ) -> Result<AssociationId, ApiError> {
        let operation =
            Operation::Associate { address: which.into(), eni: eni.clone(), private_ip, may_move: true };
        let made = self.operate(&Caller::default(), &operation, false, None, |_| Ok(()))?;
        made.ok_or_else(|| ApiError::value("no association"))
    }

    /// As [`try_associate`](Self::try_associate); panics on an error.
    pub fn associate(
        &self,
        which: impl Into<Selector>,
        eni: &InterfaceId,
        private_ip: Option<Ipv4Addr>,
    ) -> AssociationId {
        self.try_associate(which, eni, private_ip).unwrap_or_else(|error| panic!("associate: {error}"))
    }

    /// Associates an address with the node that has this private address, as an administrator.
    pub fn give(&self, which: impl Into<Selector>, private_ip: &str) -> AssociationId {
        let ip = parsed(private_ip);
        let eni = self.interface_with(ip).unwrap_or_else(|| panic!("no interface has {ip}"));
        self.associate(which, &eni, Some(ip))
    }

    /// Ends the association of an address, if it has one, as an administrator.
    pub fn disassociate(&self, which: impl Into<Selector>) {
        let which = which.into();
        self.with(|state| {
            let (at, ip) = (state.stamp(), state.objects.elastic_ip(&which).map(|address| address.public_ip));
            if let Some(ip) = ip {
                state.objects.move_elastic_ip(at, &Caller::default(), ip, None);
            }
        });
    }

    /// Assigns a secondary private address to an interface, taking it from its present one.
    pub fn assign_private_ip(&self, eni: &InterfaceId, ip: Ipv4Addr) {
        self.with(|state| {
            let at = state.stamp();
            state.objects.assign(at, &Caller::default(), eni, ip);
        });
    }

    /// Unassigns a secondary private address from the interface that has it, if any.
    pub fn unassign_private_ip(&self, ip: Ipv4Addr) {
        if let Some(eni) = self.interface_with(ip) {
            self.with(|state| {
                let at = state.stamp();
                state.objects.unassign(at, &Caller::default(), &eni, ip);
            });
        }
    }

    /// Changes an instance's state, with what EC2 then does to its addresses.
    pub fn set_instance_state(&self, id: &InstanceId, to: InstanceState) {
        self.with(|state| {
            let at = state.stamp();
            state.objects.set_state(at, id, to);
        });
    }

    /// Attaches the internet gateway to the VPC or detaches it.
    pub fn attach_gateway(&self, attached: bool) {
        self.with(|state| state.objects.gateway_detached = !attached);
    }

    /// Makes `ip` an Elastic IP of another account.
    pub fn allocate_foreign(&self, ip: Ipv4Addr) {
        self.with(|state| state.objects.foreign.insert(ip));
    }

    /// Sets the network border group of an address.
    pub fn set_border_group(&self, which: impl Into<Selector>, group: &str) {
        self.amend(&which.into(), |address| group.clone_into(&mut address.border_group));
    }

    /// Sets the AWS service (`alb`, `nat`, ...) that manages an address; `None` for unmanaged.
    pub fn set_managed_by(&self, which: impl Into<Selector>, service: Option<&str>) {
        self.amend(&which.into(), |address| address.managed_by = service.map(str::to_owned));
    }

    fn amend(&self, which: &Selector, change: impl FnOnce(&mut super::state::ElasticIp)) {
        self.with(|state| {
            let ip = state.objects.elastic_ip(which).map(|address| address.public_ip);
            if let Some(address) = ip.and_then(|ip| state.objects.elastic_ips.get_mut(&ip)) {
                change(address);
            }
        });
    }

    // The truth, without lag.

    /// The current holder of an address; `None` also if it is on an unattached interface.
    pub fn holder(&self, which: impl Into<Selector>) -> Option<ElasticIpHolder> {
        let which = which.into();
        self.with(|state| state.present_holder(&which))
    }

    /// The private address that carries an address, as text; `None` if unassociated.
    pub fn place(&self, which: impl Into<Selector>) -> Option<String> {
        self.address(which)?.association?.private_ip.map(|ip| ip.to_string())
    }

    /// Every change of holder since the address was allocated, oldest first; the first entry is the allocation itself.
    ///
    /// A move between instances is one entry: the address always had a holder.
    pub fn history(&self, which: impl Into<Selector>) -> Vec<HolderChange> {
        let which = which.into();
        self.with(|state| {
            let change = |(holder, change): (_, &Version<_>)| HolderChange {
                at: state.since_1970(change.at),
                holder,
                by: change.by.instance.clone(),
            };
            state.changes(&which).map(change).collect()
        })
    }

    /// Every interface that an address was on, with the caller that moved it there, oldest first; times count from the beginning.
    pub fn elastic_ip_changes(&self, which: impl Into<Selector>) -> Vec<Version<Option<ElasticIpHolder>>> {
        let which = which.into();
        self.with(|state| {
            let change =
                |(value, change): (_, &Version<_>)| Version { at: change.at, by: change.by.clone(), value };
            state.changes(&which).map(change).collect()
        })
    }

    /// Every interface that a private address was on, with the caller that moved it there, oldest first.
    pub fn private_ip_changes(&self, ip: Ipv4Addr) -> Vec<Version<Option<InterfaceId>>> {
        self.with(|state| {
            let histories = state.objects.private_ips.iter().filter(|((_, private), _)| *private == ip);
            histories.flat_map(|(_, history)| history.changes().cloned()).collect()
        })
    }

    /// Every instance that had a private address, oldest first.
    pub fn private_history(&self, ip: Ipv4Addr) -> Vec<PrivateIpChange> {
        self.instances_of(self.private_ip_changes(ip))
    }

    /// Changes of interface as changes of the instance that it was attached to.
    pub(super) fn instances_of(&self, changes: Vec<Version<Option<InterfaceId>>>) -> Vec<PrivateIpChange> {
        self.with(|state| {
            let change = |change: Version<Option<InterfaceId>>| PrivateIpChange {
                at: state.since_1970(change.at),
                instance: change.value.and_then(|eni| Some(state.objects.attached_at(&eni, change.at)?.0)),
                by: change.by.instance,
            };
            changes.into_iter().map(change).collect()
        })
    }

    /// The interface that currently has a private address.
    pub fn interface_with(&self, ip: Ipv4Addr) -> Option<InterfaceId> {
        self.with(|state| {
            let mut histories = state.objects.private_ips.iter().filter(|((_, private), _)| *private == ip);
            histories.find_map(|(_, history)| history.now().clone())
        })
    }

    /// The instance and interface that currently have a private address; `None` also if the interface is unattached.
    pub fn private_holder(&self, ip: Ipv4Addr) -> Option<(InstanceId, InterfaceId)> {
        let eni = self.interface_with(ip)?;
        let instance = self.with(|state| state.objects.eni_at(&eni, state.newest))?.instance?;
        Some((instance, eni))
    }

    /// The present state of an address.
    pub fn address(&self, which: impl Into<Selector>) -> Option<Address> {
        let which = which.into();
        self.with(|state| {
            let address = state.objects.elastic_ip(&which)?;
            Some(state.objects.address_at(address, state.newest))
        })
    }

    /// The present state of all addresses.
    pub fn addresses(&self) -> Vec<Address> {
        self.with(|state| {
            let (objects, now) = (&state.objects, state.newest);
            objects.elastic_ips.values().map(|address| objects.address_at(address, now)).collect()
        })
    }

    /// The present state of an instance.
    pub fn instance(&self, id: &InstanceId) -> Option<Instance> {
        self.with(|state| state.objects.instance_at(id, state.newest))
    }

    /// The present state of all instances.
    pub fn instances(&self) -> Vec<Instance> {
        self.with(|state| {
            let ids = state.objects.instances.keys();
            ids.filter_map(|id| state.objects.instance_at(id, state.newest)).collect()
        })
    }

    /// Waits in real time until the holder of an address satisfies `wanted`; `false` after `limit`.
    pub fn wait_for_holder(
        &self,
        limit: Duration,
        which: impl Into<Selector>,
        mut wanted: impl FnMut(Option<&ElasticIpHolder>) -> bool,
    ) -> bool {
        let which = which.into();
        let look = |state: &AccountState| wanted(state.present_holder(&which).as_ref()).then_some(());
        self.wait(limit, look).is_some()
    }

    // Faults.

    /// Adds a fault, from now on; [`clear_fault`](Self::clear_fault) ends it.
    pub fn fault(&self, fault: Fault) -> FaultId {
        self.with(|state| state.faults.add(fault))
    }

    /// Fails the next call of an EC2 action.
    pub fn fail_once(&self, operation: &str, kind: FaultKind) -> FaultId {
        self.fault(Fault::new(Service::Ec2, kind).operation(operation).times(1))
    }

    /// Fails every call of an EC2 action from now on.
    pub fn fail(&self, operation: &str, kind: FaultKind) -> FaultId {
        self.fault(Fault::new(Service::Ec2, kind).operation(operation))
    }

    /// Fails every call to EC2 from now on.
    pub fn fail_ec2(&self, kind: FaultKind) -> FaultId {
        self.fault(Fault::new(Service::Ec2, kind))
    }

    /// Fails every metadata query of every instance from now on.
    pub fn fail_metadata(&self, kind: FaultKind) -> FaultId {
        self.fault(Fault::new(Service::Imds, kind))
    }

    /// Ends every fault. Requests that already hang stay so until their client gives up.
    pub fn clear_faults(&self) {
        self.with(|state| state.faults.clear());
    }

    /// Ends one fault; does nothing if it has ended already.
    pub fn clear_fault(&self, id: FaultId) {
        self.with(|state| state.faults.clear_one(id));
    }

    /// The fault that strikes an arriving request, which is counted against it.
    pub fn strikes(
        &self,
        service: Service,
        operation: &str,
        instance: Option<&InstanceId>,
    ) -> Option<FaultKind> {
        self.with(|state| state.strike(service, operation, instance))
    }

    /// Sets the lag of reads for changes from now on.
    pub fn set_lag(&self, which: Reads, lag: Lag) {
        self.with(|state| {
            let now = state.present();
            state.readers(which).into_iter().for_each(|reader| reader.set_lag(lag, now));
        });
    }

    /// Shows the present state, whatever happens, until [`thaw`](Self::thaw).
    pub fn freeze(&self, which: Reads) {
        self.freeze_at(which, self.elapsed());
    }

    /// Shows the state at a moment since the beginning, as a replica that is behind, until [`thaw`](Self::thaw).
    pub fn freeze_at(&self, which: Reads, moment: Duration) {
        self.with(|state| {
            state.readers(which).into_iter().for_each(|reader| reader.freeze(Some(moment)));
        });
    }

    /// Ends [`freeze`](Self::freeze) and [`freeze_at`](Self::freeze_at): reads show the state again as late as their lag says.
    pub fn thaw(&self, which: Reads) {
        self.with(|state| state.readers(which).into_iter().for_each(|reader| reader.freeze(None)));
    }

    /// Shows the present state to the next `count` reads, whatever happens meanwhile.
    pub fn pin(&self, which: Reads, count: usize) {
        self.with(|state| {
            let now = state.present();
            state.readers(which).into_iter().for_each(|reader| reader.pin(count, now));
        });
    }

    /// Enables throttling, with full buckets, or disables it.
    pub fn set_buckets(&self, buckets: Option<Buckets>) {
        self.with(|state| (state.buckets, state.fill) = (buckets, Fill::default()));
    }

    /// Takes a token for a request to EC2; `filtered` means that it has ids, filters or pagination.
    ///
    /// # Errors
    /// `RequestLimitExceeded` if its bucket is empty.
    pub fn admit(&self, action: &str, filtered: bool) -> Result<(), ApiError> {
        self.with(|state| state.admit(action, filtered))
    }

    /// Sets the latency to EC2 for the clients of one instance, or of all without one of their own.
    pub fn set_journey(&self, instance: Option<&InstanceId>, journey: Journey) {
        self.with(|state| match instance {
            None => state.journey = journey,
            Some(id) => drop(state.journeys.insert(id.clone(), journey)),
        });
    }

    // Requests of model clients.

    /// Every request of a client to EC2 and to instance metadata, in the order of sending.
    pub fn records(&self) -> Vec<CallRecord> {
        self.with(|state| state.calls.clone())
    }

    /// The requests to EC2 since the last [`clear_calls`](Self::clear_calls), as `Operation object`.
    pub fn calls(&self) -> Vec<String> {
        let ec2 = |record: &&CallRecord| record.service == Service::Ec2;
        self.with(|state| state.calls.iter().filter(ec2).map(ToString::to_string).collect())
    }

    /// Number of metadata queries of all instances since the last [`clear_calls`](Self::clear_calls).
    pub fn questions(&self) -> usize {
        self.with(|state| state.calls.iter().filter(|record| record.service == Service::Imds).count())
    }

    /// Clears the requests so far.
    pub fn clear_calls(&self) {
        self.with(|state| {
            state.forgotten += state.calls.len();
            state.calls.clear();
        });
    }

    // Reads for the wire face.

    /// The addresses as shown to the next Describe of this instance.
    pub fn described_addresses(&self, caller: Option<&InstanceId>) -> Vec<Address> {
        self.with(|state| {
            let moment = state.described_moment(caller);
            let objects = &state.objects;
            objects.elastic_ips.values().map(|address| objects.address_at(address, moment)).collect()
        })
    }

    /// The interfaces as shown to the next Describe of this instance.
    pub fn described_interfaces(&self, caller: Option<&InstanceId>) -> Vec<Eni> {
        self.with(|state| {
            let moment = state.described_moment(caller);
            let objects = &state.objects;
            objects.interfaces.keys().filter_map(|id| objects.eni_at(id, moment)).collect()
        })
    }

    /// The instance as shown by the next read of its metadata.
    pub fn metadata(&self, id: &InstanceId) -> Option<Instance> {
        self.with(|state| {
            let moment = state.metadata_moment(id);
            state.objects.instance_at(id, moment)
        })
    }

    /// Checks that the address that a call names exists.
    ///
    /// # Errors
    /// EC2's, if it does not exist.
    pub fn find_address(&self, which: &Selector) -> Result<(), ApiError> {
        self.with(|state| state.objects.find_address(which).map(drop))
    }

    /// Runs an operation on behalf of a caller. Checks first that the objects exist, then the caller's permission, then
    /// EC2's preconditions; a dry run ends there. It takes effect after the delay `late`.
    ///
    /// Returns the association that it makes or ends.
    ///
    /// # Errors
    /// EC2's, or that of `permit`, which is given the allocation id or interface id.
    pub fn operate(
        &self,
        by: &Caller,
        operation: &Operation,
        dry_run: bool,
        late: Option<Duration>,
        permit: impl FnOnce(&str) -> Result<(), ApiError>,
    ) -> Result<Option<AssociationId>, ApiError> {
        let effect = self.with(|state| {
            permit(&state.objects.named(operation)?)?;
            state.check(operation)
        })?;
        if dry_run {
            let message = "Request would have succeeded, but DryRun flag is set.";
            return Err(ApiError::new(412, "DryRunOperation", message));
        }
        let association = effect.association().cloned();
        let (account, by) = (self.clone(), by.clone());
        let apply = move || account.with(|state| state.apply(&by, effect));
        match late {
            None => apply(),
            Some(late) => {
                tokio::spawn(async move {
                    tokio::time::sleep(late).await;
                    apply();
                });
            }
        }
        Ok(association)
    }
}

/// Parses text from a test: an id, an address.
pub fn parsed<T: std::str::FromStr<Err: fmt::Display>>(text: impl AsRef<str>) -> T {
    let text = text.as_ref();
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
