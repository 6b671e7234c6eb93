//! The packaged examples as they are: VRRP version 2, `advert_int 1`, every state told, and no way back by itself.

use std::time::Duration;

use cluster::error::{Result, ensure};
use cluster::wait::{let_run, now};
use cluster::witness::Story;

use super::{LIMIT, Scenario, kill_node, nodes, start, wait_for_holder, wait_for_look_after};
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
    Scenario {
        name: "v2-kill-daemon",
        about: "keepalived is killed on the active node, which looks after its claim just then",
        run: kill_daemon,
    },
    Scenario { name: "v2-daemon-back", about: "it is started again, as a backup", run: daemon_back },
];

/// Longer than a claim is looked after.
const LOOKED_AFTER: Duration = Duration::from_secs(11);

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

fn kill_daemon(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    story.note(pair.stop_keepalived(two)?, "SIGTERM to keepalived on n2, and it is started again");
    pair.start_keepalived(two)?;
    wait_for_holder(pair, one)?;
    wait_for_look_after(pair, one, true)?;
    let at = now();
    let killed = pair.node(one)?.kill_processes(&["keepalived"])?;
    ensure(killed > 0, || format!("no keepalived runs on {one}"))?;
    story.failure(at, two, "kill -9 of keepalived on n1, whose claim is young");
    // A node whose keepalived is dead takes nothing, though it is up and reaches EC2.
    wait_for_look_after(pair, one, false)?;
    wait_for_holder(pair, two)?;
    let_run(LOOKED_AFTER)?;
    pair.ensure_moved(at, &[two])?;
    pair.ensure_status(one, false)?;
    pair.ensure_status(two, true)
}

fn daemon_back(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.start_keepalived(one)?;
    story.failure(at, two, "keepalived is started on n1");
    pair.settle(two, LIMIT)?;
    pair.ensure_moved(at, &[])
}
