//! The actions, each in the situations in which it makes different calls.

use agent_tests::{AddressKind, Node, NodeAction, Run, TwoNodes};

use crate::record;

/// What an action is for the rules.
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

/// Who holds the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// The node that the action runs on.
    Here,
    /// The other node.
    Peer,
    /// Neither.
    NoNode,
}

/// An action in a situation.
pub(crate) struct MatrixScene {
    pub(crate) name: &'static str,
    pub(crate) kind: ActionKind,
    /// Who holds the address before it.
    pub(crate) before: Who,
    /// What it returns where nothing goes wrong, and who holds the address then.
    pub(crate) usual: (i32, Who),
    /// Whether this node has done a start in this boot.
    pub(crate) started: bool,
    /// Whether the address and its allocation, with the region, are on record; they are after a start.
    pub(crate) region_known: bool,
    /// Whether its settling window is open.
    pub(crate) settling: bool,
    prepare: fn(&TwoNodes),
    pub(crate) run: NodeAction,
}

impl MatrixScene {
    /// What it returns where nothing goes wrong, and who holds an address of this kind then.
    pub(crate) fn usual_for(&self, kind: &AddressKind) -> (i32, Who) {
        let (code, holder) = self.usual;
        if self.kind == ActionKind::Stop && !kind.is_released { (code, self.before) } else { (code, holder) }
    }

    /// Brings the situation about.
    pub(crate) fn prepare(&self, nodes: &TwoNodes) {
        (self.prepare)(nodes);
        nodes.world.cloud.clear_log();
    }
}

fn peer_holds(nodes: &TwoNodes) {
    nodes.give(&nodes.peer);
}

fn peer_holds_and_probed(nodes: &TwoNodes) {
    nodes.give(&nodes.peer);
    record::probed(nodes);
}

fn started(nodes: &TwoNodes) {
    nodes.give(&nodes.here);
    record::started(nodes);
}

fn started_then_lost(nodes: &TwoNodes) {
    started(nodes);
    nodes.give(&nodes.peer);
}

fn given(nodes: &TwoNodes) {
    nodes.give(&nodes.here);
}

/// Keeps the settling window open however long ago the record was made.
fn settling(run: Run) -> Run {
    run.param("settle_window", "3600")
}

const BASE: MatrixScene = MatrixScene {
    name: "",
    kind: ActionKind::Silent,
    before: Who::Here,
    usual: (0, Who::Here),
    started: true,
    region_known: true,
    settling: false,
    prepare: started,
    run: Node::start,
};

/// All of them.
pub(crate) static SCENES: [MatrixScene; 22] = [
    MatrixScene {
        name: "start, first query",
        kind: ActionKind::Start,
        before: Who::Peer,
        started: false,
        region_known: false,
        prepare: peer_holds,
        ..BASE
    },
    MatrixScene {
        name: "start, pair on record",
        kind: ActionKind::Start,
        before: Who::Peer,
        started: false,
        region_known: true,
        prepare: peer_holds_and_probed,
        ..BASE
    },
    MatrixScene {
        name: "start again after a loss",
        kind: ActionKind::Start,
        before: Who::Peer,
        prepare: started_then_lost,
        run: |node| node.start().param("settle_window", "0"),
        ..BASE
    },
    MatrixScene {
        name: "start, here already",
        kind: ActionKind::Start,
        settling: true,
        run: |node| settling(node.start()),
        ..BASE
    },
    MatrixScene {
        name: "stop",
        kind: ActionKind::Stop,
        usual: (0, Who::NoNode),
        run: |node| node.stop().param("settle_window", "0"),
        ..BASE
    },
    MatrixScene {
        name: "stop after a start",
        kind: ActionKind::Stop,
        usual: (0, Who::NoNode),
        settling: true,
        run: Node::stop,
        ..BASE
    },
    MatrixScene {
        name: "stop, strict",
        kind: ActionKind::Stop,
        usual: (0, Who::NoNode),
        settling: true,
        run: |node| settling(node.stop().param("on_stop", "strict")),
        ..BASE
    },
    MatrixScene {
        name: "stop, late",
        kind: ActionKind::Stop,
        before: Who::Peer,
        usual: (0, Who::Peer),
        prepare: started_then_lost,
        run: |node| node.stop().param("settle_window", "0"),
        ..BASE
    },
    MatrixScene {
        name: "stop, late, after a start",
        kind: ActionKind::Stop,
        before: Who::Peer,
        usual: (0, Who::Peer),
        settling: true,
        prepare: started_then_lost,
        run: |node| settling(node.stop()),
        ..BASE
    },
    MatrixScene {
        name: "stop, no record",
        kind: ActionKind::Stop,
        usual: (0, Who::NoNode),
        started: false,
        region_known: false,
        prepare: given,
        run: Node::stop,
        ..BASE
    },
    MatrixScene { name: "monitor", kind: ActionKind::Monitor, run: Node::settled_monitor, ..BASE },
    MatrixScene {
        name: "monitor after a start",
        kind: ActionKind::Monitor,
        settling: true,
        run: |node| settling(node.monitor()),
        ..BASE
    },
    MatrixScene {
        name: "monitor, lost",
        kind: ActionKind::Monitor,
        before: Who::Peer,
        usual: (7, Who::Peer),
        prepare: started_then_lost,
        run: Node::settled_monitor,
        ..BASE
    },
    MatrixScene {
        name: "monitor 10",
        kind: ActionKind::Monitor,
        run: |node| node.settled_monitor().env("OCF_CHECK_LEVEL", "10"),
        ..BASE
    },
    MatrixScene {
        name: "monitor 10, lost",
        kind: ActionKind::Monitor,
        before: Who::Peer,
        usual: (7, Who::Peer),
        prepare: started_then_lost,
        run: |node| node.settled_monitor().env("OCF_CHECK_LEVEL", "10"),
        ..BASE
    },
    MatrixScene {
        name: "probe",
        kind: ActionKind::Probe,
        settling: true,
        run: |node| settling(node.probe()),
        ..BASE
    },
    MatrixScene {
        name: "probe, first query",
        kind: ActionKind::Probe,
        before: Who::Peer,
        usual: (7, Who::Peer),
        started: false,
        region_known: false,
        prepare: peer_holds,
        run: Node::probe,
        ..BASE
    },
    MatrixScene {
        name: "validate-all",
        before: Who::Peer,
        usual: (0, Who::Peer),
        started: false,
        region_known: false,
        prepare: peer_holds,
        run: |node| node.run("validate-all"),
        ..BASE
    },
    MatrixScene {
        name: "validate-all 10",
        kind: ActionKind::Validate,
        before: Who::Peer,
        usual: (0, Who::Peer),
        started: false,
        region_known: false,
        prepare: peer_holds,
        run: Node::validate,
        ..BASE
    },
    MatrixScene {
        name: "migrate_to",
        kind: ActionKind::MigrateTo,
        settling: true,
        run: |node| settling(node.run("migrate_to")),
        ..BASE
    },
    MatrixScene {
        name: "migrate_from",
        kind: ActionKind::Start,
        before: Who::Peer,
        started: false,
        region_known: true,
        prepare: peer_holds_and_probed,
        run: |node| node.run("migrate_from"),
        ..BASE
    },
    MatrixScene { name: "reload-agent", run: |node| node.run("reload-agent"), ..BASE },
];
