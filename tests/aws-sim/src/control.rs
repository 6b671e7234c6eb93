//! The control API: JSON under `/_sim/` on the EC2 port, for scripts.
//!
//! Reading: `GET state`, `log`, `history/<public ip>`. Writing, `POST` with a JSON body: `instances`, `addresses`,
//! `associate`, `disassociate`, `fault`, `clear`, `settings`, `reset`. Requests here are neither signed nor logged.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use hyper::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Buckets, CredState, Fault, FaultId, ImdsState, InstanceSpec, InstanceState, Which,
    cloud::Cloud,
    error::ApiError,
    faults::millis,
    http::{Reply, Whole},
    ids::{AllocationId, InstanceId, InterfaceId},
};

/// Where the control API begins.
pub(crate) const PREFIX: &str = "/_sim/";

type Outcome = Result<Value, ApiError>;

/// Answers a control request.
pub(crate) fn answer(cloud: &Cloud, request: &Whole) -> Reply {
    let path = request.uri().path().trim_start_matches(PREFIX);
    let outcome = match (request.method(), path) {
        (&Method::GET, "state") => show(&*cloud.fleet()),
        (&Method::GET, "log") => show(&cloud.log()),
        (&Method::GET, _) if path.starts_with("history/") => {
            history(cloud, path.trim_start_matches("history/"))
        }
        (&Method::POST, "instances") => read(request).and_then(|s| show(&cloud.try_add_instance(s)?)),
        (&Method::POST, "addresses") => read(request).and_then(|a| allocate(cloud, &a)),
        (&Method::POST, "associate") => read(request).and_then(|a| associate(cloud, &a)),
        (&Method::POST, "disassociate") => read(request).map(|a| disassociate(cloud, &a)),
        (&Method::POST, "fault") => read(request).map(|fault: Fault| json!({ "id": cloud.fault(fault) })),
        (&Method::POST, "clear") => read(request).map(|what| clear(cloud, &what)),
        (&Method::POST, "settings") => read(request).map(|settings: Settings| settings.apply(cloud)),
        (&Method::POST, "reset") => {
            cloud.reset();
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

fn show(value: &impl Serialize) -> Outcome {
    serde_json::to_value(value).map_err(|error| ApiError::new(500, "Unwritable", error.to_string()))
}

fn history(cloud: &Cloud, ip: &str) -> Outcome {
    let ip: Ipv4Addr = ip.parse().map_err(|_| ApiError::value(format!("'{ip}' is not an IPv4 address")))?;
    show(&cloud.history(ip))
}

/// An address to allocate.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Allocation {
    public_ip: Option<Ipv4Addr>,
    foreign: bool,
    border_group: Option<String>,
    tags: BTreeMap<String, String>,
    /// The interface that holds it from the start.
    eni: Option<InterfaceId>,
}

pub(crate) fn allocate(cloud: &Cloud, wanted: &Allocation) -> Outcome {
    if let (true, Some(ip)) = (wanted.foreign, wanted.public_ip) {
        cloud.allocate_foreign(ip);
        return Ok(json!({ "public_ip": ip }));
    }
    let address = cloud.try_allocate(wanted.public_ip)?;
    if let Some(group) = &wanted.border_group {
        cloud.set_border_group(&address, group);
    }
    for (key, value) in &wanted.tags {
        cloud.tag(&address, key, value);
    }
    if let Some(eni) = &wanted.eni {
        cloud.try_associate(&address, eni, None)?;
    }
    show(&address)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pairing {
    allocation_id: AllocationId,
    eni: InterfaceId,
    private_ip: Option<Ipv4Addr>,
}

fn associate(cloud: &Cloud, wanted: &Pairing) -> Outcome {
    let id = cloud.try_associate(&wanted.allocation_id, &wanted.eni, wanted.private_ip)?;
    Ok(json!({ "association_id": id }))
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

/// What to clear; everything when nothing is named.
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

/// Settings to change; those absent stay. `instance` narrows the last five to one instance.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    latency_ms: Option<Millis>,
    describe_lag_ms: Option<Millis>,
    credential_lifetime_ms: Option<Millis>,
    clock_skew_s: Option<f64>,
    throttling: Option<Throttling>,
    gateway: Option<bool>,
    deny: Vec<String>,
    allow: Vec<String>,
    access_keys: BTreeMap<String, String>,
    instance: Option<InstanceId>,
    imds_lag_ms: Option<Millis>,
    imds_state: Option<ImdsState>,
    credentials: Option<CredState>,
    instance_state: Option<InstanceState>,
    forget_tokens: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Millis(#[serde(with = "millis")] Duration);

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Throttling {
    Off,
    Aws,
    Rates(Buckets),
}

impl Settings {
    pub(crate) fn apply(self, cloud: &Cloud) -> Value {
        if let Some(Millis(latency)) = self.latency_ms {
            cloud.set_latency(latency);
        }
        if let Some(Millis(lag)) = self.describe_lag_ms {
            cloud.set_describe_lag(lag);
        }
        if let Some(Millis(lifetime)) = self.credential_lifetime_ms {
            cloud.set_credential_lifetime(lifetime);
        }
        if let Some(seconds) = self.clock_skew_s {
            cloud.set_clock_skew(seconds);
        }
        match self.throttling {
            None => {}
            Some(Throttling::Off) => cloud.set_buckets(None),
            Some(Throttling::Aws) => cloud.set_buckets(Some(Buckets::aws())),
            Some(Throttling::Rates(buckets)) => cloud.set_buckets(Some(buckets)),
        }
        if let Some(attached) = self.gateway {
            cloud.attach_gateway(attached);
        }
        self.deny.iter().for_each(|action| cloud.deny(action));
        self.allow.iter().for_each(|action| cloud.allow(action));
        self.access_keys.iter().for_each(|(id, secret)| cloud.add_access_key(id, secret));
        self.apply_to_instances(cloud);
        json!({})
    }

    fn apply_to_instances(&self, cloud: &Cloud) {
        let which = self.instance.as_ref().map_or(Which::All, Which::from);
        if let Some(Millis(lag)) = self.imds_lag_ms {
            cloud.set_imds_lag(which.clone(), lag);
        }
        if let Some(state) = self.imds_state {
            cloud.set_imds_state(which.clone(), state);
        }
        if let Some(state) = self.credentials {
            cloud.set_credentials(which, state);
        }
        if let (Some(id), Some(state)) = (&self.instance, self.instance_state) {
            cloud.set_instance_state(id, state);
        }
        if self.forget_tokens {
            cloud.forget_tokens();
        }
    }
}

/// An account to begin with, as a file describes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Plan {
    instances: Vec<InstanceSpec>,
    addresses: Vec<Allocation>,
    settings: Settings,
}

impl Cloud {
    /// Builds what a JSON text describes: `{"instances": [..], "addresses": [..], "settings": {..}}`, each entry as
    /// the control API takes it.
    ///
    /// # Errors
    /// When the text is not such a description, or describes something that cannot be.
    pub fn build(&self, json: &str) -> Result<(), ApiError> {
        let plan: Plan =
            serde_json::from_str(json).map_err(|error| ApiError::client("Malformed", error.to_string()))?;
        for spec in plan.instances {
            self.try_add_instance(spec)?;
        }
        for address in &plan.addresses {
            allocate(self, address)?;
        }
        plan.settings.apply(self);
        Ok(())
    }
}
