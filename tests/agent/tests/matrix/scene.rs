//! The actions, each in the situations in which it makes different calls.

use agent_tests::{AddressKind, Node, NodeAction, Run, TwoNodes};

use crate::record;

/// Type of an action, for the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActionKind {
    /// `start` and `migrate_from`.
    Start,
    /// `stop`.
    Stop,
    /// A recurring `monitor`.
    Monitor,
    /// A `monitor` without interval.
    Probe,
    /// `validate-all` at level 10.
    Validate,
    /// `migrate_to`.
    MigrateTo,
    /// Actions that query nothing.
    Silent,
}

/// The holder of the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The node that the action runs on.
    Here,
    /// The other node.
    Peer,
    /// Unassigned.
    NoNode,
}

/// What the node has done in this boot, and so what is on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// Nothing since the boot.
    Fresh,
    /// A probe that found the address at the peer: the address and its allocation, with the region, are on record.
    Probed,
    /// A start, so long ago that its settling window is over.
    Started,
    /// A start whose settling window is open.
    Settling,
}

/// An action in a situation.
pub(crate) struct MatrixScene {
    pub(crate) name: &'static str,
    pub(crate) kind: ActionKind,
    /// The holder before it.
    pub(crate) before: Who,
    pub(crate) past: Past,
    action: NodeAction,
}

impl MatrixScene {
    const fn new(name: &'static str, kind: ActionKind, past: Past, before: Who, action: NodeAction) -> Self {
        Self { name, kind, before, past, action }
    }

    /// Exit code without faults.
    pub(crate) fn usual_code(&self) -> i32 {
        let looks = matches!(self.kind, ActionKind::Monitor | ActionKind::Probe);
        if looks && self.before != Who::Here { 7 } else { 0 }
    }

    /// The allowed holder after it, besides the one before it.
    pub(crate) fn allowed(&self) -> Who {
        match self.kind {
            ActionKind::Start => Who::Here,
            ActionKind::Stop if self.before == Who::Here => Who::NoNode,
            _ => self.before,
        }
    }

    /// Holder of an address of this kind after it, without faults.
    pub(crate) fn usual_holder(&self, kind: &AddressKind) -> Who {
        if self.kind == ActionKind::Stop && !kind.is_released { self.before } else { self.allowed() }
    }

    /// True if this node has done a start in this boot.
    pub(crate) fn is_started(&self) -> bool {
        matches!(self.past, Past::Started | Past::Settling)
    }

    /// Brings the situation about.
    pub(crate) fn prepare(&self, nodes: &TwoNodes) {
        if self.is_started() {
            nodes.give(&nodes.here);
            record::started(nodes);
        }
        if self.before == Who::Peer {
            nodes.give(&nodes.peer);
        } else if !self.is_started() {
            nodes.give(&nodes.here);
        }
        if self.past == Past::Probed {
            record::probed(nodes);
        }
        nodes.world.cloud.clear_log();
    }

    /// Prepares the action, with a settling window that does not depend on the age of the record.
    pub(crate) fn run(&self, node: &Node) -> Run {
        let run = (self.action)(node);
        match self.past {
            Past::Fresh | Past::Probed => run,
            Past::Started => run.param("settle_window", "0"),
            Past::Settling => run.param("settle_window", "3600"),
        }
    }
}

/// A recurring monitor that queries EC2 as well.
fn monitor_10(node: &Node) -> Run {
    node.monitor().env("OCF_CHECK_LEVEL", "10")
}

/// Every scene, in the order of the report.
pub(crate) static SCENES: [MatrixScene; 22] = {
    use ActionKind::{MigrateTo, Monitor, Probe, Silent, Start, Stop, Validate};
    use Past::{Fresh, Probed, Settling, Started};
    use Who::{Here, Peer};
    [
        MatrixScene::new("start, first query", Start, Fresh, Peer, Node::start),
        MatrixScene::new("start, pair on record", Start, Probed, Peer, Node::start),
        MatrixScene::new("start again after a loss", Start, Started, Peer, Node::start),
        MatrixScene::new("start, here already", Start, Settling, Here, Node::start),
        MatrixScene::new("stop", Stop, Started, Here, Node::stop),
        MatrixScene::new("stop after a start", Stop, Settling, Here, Node::stop),
        MatrixScene::new("stop, strict", Stop, Settling, Here, |node| node.stop().param("on_stop", "strict")),
        MatrixScene::new("stop, late", Stop, Started, Peer, Node::stop),
        MatrixScene::new("stop, late, after a start", Stop, Settling, Peer, Node::stop),
        MatrixScene::new("stop, no record", Stop, Fresh, Here, Node::stop),
        MatrixScene::new("monitor", Monitor, Started, Here, Node::monitor),
        MatrixScene::new("monitor after a start", Monitor, Settling, Here, Node::monitor),
        MatrixScene::new("monitor, lost", Monitor, Started, Peer, Node::monitor),
        MatrixScene::new("monitor 10", Monitor, Started, Here, monitor_10),
        MatrixScene::new("monitor 10, lost", Monitor, Started, Peer, monitor_10),
        MatrixScene::new("probe", Probe, Settling, Here, Node::probe),
        MatrixScene::new("probe, first query", Probe, Fresh, Peer, Node::probe),
        MatrixScene::new("validate-all", Silent, Fresh, Peer, |node| node.run("validate-all")),
        MatrixScene::new("validate-all 10", Validate, Fresh, Peer, Node::validate),
        MatrixScene::new("migrate_to", MigrateTo, Settling, Here, |node| node.run("migrate_to")),
        MatrixScene::new("migrate_from", Start, Probed, Peer, |node| node.run("migrate_from")),
        MatrixScene::new("reload-agent", Silent, Started, Here, |node| node.run("reload-agent")),
    ]
};
