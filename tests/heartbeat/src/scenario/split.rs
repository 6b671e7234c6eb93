//! A pair such as that of `quick`, cut in two: each node believes that it is alone, and both meet again.

use cluster::error::Result;
use cluster::wait::{Look, until};
use cluster::witness::Story;

use super::{RETURN_LIMIT, Scenario, TAKEOVER_LIMIT, nodes, start};
use crate::pair::Pair;

/// In order: each begins as the one before ends.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "split-start",
        about: "Heartbeat starts on both nodes: the preferred one takes the address",
        run: start,
    },
    Scenario {
        name: "link-down",
        about: "the active node's interface goes down: its calls fail at once",
        run: link_down,
    },
    Scenario {
        name: "heal-link-down",
        about: "it comes up again: two nodes that both believed to be alone meet",
        run: heal,
    },
    Scenario {
        name: "peer-link-down",
        about: "the other node's interface goes down: Heartbeat starts elastic-ip there, with no way to EC2",
        run: split,
    },
    Scenario {
        name: "heal-peer-link-down",
        about: "it comes up again, with ON_STOP=leave: the address serves while Heartbeat begins anew",
        run: heal_split,
    },
];

fn link_down(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.cut(one)?;
    story.failure(at, two, "ip link set eth0 down on n1");
    pair.settle(two, TAKEOVER_LIMIT)?;
    pair.ensure_moved(at, &[two])
}

fn split(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    for node in [one, two] {
        pair.node(node)?.run(&["sh", "-c", "echo ON_STOP=leave >>/etc/default/elastic-ip"])?;
    }
    let calls = pair.calls(two, "start")?;
    let at = pair.cut(two)?;
    story.failure(at, one, "ip link set eth0 down on n2");
    until("Heartbeat on server2 starts elastic-ip", TAKEOVER_LIMIT, || {
        let more = pair.calls(two, "start")? > calls;
        Ok(if more { Look::There(()) } else { Look::NotYet("no call in its log".to_owned()) })
    })?;
    pair.settle(one, TAKEOVER_LIMIT)?;
    pair.ensure_moved(at, &[])?;
    pair.ensure_always_held(at)?;
    pair.ensure_status(two, false)
}

fn heal_split(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.repair(two)?;
    story.failure(at, one, "ip link set eth0 up on n2");
    pair.settle(one, RETURN_LIMIT)?;
    pair.ensure_always_held(at)?;
    pair.ensure_status(one, true)?;
    pair.ensure_status(two, false)
}

fn heal(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.repair(one)?;
    story.failure(at, one, "ip link set eth0 up on n1");
    // Heartbeat gives up everything on both sides and begins anew.
    pair.settle(one, RETURN_LIMIT)?;
    pair.ensure_status(one, true)?;
    pair.ensure_status(two, false)
}
