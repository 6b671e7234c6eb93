//! The EC2 Query API, version 2016-11-15: responses from the account in EC2's wire format.
//!
//! Checks run in EC2's observed order: form of the parameters, existence of the named objects, permission, dry run, state. Then
//! the account changes and the response is sent.

mod change;
mod describe;
mod filters;
mod instances;
mod params;
mod routes;
mod xml;

use std::net::Ipv4Addr;

use std::str::FromStr;
use std::time::Duration;

use eip::base::ids::{AllocationId, AssociationId, InterfaceId};
use eip::cloud::model::ApiError;

pub(crate) use self::{
    params::QueryParams,
    xml::{Content, document},
};
use crate::{credentials::Principal, http::Reply, world::SimulatorState};

pub(crate) struct OperationCall<'a> {
    world: &'a SimulatorState,
    params: &'a QueryParams,
    action: &'a str,
    request_id: &'a str,
    who: Principal,
    /// How long after its response the call takes effect; `None` is before it.
    late: Option<Duration>,
}

/// A successful response.
struct OperationSuccess {
    xml: String,
    association_id: Option<AssociationId>,
}

type OperationResult = Result<OperationSuccess, ApiError>;

impl OperationCall<'_> {
    /// Wraps `result` into the operation's response.
    fn done(&self, result: Content) -> OperationSuccess {
        OperationSuccess { xml: xml::answer(self.action, self.request_id, result), association_id: None }
    }

    /// The response of operations that only report success.
    fn yes(&self) -> OperationSuccess {
        self.done(Content::default().text("return", true))
    }

    /// The requested page of these items, as a list of this name.
    fn page(&self, list: &'static str, items: Vec<Content>) -> OperationResult {
        let size = self.params.count("MaxResults")?;
        let (page, next) = filters::page(items, size, self.params.get("NextToken"))?;
        Ok(self.done(Content::default().list(list, page).maybe("nextToken", next)))
    }

    /// Checks that the caller may do this to `resource`, then ends a dry run with EC2's code for "it would have worked".
    fn permit(&self, resource: &str) -> Result<(), ApiError> {
        self.authorize(resource)?;
        self.end_dry_run()
    }

    /// Checks that the caller may do this to `resource`.
    fn authorize(&self, resource: &str) -> Result<(), ApiError> {
        self.world.iam.check(&self.who, self.action, resource)
    }

    /// Ends a dry run with EC2's code for "it would have worked".
    fn end_dry_run(&self) -> Result<(), ApiError> {
        if self.params.flag("DryRun")? == Some(true) {
            let message = "Request would have succeeded, but DryRun flag is set.";
            return Err(ApiError::new(412, "DryRunOperation", message));
        }
        Ok(())
    }
}

/// Runs `action` for the authenticated caller `who`, if the simulator has that action.
pub(crate) fn run(
    world: &SimulatorState,
    who: Principal,
    action: &str,
    params: &QueryParams,
    request_id: &str,
    late: Option<Duration>,
) -> Reply {
    let call = OperationCall { world, params, action, request_id, who, late };
    let outcome = match action {
        "AssignPrivateIpAddresses" => change::assign(&call),
        "AssociateAddress" => change::associate(&call),
        "DescribeAddresses" => describe::addresses(&call),
        "DescribeInstances" => instances::describe(&call),
        "DescribeNetworkInterfaces" => describe::interfaces(&call),
        "DescribeRouteTables" => routes::tables(&call),
        "DisassociateAddress" => change::disassociate(&call),
        "ReplaceRoute" => routes::replace(&call),
        "UnassignPrivateIpAddresses" => change::unassign(&call),
        _ => {
            let message = format!("The action {action} is not valid for this web service.");
            Err(ApiError::client("InvalidAction", message))
        }
    };
    match outcome {
        Ok(done) => Reply { association_id: done.association_id, ..reply(200, done.xml, request_id) },
        Err(error) => refuse(&error, request_id),
    }
}

/// An error in EC2's format.
pub(crate) fn refuse(error: &ApiError, request_id: &str) -> Reply {
    let code = Some(error.code.clone());
    Reply { code, ..reply(error.status, xml::error(error, request_id), request_id) }
}

fn reply(status: u16, xml: String, request_id: &str) -> Reply {
    Reply {
        status,
        content_type: "text/xml;charset=UTF-8",
        server: "AmazonEC2",
        headers: vec![("x-amzn-requestid", request_id.to_owned())],
        body: xml.into_bytes(),
        ..Reply::default()
    }
}

/// Parses an id.
fn id<I: FromStr>(code: &str, prefix: &str, text: &str) -> Result<I, ApiError> {
    let id = Some(text).filter(|text| text.starts_with(prefix)).and_then(|text| text.parse().ok());
    id.ok_or_else(|| ApiError::client(code, format!("Invalid id: \"{text}\" (expecting \"{prefix}...\")")))
}

fn allocation_id(text: &str) -> Result<AllocationId, ApiError> {
    id("InvalidAllocationID.Malformed", "eipalloc-", text)
}

fn interface_id(text: &str) -> Result<InterfaceId, ApiError> {
    id("InvalidNetworkInterfaceID.Malformed", "eni-", text)
}

/// Parses a public address.
fn public_ip(text: &str) -> Result<Ipv4Addr, ApiError> {
    text.parse()
        .map_err(|_| ApiError::client("InvalidAddress.Malformed", format!("Invalid IPv4 address: {text}")))
}
