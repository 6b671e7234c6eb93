//! What was done in a round, when, and to which node; and what that explains. Pure.

use super::failure::Disruption;
use crate::topology::NodeName;
use crate::wait::Epoch;

/// A failure that was brought about.
#[derive(Debug, Clone, PartialEq)]
pub struct Struck {
    pub failure: Disruption,
    /// `None` for all nodes.
    pub node: Option<NodeName>,
    /// When it began.
    pub from: Epoch,
    /// When it ended; `None` while it lasts.
    pub to: Option<Epoch>,
    /// Number of agents killed, for a hunt.
    pub killed: Option<usize>,
    /// Something worth reporting, such as a refused command.
    pub note: Option<String>,
}

impl Struck {
    /// True if it was in force on the node at any time between `from` and `to`.
    pub fn touches(&self, node: NodeName, from: Epoch, to: Epoch) -> bool {
        self.node.is_none_or(|own| own == node) && self.from <= to && self.to.is_none_or(|end| end >= from)
    }
}

/// True if a node could not rely on EC2 at some time between `from` and `to`, because answers were missing or stale.
pub fn api_in_trouble(struck: &[Struck], node: NodeName, from: Epoch, to: Epoch) -> bool {
    any(struck, node, from, to, |failure| {
        matches!(
            failure,
            Disruption::ApiIll(_)
                | Disruption::AnswersLost(_)
                | Disruption::DescribesOld(_)
                | Disruption::LinkDown
                | Disruption::Blackhole
                | Disruption::NodeStopped
        )
    })
}

/// True if a node could not rely on its metadata service at some time between `from` and `to`.
pub fn metadata_in_trouble(struck: &[Struck], node: NodeName, from: Epoch, to: Epoch) -> bool {
    any(struck, node, from, to, |failure| {
        matches!(failure, Disruption::MetadataIll(_) | Disruption::MetadataOld(_) | Disruption::NodeStopped)
    })
}

/// True if actions of a node may have been killed, or their results lost, between `from` and `to`.
pub fn actions_cut_short(struck: &[Struck], node: NodeName, from: Epoch, to: Epoch) -> bool {
    any(struck, node, from, to, |failure| {
        matches!(
            failure,
            Disruption::AgentsKilled(_)
                | Disruption::DaemonKilled(_)
                | Disruption::DaemonStopped(_)
                | Disruption::NodeStopped
                | Disruption::CorosyncKilled
                | Disruption::Left
                | Disruption::PowerCut
        )
    })
}

fn any(struck: &[Struck], node: NodeName, from: Epoch, to: Epoch, is: impl Fn(&Disruption) -> bool) -> bool {
    struck.iter().any(|one| is(&one.failure) && one.touches(node, from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_counts_for_its_node_and_its_time() {
        let [n1, n2] = ["n1", "n2"].map(|name| name.parse().unwrap());
        let one = Struck {
            failure: Disruption::Blackhole,
            node: Some(n1),
            from: 10.0,
            to: Some(15.0),
            killed: None,
            note: None,
        };
        let struck = [one.clone()];
        assert!(api_in_trouble(&struck, n1, 14.0, 20.0));
        assert!(!api_in_trouble(&struck, n1, 15.1, 20.0));
        assert!(!api_in_trouble(&struck, n2, 10.0, 20.0));
        assert!(!metadata_in_trouble(&struck, n1, 10.0, 20.0), "it is within the machine");
        let all = [Struck { node: None, to: None, ..one }];
        assert!(api_in_trouble(&all, n2, 100.0, 200.0));
    }
}
