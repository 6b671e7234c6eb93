//! What this node has on record about addresses, across all resources.

use std::collections::BTreeMap;

use crate::ocf::agent::{Agent, EIP, OVERLAY_IP, VIP};
use crate::state::{Durable, KnownTables, Phase, Remembered, Volatile};

/// The records of one resource.
#[derive(Debug, Clone)]
pub struct RecordedResource {
    /// Name of the resource.
    pub resource: String,
    /// The last action; empty if it was before the last boot.
    pub volatile: Volatile,
    /// State that survives a reboot.
    pub durable: Durable,
    /// Whether the resource runs on this node, according to the records.
    pub running: bool,
}

impl RecordedResource {
    /// Wraps the records of a resource; volatile ones of an earlier boot are discarded.
    pub fn new(resource: &str, volatile: Volatile, durable: Durable, boot: &str) -> Self {
        let running = volatile.is_running(boot);
        let volatile = if volatile.is_of(boot) { volatile } else { Volatile::default() };
        Self { resource: resource.to_owned(), volatile, durable, running }
    }

    /// The agent of the resource; `None` if the records do not show it.
    pub fn agent(&self) -> Option<&'static Agent> {
        match &self.volatile.kind {
            Remembered::Private(_) => Some(&VIP),
            Remembered::Overlay(_) => Some(&OVERLAY_IP),
            Remembered::Elastic(_) if self.durable.tables.is_some() => Some(&OVERLAY_IP),
            Remembered::Elastic(_) => (!self.names().is_empty()).then_some(&EIP),
        }
    }

    /// The parameters of a stop that got none: those of what this resource has started in this boot, and not stopped since.
    /// `None` if there is nothing of this kind.
    pub fn of_stop(&self, agent: &Agent) -> Option<BTreeMap<String, String>> {
        let may_be_here =
            matches!(self.volatile.phase, Some(Phase::Starting | Phase::Started | Phase::Stopping));
        let is_same_kind = self.agent().is_some_and(|own| own.name == agent.name);
        let address = self.names().into_iter().next().filter(|_| may_be_here && is_same_kind)?;
        let mut parameters = parameters(agent, &address, self.durable.tables.as_ref());
        if self.volatile.leaves && agent.has("on_stop") {
            parameters.insert("on_stop".to_owned(), "leave".to_owned());
        }
        Some(parameters)
    }

    /// All names of its address: the address itself, and an allocation id.
    pub fn names(&self) -> Vec<String> {
        names(&self.volatile, &self.durable)
    }

    /// Whether any of these names its address.
    pub fn is_about(&self, wanted: &[String]) -> bool {
        self.names().iter().any(|name| wanted.contains(name))
    }
}

/// The parameters that name an address for an agent, with its route tables if they are on record.
pub fn parameters(agent: &Agent, address: &str, tables: Option<&KnownTables>) -> BTreeMap<String, String> {
    let names = agent.address;
    let is_id = address.starts_with("eip") && names.contains(&"allocation_id");
    let name = if is_id { "allocation_id" } else { names.first().copied().unwrap_or_default() };
    let tables = tables.filter(|_| agent.has("routing_table"));
    let tables = tables.map(|tables| ("routing_table", tables.routing_table.as_str()));
    let all = [(name, address)].into_iter().chain(tables);
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// All names of the recorded address.
pub(super) fn names(volatile: &Volatile, durable: &Durable) -> Vec<String> {
    let mut names: Vec<String> = volatile.address().map(|ip| ip.to_string()).into_iter().collect();
    if let Some(pair) = &durable.pair {
        names.extend([pair.public_ip.to_string(), pair.allocation.to_string()]);
    }
    names.extend(durable.tables.as_ref().map(|tables| tables.overlay_ip.to_string()));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{ElasticRecord, Pair, Phase, Remembered};

    #[test]
    fn an_address_is_found_by_either_name_and_runs_only_in_this_boot() {
        let volatile = Volatile {
            phase: Some(Phase::Started),
            boot: "now".to_owned(),
            kind: Remembered::Elastic(ElasticRecord {
                elastic_ip: "203.0.113.10".parse().ok(),
                ..Default::default()
            }),
            ..Volatile::default()
        };
        let pair = Pair {
            public_ip: "203.0.113.11".parse().unwrap(),
            allocation: "eipalloc-0123456789abcdef0".parse().unwrap(),
            region: None,
        };
        let durable = Durable { pair: Some(pair), ..Durable::default() };
        let is_about = |entry: &RecordedResource, name: &str| entry.is_about(&[name.to_owned()]);
        let entry = RecordedResource::new("vip", volatile.clone(), durable.clone(), "now");
        assert!(entry.running);
        for name in ["203.0.113.10", "203.0.113.11", "eipalloc-0123456789abcdef0"] {
            assert!(is_about(&entry, name), "{name}");
        }
        assert!(!is_about(&entry, "203.0.113.12") && !entry.is_about(&[]));
        assert_eq!(entry.agent().map(|agent| agent.name), Some("eip"));
        let old = RecordedResource::new("vip", volatile, durable, "later");
        assert!(!old.running && !is_about(&old, "203.0.113.10"));
        let empty = RecordedResource::new("vip", Volatile::default(), Durable::default(), "now");
        assert!(empty.agent().is_none());
    }
}
