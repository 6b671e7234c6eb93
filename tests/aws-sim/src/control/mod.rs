//! The control API: JSON under `/_sim/` on the EC2 port, for scripts.
//!
//! Reading: `GET state`, `log`. Writing, `POST` with a JSON body: `instances`, `addresses`,
//! `route_tables`, `associate`, `disassociate`, `fault`, `clear`, `settings`, `reset`. Requests here are neither signed nor logged.

mod plan;
mod settings;

use std::net::Ipv4Addr;

use hyper::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use self::{
    plan::{add_table, allocate},
    settings::SettingsChange,
};
use eip::base::ids::{AllocationId, InterfaceId};
use eip::cloud::Address;
use eip::cloud::model::{ApiError, Fault, FaultId};

use crate::{
    cloud::Cloud,
    http::{Reply, Whole},
};

/// Prefix of the control API's paths.
pub(crate) const PREFIX: &str = "/_sim/";

type ControlResult = Result<Value, ApiError>;

/// Answers a control request.
pub(crate) fn answer(cloud: &Cloud, request: &Whole) -> Reply {
    let path = request.uri().path().trim_start_matches(PREFIX);
    let outcome = match (request.method(), path) {
        (&Method::GET, "state") => Ok(state(cloud)),
        (&Method::GET, "log") => show(&cloud.log()),
        (&Method::POST, "instances") => read(request).and_then(|s| show(&cloud.try_add_instance(s)?)),
        (&Method::POST, "addresses") => read(request).and_then(|a| allocate(cloud, &a)),
        (&Method::POST, "route_tables") => read(request).and_then(|table| add_table(cloud, table)),
        (&Method::POST, "associate") => read(request).and_then(|a| associate(cloud, &a)),
        (&Method::POST, "assign") => read(request).map(|a| assign(cloud, &a)),
        (&Method::POST, "disassociate") => read(request).map(|a| disassociate(cloud, &a)),
        (&Method::POST, "fault") => read(request).map(|fault: Fault| json!({ "id": cloud.fault(fault) })),
        (&Method::POST, "clear") => read(request).map(|what| clear(cloud, &what)),
        (&Method::POST, "settings") => read(request).map(|settings: SettingsChange| settings.apply(cloud)),
        (&Method::POST, "reset") => {
            cloud.start_over();
            Ok(json!({}))
        }
        _ => Err(ApiError::new(
            404,
            "NotFound",
            format!("no such control request: {} {path}", request.method()),
        )),
    };
    let (status, body) = match outcome {
        Ok(value) => (200, value),
        Err(error) => (error.status, json!({ "code": error.code, "message": error.message })),
    };
    Reply {
        status,
        content_type: "application/json",
        server: "aws-sim",
        body: format!("{body}\n").into_bytes(),
        ..Reply::default()
    }
}

fn read<T: DeserializeOwned>(request: &Whole) -> Result<T, ApiError> {
    let body: &[u8] = if request.body().is_empty() { b"{}" } else { request.body() };
    serde_json::from_slice(body).map_err(|error| ApiError::client("Malformed", error.to_string()))
}

fn show(value: &impl Serialize) -> ControlResult {
    serde_json::to_value(value).map_err(|error| ApiError::new(500, "Unwritable", error.to_string()))
}

fn state(cloud: &Cloud) -> Value {
    let association = |address: &Address| {
        address.association.as_ref().map(|held| {
            json!({ "id": held.id, "eni": held.interface, "private_ip": held.private_ip, "instance": held.instance })
        })
    };
    let address = |address: Address| {
        json!({
            "public_ip": address.public_ip,
            "allocation_id": address.allocation,
            "border_group": address.border_group,
            "association": association(&address),
        })
    };
    let addresses: Vec<Value> = cloud.addresses().into_iter().map(address).collect();
    json!({ "instances": cloud.instances(), "addresses": addresses })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pairing {
    allocation_id: AllocationId,
    eni: InterfaceId,
    private_ip: Option<Ipv4Addr>,
}

fn associate(cloud: &Cloud, wanted: &Pairing) -> ControlResult {
    let id = cloud.try_associate(&wanted.allocation_id, &wanted.eni, wanted.private_ip)?;
    Ok(json!({ "association_id": id }))
}

/// The interface that gets a private address; without one, the address is unassigned.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrivatePairing {
    private_ip: Ipv4Addr,
    eni: Option<InterfaceId>,
}

fn assign(cloud: &Cloud, wanted: &PrivatePairing) -> Value {
    match &wanted.eni {
        Some(eni) => cloud.assign_private_ip(eni, wanted.private_ip),
        None => cloud.unassign_private_ip(wanted.private_ip),
    }
    json!({})
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parting {
    allocation_id: AllocationId,
}

fn disassociate(cloud: &Cloud, wanted: &Parting) -> Value {
    cloud.disassociate(&wanted.allocation_id);
    json!({})
}

/// What to clear; everything if nothing is named.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Clearing {
    fault: Option<FaultId>,
    faults: bool,
    log: bool,
}

fn clear(cloud: &Cloud, what: &Clearing) -> Value {
    let everything = !what.faults && !what.log && what.fault.is_none();
    if let Some(id) = what.fault {
        cloud.clear_fault(id);
    }
    if what.faults || everything {
        cloud.clear_faults();
    }
    if what.log || everything {
        cloud.clear_log();
    }
    json!({})
}
