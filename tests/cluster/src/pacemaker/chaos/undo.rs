//! How failures are undone.

use std::time::Duration;

use aws_sim::{FaultId, ImdsState};

use super::hunter::Hunter;
use super::strike::id_of;
use super::struck::Struck;
use crate::error::Result;
use crate::pacemaker::PacemakerCluster;
use crate::topology::NodeName;

/// How a failure is undone.
#[derive(Debug)]
pub enum Undo {
    /// It ends by itself.
    Nothing,
    /// The node is repaired.
    Repair(NodeName),
    /// The node's processes are continued.
    GoOn(NodeName),
    /// The path between two nodes is restored.
    Join(NodeName, NodeName),
    /// The hunt ends, and the metadata service is fast again.
    Hunt(Hunter, FaultId),
    /// The faults end.
    Faults(Vec<FaultId>),
    /// EC2 shows the current state.
    Describes,
    /// The metadata services work again.
    Metadata(Vec<NodeName>),
    /// The metadata services show the current state.
    MetadataLag(Vec<NodeName>),
    /// An administrator's command takes it back.
    Order(Vec<String>),
}

impl Undo {
    /// Undoes it, and adds to `struck` what is worth reporting. Returns a command that was refused and has to be repeated.
    pub fn carry_out(
        self,
        cluster: &mut PacemakerCluster,
        struck: &mut Struck,
    ) -> Result<Option<Vec<String>>> {
        let cloud = cluster.world().cloud();
        match self {
            Self::Nothing => {}
            Self::Repair(node) => cluster.repair(node).map(drop)?,
            Self::GoOn(node) => cluster.go_on(node)?,
            Self::Join(one, other) => cluster.net().set_joined(one, other, true)?,
            Self::Hunt(hunter, fault) => {
                cloud.clear_fault(fault);
                struck.killed = Some(hunter.end());
            }
            Self::Faults(faults) => faults.into_iter().for_each(|fault| cloud.clear_fault(fault)),
            Self::Describes => cloud.set_describe_lag(Duration::ZERO),
            Self::Metadata(nodes) => {
                for node in nodes {
                    cluster.world().set_imds(node, ImdsState::On);
                }
            }
            Self::MetadataLag(nodes) => {
                for node in nodes {
                    cloud.set_imds_lag(&id_of(node), Duration::ZERO);
                }
            }
            Self::Order(words) => {
                if let Some(refused) = cluster.order(&words.iter().map(String::as_str).collect::<Vec<_>>())? {
                    struck.note.get_or_insert(format!("taking it back: {refused}"));
                    return Ok(Some(words));
                }
            }
        }
        Ok(None)
    }
}
