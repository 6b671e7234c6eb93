//! The packaged examples as they are: VRRP version 2, `advert_int 1`, every state told, and no way back by itself.

use cluster::error::Result;
use cluster::witness::Story;

use super::{LIMIT, Scenario, kill_node, nodes, start};
use crate::pair::Pair;

/// In order: each begins as the one before ends.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "v2-start",
        about: "keepalived starts on both nodes, and the first takes the address",
        run: start,
    },
    Scenario { name: "v2-kill-node", about: "the active node loses power", run: kill_node },
    Scenario {
        name: "v2-return",
        about: "it comes back, as a backup, and gets its own address back",
        run: come_back,
    },
    Scenario { name: "v2-sigterm", about: "keepalived is stopped on the active node", run: stop },
    Scenario { name: "v2-start-again", about: "and started again, as a backup", run: start_again },
    Scenario {
        name: "v2-link-down",
        about: "the active node's interface goes down: FAULT, and its calls fail at once",
        run: link_down,
    },
    Scenario { name: "v2-link-up", about: "it comes up again", run: link_up },
];

fn come_back(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.repair(one)?;
    story.failure(at, two, "n1 boots again and starts keepalived");
    pair.settle(two, LIMIT)?;
    pair.ensure_moved(at, &[])?;
    pair.ensure_status(one, false)
}

fn stop(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.stop_keepalived(two)?;
    story.failure(at, one, "SIGTERM to keepalived on n2");
    pair.settle(one, LIMIT)?;
    pair.ensure_moved(at, &[one])
}

fn start_again(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.start_keepalived(two)?;
    story.failure(at, one, "keepalived is started on n2 again");
    pair.settle(one, LIMIT)?;
    pair.ensure_moved(at, &[])
}

fn link_down(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.cut(one)?;
    story.failure(at, two, "ip link set eth0 down on n1");
    pair.settle(two, LIMIT)?;
    pair.ensure_moved(at, &[two])
}

fn link_up(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.repair(one)?;
    story.failure(at, two, "ip link set eth0 up on n1");
    pair.settle(two, LIMIT)?;
    pair.ensure_moved(at, &[])
}
