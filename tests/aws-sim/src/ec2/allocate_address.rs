//! `AllocateAddress` and `ReleaseAddress`.

use serde::Serialize;

use super::{Call, Outcome, address_param, find_address, public_ip, xml::Yes};
use crate::{cloud::new_address, error::ApiError};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    public_ip: String,
    domain: &'static str,
    allocation_id: String,
    public_ipv4_pool: &'static str,
    network_border_group: String,
}

/// Allocates an address: the one asked for with `Address` if it is free, else one of the pool.
pub(super) fn allocate(call: &mut Call<'_>) -> Outcome {
    let wanted = call.params.get("Address").map(public_ip).transpose()?;
    if let Some(domain) = call.params.get("Domain").filter(|d| *d != "vpc") {
        return Err(ApiError::value(format!("Value ({domain}) for parameter domain is invalid.")));
    }
    call.permit(&call.world.arn("elastic-ip", "*"))?;
    let owned = call.world.present().addresses.len();
    if call.world.config.address_quota.is_some_and(|quota| owned >= quota) {
        let message = "The maximum number of addresses has been reached.";
        return Err(ApiError::client("AddressLimitExceeded", message));
    }
    let mut address = new_address(call.world, wanted)?;
    address.tags = call.params.tags("elastic-ip");
    if let Some(group) = call.params.get("NetworkBorderGroup") {
        group.clone_into(&mut address.border_group);
    }
    let answer = Answer {
        public_ip: address.public_ip.to_string(),
        domain: "vpc",
        allocation_id: address.allocation_id.to_string(),
        public_ipv4_pool: "amazon",
        network_border_group: address.border_group.clone(),
    };
    call.change(|fleet, _| fleet.addresses.push(address));
    Ok(call.done(&answer))
}

/// Gives an address back that nobody holds.
pub(super) fn release(call: &mut Call<'_>) -> Outcome {
    let which = address_param(call.params)?;
    let fleet = call.world.present().clone();
    let address = find_address(&fleet, &which)?;
    call.permit(&call.world.arn("elastic-ip", &address.allocation_id))?;
    if address.association.is_some() {
        let message = format!("Address {} is in use.", address.public_ip);
        return Err(ApiError::client("InvalidIPAddress.InUse", message));
    }
    call.change(|fleet, _| fleet.addresses.retain(|a| a.allocation_id != address.allocation_id));
    Ok(call.done(&Yes::ANSWER))
}
