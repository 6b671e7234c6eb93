//! What can go wrong in a round, and which nodes it strikes.

use std::fmt::{self, Display};
use std::time::Duration;

use aws_sim::{FaultKind, ImdsState};

use crate::pacemaker::{ELASTIC, ManagedAddress, OVERLAY_BESIDE, PRIVATE};

/// Which nodes a failure strikes, by role: the holder of the address is not known before the round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// The node that holds the address when the round begins.
    Holder,
    /// One of the other nodes, by number.
    Other(u8),
    /// All nodes; for failures of a service.
    All,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Disruption {
    /// Every process dies at once, and the address stops answering.
    PowerCut,
    /// The interface is down.
    LinkDown,
    /// Packets vanish.
    Blackhole,
    /// The other nodes are unreachable; the cloud is not.
    PeersLost,
    /// One of two other nodes is unreachable.
    PathBroken,
    CorosyncKilled,
    /// Pacemaker and Corosync are stopped cleanly.
    Left,
    /// Every process is stopped and continued later, like a machine without CPU time.
    NodeStopped,
    /// A daemon of the cluster is stopped and continued later.
    DaemonStopped(&'static str),
    /// A daemon of the cluster is killed; Pacemaker restarts it.
    DaemonKilled(&'static str),
    /// Every agent that is started is killed this long after it was first seen.
    AgentsKilled(Duration),
    /// Calls to EC2 and STS fail.
    ApiIll(FaultKind),
    /// Mutating calls take effect, and their responses are lost.
    AnswersLost(FaultKind),
    /// EC2 shows the state of this long ago.
    DescribesOld(Duration),
    /// The metadata service fails.
    MetadataIll(ImdsState),
    /// The metadata service shows the state of this long ago.
    MetadataOld(Duration),
    /// An administrator puts the node into standby, and later back online.
    Standby,
    /// An administrator moves the resource to the node, and later clears the constraint.
    MovedTo,
    /// An administrator bans the resource from the node, and later clears the constraint.
    Banned,
    /// The address is disassociated behind the cluster's back.
    TakenAway,
    /// The address is associated with the node behind the cluster's back.
    GivenTo,
    /// The private address is unassigned behind the cluster's back.
    PrivateTakenAway,
    /// The private address is assigned to the node behind the cluster's back.
    PrivateGivenTo,
    /// One of the route tables is led to no node behind the cluster's back.
    RouteTaken,
    /// All route tables are led to the node behind the cluster's back.
    RoutesGivenTo,
}

/// Names of all kinds of failure, in the order of the tables.
pub const KINDS: [&str; 25] = [
    "power cut",
    "link down",
    "packets dropped",
    "other nodes unreachable",
    "one path broken",
    "Corosync killed",
    "clean shutdown",
    "node stopped",
    "daemon stopped",
    "daemon killed",
    "agents killed",
    "EC2 failing",
    "EC2's responses lost",
    "EC2 behind",
    "metadata failing",
    "metadata behind",
    "standby",
    "moved",
    "banned",
    "taken away",
    "given away",
    "private address taken away",
    "private address given away",
    "a route taken away",
    "routes given away",
];

impl Disruption {
    /// Index of its kind in [`KINDS`].
    pub fn kind(&self) -> usize {
        match self {
            Self::PowerCut => 0,
            Self::LinkDown => 1,
            Self::Blackhole => 2,
            Self::PeersLost => 3,
            Self::PathBroken => 4,
            Self::CorosyncKilled => 5,
            Self::Left => 6,
            Self::NodeStopped => 7,
            Self::DaemonStopped(_) => 8,
            Self::DaemonKilled(_) => 9,
            Self::AgentsKilled(_) => 10,
            Self::ApiIll(_) => 11,
            Self::AnswersLost(_) => 12,
            Self::DescribesOld(_) => 13,
            Self::MetadataIll(_) => 14,
            Self::MetadataOld(_) => 15,
            Self::Standby => 16,
            Self::MovedTo => 17,
            Self::Banned => 18,
            Self::TakenAway => 19,
            Self::GivenTo => 20,
            Self::PrivateTakenAway => 21,
            Self::PrivateGivenTo => 22,
            Self::RouteTaken => 23,
            Self::RoutesGivenTo => 24,
        }
    }

    pub fn name(&self) -> &'static str {
        KINDS.get(self.kind()).copied().unwrap_or_default()
    }

    /// True if it affects the node's machine, processes or network as a whole. A node can have only one such failure at a time.
    pub fn claims_node(&self) -> bool {
        self.kind() <= 10
    }

    /// True if the cluster cannot use the node while it lasts.
    pub fn takes_node_out(&self) -> bool {
        self.kind() <= 7
    }

    /// True if the node keeps running alone meanwhile, or believes afterwards that it is alone.
    pub fn leaves_node_alone(&self) -> bool {
        matches!(self, Self::LinkDown | Self::Blackhole | Self::PeersLost | Self::NodeStopped)
    }

    /// True if a service of the cloud fails, not a node.
    pub fn is_of_services(&self) -> bool {
        (11..=15).contains(&self.kind())
    }

    /// True if it has no duration.
    pub fn is_momentary(&self) -> bool {
        matches!(
            self,
            Self::DaemonKilled(_)
                | Self::TakenAway
                | Self::GivenTo
                | Self::PrivateTakenAway
                | Self::PrivateGivenTo
                | Self::RouteTaken
                | Self::RoutesGivenTo
        )
    }

    /// The only address that it concerns; `None` if it concerns all of them.
    pub fn address(&self) -> Option<&'static ManagedAddress> {
        match self {
            Self::MovedTo | Self::Banned | Self::TakenAway | Self::GivenTo => Some(&ELASTIC),
            Self::PrivateTakenAway | Self::PrivateGivenTo => Some(&PRIVATE),
            Self::RouteTaken | Self::RoutesGivenTo => Some(&OVERLAY_BESIDE),
            _ => None,
        }
    }
}

impl Display for Disruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Self::DaemonStopped(daemon) | Self::DaemonKilled(daemon) => write!(f, "{name}: {daemon}"),
            Self::AgentsKilled(after) => write!(f, "{name} after {} ms", after.as_millis()),
            Self::ApiIll(FaultKind::Error { status, .. }) => write!(f, "{name}: {status}"),
            Self::ApiIll(kind) | Self::AnswersLost(kind) => write!(f, "{name}: {}", kind.name()),
            Self::DescribesOld(lag) | Self::MetadataOld(lag) => {
                write!(f, "{name} by {:.1} s", lag.as_secs_f64())
            }
            Self::MetadataIll(state) => write!(f, "{name}: {state:?}"),
            _ => f.write_str(name),
        }
    }
}

impl Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holder => f.write_str("holder"),
            Self::Other(number) => write!(f, "other {}", number + 1),
            Self::All => f.write_str("all"),
        }
    }
}
