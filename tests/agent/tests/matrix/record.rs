//! What a node remembers of a start or a probe: made once by the agent itself, and copied from then on. The simulator gives the
//! same names in every world; only the association differs.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::OnceLock;

use agent_tests::{Node, World};

/// The texts of the records, and the association in them.
struct Texts {
    volatile: String,
    durable: String,
    association: String,
}

/// Gives a node that holds the address the records of the start that took it.
pub(crate) fn started(world: &World, node: &Node) {
    static TEXTS: OnceLock<Texts> = OnceLock::new();
    let texts = TEXTS.get_or_init(|| {
        let (world, [here, _]) = World::new::<2>();
        here.start().ok();
        texts(&world, &here)
    });
    let association = world.cloud.holder(&world.address).expect("a holder").association_id.to_string();
    for (path, text) in [(node.volatile_file(), &texts.volatile), (node.durable_file(), &texts.durable)] {
        assert!(text.contains(node.address.allocation_id.as_str()) || text.contains(node.eni().as_str()));
        write(&path, &text.replace(&texts.association, &association));
    }
}

/// Gives a node the records of a probe that did not find the address there.
pub(crate) fn probed(node: &Node) {
    static TEXTS: OnceLock<Texts> = OnceLock::new();
    let texts = TEXTS.get_or_init(|| {
        let (world, [here, peer]) = World::new::<2>();
        world.give(&peer);
        here.probe().expect(7);
        texts(&world, &here)
    });
    assert!(texts.durable.contains(node.address.allocation_id.as_str()));
    write(&node.durable_file(), &texts.durable);
}

fn texts(world: &World, node: &Node) -> Texts {
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let holder = world.cloud.holder(&world.address).expect("a holder");
    Texts {
        volatile: read(&node.volatile_file()),
        durable: read(&node.durable_file()),
        association: holder.association_id.to_string(),
    }
}

fn write(path: &Path, text: &str) {
    let folder = path.parent().expect("a folder");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).expect("the folder of the records");
    let mut file = fs::OpenOptions::new();
    let mut file = file.write(true).create_new(true).mode(0o600).open(path).expect("a record");
    std::io::Write::write_all(&mut file, text.as_bytes()).expect("its text");
}
