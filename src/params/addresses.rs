//! Which Elastic IP the resource manages: by address, by allocation id, or both.

use std::net::Ipv4Addr;

use super::error::ParamError;
use super::value::Values;
use crate::base::ids::AllocationId;

/// Parses `elastic_ip` and `allocation_id`, at least one of which must be set.
pub(super) fn parse(values: &Values<'_>) -> Result<(Option<Ipv4Addr>, Option<AllocationId>), ParamError> {
    let elastic_ip = values.text("elastic_ip").map(elastic_ip).transpose()?;
    let allocation_id = values.text("allocation_id").map(allocation_id).transpose()?;
    if elastic_ip.is_none() && allocation_id.is_none() {
        return Err(ParamError::NoAddress);
    }
    Ok((elastic_ip, allocation_id))
}

/// Accepts any address of a single host. Private ranges are not refused: EC2 treats customer-owned and carrier addresses as
/// Elastic IPs, and simulators allocate from any range.
fn elastic_ip(value: &str) -> Result<Ipv4Addr, ParamError> {
    match value.parse::<Ipv4Addr>() {
        Ok(address) if !(address.is_unspecified() || address.is_multicast() || address.is_broadcast()) => {
            Ok(address)
        }
        _ => Err(ParamError::invalid("elastic_ip", value, "an IPv4 address such as 203.0.113.10")),
    }
}

fn allocation_id(value: &str) -> Result<AllocationId, ParamError> {
    AllocationId::parse(value).map_err(|_| ParamError::invalid("allocation_id", value, AllocationId::FORM))
}
