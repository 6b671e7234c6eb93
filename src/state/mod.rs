//! What this node remembers between actions.
//!
//! Nothing here is needed to be right: a record that is missing, foreign or damaged costs a look at EC2, never an action.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::deadline::Deadline;
use crate::base::ids::{AllocationId, AssociationId, InstanceId, InterfaceId, MacAddress, SubnetId};
use crate::params::ApiSettings;

mod file;
mod lock;
pub mod records;
pub mod turns;

pub use records::FileRecords;

/// The last thing this node did with the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// A start began; it may have taken the address.
    Starting,
    /// A start succeeded.
    Started,
    /// A stop began; it may have let the address go.
    Stopping,
    /// A stop succeeded.
    Stopped,
    /// A stop left the address where it was, because it was told to (`on_stop=leave`).
    Left,
}

/// What is true until the next boot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volatile {
    /// The last thing done, if anything was.
    pub phase: Option<Phase>,
    /// When it was done: milliseconds since boot.
    pub at_ms: u64,
    /// The boot it was done in.
    pub boot: String,
    /// The instance this node is.
    pub instance: Option<InstanceId>,
    /// The interface the address was put on.
    pub interface: Option<InterfaceId>,
    /// That interface's hardware address.
    pub mac: Option<MacAddress>,
    /// Whether a monitor found since the start that the address is not here, or it was migrated away.
    #[serde(skip_serializing_if = "is_false")]
    pub lost: bool,
    /// Who had the address before the last start, or which holder the last stop ended; an empty text is nobody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
    /// What the kind of address remembers.
    #[serde(flatten)]
    pub kind: Remembered,
}

/// What each kind of address remembers. In the file its fields stand beside the common ones, and tell the kinds apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Remembered {
    /// A secondary private address.
    Private(PrivateRecord),
    /// An Elastic IP.
    Elastic(ElasticRecord),
}

impl Default for Remembered {
    fn default() -> Self {
        Self::Elastic(ElasticRecord::default())
    }
}

/// What a resource `eip` remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ElasticRecord {
    /// The address.
    pub elastic_ip: Option<Ipv4Addr>,
    /// The private address that it was put on.
    pub private_ip: Option<Ipv4Addr>,
    /// The association that was made.
    pub association: Option<AssociationId>,
}

/// What a resource `vip` remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateRecord {
    /// The address.
    pub secondary_private_ip: Ipv4Addr,
    /// The interface's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_ip_of_interface: Option<Ipv4Addr>,
    /// The interface's subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<SubnetId>,
    /// The addresses of that subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr: Option<String>,
}

/// For serde, which passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !value
}

impl Volatile {
    /// Returns whether the record is of this boot, so that what it says can still be so.
    #[must_use]
    pub fn is_of(&self, boot: &str) -> bool {
        self.phase.is_some() && !boot.is_empty() && self.boot == boot
    }

    /// Returns whether the last thing done is less than `window` ago, so that the metadata may not show it yet.
    #[must_use]
    pub fn is_settling(&self, boot: &str, uptime: Duration, window: Duration) -> bool {
        // A time that is still to come is of another clock: a container that was restarted keeps the host's boot id.
        let age = uptime.checked_sub(Duration::from_millis(self.at_ms));
        self.is_of(boot) && age.is_some_and(|age| age < window)
    }

    /// The address that a resource `eip` was about.
    #[must_use]
    pub fn elastic_ip(&self) -> Option<Ipv4Addr> {
        match &self.kind {
            Remembered::Elastic(record) => record.elastic_ip,
            Remembered::Private(_) => None,
        }
    }

    /// The address that a resource `vip` was about.
    #[must_use]
    pub fn secondary_private_ip(&self) -> Option<Ipv4Addr> {
        match &self.kind {
            Remembered::Elastic(_) => None,
            Remembered::Private(record) => Some(record.secondary_private_ip),
        }
    }

    /// The private address that carries the Elastic IP.
    #[must_use]
    pub fn private_ip(&self) -> Option<Ipv4Addr> {
        match &self.kind {
            Remembered::Elastic(record) => record.private_ip,
            Remembered::Private(_) => None,
        }
    }

    /// The association that the last start made.
    #[must_use]
    pub fn association(&self) -> Option<&AssociationId> {
        match &self.kind {
            Remembered::Elastic(record) => record.association.as_ref(),
            Remembered::Private(_) => None,
        }
    }

    /// Replaces the association, for a kind that has one.
    pub fn set_association(&mut self, association: Option<AssociationId>) {
        if let Remembered::Elastic(record) = &mut self.kind {
            record.association = association;
        }
    }

    /// Returns whether this node runs the resource, or is about to, as far as the record says.
    #[must_use]
    pub fn is_running(&self, boot: &str) -> bool {
        self.is_of(boot) && matches!(self.phase, Some(Phase::Starting | Phase::Started))
    }
}

/// What outlives a boot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Durable {
    /// The instance that this was recorded on: a disk can come to another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The address and its allocation, as EC2 gave them together.
    pub pair: Option<Pair>,
    /// Of a resource `vip`: the region that was right the last time, for when the metadata service can't say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Addresses that ours pushed off their private address, to be put back.
    pub displaced: Vec<Displaced>,
    /// How AWS was reached when the last of them was pushed off: at boot nobody says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<ApiSettings>,
    /// Changes of holder that this node made, the oldest first.
    pub history: Vec<Change>,
}

/// A public address and its allocation, as EC2 gave them together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The address.
    pub public_ip: Ipv4Addr,
    /// Its allocation.
    pub allocation: AllocationId,
    /// The region in which they belong together, for when the metadata service can't say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A public address that sat on our private address before ours did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Displaced {
    /// The address. Whether it is an Elastic IP, which can be put back, is asked when it is to be put back.
    pub public_ip: Ipv4Addr,
    /// The interface it was on.
    pub interface: InterfaceId,
    /// The private address it was on.
    pub private_ip: Ipv4Addr,
    /// Whether it was put back; kept for the next start, to which instance metadata may not show it yet.
    #[serde(default)]
    pub put_back: bool,
    /// When a call was sent to put it back whose answer has not come; it may still take effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
}

/// When a call was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The boot it was sent in.
    pub boot: String,
    /// Milliseconds since boot.
    pub at_ms: u64,
}

/// One change of holder made by this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// The action that made it.
    pub action: String,
    /// Who held the address before.
    pub from: String,
    /// Who holds it now.
    pub to: String,
    /// The association that was made or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub association: Option<AssociationId>,
    /// How long it took.
    pub took_ms: u64,
}

/// Changes kept; the oldest go first.
pub const HISTORY: usize = 100;

impl Durable {
    /// Adds a change, and drops the oldest ones past [`HISTORY`].
    pub fn remember(&mut self, change: Change) {
        self.history.push(change);
        let surplus = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..surplus);
    }
}

/// The records of one resource on this node.
///
/// A failure to write is logged, not returned: no action depends on it.
pub trait Records: Sized {
    /// Is held by the one process that may make mutating calls for a place; dropping it ends that.
    type Lock;

    /// What is true until the next boot; empty if nothing usable is on record.
    fn volatile(&self) -> Volatile;

    /// Changes it atomically. Of two processes that do so at a time none loses its change.
    fn update_volatile(&self, change: impl FnOnce(&mut Volatile));

    /// What outlives a boot; empty if nothing usable is on record.
    fn durable(&self) -> Durable;

    /// Changes it atomically, as [`Self::update_volatile`].
    fn update_durable(&self, change: impl FnOnce(&mut Durable));

    /// The records of the other resources on this node, by name.
    fn others(&self) -> Vec<(String, Self)>;

    /// Waits for the lock of a private address of this node, over all resources; `None` if another process still has it at the
    /// deadline.
    async fn lock(&self, place: Ipv4Addr, deadline: &Deadline) -> Option<Self::Lock>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [record-7] The files of 0.1.0, as they are on a disk.
    #[test]
    fn the_records_of_an_older_version_are_read() {
        let eip = r#"{"phase": "started", "at_ms": 12345, "boot": "b", "elastic_ip": "203.0.113.10",
            "instance": "i-00000000000000001", "interface": "eni-00000000000000001", "mac": "02:00:00:00:00:01",
            "private_ip": "10.0.1.10", "association": "eipassoc-00000000000000001"}"#;
        let record: Volatile = serde_json::from_str(eip).unwrap();
        assert_eq!((record.phase, record.at_ms, record.lost), (Some(Phase::Started), 12345, false));
        assert_eq!(record.elastic_ip(), "203.0.113.10".parse().ok());
        assert_eq!(record.private_ip(), "10.0.1.10".parse().ok());
        assert_eq!(record.association().unwrap().as_str(), "eipassoc-00000000000000001");
        assert_eq!(record.instance.as_ref().unwrap().as_str(), "i-00000000000000001");
        let vip = r#"{"phase": "started", "at_ms": 1, "boot": "b", "elastic_ip": null, "instance": "i-00000000000000001",
            "interface": "eni-00000000000000001", "mac": "02:00:00:00:00:01", "private_ip": null, "association": null,
            "secondary_private_ip": "10.0.1.100", "private_ip_of_interface": "10.0.1.10",
            "subnet": "subnet-00000000000000001", "cidr": "10.0.1.0/24"}"#;
        let record: Volatile = serde_json::from_str(vip).unwrap();
        assert_eq!(record.secondary_private_ip(), "10.0.1.100".parse().ok());
        assert_eq!((record.elastic_ip(), record.phase), (None, Some(Phase::Started)));
        assert!(
            matches!(&record.kind, Remembered::Private(private) if private.cidr.as_deref() == Some("10.0.1.0/24"))
        );
        for record in [serde_json::from_str::<Volatile>(eip).unwrap(), record] {
            let text = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<Volatile>(&text).unwrap(), record, "{text}");
        }
        let durable = r#"{"pair": {"public_ip": "203.0.113.10", "allocation": "eipalloc-00000000000000001"},
            "displaced": [{"public_ip": "198.51.100.7", "interface": "eni-00000000000000001", "private_ip": "10.0.1.10"}],
            "history": [{"at_ms": 1, "action": "start", "from": "nobody", "to": "here", "took_ms": 5}]}"#;
        let record: Durable = serde_json::from_str(durable).unwrap();
        assert!(record.instance.is_none() && record.displaced.iter().all(|entry| entry.sent.is_none()));
        assert_eq!((record.displaced.len(), record.history.len()), (1, 1));
    }
}
