//! How failures are made good.

use std::time::Duration;

use aws_sim::{FaultId, ImdsState};

use super::hunter::Hunter;
use super::strike::id_of;
use super::struck::Struck;
use crate::error::Result;
use crate::pacemaker::PacemakerCluster;
use crate::topology::NodeName;

/// How a failure is made good.
#[derive(Debug)]
pub enum Undo {
    /// It is over by itself.
    Nothing,
    /// The node is repaired.
    Repair(NodeName),
    /// The node's processes go on.
    GoOn(NodeName),
    /// The path between two nodes is there again.
    Join(NodeName, NodeName),
    /// The hunt ends, and the metadata service is as quick as ever.
    Hunt(Hunter, FaultId),
    /// The faults end.
    Faults(Vec<FaultId>),
    /// EC2 shows what is true.
    Describes,
    /// The metadata services work.
    Metadata(Vec<NodeName>),
    /// The metadata services show what is true.
    MetadataLag(Vec<NodeName>),
    /// An order of an administrator takes it back.
    Order(Vec<String>),
}

impl Undo {
    /// Makes it good, and notes in `struck` what there is to tell. Returns an order that has to be given again because it was refused.
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
