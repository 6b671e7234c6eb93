//! Which Elastic IP the resource is: its address, the id of its allocation, or both.

use std::net::Ipv4Addr;

use super::error::ParamError;
use super::value::Values;
use crate::base::ids::{AllocationId, Kind};

/// Reads `elastic_ip` and `allocation_id`, of which at least one is set afterwards.
pub(super) fn parse(values: &Values<'_>) -> Result<(Option<Ipv4Addr>, Option<AllocationId>), ParamError> {
    let elastic_ip = values.text("elastic_ip").map(elastic_ip).transpose()?;
    let allocation_id = values.text("allocation_id").map(allocation_id).transpose()?;
    if elastic_ip.is_none() && allocation_id.is_none() {
        return Err(ParamError::NoAddress);
    }
    Ok((elastic_ip, allocation_id))
}

/// Takes any address that can be somebody's. Private ranges are not refused: customer-owned and carrier addresses are
/// Elastic IPs to EC2, and simulators hand out what they like.
fn elastic_ip(value: &str) -> Result<Ipv4Addr, ParamError> {
    match value.parse::<Ipv4Addr>() {
        Ok(address) if !(address.is_unspecified() || address.is_multicast() || address.is_broadcast()) => {
            Ok(address)
        }
        _ => Err(ParamError::invalid("elastic_ip", value, "an IPv4 address such as 203.0.113.10")),
    }
}

fn allocation_id(value: &str) -> Result<AllocationId, ParamError> {
    let expected = <crate::base::ids::Allocation as Kind>::FORM;
    AllocationId::parse(value).map_err(|_| ParamError::invalid("allocation_id", value, expected))
}
