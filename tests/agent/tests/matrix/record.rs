//! A node's records of a start or a probe: made once by the agent itself for each kind of address, and copied from then on. The simulator
//! gives the same names in every world; only the association differs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::OnceLock;

use agent_tests::{KINDS, SHARED_OVERLAY, TwoNodes};

/// The texts of the records, and the parts that differ from world to world.
struct Texts {
    volatile: String,
    durable: String,
    hold: String,
}

/// The texts of each kind, by its name.
type TextsByKind = OnceLock<BTreeMap<&'static str, Texts>>;

/// Gives the node that holds the address the records of the start that took it.
pub(crate) fn started(nodes: &TwoNodes) {
    static TEXTS: TextsByKind = OnceLock::new();
    let texts = texts(&TEXTS, nodes, |fresh| {
        fresh.run(fresh.here.start()).ok();
    });
    let hold = hold(nodes);
    for (path, text) in
        [(nodes.here.volatile_file(), &texts.volatile), (nodes.here.durable_file(), &texts.durable)]
    {
        assert!(!text.is_empty(), "a start leaves records");
        write(&path, &text.replace(&texts.hold, &hold));
    }
}

/// Gives the node the durable record of a probe that found the address at the peer, if this kind of address has one.
pub(crate) fn probed(nodes: &TwoNodes) {
    static TEXTS: TextsByKind = OnceLock::new();
    let texts = texts(&TEXTS, nodes, |fresh| {
        fresh.give(&fresh.peer);
        fresh.run(fresh.here.probe()).expect(7);
    });
    if !texts.durable.is_empty() {
        write(&nodes.here.durable_file(), &texts.durable);
    }
}

fn texts(all: &'static TextsByKind, nodes: &TwoNodes, make: impl Fn(&TwoNodes)) -> &'static Texts {
    let of = |kind: &'static agent_tests::AddressKind| {
        let fresh = kind.nodes();
        make(&fresh);
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        let (volatile, durable) = (read(&fresh.here.volatile_file()), read(&fresh.here.durable_file()));
        (kind.name, Texts { volatile, durable, hold: hold(&fresh) })
    };
    &all.get_or_init(|| KINDS.iter().chain([&SHARED_OVERLAY]).map(of).collect())[nodes.kind.name]
}

fn hold(nodes: &TwoNodes) -> String {
    nodes.holder().expect("a holder").1
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a folder");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).expect("the folder of the records");
    let mut file = fs::OpenOptions::new();
    let mut file = file.write(true).create_new(true).mode(0o600).open(path).expect("a record");
    std::io::Write::write_all(&mut file, text.as_bytes()).expect("its text");
}
