//! The EC2 calls that the agents make, as the account answers them: first a check that refuses with EC2's own code, then the
//! change.
//!
//! The two are apart because a dry run is the check alone, and a call can take effect after its answer.
//!
//! Choices where AWS is silent: associating again with the same target keeps the association's id; without
//! `AllowReassociation` an address moves, as in accounts that never had EC2-Classic; different network border groups are
//! `InvalidParameterCombination`.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::error::ApiError;
use super::history::Caller;
use super::state::{AddressRef, Associated, ElasticIp, InstanceState, Objects, StoredInterface};
use crate::base::ids::{AssociationId, InterfaceId};
use crate::cloud::ec2::Target;

/// The one VPC.
pub const VPC: &str = "vpc-0a1b2c3d4e5f60718";

/// Private addresses that an interface can have; that of the common instance sizes (`m5.large`).
const PER_INTERFACE: usize = 10;

impl Objects {
    /// Finds the address that a call names.
    ///
    /// # Errors
    /// `InvalidAllocationID.NotFound`, `InvalidAddress.NotFound`, or `AuthFailure` for an address of another account.
    pub(super) fn find_address(&self, which: &AddressRef) -> Result<&ElasticIp, ApiError> {
        self.elastic_ip(which).ok_or_else(|| match which {
            AddressRef::Allocation(id) => ApiError::client(
                "InvalidAllocationID.NotFound",
                format!("The allocation ID '{id}' does not exist"),
            ),
            AddressRef::Public(ip) if self.foreign.contains(ip) => {
                ApiError::client("AuthFailure", format!("The address '{ip}' does not belong to you."))
            }
            AddressRef::Public(ip) => {
                ApiError::client("InvalidAddress.NotFound", format!("Address '{ip}' not found."))
            }
        })
    }

    /// Finds the address that has this association now.
    ///
    /// # Errors
    /// `InvalidAssociationID.NotFound`, `AuthFailure` for an address that an AWS service manages.
    pub(super) fn check_disassociate(&self, id: &AssociationId) -> Result<&ElasticIp, ApiError> {
        let named = self
            .elastic_ips
            .values()
            .find(|address| address.association.now().as_ref().is_some_and(|held| held.id == *id));
        let address = named.ok_or_else(|| {
            let message = format!("The association ID '{id}' does not exist");
            ApiError::client("InvalidAssociationID.NotFound", message)
        })?;
        refuse_managed(address)?;
        Ok(address)
    }

    /// Finds the interface that a call names.
    ///
    /// # Errors
    /// `InvalidNetworkInterfaceID.NotFound`
    pub(super) fn find_interface(&self, eni: &InterfaceId) -> Result<&StoredInterface, ApiError> {
        self.interfaces.get(eni).ok_or_else(|| {
            let message = format!("The networkInterface ID '{eni}' does not exist");
            ApiError::client("InvalidNetworkInterfaceID.NotFound", message)
        })
    }

    /// Checks that the address may be associated with the interface, and returns with what exactly.
    ///
    /// # Errors
    /// As EC2's: what is named does not exist, is not in a state for it, does not fit together, or may not move.
    pub(super) fn check_associate(
        &self,
        which: &AddressRef,
        eni: &InterfaceId,
        private_ip: Option<Ipv4Addr>,
        may_move: bool,
    ) -> Result<Target, ApiError> {
        let (address, interface) = (self.find_address(which)?, self.find_interface(eni)?);
        refuse_managed(address)?;
        let instance = interface.attachment.now().as_ref().and_then(|(id, _)| self.instances.get(id));
        if instance.is_some_and(|instance| *instance.state.now() == InstanceState::Pending) {
            let message = format!(
                "The pending-instance-creation instance to which '{eni}' is attached is not in a valid state for this operation"
            );
            return Err(ApiError::client("IncorrectInstanceState", message));
        }
        let have = interface.private_ips.now();
        let private_ip = private_ip.or_else(|| have.first().copied());
        let Some(private_ip) = private_ip.filter(|ip| have.contains(ip)) else {
            let ip = private_ip.map(|ip| ip.to_string()).unwrap_or_default();
            return Err(ApiError::value(format!("{ip} is not mapped to the interface {eni}")));
        };
        if let Some(instance) = instance.filter(|instance| instance.border_group != address.border_group) {
            let message = format!(
                "The network border group '{}' of the address is not the network border group '{}' of '{eni}'",
                address.border_group, instance.border_group
            );
            return Err(ApiError::client("InvalidParameterCombination", message));
        }
        if self.gateway_detached {
            let message = format!("Network {VPC} is not attached to any internet gateway");
            return Err(ApiError::client("Gateway.NotAttached", message));
        }
        let target = Target { interface: eni.clone(), private_ip };
        if !may_move {
            self.refuse_to_move(address, &target)?;
        }
        Ok(target)
    }

    fn refuse_to_move(&self, address: &ElasticIp, target: &Target) -> Result<(), ApiError> {
        let elsewhere = address.association.now().as_ref().filter(|held| held.target != *target);
        if let Some(held) = elsewhere {
            let message = format!(
                "resource {} is already associated with associate-id {}",
                address.allocation, held.id
            );
            return Err(ApiError::client("Resource.AlreadyAssociated", message));
        }
        let sitting = self.sitting_on(target).filter(|sitting| sitting.public_ip != address.public_ip);
        if let Some(sitting) = sitting {
            let message = format!(
                "resource {} and {} is already associated with public address {}",
                target.interface, target.private_ip, sitting.public_ip
            );
            return Err(ApiError::client("Resource.AlreadyAssociated", message));
        }
        Ok(())
    }

    /// The id under which the address is associated with the target already.
    pub(super) fn association_with(&self, which: &AddressRef, target: &Target) -> Option<AssociationId> {
        let held = self.elastic_ip(which)?.association.now().as_ref()?;
        (held.target == *target).then(|| held.id.clone())
    }

    /// Associates the address with the target, under the id it has there already or else under `fresh`.
    pub(super) fn associate(
        &mut self,
        at: Duration,
        by: &Caller,
        which: &AddressRef,
        target: Target,
        fresh: AssociationId,
    ) -> AssociationId {
        if let Some(known) = self.association_with(which, &target) {
            return known;
        }
        if let Some(ip) = self.elastic_ip(which).map(|address| address.public_ip) {
            self.move_elastic_ip(at, by, ip, Some(Associated { id: fresh.clone(), target }));
        }
        fresh
    }

    /// Ends exactly this association, if it has not ended before.
    pub(super) fn disassociate(&mut self, at: Duration, by: &Caller, id: &AssociationId) {
        if let Some(ip) = self.check_disassociate(id).ok().map(|address| address.public_ip) {
            self.move_elastic_ip(at, by, ip, None);
        }
    }

    /// Checks that private addresses may be assigned to an interface.
    ///
    /// # Errors
    /// As EC2's: no such interface, not of its subnet, another interface's, or too many.
    pub(super) fn check_assign(
        &self,
        eni: &InterfaceId,
        ips: &[Ipv4Addr],
        may_move: bool,
    ) -> Result<(), ApiError> {
        let interface = self.find_interface(eni)?;
        for ip in ips {
            if !self.subnet(&interface.subnet).is_some_and(|subnet| subnet.cidr.contains(ip)) {
                let message = format!("Address {ip} does not fall within the subnet's address range");
                return Err(ApiError::value(message));
            }
            let holder = self.private_holder(&interface.subnet, *ip).filter(|holder| *holder != eni);
            let Some(holder) = holder else { continue };
            let primary = self.interfaces.get(holder).and_then(|holder| holder.private_ips.now().first());
            if primary == Some(ip) || !may_move {
                let message = format!("[{ip}] have already been assigned to network interface {holder}");
                return Err(ApiError::client("Resource.AlreadyAssigned", message));
            }
        }
        let have = interface.private_ips.now();
        if have.len() + ips.iter().filter(|ip| !have.contains(ip)).count() > PER_INTERFACE {
            let message =
                format!("Number of private addresses will exceed limit of {PER_INTERFACE} on {eni}.");
            return Err(ApiError::client("PrivateIpAddressLimitExceeded", message));
        }
        Ok(())
    }

    /// Checks that secondary addresses may be taken off an interface: all named ones or none.
    ///
    /// # Errors
    /// `InvalidParameterValue` with EC2's sentence: not on this interface, or its primary address.
    pub(super) fn check_unassign(&self, eni: &InterfaceId, ips: &[Ipv4Addr]) -> Result<(), ApiError> {
        let have = self.find_interface(eni)?.private_ips.now();
        if !ips.iter().all(|ip| have.contains(ip)) {
            let message = format!("Some of the specified addresses are not assigned to interface {eni}");
            return Err(ApiError::value(message));
        }
        if have.first().is_some_and(|primary| ips.contains(primary)) {
            let message = "The primary private IP address of a network interface cannot be unassigned";
            return Err(ApiError::value(message));
        }
        Ok(())
    }

    /// Assigns private addresses to an interface, taking each from the one that has it.
    pub(super) fn assign(&mut self, at: Duration, by: &Caller, eni: &InterfaceId, ips: &[Ipv4Addr]) {
        let Some(subnet) = self.interfaces.get(eni).map(|interface| interface.subnet.clone()) else { return };
        for ip in ips {
            self.move_private_ip(at, by, &subnet, *ip, Some(eni));
        }
    }

    /// Takes private addresses off an interface; on another one the same address is not touched.
    pub(super) fn unassign(&mut self, at: Duration, by: &Caller, eni: &InterfaceId, ips: &[Ipv4Addr]) {
        let Some(subnet) = self.interfaces.get(eni).map(|interface| interface.subnet.clone()) else { return };
        for ip in ips {
            if self.private_holder(&subnet, *ip) == Some(eni) {
                self.move_private_ip(at, by, &subnet, *ip, None);
            }
        }
    }
}

fn refuse_managed(address: &ElasticIp) -> Result<(), ApiError> {
    match address.managed_by {
        None => Ok(()),
        Some(_) => Err(ApiError::client(
            "AuthFailure",
            "You do not have permission to access the specified resource.",
        )),
    }
}
