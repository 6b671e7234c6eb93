//! The actions, each in the situations in which it makes different calls.

use agent_tests::{Action, AddressKind, Node, Run, TwoNodes};

use crate::record;

/// What an action is for the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
    /// Actions that ask nobody.
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
    Nobody,
}

/// An action in a situation.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
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
    pub(crate) run: Action,
}

impl Scene {
    /// What it returns where nothing goes wrong, and who holds an address of this kind then.
    pub(crate) fn usual_for(&self, kind: &AddressKind) -> (i32, Who) {
        let (code, holder) = self.usual;
        if self.kind == Kind::Stop && !kind.is_released { (code, self.before) } else { (code, holder) }
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

const BASE: Scene = Scene {
    name: "",
    kind: Kind::Silent,
    before: Who::Here,
    usual: (0, Who::Here),
    started: true,
    region_known: true,
    settling: false,
    prepare: started,
    run: Node::start,
};

/// All of them.
pub(crate) static SCENES: [Scene; 22] = [
    Scene {
        name: "start, first look",
        kind: Kind::Start,
        before: Who::Peer,
        started: false,
        region_known: false,
        prepare: peer_holds,
        ..BASE
    },
    Scene {
        name: "start, pair on record",
        kind: Kind::Start,
        before: Who::Peer,
        started: false,
        region_known: true,
        prepare: peer_holds_and_probed,
        ..BASE
    },
    Scene {
        name: "start again after a loss",
        kind: Kind::Start,
        before: Who::Peer,
        prepare: started_then_lost,
        run: |node| node.start().param("settle_window", "0"),
        ..BASE
    },
    Scene {
        name: "start, here already",
        kind: Kind::Start,
        settling: true,
        run: |node| settling(node.start()),
        ..BASE
    },
    Scene {
        name: "stop",
        kind: Kind::Stop,
        usual: (0, Who::Nobody),
        run: |node| node.stop().param("settle_window", "0"),
        ..BASE
    },
    Scene {
        name: "stop after a start",
        kind: Kind::Stop,
        usual: (0, Who::Nobody),
        settling: true,
        run: Node::stop,
        ..BASE
    },
    Scene {
        name: "stop, strict",
        kind: Kind::Stop,
        usual: (0, Who::Nobody),
        settling: true,
        run: |node| settling(node.stop().param("on_stop", "strict")),
        ..BASE
    },
    Scene {
        name: "stop, late",
        kind: Kind::Stop,
        before: Who::Peer,
        usual: (0, Who::Peer),
        prepare: started_then_lost,
        run: |node| node.stop().param("settle_window", "0"),
        ..BASE
    },
    Scene {
        name: "stop, late, after a start",
        kind: Kind::Stop,
        before: Who::Peer,
        usual: (0, Who::Peer),
        settling: true,
        prepare: started_then_lost,
        run: |node| settling(node.stop()),
        ..BASE
    },
    Scene {
        name: "stop, no record",
        kind: Kind::Stop,
        usual: (0, Who::Nobody),
        started: false,
        region_known: false,
        prepare: given,
        run: Node::stop,
        ..BASE
    },
    Scene { name: "monitor", kind: Kind::Monitor, run: Node::settled_monitor, ..BASE },
    Scene {
        name: "monitor after a start",
        kind: Kind::Monitor,
        settling: true,
        run: |node| settling(node.monitor()),
        ..BASE
    },
    Scene {
        name: "monitor, lost",
        kind: Kind::Monitor,
        before: Who::Peer,
        usual: (7, Who::Peer),
        prepare: started_then_lost,
        run: Node::settled_monitor,
        ..BASE
    },
    Scene {
        name: "monitor 10",
        kind: Kind::Monitor,
        run: |node| node.settled_monitor().env("OCF_CHECK_LEVEL", "10"),
        ..BASE
    },
    Scene {
        name: "monitor 10, lost",
        kind: Kind::Monitor,
        before: Who::Peer,
        usual: (7, Who::Peer),
        prepare: started_then_lost,
        run: |node| node.settled_monitor().env("OCF_CHECK_LEVEL", "10"),
        ..BASE
    },
    Scene { name: "probe", kind: Kind::Probe, settling: true, run: |node| settling(node.probe()), ..BASE },
    Scene {
        name: "probe, first look",
        kind: Kind::Probe,
        before: Who::Peer,
        usual: (7, Who::Peer),
        started: false,
        region_known: false,
        prepare: peer_holds,
        run: Node::probe,
        ..BASE
    },
    Scene {
        name: "validate-all",
        before: Who::Peer,
        usual: (0, Who::Peer),
        started: false,
        region_known: false,
        prepare: peer_holds,
        run: |node| node.run("validate-all"),
        ..BASE
    },
    Scene {
        name: "validate-all 10",
        kind: Kind::Validate,
        before: Who::Peer,
        usual: (0, Who::Peer),
        started: false,
        region_known: false,
        prepare: peer_holds,
        run: Node::validate,
        ..BASE
    },
    Scene {
        name: "migrate_to",
        kind: Kind::MigrateTo,
        settling: true,
        run: |node| settling(node.run("migrate_to")),
        ..BASE
    },
    Scene {
        name: "migrate_from",
        kind: Kind::Start,
        before: Who::Peer,
        started: false,
        region_known: true,
        prepare: peer_holds_and_probed,
        run: |node| node.run("migrate_from"),
        ..BASE
    },
    Scene { name: "reload-agent", run: |node| node.run("reload-agent"), ..BASE },
];
