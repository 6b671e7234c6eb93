//! What this node remembers between actions.
//!
//! Correctness never depends on it: a record that is missing, foreign or damaged costs a query to EC2, never an action.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::deadline::Deadline;
use crate::base::ids::{
    AllocationId, AssociationId, InstanceId, InterfaceId, MacAddress, RouteTableId, SubnetId, VpcId,
};
use crate::params::ApiSettings;

pub mod alerts;
mod file;
mod folders;
pub mod generations;
pub mod health;
mod lock;
pub mod records;

pub use records::FileRecords;

/// The last thing this node did with the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// A start began; it may have taken the address.
    Starting,
    /// A start succeeded: the address was here.
    Started,
    /// A stop began; it may have released the address.
    Stopping,
    /// A stop succeeded: the address was released, or not here.
    Stopped,
    /// A stop left the address in place, as configured (`on_stop=leave`).
    Left,
}

/// State that is valid until the next boot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volatile {
    /// The last thing done; `None` if there was none.
    pub phase: Option<Phase>,
    /// Time of the phase in milliseconds since boot.
    pub at_ms: u64,
    /// Boot id at that time.
    pub boot: String,
    /// Instance id of this node.
    pub instance: Option<InstanceId>,
    /// Interface that the address was put on.
    pub interface: Option<InterfaceId>,
    /// Hardware address of that interface.
    pub mac: Option<MacAddress>,
    /// Whether a monitor has found the address gone since the start, or it was migrated away.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
    /// Whether EC2 has denied a probe since the start that the address is here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub denied: bool,
    /// Holder before the last start, or the one whose association the last stop ended; an empty text means unassigned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
    /// Fields of the kind of address.
    #[serde(flatten)]
    pub kind: Remembered,
}

/// Fields of each kind of address. In the file they are inline with the common ones, and identify the kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Remembered {
    /// A secondary private address.
    Private(PrivateRecord),
    /// An overlay address.
    Overlay(OverlayRecord),
    /// An Elastic IP.
    Elastic(ElasticRecord),
}

impl Default for Remembered {
    fn default() -> Self {
        Self::Elastic(ElasticRecord::default())
    }
}

/// Fields of a resource `eip`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ElasticRecord {
    /// The public address that the last start took.
    pub elastic_ip: Option<Ipv4Addr>,
    /// The private address it was associated with.
    pub private_ip: Option<Ipv4Addr>,
    /// Id of the association that the last start made.
    pub association: Option<AssociationId>,
}

/// Fields of a resource `vip`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateRecord {
    /// The address that moves.
    pub secondary_private_ip: Ipv4Addr,
    /// Primary private address of the interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_ip_of_interface: Option<Ipv4Addr>,
    /// Subnet of the interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<SubnetId>,
    /// IPv4 range of that subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr: Option<String>,
}

/// Fields of a resource `overlay-ip`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlayRecord {
    /// The overlay address.
    pub overlay_ip: IpAddr,
    /// VPC of the interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<VpcId>,
    /// When EC2 last answered where the routes lead, in milliseconds since boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_ms: Option<u64>,
    /// Whether this resource put the address on a device and has not removed it since; `None` in a record of before 0.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<bool>,
    /// Index of the device that it was put on, or found on when this resource adopted it; if not `added`, of one where the last stop left an
    /// entry that is not this resource's. `None` if unknown, or if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<u32>,
}

impl Volatile {
    /// Whether the record was made in this boot, so that its contents may still hold.
    pub fn is_of(&self, boot: &str) -> bool {
        self.phase.is_some() && !boot.is_empty() && self.boot == boot
    }

    /// Whether the last phase is less than `window` ago, so that instance metadata may not show it yet.
    pub fn is_settling(&self, boot: &str, uptime: Duration, window: Duration) -> bool {
        // A time in the future is of another clock: a container that was restarted keeps the host's boot id.
        let age = uptime.checked_sub(Duration::from_millis(self.at_ms));
        self.is_of(boot) && age.is_some_and(|age| age < window)
    }

    /// The address, of whatever kind.
    pub fn address(&self) -> Option<IpAddr> {
        match &self.kind {
            Remembered::Elastic(record) => record.elastic_ip.map(IpAddr::V4),
            Remembered::Private(record) => Some(IpAddr::V4(record.secondary_private_ip)),
            Remembered::Overlay(record) => Some(record.overlay_ip),
        }
    }

    /// The fields of a resource `eip`; `None` for another kind.
    pub fn elastic(&self) -> Option<&ElasticRecord> {
        let Remembered::Elastic(record) = &self.kind else { return None };
        Some(record)
    }

    /// The public address of a resource `eip`; `None` for another kind.
    pub fn elastic_ip(&self) -> Option<Ipv4Addr> {
        self.elastic()?.elastic_ip
    }

    /// The private address of a resource `vip`; `None` for another kind.
    pub fn secondary_private_ip(&self) -> Option<Ipv4Addr> {
        let Remembered::Private(record) = &self.kind else { return None };
        Some(record.secondary_private_ip)
    }

    /// The fields of a resource `overlay-ip`; `None` for another kind.
    pub fn overlay(&self) -> Option<&OverlayRecord> {
        let Remembered::Overlay(record) = &self.kind else { return None };
        Some(record)
    }

    /// The private address that carries the Elastic IP; `None` for another kind.
    pub fn private_ip(&self) -> Option<Ipv4Addr> {
        self.elastic()?.private_ip
    }

    /// The association that the last start made; `None` for another kind.
    pub fn association(&self) -> Option<&AssociationId> {
        self.elastic()?.association.as_ref()
    }

    /// Replaces the association; does nothing for a kind without one.
    pub fn set_association(&mut self, association: Option<AssociationId>) {
        if let Remembered::Elastic(record) = &mut self.kind {
            record.association = association;
        }
    }

    /// Whether this node runs the resource, or is about to, according to the record.
    pub fn is_running(&self, boot: &str) -> bool {
        self.is_of(boot) && matches!(self.phase, Some(Phase::Starting | Phase::Started))
    }
}

/// State that survives a reboot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Durable {
    /// The instance that this was recorded on: a disk can move to another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// Address and allocation, as EC2 returned them together.
    pub pair: Option<Pair>,
    /// Resources `vip` and `overlay-ip`: the last known region, for when instance metadata is silent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Resource `overlay-ip` only: the route tables of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tables: Option<KnownTables>,
    /// Addresses that ours displaced from their private address, to be restored.
    pub displaced: Vec<Displaced>,
    /// How AWS was reached when the last of them was displaced: at boot there are no parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<ApiSettings>,
    /// Changes of holder that this node made, the oldest first.
    pub history: Vec<Change>,
    /// Moves measured by `eipctl drill` on this node, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drills: Vec<DrillFigures>,
}

/// A public address and its allocation, as EC2 returned them together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The public address itself.
    pub public_ip: Ipv4Addr,
    /// Allocation id, `eipalloc-...`.
    pub allocation: AllocationId,
    /// The region of both, for when instance metadata is silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// The route tables that a query of EC2 found to be in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownTables {
    /// The overlay address that they have a route for.
    pub overlay_ip: IpAddr,
    /// The parameter by which they were found.
    pub routing_table: String,
    /// Their ids, sorted.
    pub ids: Vec<RouteTableId>,
}

/// A public address that was on our private address before ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Displaced {
    /// The public address itself. Only when it is restored does the agent check that it is an Elastic IP.
    pub public_ip: Ipv4Addr,
    /// Interface that it was on.
    pub interface: InterfaceId,
    /// Private address that it was on.
    pub private_ip: Ipv4Addr,
    /// Whether it was restored; kept for the next start, when instance metadata may not show it yet.
    #[serde(default)]
    pub put_back: bool,
    /// When the call that restores it was sent. Until `put_back` it is not answered, and may still take effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
}

/// When a call was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Boot id at that time.
    pub boot: String,
    /// Milliseconds since boot.
    pub at_ms: u64,
}

/// A change of holder made by this node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When the action finished, in milliseconds since 1970.
    pub at_ms: u64,
    /// Action that made it, for example `start`.
    pub action: String,
    /// Previous holder, or `unassigned`.
    pub from: String,
    /// New holder, or `unassigned`.
    pub to: String,
    /// Association that was made or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub association: Option<AssociationId>,
    /// How long the whole action took, in milliseconds.
    pub took_ms: u64,
    /// The address, as operators know it; empty in entries of 0.1.0.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// The cluster's name for this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// How long each part of it took, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<PhaseTime>,
}

/// How long a part of a change took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseTime {
    /// Name of the part, for the log: `looking`, `associate`, `confirm`, ...
    pub phase: String,
    /// In milliseconds.
    pub ms: u64,
}

impl PhaseTime {
    /// A part that took this long.
    pub fn new(phase: &str, took: Duration) -> Self {
        Self { phase: phase.to_owned(), ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX) }
    }
}

/// What happened to a resource on this node since boot, in numbers for `eipctl metrics`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Changes of holder, by action.
    pub moves: BTreeMap<String, u64>,
    /// Failed actions, by action and the scope of the failure.
    pub failures: BTreeMap<String, BTreeMap<String, u64>>,
    /// Actions in which EC2 and instance metadata contradicted each other.
    pub disagreements: u64,
    /// When `eipctl metrics` last found out whether the address is here, in seconds since 1970.
    pub checked: Option<u64>,
}

/// One move of a drill, measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillFigures {
    /// When it began, in milliseconds since 1970.
    pub at_ms: u64,
    /// Node that ran the resource before.
    pub from: String,
    /// Node that runs it now.
    pub to: String,
    /// A failure moved it, not a request.
    #[serde(default)]
    pub by_failure: bool,
    /// Until the cluster was done, in milliseconds.
    pub took_ms: u64,
    /// Bounds of the time without a holder, in milliseconds.
    pub unassigned_ms: (u64, u64),
    /// Longest time in which clients could not connect, in milliseconds; `None` if there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage_ms: Option<u64>,
}

/// Number of changes kept, and of measured moves.
pub const HISTORY: usize = 100;

impl Durable {
    /// Appends a change, and drops the oldest ones past [`HISTORY`].
    pub fn remember(&mut self, change: Change) {
        self.history.push(change);
        let surplus = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..surplus);
    }

    /// Appends measured moves, and drops the oldest ones past [`HISTORY`].
    pub fn remember_drill(&mut self, moves: Vec<DrillFigures>) {
        self.drills.extend(moves);
        let surplus = self.drills.len().saturating_sub(HISTORY);
        self.drills.drain(..surplus);
    }
}

/// The records of one resource on this node.
///
/// A failed write is logged, not returned: no action depends on it.
pub trait Records: Sized {
    /// Held by the one process that may make mutating calls for a private address; released on drop.
    type Lock;

    /// State until the next boot; empty if nothing usable is on record.
    fn volatile(&self) -> Volatile;

    /// Changes it atomically. Concurrent updates are not lost.
    fn update_volatile(&self, change: impl FnOnce(&mut Volatile));

    /// State that survives a reboot; empty if nothing usable is on record.
    fn durable(&self) -> Durable;

    /// Changes it atomically, as [`Self::update_volatile`].
    fn update_durable(&self, change: impl FnOnce(&mut Durable));

    /// Changes the numbers for `eipctl metrics`. Nothing depends on them.
    fn update_tally(&self, _change: impl FnOnce(&mut Tally)) {}

    /// The records of the other resources on this node, by name.
    fn others(&self) -> Vec<(String, Self)>;

    /// Waits for this node's lock on a private address, which all resources share; `None` if another process still has
    /// it at the deadline.
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
        let overlay = r#"{"phase": "started", "at_ms": 1, "boot": "b", "instance": "i-00000000000000001",
            "interface": "eni-00000000000000001", "mac": "02:00:00:00:00:01", "overlay_ip": "192.168.10.1"}"#;
        let overlay: Volatile = serde_json::from_str(overlay).unwrap();
        assert_eq!(overlay.overlay().map(|record| record.overlay_ip), "192.168.10.1".parse().ok());
        assert_eq!((overlay.elastic_ip(), overlay.secondary_private_ip()), (None, None));
        for record in [serde_json::from_str::<Volatile>(eip).unwrap(), record, overlay] {
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
