//! The EC2 Query API, version 2016-11-15: one file per operation or pair of operations.
//!
//! An operation checks in the order EC2 is seen to: form of the parameters, existence of what they name,
//! permission, dry run, state. Then it changes the fleet and answers.

// Answers have the names EC2 gives their elements.
#![allow(clippy::struct_field_names)]

mod allocate_address;
mod associate_address;
mod describe_addresses;
mod describe_instances;
mod describe_interfaces;
mod describe_subnets;
mod disassociate_address;
mod filters;
mod params;
mod private_ip_addresses;
mod xml;

use std::net::Ipv4Addr;

use serde::Serialize;

pub(crate) use self::{associate_address::check_association, params::Params, xml::document};
use crate::{
    credentials::Principal,
    error::ApiError,
    fleet::{Address, AddressRef, Fleet},
    http::Reply,
    ids::{AllocationId, AssociationId, InterfaceId, well_formed},
    world::World,
};

/// One call of one operation.
pub(crate) struct Call<'a> {
    world: &'a mut World,
    params: &'a Params,
    action: &'a str,
    request_id: &'a str,
    who: Principal,
}

/// A successful answer.
struct Done {
    xml: String,
    association_id: Option<AssociationId>,
}

type Outcome = Result<Done, ApiError>;

impl Call<'_> {
    /// Wraps `result` into the operation's answer.
    fn done(&self, result: &impl Serialize) -> Done {
        Done { xml: xml::answer(self.action, self.request_id, result), association_id: None }
    }

    /// Checks that the caller may do this to `resource`, then ends a dry run with EC2's word for "it would have worked".
    fn permit(&self, resource: &str) -> Result<(), ApiError> {
        self.authorize(resource)?;
        self.end_dry_run()
    }

    /// Checks that the caller may do this to `resource`.
    fn authorize(&self, resource: &str) -> Result<(), ApiError> {
        self.world.authorize(&self.who, self.action, resource)
    }

    /// Ends a dry run with EC2's word for "it would have worked".
    fn end_dry_run(&self) -> Result<(), ApiError> {
        if self.params.flag("DryRun")? == Some(true) {
            let message = "Request would have succeeded, but DryRun flag is set.";
            return Err(ApiError::new(412, "DryRunOperation", message));
        }
        Ok(())
    }

    /// Changes the fleet in the caller's name.
    fn change<R>(&mut self, change: impl FnOnce(&mut Fleet, f64) -> R) -> R {
        let by = self.who.instance.clone();
        self.world.change(by.as_ref(), change)
    }
}

/// Tells whether the simulator has `action`, and runs it for `who`, who has been identified.
pub(crate) fn run(
    world: &mut World,
    who: Principal,
    action: &str,
    params: &Params,
    request_id: &str,
) -> Reply {
    let mut call = Call { world, params, action, request_id, who };
    let outcome = match action {
        "AllocateAddress" => allocate_address::allocate(&mut call),
        "AssignPrivateIpAddresses" => private_ip_addresses::assign(&mut call),
        "AssociateAddress" => associate_address::run(&mut call),
        "DescribeAddresses" => describe_addresses::run(&call),
        "DescribeInstances" => describe_instances::run(&call),
        "DescribeNetworkInterfaces" => describe_interfaces::run(&call),
        "DescribeSubnets" => describe_subnets::run(&call),
        "DisassociateAddress" => disassociate_address::run(&mut call),
        "ReleaseAddress" => allocate_address::release(&mut call),
        "UnassignPrivateIpAddresses" => private_ip_addresses::unassign(&mut call),
        _ => {
            let message = format!("The action {action} is not valid for this web service.");
            Err(ApiError::client("InvalidAction", message))
        }
    };
    match outcome {
        Ok(done) => Reply {
            status: 200,
            content_type: CONTENT_TYPE,
            server: "AmazonEC2",
            headers: vec![("x-amzn-requestid", request_id.to_owned())],
            body: done.xml.into_bytes(),
            code: None,
            association_id: done.association_id,
        },
        Err(error) => refuse(&error, request_id),
    }
}

const CONTENT_TYPE: &str = "text/xml;charset=UTF-8";

/// Returns `error` as EC2 words it.
pub(crate) fn refuse(error: &ApiError, request_id: &str) -> Reply {
    Reply {
        status: error.status,
        content_type: CONTENT_TYPE,
        server: "AmazonEC2",
        headers: vec![("x-amzn-requestid", request_id.to_owned())],
        body: xml::error(error, request_id).into_bytes(),
        code: Some(error.code.clone()),
        association_id: None,
    }
}

/// Returns the address that `which` names.
///
/// # Errors
/// `InvalidAllocationID.NotFound`, `InvalidAddress.NotFound`, or `AuthFailure` for an address of another account.
pub(crate) fn find_address<'f>(fleet: &'f Fleet, which: &AddressRef) -> Result<&'f Address, ApiError> {
    fleet.address(which).ok_or_else(|| match which {
        AddressRef::Allocation(id) => ApiError::client(
            "InvalidAllocationID.NotFound",
            format!("The allocation ID '{id}' does not exist"),
        ),
        AddressRef::Public(ip) if fleet.foreign.contains(ip) => {
            ApiError::client("AuthFailure", format!("The address '{ip}' does not belong to you."))
        }
        AddressRef::Public(ip) => {
            ApiError::client("InvalidAddress.NotFound", format!("Address '{ip}' not found."))
        }
    })
}

/// Reads an allocation id.
fn allocation_id(text: &str) -> Result<AllocationId, ApiError> {
    if well_formed(AllocationId::PREFIX, text) {
        return Ok(text.into());
    }
    let message = format!("Invalid id: \"{text}\" (expecting \"eipalloc-...\")");
    Err(ApiError::client("InvalidAllocationID.Malformed", message))
}

/// Reads a public address.
fn public_ip(text: &str) -> Result<Ipv4Addr, ApiError> {
    text.parse()
        .map_err(|_| ApiError::client("InvalidAddress.Malformed", format!("Invalid IPv4 address: {text}")))
}

/// Reads a network interface id.
fn interface_id(text: &str) -> Result<InterfaceId, ApiError> {
    if well_formed(InterfaceId::PREFIX, text) {
        return Ok(text.into());
    }
    let message = format!("Invalid id: \"{text}\" (expecting \"eni-...\")");
    Err(ApiError::client("InvalidNetworkInterfaceID.Malformed", message))
}

pub(crate) fn no_such_interface(eni: &str) -> ApiError {
    ApiError::client(
        "InvalidNetworkInterfaceID.NotFound",
        format!("The networkInterface ID '{eni}' does not exist"),
    )
}

/// Reads the address a call is about: `AllocationId` or `PublicIp`, not both.
fn address_param(params: &Params) -> Result<AddressRef, ApiError> {
    match (params.get("AllocationId"), params.get("PublicIp")) {
        (Some(_), Some(_)) => Err(ApiError::client(
            "InvalidParameterCombination",
            "You may specify public IP or allocation id, but not both in the same call",
        )),
        (Some(id), None) => allocation_id(id).map(AddressRef::Allocation),
        (None, Some(ip)) => public_ip(ip).map(AddressRef::Public),
        (None, None) => {
            Err(ApiError::client("MissingParameter", "Either public IP or allocation id must be specified"))
        }
    }
}
