//! What this node has on record about an address, over all resources.

use std::net::Ipv4Addr;

use crate::base::ids::AllocationId;
use crate::state::{Durable, Volatile};

/// The records of one resource.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The resource.
    pub resource: String,
    /// What was done last; empty where that was before the last boot.
    pub volatile: Volatile,
    /// What outlives a boot.
    pub durable: Durable,
    /// Whether the resource runs here, as far as the records say.
    pub running: bool,
}

impl Entry {
    /// Takes the records of a resource, of which those of an earlier boot are old.
    #[must_use]
    pub fn new(resource: &str, volatile: Volatile, durable: Durable, boot: &str) -> Self {
        let running = volatile.is_running(boot);
        let volatile = if volatile.is_of(boot) { volatile } else { Volatile::default() };
        Self { resource: resource.to_owned(), volatile, durable, running }
    }

    /// Returns whether it is about this address, named in either way.
    #[must_use]
    pub fn is_about(&self, public_ip: Option<Ipv4Addr>, allocation: Option<&AllocationId>) -> bool {
        let pair = self.durable.pair.as_ref();
        let by_pair = pair
            .is_some_and(|pair| public_ip == Some(pair.public_ip) || allocation == Some(&pair.allocation));
        by_pair || (public_ip.is_some() && self.volatile.elastic_ip() == public_ip)
    }
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
        let durable = Durable { pair: Some(pair.clone()), ..Durable::default() };
        let entry = Entry::new("vip", volatile.clone(), durable.clone(), "now");
        assert!(entry.running);
        assert!(entry.is_about("203.0.113.10".parse().ok(), None));
        assert!(entry.is_about("203.0.113.11".parse().ok(), None));
        assert!(entry.is_about(None, Some(&pair.allocation)));
        assert!(!entry.is_about("203.0.113.12".parse().ok(), None) && !entry.is_about(None, None));
        let old = Entry::new("vip", volatile, durable, "later");
        assert!(!old.running && !old.is_about("203.0.113.10".parse().ok(), None));
    }
}
