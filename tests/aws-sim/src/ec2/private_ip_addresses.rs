//! `AssignPrivateIpAddresses` and `UnassignPrivateIpAddresses`.
//!
//! Neither has a dry run. IPv4 addresses only, no prefixes.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::{
    Call, Outcome, interface_id, no_such_interface, params,
    xml::{Set, Yes},
};
use crate::{
    error::ApiError,
    fleet::{Fleet, PER_INTERFACE},
    ids::InterfaceId,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Assigned {
    network_interface_id: InterfaceId,
    assigned_private_ip_addresses_set: Set<AssignedIp>,
    r#return: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AssignedIp {
    private_ip_address: String,
}

/// Puts secondary addresses on an interface; with `AllowReassignment` also those another interface has.
pub(super) fn assign(call: &mut Call<'_>) -> Outcome {
    let eni = interface_id(call.params.need("NetworkInterfaceId")?)?;
    let named = addresses(call)?;
    let count = call.params.count("SecondaryPrivateIpAddressCount")?;
    let may_move = call.params.flag("AllowReassignment")?.unwrap_or(false);
    let fleet = call.world.present().clone();
    let (_, interface) = fleet.interface(&eni).ok_or_else(|| no_such_interface(&eni))?;
    call.world.authorize(&call.who, call.action, &call.world.arn("network-interface", &eni))?;
    let ips = match (named.is_empty(), count) {
        (true, Some(count)) => fleet.free_private_ips(&eni, count),
        (false, None) => named,
        (true, None) => {
            let message = "Either PrivateIpAddress or SecondaryPrivateIpAddressCount must be specified";
            return Err(ApiError::client("MissingParameter", message));
        }
        (false, Some(_)) => {
            let message =
                "The parameter privateIpAddresses cannot be used with secondaryPrivateIpAddressCount";
            return Err(ApiError::client("InvalidParameterCombination", message));
        }
    };
    for ip in &ips {
        check_assignable(&fleet, &eni, *ip, may_move)?;
    }
    let added = ips.iter().filter(|ip| !interface.private_ips.contains(ip)).count();
    if interface.private_ips.len() + added > PER_INTERFACE || count.is_some_and(|n| n > ips.len()) {
        let message = format!("Number of private addresses will exceed limit of {PER_INTERFACE} on {eni}.");
        return Err(ApiError::client("PrivateIpAddressLimitExceeded", message));
    }
    call.change(|fleet, _| fleet.assign_private_ips(&eni, &ips));
    let assigned = ips.iter().map(|ip| AssignedIp { private_ip_address: ip.to_string() }).collect();
    Ok(call.done(&Assigned {
        network_interface_id: eni,
        assigned_private_ip_addresses_set: assigned,
        r#return: true,
    }))
}

fn check_assignable(fleet: &Fleet, eni: &InterfaceId, ip: Ipv4Addr, may_move: bool) -> Result<(), ApiError> {
    let subnet = fleet.interface(eni).and_then(|(i, _)| fleet.subnets.iter().find(|s| s.id == i.subnet));
    if !subnet.is_some_and(|subnet| subnet.cidr.contains(ip)) {
        let message = format!("Address {ip} does not fall within the subnet's address range");
        return Err(ApiError::value(message));
    }
    let Some(owner) = fleet.interface_with(ip).filter(|owner| owner != eni) else { return Ok(()) };
    let is_primary =
        fleet.interface(&owner).is_some_and(|(_, interface)| interface.private_ips.first() == Some(&ip));
    if is_primary || !may_move {
        let message = format!("[{ip}] have already been assigned to network interface {owner}");
        return Err(ApiError::client("Resource.AlreadyAssigned", message));
    }
    Ok(())
}

/// Takes secondary addresses off an interface: all named ones or none.
pub(super) fn unassign(call: &mut Call<'_>) -> Outcome {
    let eni = interface_id(call.params.need("NetworkInterfaceId")?)?;
    let ips = addresses(call)?;
    if ips.is_empty() {
        call.params.need("PrivateIpAddress.1")?;
    }
    let fleet = call.world.present().clone();
    let (_, interface) = fleet.interface(&eni).ok_or_else(|| no_such_interface(&eni))?;
    call.world.authorize(&call.who, call.action, &call.world.arn("network-interface", &eni))?;
    if !ips.iter().all(|ip| interface.private_ips.contains(ip)) {
        let message = format!("Some of the specified addresses are not assigned to interface {eni}");
        return Err(ApiError::value(message));
    }
    if interface.private_ips.first().is_some_and(|primary| ips.contains(primary)) {
        let message = "The primary private IP address of a network interface cannot be unassigned";
        return Err(ApiError::client("InvalidParameterValue", message));
    }
    call.change(|fleet, _| fleet.unassign_private_ips(&eni, &ips));
    Ok(call.done(&Yes::ANSWER))
}

fn addresses(call: &Call<'_>) -> Result<Vec<Ipv4Addr>, ApiError> {
    call.params.list("PrivateIpAddress").into_iter().map(params::private_ip).collect()
}
