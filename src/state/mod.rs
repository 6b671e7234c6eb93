//! What this node remembers between actions.
//!
//! Nothing here is needed to be right: a record that is missing, foreign or damaged costs a look at EC2, never an action.

use std::net::Ipv4Addr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::ids::{AllocationId, AssociationId, InstanceId, InterfaceId, MacAddress, SubnetId};
use crate::params::ApiSettings;

mod file;
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
    /// The address it was done with.
    pub elastic_ip: Option<Ipv4Addr>,
    /// The instance this node is.
    pub instance: Option<InstanceId>,
    /// The interface the address was put on.
    pub interface: Option<InterfaceId>,
    /// That interface's hardware address.
    pub mac: Option<MacAddress>,
    /// The private address on that interface.
    pub private_ip: Option<Ipv4Addr>,
    /// The association that was made.
    pub association: Option<AssociationId>,
    /// Of a resource `vip`: the secondary private address it was done with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_private_ip: Option<Ipv4Addr>,
    /// Of a resource `vip`: the interface's own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_ip_of_interface: Option<Ipv4Addr>,
    /// Of a resource `vip`: the interface's subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<SubnetId>,
    /// Of a resource `vip`: the addresses of that subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr: Option<String>,
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
    /// Whether it was put back; kept for the next start, to which the metadata may not show it yet.
    #[serde(default)]
    pub put_back: bool,
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
pub trait Records {
    /// Returns what is true until the next boot; empty where nothing usable is on record.
    fn volatile(&self) -> Volatile;

    /// Replaces it, atomically. A failure is logged, not returned: no action depends on it.
    fn set_volatile(&self, record: &Volatile);

    /// Returns what outlives a boot; empty where nothing usable is on record.
    fn durable(&self) -> Durable;

    /// Replaces it, atomically. A failure is logged, not returned.
    fn set_durable(&self, record: &Durable);

    /// Returns the volatile records of the other resources on this node, by name.
    fn others(&self) -> Vec<(String, Volatile)>;
}
