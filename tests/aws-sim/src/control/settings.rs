//! `POST settings`.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};

use eip::base::ids::InstanceId;
use eip::cloud::model::{Buckets, InstanceState, Lag, Reads, millis};

use crate::{Cloud, CredState, ImdsState, Which};

/// Settings to change; those absent stay. `instance` narrows the last five to one instance.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SettingsChange {
    latency_ms: Option<Millis>,
    describe_lag_ms: Option<Millis>,
    /// Each answer of a Describe by another amount, at most so much.
    describe_lag_up_to_ms: Option<Millis>,
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

impl SettingsChange {
    pub(super) fn apply(self, cloud: &Cloud) -> Value {
        if let Some(Millis(latency)) = self.latency_ms {
            cloud.set_latency(latency);
        }
        if let Some(Millis(lag)) = self.describe_lag_ms {
            cloud.set_describe_lag(lag);
        }
        if let Some(Millis(longest)) = self.describe_lag_up_to_ms {
            cloud.set_lag(Reads::Describes, Lag::UpTo(longest));
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
