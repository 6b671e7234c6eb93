//! `POST settings`.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};

use eip::base::ids::InstanceId;
use eip::cloud::model::millis;

use crate::{Cloud, ImdsState, Which};

/// Settings to change; absent ones stay the same. `instance` limits `imds_state` to one instance.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SettingsChange {
    latency_ms: Option<Millis>,
    deny: Vec<String>,
    allow: Vec<String>,
    access_keys: BTreeMap<String, String>,
    instance: Option<InstanceId>,
    imds_state: Option<ImdsState>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Millis(#[serde(with = "millis")] Duration);

impl SettingsChange {
    pub(super) fn apply(&self, cloud: &Cloud) -> Value {
        if let Some(Millis(latency)) = self.latency_ms {
            cloud.set_latency(latency);
        }
        self.deny.iter().for_each(|action| cloud.deny(action));
        self.allow.iter().for_each(|action| cloud.allow(action));
        self.access_keys.iter().for_each(|(id, secret)| cloud.add_access_key(id, secret));
        if let Some(state) = self.imds_state {
            cloud.set_imds_state(self.instance.as_ref().map_or(Which::All, Which::from), state);
        }
        json!({})
    }
}
