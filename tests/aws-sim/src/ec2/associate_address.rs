//! `AssociateAddress`.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::{Call, Done, Outcome, address_param, find_address, interface_id, no_such_interface};
use crate::{
    error::ApiError,
    fleet::{Address, Fleet, Instance, InstanceState, Interface, Target},
    ids::{AssociationId, InstanceId, well_formed},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    r#return: bool,
    association_id: AssociationId,
}

/// Moves the address to the interface named.
///
/// Without `AllowReassociation` an address held elsewhere moves, as in accounts that never had EC2-Classic; with
/// `false` the call is refused, also when another address is on the target.
pub(super) fn run(call: &mut Call<'_>) -> Outcome {
    let which = address_param(call.params)?;
    let private_ip = call.params.private_ip("PrivateIpAddress")?;
    let may_move = call.params.flag("AllowReassociation")?.unwrap_or(true);
    let fleet = call.world.present().clone();
    let address = find_address(&fleet, &which)?;
    let (instance, interface) = target_interface(call, &fleet)?;
    call.authorize(&call.world.arn("elastic-ip", &address.allocation_id))?;
    let target = check_association(&fleet, address, instance, interface, private_ip)?;
    // AWS does not say how much a dry run looks at; here it is what the real call would have stumbled over.
    call.end_dry_run()?;
    if !may_move {
        refuse_to_move(&fleet, address, &target)?;
    }
    let fresh = call.world.mint(AssociationId::PREFIX);
    let id = &address.allocation_id;
    let association_id = call.change(|fleet, now| fleet.associate(id, &target, fresh, now));
    let answer = Answer { r#return: true, association_id: association_id.clone() };
    Ok(Done { association_id: Some(association_id), ..call.done(&answer) })
}

/// Finds the interface by `NetworkInterfaceId`, or by `InstanceId` where that is unambiguous.
fn target_interface<'f>(
    call: &Call<'_>,
    fleet: &'f Fleet,
) -> Result<(&'f Instance, &'f Interface), ApiError> {
    match (call.params.get("InstanceId"), call.params.get("NetworkInterfaceId")) {
        (Some(_), Some(_)) => Err(ApiError::client(
            "InvalidParameterCombination",
            "The parameter InstanceId cannot be used with the parameter NetworkInterfaceId",
        )),
        (None, None) => Err(ApiError::client(
            "MissingParameter",
            "Either instance ID or network interface id must be specified",
        )),
        (None, Some(eni)) => {
            let eni = interface_id(eni)?;
            let found = fleet.interface(&eni).ok_or_else(|| no_such_interface(&eni))?;
            if found.0.state == InstanceState::Pending {
                let message = format!(
                    "The pending-instance-creation instance to which '{eni}' is attached is not in a valid state for \
                     this operation"
                );
                return Err(ApiError::client("IncorrectInstanceState", message));
            }
            Ok(found)
        }
        (Some(id), None) => only_interface(fleet, id),
    }
}

fn only_interface<'f>(fleet: &'f Fleet, id: &str) -> Result<(&'f Instance, &'f Interface), ApiError> {
    let invalid = |message: String| ApiError::client("InvalidInstanceID", message);
    if !well_formed(InstanceId::PREFIX, id) {
        return Err(ApiError::client("InvalidInstanceID.Malformed", format!("Invalid id: \"{id}\"")));
    }
    let instance = fleet.instance(id).ok_or_else(|| {
        ApiError::client("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist"))
    })?;
    let state = instance.state.name_and_code().0;
    if matches!(instance.state, InstanceState::Pending | InstanceState::Terminated) {
        return Err(invalid(format!(
            "The {state} instance '{id}' is not in a valid state for this operation"
        )));
    }
    match instance.interfaces.as_slice() {
        [interface] => Ok((instance, interface)),
        _ => Err(invalid(format!(
            "There are multiple interfaces attached to instance '{id}'. Please specify an interface ID for the \
             operation instead."
        ))),
    }
}

/// Checks that the address can be used on the interface, and returns the exact target.
///
/// # Errors
/// `Gateway.NotAttached`; `InvalidParameterValue` for a private address that is not on the interface;
/// `InvalidParameterCombination` for different network border groups (AWS does not document that code).
pub(crate) fn check_association(
    fleet: &Fleet,
    address: &Address,
    instance: &Instance,
    interface: &Interface,
    private_ip: Option<Ipv4Addr>,
) -> Result<Target, ApiError> {
    let eni = &interface.eni;
    let private_ip = private_ip.or_else(|| interface.private_ips.first().copied());
    let Some(private_ip) = private_ip.filter(|ip| interface.private_ips.contains(ip)) else {
        let ip = private_ip.map(|ip| ip.to_string()).unwrap_or_default();
        return Err(ApiError::value(format!("{ip} is not mapped to the interface {eni}")));
    };
    if address.border_group != instance.border_group {
        let message = format!(
            "The network border group '{}' of the address is not the network border group '{}' of '{eni}'",
            address.border_group, instance.border_group
        );
        return Err(ApiError::client("InvalidParameterCombination", message));
    }
    if !fleet.gateway_attached {
        let message = format!("Network {} is not attached to any internet gateway", crate::fleet::VPC);
        return Err(ApiError::client("Gateway.NotAttached", message));
    }
    Ok(Target { eni: eni.clone(), private_ip })
}

fn refuse_to_move(fleet: &Fleet, address: &Address, target: &Target) -> Result<(), ApiError> {
    let elsewhere =
        address.association.as_ref().filter(|s| s.eni != target.eni || s.private_ip != target.private_ip);
    if let Some(association) = elsewhere {
        let message = format!(
            "resource {} is already associated with associate-id {}",
            address.allocation_id, association.id
        );
        return Err(ApiError::client("Resource.AlreadyAssociated", message));
    }
    let sitting = fleet
        .address_on(&target.eni, target.private_ip)
        .filter(|sitting| sitting.allocation_id != address.allocation_id);
    if let Some(sitting) = sitting {
        let message = format!(
            "resource {} and {} is already associated with public address {}",
            target.eni, target.private_ip, sitting.public_ip
        );
        return Err(ApiError::client("Resource.AlreadyAssociated", message));
    }
    Ok(())
}
