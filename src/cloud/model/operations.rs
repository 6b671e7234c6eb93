//! The mutating EC2 calls as the account processes them: first a check that refuses with EC2's own code, then the effect.
//!
//! They are separate because a dry run is only the check, and a call can take effect after its response.
//!
//! Choices where AWS's documentation is silent: associating again with the same target keeps the association id;
//! without `AllowReassociation` an address moves, as in accounts that never had EC2-Classic; different network border
//! groups are `InvalidParameterCombination`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::account::{ACCOUNT, AccountState};
use super::error::ApiError;
use super::history::Caller;
use super::state::{Associated, ElasticIp, InstanceState, Objects, StoredInterface};
use crate::base::ids::{AssociationId, InterfaceId, RouteTableId};
use crate::cloud::ec2::{Selector, Target};

/// Id of the only VPC.
pub const VPC: &str = "vpc-0a1b2c3d4e5f60718";

/// Limit of private addresses per interface, that of common instance sizes (`m5.large`).
const PER_INTERFACE: usize = 10;

/// A mutating call.
#[derive(Clone, Debug)]
pub enum Operation {
    /// `AssociateAddress`
    Associate {
        /// The Elastic IP.
        address: Selector,
        /// The interface of the target.
        eni: InterfaceId,
        /// Private address on that interface; the primary one if absent.
        private_ip: Option<Ipv4Addr>,
        /// Whether it may move the address from another target.
        may_move: bool,
    },
    /// `DisassociateAddress`
    Disassociate(AssociationId),
    /// `AssignPrivateIpAddresses`
    Assign {
        /// The interface to assign to.
        eni: InterfaceId,
        /// The private address.
        ip: Ipv4Addr,
        /// Whether it may take it from another interface.
        may_move: bool,
    },
    /// `UnassignPrivateIpAddresses`
    Unassign {
        /// The interface to unassign from.
        eni: InterfaceId,
        /// The private address.
        ip: Ipv4Addr,
    },
    /// `ReplaceRoute`
    Route {
        /// The table.
        table: RouteTableId,
        /// The destination, a single address.
        address: IpAddr,
        /// The interface that the route is to lead to.
        eni: InterfaceId,
        /// The caller's account, if it is not the model's own: only the owner of a table sees and changes it.
        account: Option<String>,
    },
}

/// The effect of an operation that passed its check.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    Associate { ip: Ipv4Addr, to: Associated },
    Disassociate(AssociationId),
    Assign { eni: InterfaceId, ip: Ipv4Addr },
    Unassign { eni: InterfaceId, ip: Ipv4Addr },
    Route { table: RouteTableId, address: IpAddr, eni: InterfaceId },
}

impl Effect {
    /// The association that it makes or ends.
    pub(super) fn association(&self) -> Option<&AssociationId> {
        match self {
            Self::Associate { to: Associated { id, .. }, .. } | Self::Disassociate(id) => Some(id),
            Self::Assign { .. } | Self::Unassign { .. } | Self::Route { .. } => None,
        }
    }
}

impl AccountState {
    /// Checks whether an operation is possible, and returns its effect.
    ///
    /// # Errors
    /// EC2's reason for refusing.
    pub(super) fn check(&mut self, operation: &Operation) -> Result<Effect, ApiError> {
        let objects = &self.objects;
        Ok(match operation.clone() {
            Operation::Associate { address, eni, private_ip, may_move } => {
                let target = objects.check_associate(&address, &eni, private_ip, may_move)?;
                let address = objects.find_address(&address)?;
                // The same association again is no change.
                let known = address.association.now().clone().filter(|held| held.target == target);
                let ip = address.public_ip;
                let to = known.unwrap_or_else(|| Associated { id: self.mint("eipassoc-"), target });
                Effect::Associate { ip, to }
            }
            Operation::Disassociate(id) => {
                refuse_managed(objects.find_association(&id)?)?;
                Effect::Disassociate(id)
            }
            Operation::Assign { eni, ip, may_move } => {
                objects.check_assign(&eni, ip, may_move)?;
                Effect::Assign { eni, ip }
            }
            Operation::Unassign { eni, ip } => {
                objects.check_unassign(&eni, ip)?;
                Effect::Unassign { eni, ip }
            }
            Operation::Route { table, address, eni, account } => {
                objects.check_route(&table, address, &eni, account.as_deref().unwrap_or(ACCOUNT))?;
                Effect::Route { table, address, eni }
            }
        })
    }

    /// Applies an effect, whatever has changed since the check.
    pub(super) fn apply(&mut self, by: &Caller, effect: Effect) {
        let (at, objects) = (self.stamp(), &mut self.objects);
        match effect {
            Effect::Associate { ip, to } => objects.move_elastic_ip(at, by, ip, Some(to)),
            Effect::Disassociate(id) => {
                if let Some(ip) = objects.find_association(&id).ok().map(|address| address.public_ip) {
                    objects.move_elastic_ip(at, by, ip, None);
                }
            }
            Effect::Assign { eni, ip } => objects.assign(at, by, &eni, ip),
            Effect::Unassign { eni, ip } => objects.unassign(at, by, &eni, ip),
            Effect::Route { table, address, eni } => objects.replace_route(at, by, &table, address, &eni),
        }
    }
}

impl Objects {
    /// The id of the allocation or interface that an operation concerns, for the check of permissions.
    ///
    /// # Errors
    /// EC2's, if a named object does not exist.
    pub(super) fn named(&self, operation: &Operation) -> Result<String, ApiError> {
        match operation {
            Operation::Associate { address, eni, .. } => {
                let address = self.find_address(address)?;
                self.find_interface(eni)?;
                Ok(address.allocation.to_string())
            }
            Operation::Disassociate(id) => Ok(self.find_association(id)?.allocation.to_string()),
            Operation::Assign { eni, .. } | Operation::Unassign { eni, .. } => {
                self.find_interface(eni).map(|_| eni.to_string())
            }
            Operation::Route { table, .. } => Ok(table.to_string()),
        }
    }

    /// Finds the address named by a call.
    ///
    /// # Errors
    /// `InvalidAllocationID.NotFound`, `InvalidAddress.NotFound`, or `AuthFailure` for an address of another account.
    pub(super) fn find_address(&self, which: &Selector) -> Result<&ElasticIp, ApiError> {
        self.elastic_ip(which).ok_or_else(|| match which {
            Selector::Allocation(id) => ApiError::client(
                "InvalidAllocationID.NotFound",
                format!("The allocation ID '{id}' does not exist"),
            ),
            Selector::PublicIp(ip) if self.foreign.contains(ip) => {
                ApiError::client("AuthFailure", format!("The address '{ip}' does not belong to you."))
            }
            Selector::PublicIp(ip) => {
                ApiError::client("InvalidAddress.NotFound", format!("Address '{ip}' not found."))
            }
        })
    }

    /// Finds the address with this association.
    ///
    /// # Errors
    /// `InvalidAssociationID.NotFound`
    fn find_association(&self, id: &AssociationId) -> Result<&ElasticIp, ApiError> {
        let named = self
            .elastic_ips
            .values()
            .find(|address| address.association.now().as_ref().is_some_and(|held| held.id == *id));
        named.ok_or_else(|| {
            let message = format!("The association ID '{id}' does not exist");
            ApiError::client("InvalidAssociationID.NotFound", message)
        })
    }

    /// Finds the interface named by a call.
    ///
    /// # Errors
    /// `InvalidNetworkInterfaceID.NotFound`
    pub(super) fn find_interface(&self, eni: &InterfaceId) -> Result<&StoredInterface, ApiError> {
        self.interfaces.get(eni).ok_or_else(|| {
            let message = format!("The networkInterface ID '{eni}' does not exist");
            ApiError::client("InvalidNetworkInterfaceID.NotFound", message)
        })
    }

    /// Checks that the address may be associated with the interface, and resolves the exact target.
    ///
    /// # Errors
    /// EC2's: an object does not exist, is in the wrong state, does not match the other, or may not be moved.
    fn check_associate(
        &self,
        which: &Selector,
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

    /// Checks that a private address may be assigned to an interface.
    ///
    /// # Errors
    /// EC2's: no such interface, outside its subnet, in use by another interface, or too many.
    fn check_assign(&self, eni: &InterfaceId, ip: Ipv4Addr, may_move: bool) -> Result<(), ApiError> {
        let interface = self.find_interface(eni)?;
        if !self.subnet(&interface.subnet).is_some_and(|subnet| subnet.cidr.contains(&ip)) {
            let message = format!("Address {ip} does not fall within the subnet's address range");
            return Err(ApiError::value(message));
        }
        if let Some(holder) = self.private_holder(&interface.subnet, ip).filter(|holder| *holder != eni) {
            let primary = self.interfaces.get(holder).and_then(|holder| holder.private_ips.now().first());
            if primary == Some(&ip) || !may_move {
                let message = format!("[{ip}] have already been assigned to network interface {holder}");
                return Err(ApiError::client("Resource.AlreadyAssigned", message));
            }
        }
        let have = interface.private_ips.now();
        if have.len() >= PER_INTERFACE && !have.contains(&ip) {
            let message =
                format!("Number of private addresses will exceed limit of {PER_INTERFACE} on {eni}.");
            return Err(ApiError::client("PrivateIpAddressLimitExceeded", message));
        }
        Ok(())
    }

    /// Checks that a secondary address may be unassigned from an interface.
    ///
    /// # Errors
    /// `InvalidParameterValue` with EC2's message: not on this interface, or its primary address.
    fn check_unassign(&self, eni: &InterfaceId, ip: Ipv4Addr) -> Result<(), ApiError> {
        let have = self.find_interface(eni)?.private_ips.now();
        if !have.contains(&ip) {
            let message = format!("Some of the specified addresses are not assigned to interface {eni}");
            return Err(ApiError::value(message));
        }
        if have.first() == Some(&ip) {
            let message = "The primary private IP address of a network interface cannot be unassigned";
            return Err(ApiError::value(message));
        }
        Ok(())
    }

    /// Assigns a private address to an interface, taking it from its present one.
    pub(super) fn assign(&mut self, at: Duration, by: &Caller, eni: &InterfaceId, ip: Ipv4Addr) {
        let Some(subnet) = self.interfaces.get(eni).map(|interface| interface.subnet.clone()) else { return };
        self.move_private_ip(at, by, &subnet, ip, Some(eni));
    }

    /// Unassigns a private address from an interface; the same address on another one is not touched.
    pub(super) fn unassign(&mut self, at: Duration, by: &Caller, eni: &InterfaceId, ip: Ipv4Addr) {
        let Some(subnet) = self.interfaces.get(eni).map(|interface| interface.subnet.clone()) else { return };
        if self.private_holder(&subnet, ip) == Some(eni) {
            self.move_private_ip(at, by, &subnet, ip, None);
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
