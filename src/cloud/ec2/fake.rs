//! EC2 in memory for the tests of the decisions: keeps the holders, counts calls, and fails as planned.

// Test code: it fails by panicking, and its documentation is for the tests only.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, clippy::must_use_candidate)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::rc::Rc;

use super::private_ips::Eni;
use super::{Address, Association, Ec2, Ec2Error, Fault, Selector, Target};
use crate::base::ids::{AllocationId, AssociationId, InstanceId};

mod private_ips;

/// When a planned failure strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// The call has no effect.
    Before,
    /// The call takes effect and its response is lost.
    After,
    /// The call has no effect and never ends.
    Hang,
}

/// A planned failure.
#[derive(Debug, Clone)]
struct Planned {
    operation: &'static str,
    fault: Fault,
    strike: Strike,
}

#[derive(Debug, Default)]
struct State {
    addresses: Vec<Address>,
    interfaces: Vec<(InstanceId, Target)>,
    calls: Vec<String>,
    once: VecDeque<Planned>,
    always: Vec<Planned>,
    stale_describes: VecDeque<Vec<Address>>,
    next: u64,
    enis: Vec<Eni>,
    stale_enis: VecDeque<Vec<Eni>>,
}

/// The fake; clones share one state.
#[derive(Debug, Clone, Default)]
pub struct FakeEc2(Rc<RefCell<State>>);

impl FakeEc2 {
    /// Adds an unassociated Elastic IP.
    pub fn allocate(&self, public_ip: &str, allocation: &str) -> AllocationId {
        let allocation: AllocationId = allocation.parse().unwrap();
        self.0.borrow_mut().addresses.push(Address {
            public_ip: public_ip.parse().unwrap(),
            allocation: allocation.clone(),
            association: None,
            border_group: None,
            managed_by: None,
        });
        allocation
    }

    /// Adds a private address of an instance's interface.
    pub fn attach(&self, instance: &str, target: &Target) {
        self.0.borrow_mut().interfaces.push((instance.parse().unwrap(), target.clone()));
    }

    /// Associates as an external actor would; not counted as a call.
    pub fn give(&self, public_ip: &str, target: &Target) -> AssociationId {
        self.0.borrow_mut().associate(public_ip.parse().unwrap(), target)
    }

    /// Disassociates an address as an external actor would.
    pub fn free(&self, public_ip: &str) {
        self.address(public_ip, |address| address.association = None);
    }

    /// Modifies an address.
    pub fn address(&self, public_ip: &str, change: impl FnOnce(&mut Address)) {
        let ip: Ipv4Addr = public_ip.parse().unwrap();
        let mut state = self.0.borrow_mut();
        change(state.addresses.iter_mut().find(|address| address.public_ip == ip).unwrap());
    }

    /// Current association of an address.
    pub fn holder(&self, public_ip: &str) -> Option<Association> {
        let ip: Ipv4Addr = public_ip.parse().unwrap();
        let state = self.0.borrow();
        state.addresses.iter().find(|address| address.public_ip == ip).and_then(|a| a.association.clone())
    }

    /// Makes the next call of this operation fail.
    pub fn fail_once(&self, operation: &'static str, fault: Fault, strike: Strike) {
        self.0.borrow_mut().once.push_back(Planned { operation, fault, strike });
    }

    /// Makes every call of this operation fail from now on; `*` is every operation.
    pub fn fail(&self, operation: &'static str, fault: Fault, strike: Strike) {
        self.0.borrow_mut().always.push(Planned { operation, fault, strike });
    }

    /// Cancels the failures planned by [`Self::fail`].
    pub fn recover(&self) {
        self.0.borrow_mut().always.clear();
    }

    /// Makes the next `count` describes return the present state, whatever happens meanwhile.
    pub fn freeze_describes(&self, count: usize) {
        let mut state = self.0.borrow_mut();
        let now = state.addresses.clone();
        state.stale_describes.extend(std::iter::repeat_n(now, count));
    }

    /// The calls so far, as `Operation object`.
    pub fn calls(&self) -> Vec<String> {
        self.0.borrow().calls.clone()
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        object: String,
        effect: impl FnOnce(&mut State) -> Result<T, Fault>,
    ) -> Result<T, Ec2Error> {
        let planned = {
            let mut state = self.0.borrow_mut();
            state.calls.push(format!("{operation} {object}"));
            let matches = |planned: &Planned| planned.operation == operation || planned.operation == "*";
            let once = state.once.iter().position(matches).and_then(|index| state.once.remove(index));
            once.or_else(|| state.always.iter().find(|planned| matches(planned)).cloned())
        };
        // Every real call yields to other tasks.
        tokio::task::yield_now().await;
        let error = |fault: Fault| Ec2Error::new(operation, &object, fault, format!("{fault:?}"));
        match planned {
            Some(Planned { strike: Strike::Hang, .. }) => std::future::pending().await,
            Some(Planned { strike: Strike::Before, fault, .. }) => Err(error(fault)),
            Some(Planned { strike: Strike::After, fault, .. }) => {
                let _ = effect(&mut self.0.borrow_mut());
                Err(error(fault))
            }
            None => effect(&mut self.0.borrow_mut()).map_err(error),
        }
    }
}

impl State {
    fn associate(&mut self, public_ip: Ipv4Addr, target: &Target) -> AssociationId {
        self.next += 1;
        let id: AssociationId = format!("eipassoc-{:017x}", self.next).parse().unwrap();
        let instance = self.interfaces.iter().find(|(_, at)| at == target).map(|(id, _)| id.clone());
        for address in &mut self.addresses {
            let there = address.association.as_ref().is_some_and(|association| {
                association.interface.as_ref() == Some(&target.interface)
                    && association.private_ip == Some(target.private_ip)
            });
            if there {
                address.association = None;
            }
            if address.public_ip == public_ip {
                address.association = Some(Association {
                    id: id.clone(),
                    instance: instance.clone(),
                    interface: Some(target.interface.clone()),
                    private_ip: Some(target.private_ip),
                });
            }
        }
        id
    }
}

impl Ec2 for FakeEc2 {
    async fn prepare(&self) -> Result<(), Ec2Error> {
        self.call("credentials", String::new(), |_| Ok(())).await
    }

    async fn describe(&self, which: &Selector) -> Result<Address, Ec2Error> {
        self.call("DescribeAddresses", which.to_string(), |state| {
            let addresses = state.stale_describes.pop_front().unwrap_or_else(|| state.addresses.clone());
            let found = addresses.into_iter().find(|address| match which {
                Selector::Allocation(id) => address.allocation == *id,
                Selector::PublicIp(ip) => address.public_ip == *ip,
            });
            found.ok_or(Fault::Unknown)
        })
        .await
    }

    async fn on_target(&self, target: &Target) -> Result<Vec<Address>, Ec2Error> {
        self.call("DescribeAddresses", target.to_string(), |state| {
            let mut addresses = state.stale_describes.pop_front().unwrap_or_else(|| state.addresses.clone());
            addresses.retain(|address| {
                address.association.as_ref().is_some_and(|association| {
                    association.interface.as_ref() == Some(&target.interface)
                        && association.private_ip == Some(target.private_ip)
                })
            });
            Ok(addresses)
        })
        .await
    }

    async fn associate(
        &self,
        allocation: &AllocationId,
        target: &Target,
        reassociate: bool,
    ) -> Result<AssociationId, Ec2Error> {
        self.call("AssociateAddress", allocation.to_string(), |state| {
            let found = state.addresses.iter().find(|address| address.allocation == *allocation);
            let address = found.ok_or(Fault::Unknown)?;
            if address.association.is_some() && !reassociate {
                return Err(Fault::AlreadyAssociated);
            }
            if !state.interfaces.iter().any(|(_, at)| at == target) {
                return Err(Fault::Target);
            }
            let public_ip = address.public_ip;
            Ok(state.associate(public_ip, target))
        })
        .await
    }

    async fn disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        self.call("DisassociateAddress", association.to_string(), |state| {
            let held = |address: &&mut Address| {
                address.association.as_ref().is_some_and(|held| held.id == *association)
            };
            let address = state.addresses.iter_mut().find(held).ok_or(Fault::AssociationGone)?;
            address.association = None;
            Ok(())
        })
        .await
    }

    async fn may_associate(&self, allocation: &AllocationId, _: &Target) -> Result<(), Ec2Error> {
        self.call("AssociateAddress (dry run)", allocation.to_string(), |_| Ok(())).await
    }

    async fn may_disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        self.call("DisassociateAddress (dry run)", association.to_string(), |_| Ok(())).await
    }
}
