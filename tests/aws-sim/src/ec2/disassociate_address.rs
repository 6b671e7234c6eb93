//! `DisassociateAddress`.

use super::{Call, Done, Outcome, find_address, public_ip, xml::Yes};
use crate::{
    error::ApiError,
    fleet::AddressRef,
    ids::{AssociationId, well_formed},
};

/// Dissolves one association.
///
/// By `AssociationId` nothing but that very association is touched; one that is gone is an error, as EC2 answers in
/// practice. By `PublicIp` whatever association the address has goes, and having none is no error.
pub(super) fn run(call: &mut Call<'_>) -> Outcome {
    let fleet = call.world.present().clone();
    let address = match (call.params.get("AssociationId"), call.params.get("PublicIp")) {
        (Some(_), Some(_)) => {
            return Err(ApiError::client(
                "InvalidParameterCombination",
                "You may specify public IP or association id, but not both in the same call",
            ));
        }
        (None, None) => {
            return Err(ApiError::client(
                "MissingParameter",
                "Either public IP or association id must be specified",
            ));
        }
        (None, Some(ip)) => find_address(&fleet, &AddressRef::Public(public_ip(ip)?))?,
        (Some(id), None) => {
            if !well_formed(AssociationId::PREFIX, id) {
                let message = format!("Invalid id: \"{id}\" (expecting \"eipassoc-...\")");
                return Err(ApiError::client("InvalidAssociationID.Malformed", message));
            }
            let named = fleet.addresses.iter().find(|a| a.association.as_ref().is_some_and(|s| s.id == *id));
            named.ok_or_else(|| {
                ApiError::client(
                    "InvalidAssociationID.NotFound",
                    format!("The association ID '{id}' does not exist"),
                )
            })?
        }
    };
    call.permit(&call.world.arn("elastic-ip", &address.allocation_id))?;
    let dissolved = address.association.as_ref().map(|s| s.id.clone());
    call.change(|fleet, _| fleet.disassociate(&address.allocation_id));
    Ok(Done { association_id: dissolved, ..call.done(&Yes::ANSWER) })
}
