//! The mutating calls `AssociateAddress`, `DisassociateAddress`, `AssignPrivateIpAddresses` and `UnassignPrivateIpAddresses` as
//! the agents send them; the first two also as the scripts that they replace do.

use std::net::Ipv4Addr;

use eip::base::ids::{AssociationId, InstanceId, InterfaceId};
use eip::cloud::Selector;
use eip::cloud::model::{ApiError, Caller, Operation};

use super::xml::Content;
use super::{
    OperationCall, OperationResult, OperationSuccess, allocation_id, id, interface_id, params, public_ip,
};
use crate::world::SimulatorState;

/// Associates the address with the named interface; with `AllowReassociation=false` only if neither has an association.
pub(super) fn associate(call: &OperationCall<'_>) -> OperationResult {
    let address = match (call.params.get("AllocationId"), call.params.get("PublicIp")) {
        (Some(_), Some(_)) => {
            let message = "You may specify public IP or allocation id, but not both in the same call";
            return Err(ApiError::client("InvalidParameterCombination", message));
        }
        (Some(id), None) => Selector::Allocation(allocation_id(id)?),
        (None, Some(ip)) => Selector::PublicIp(public_ip(ip)?),
        (None, None) => {
            let message = "Either public IP or allocation id must be specified";
            return Err(ApiError::client("MissingParameter", message));
        }
    };
    let eni = target_interface(call)?;
    let private_ip = call.params.private_ip("PrivateIpAddress")?;
    let may_move = call.params.flag("AllowReassociation")?.unwrap_or(true);
    let made = operate(call, &Operation::Associate { address, eni, private_ip, may_move })?;
    let association_id = made.ok_or_else(|| ApiError::new(500, "InternalError", "no association"))?;
    let answer = Content::default().text("return", true).text("associationId", &association_id);
    Ok(OperationSuccess { association_id: Some(association_id), ..call.done(answer) })
}

/// The interface named by `NetworkInterfaceId`, or by `InstanceId` if the instance has only one.
fn target_interface(call: &OperationCall<'_>) -> Result<InterfaceId, ApiError> {
    let text = match (call.params.get("InstanceId"), call.params.get("NetworkInterfaceId")) {
        (_, Some(eni)) => return interface_id(eni),
        (Some(instance), None) => instance,
        (None, None) => {
            let message = "Either instance ID or network interface id must be specified";
            return Err(ApiError::client("MissingParameter", message));
        }
    };
    let instance: InstanceId = id("InvalidInstanceID.Malformed", "i-", text)?;
    let found = call.world.account.instance(&instance).ok_or_else(|| {
        let message = format!("The instance ID '{instance}' does not exist");
        ApiError::client("InvalidInstanceID.NotFound", message)
    })?;
    if let [interface] = found.interfaces.as_slice() {
        return Ok(interface.eni.clone());
    }
    let message = format!(
        "There are multiple interfaces attached to instance '{instance}'. Please specify an interface ID for the \
         operation instead."
    );
    Err(ApiError::client("InvalidInstanceID", message))
}

/// Ends exactly the named association, or the one of a public address. If it no longer exists, that is an error, as in EC2's
/// actual behaviour.
pub(super) fn disassociate(call: &OperationCall<'_>) -> OperationResult {
    let named = call.params.get("PublicIp").filter(|_| call.params.get("AssociationId").is_none());
    let association = match named {
        Some(ip) => {
            call.world.account.holder(public_ip(ip)?).map(|held| held.association_id).ok_or_else(|| {
                let message = format!("The address '{ip}' is not associated with an instance");
                ApiError::client("InvalidAssociationID.NotFound", message)
            })?
        }
        None => id("InvalidAssociationID.Malformed", "eipassoc-", call.params.need("AssociationId")?)?,
    };
    let association_id = operate(call, &Operation::Disassociate(association))?;
    Ok(OperationSuccess { association_id, ..call.yes() })
}

/// Assigns a secondary address to an interface; with `AllowReassignment` even if another interface has it.
pub(super) fn assign(call: &OperationCall<'_>) -> OperationResult {
    let eni = interface_id(call.params.need("NetworkInterfaceId")?)?;
    let (ip, may_move) = (address(call)?, call.params.flag("AllowReassignment")?.unwrap_or(false));
    operate(call, &Operation::Assign { eni: eni.clone(), ip, may_move })?;
    let assigned = Content::default().text("privateIpAddress", ip);
    let answer = Content::default().text("networkInterfaceId", &eni);
    Ok(call.done(answer.list("assignedPrivateIpAddressesSet", [assigned]).text("return", true)))
}

/// Unassigns a secondary address from an interface.
pub(super) fn unassign(call: &OperationCall<'_>) -> OperationResult {
    let eni = interface_id(call.params.need("NetworkInterfaceId")?)?;
    operate(call, &Operation::Unassign { eni, ip: address(call)? })?;
    Ok(call.yes())
}

/// The address in the call: no agent names more than one.
fn address(call: &OperationCall<'_>) -> Result<Ipv4Addr, ApiError> {
    params::private_ip(call.params.need("PrivateIpAddress.1")?)
}

/// Runs an operation on behalf of the caller.
pub(super) fn operate(
    call: &OperationCall<'_>,
    operation: &Operation,
) -> Result<Option<AssociationId>, ApiError> {
    let by = Caller { instance: call.who.instance.clone(), ..Caller::default() };
    let dry_run = call.params.flag("DryRun")? == Some(true);
    let permit = |id: &str| call.authorize(&SimulatorState::arn(id));
    call.world.account.operate(&by, operation, dry_run, call.late, permit)
}
