//! The handle on the simulator's state, for tests and the control API.

mod build;
mod private_ips;
mod settings;

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

pub(crate) use self::build::new_address;
pub use self::{
    build::{InstanceSpec, InterfaceSpec},
    settings::Which,
};
use crate::{
    config::Config,
    ec2,
    error::ApiError,
    faults::{Fault, FaultId},
    fleet::{AddressRef, Fleet, Holder, Instance},
    ids::{AllocationId, AssociationId, InstanceId, InterfaceId},
    log::Request,
    world::{HolderChange, World},
};

/// The account, the faults and the log of a simulator; cheap to clone, usable from any thread.
#[derive(Clone, Debug)]
pub struct Cloud {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    changed: Condvar,
}

impl Cloud {
    pub(crate) fn new(config: Config) -> Self {
        Self { shared: Arc::new(Shared { world: Mutex::new(World::new(config)), changed: Condvar::new() }) }
    }

    /// Gives `work` the state alone, then wakes those who wait for a change.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut World) -> R) -> R {
        // A panicking test must not make the next one fail with a poisoned lock.
        let result = work(&mut self.shared.world.lock().unwrap_or_else(PoisonError::into_inner));
        self.shared.changed.notify_all();
        result
    }

    /// Associates an address as an administrator would.
    ///
    /// # Errors
    /// As `AssociateAddress` answers, where something named does not exist or cannot be associated.
    pub fn try_associate<'a>(
        &self,
        address: impl Into<AddressRef>,
        eni: impl Into<&'a InterfaceId>,
        private_ip: Option<std::net::Ipv4Addr>,
    ) -> Result<AssociationId, ApiError> {
        let (address, eni) = (address.into(), eni.into());
        self.with(|world| {
            let fleet = Arc::clone(world.present());
            let found = ec2::find_address(&fleet, &address)?;
            let (instance, interface) = fleet.interface(eni).ok_or_else(|| ec2::no_such_interface(eni))?;
            let target = ec2::check_association(&fleet, found, instance, interface, private_ip)?;
            let fresh = world.mint(AssociationId::PREFIX);
            Ok(world.change(None, |fleet, now| fleet.associate(&found.allocation_id, &target, fresh, now)))
        })
    }

    /// Associates an address as an administrator would, and returns the association.
    ///
    /// # Panics
    /// Where [`try_associate`](Self::try_associate) returns an error: the test itself is wrong then.
    pub fn associate<'a>(
        &self,
        address: impl Into<AddressRef>,
        eni: impl Into<&'a InterfaceId>,
        private_ip: Option<std::net::Ipv4Addr>,
    ) -> AssociationId {
        self.try_associate(address, eni, private_ip).unwrap_or_else(|error| panic!("associate: {error}"))
    }

    /// Dissolves the association of an address as an administrator would; nothing happens when it has none.
    pub fn disassociate(&self, address: impl Into<AddressRef>) {
        let address = address.into();
        self.with(|world| {
            let id: Option<AllocationId> = world.present().address(&address).map(|a| a.allocation_id.clone());
            if let Some(id) = id {
                world.change(None, |fleet, _| fleet.disassociate(&id));
            }
        });
    }

    /// Returns who truly holds the address at this moment.
    #[must_use]
    pub fn holder(&self, address: impl Into<AddressRef>) -> Option<Holder> {
        let address = address.into();
        self.with(|world| {
            let fleet = world.present();
            fleet.address(&address).and_then(|address| fleet.holder(address))
        })
    }

    /// Returns every change of holder since the address was allocated, oldest first.
    ///
    /// The first entry is the allocation itself, without a holder. A move from one instance to another is one entry:
    /// the address was never without a holder in between.
    #[must_use]
    pub fn history(&self, address: impl Into<AddressRef>) -> Vec<HolderChange> {
        let address = address.into();
        self.with(|world| {
            let ip = match &address {
                AddressRef::Public(ip) => Some(*ip),
                AddressRef::Allocation(_) => world.present().address(&address).map(|a| a.public_ip),
            };
            ip.and_then(|ip| world.history.get(&ip)).cloned().unwrap_or_default()
        })
    }

    /// Returns an instance as it truly is.
    #[must_use]
    pub fn instance(&self, id: &InstanceId) -> Option<Instance> {
        self.with(|world| world.present().instance(id).cloned())
    }

    /// Returns the whole account as it truly is.
    pub(crate) fn fleet(&self) -> Arc<Fleet> {
        self.with(|world| Arc::clone(world.present()))
    }

    /// Puts a fault in force.
    pub fn fault(&self, fault: Fault) -> FaultId {
        self.with(|world| world.faults.add(fault))
    }

    /// Ends every fault. Requests that hang already stay so until their client gives up.
    pub fn clear_faults(&self) {
        self.with(|world| world.faults.clear());
    }

    /// Ends one fault.
    pub fn clear_fault(&self, id: FaultId) {
        self.with(|world| world.faults.clear_one(id));
    }

    /// Returns the request log.
    #[must_use]
    pub fn log(&self) -> Vec<Request> {
        self.with(|world| world.log.all().to_vec())
    }

    /// Empties the request log.
    pub fn clear_log(&self) {
        self.with(|world| world.log.clear());
    }

    /// Waits until a request in the log satisfies `wanted`; `None` when none does within `limit`.
    #[must_use]
    pub fn wait_for_request(
        &self,
        limit: Duration,
        mut wanted: impl FnMut(&Request) -> bool,
    ) -> Option<Request> {
        self.wait(limit, |world| world.log.all().iter().find(|request| wanted(request)).cloned())
    }

    /// Waits until the holder of the address satisfies `wanted`; returns whether it did within `limit`.
    #[must_use]
    pub fn wait_for_holder(
        &self,
        limit: Duration,
        address: impl Into<AddressRef>,
        mut wanted: impl FnMut(Option<&Holder>) -> bool,
    ) -> bool {
        let address = address.into();
        let found = self.wait(limit, |world| {
            let fleet = world.present();
            let holder = fleet.address(&address).and_then(|address| fleet.holder(address));
            wanted(holder.as_ref()).then_some(())
        });
        found.is_some()
    }

    fn wait<T>(&self, limit: Duration, mut look: impl FnMut(&World) -> Option<T>) -> Option<T> {
        let until = Instant::now() + limit;
        let mut world = self.shared.world.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = look(&world) {
                return Some(found);
            }
            let left = until.checked_duration_since(Instant::now())?;
            let woken = self.shared.changed.wait_timeout(world, left);
            world = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Returns the simulator's clock in seconds since 1970, that of the log and the history.
    #[must_use]
    pub fn now(&self) -> f64 {
        self.with(|world| world.now())
    }

    /// Starts over: no instances, addresses, faults, denials, keys or log, and the settings of `config`.
    pub(crate) fn reset(&self) {
        self.with(|world| *world = World::new(world.config.clone()));
    }
}
