//! A pair that notices failures soon, with the packages installed and the examples' form of the files.

use aws_sim::FaultKind;
use cluster::error::Result;
use cluster::wait::now;
use cluster::witness::Story;

use super::{RETURN_LIMIT, Scenario, TAKEOVER_LIMIT, come_back, kill_node, nodes, start};
use crate::pair::Pair;

/// In order: each begins as the one before ends.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "start",
        about: "Heartbeat starts on both nodes: the preferred one takes the address",
        run: start,
    },
    Scenario {
        name: "by-hand",
        about: "start while it is here, stop while it is not, and all of it while EC2 resets every call",
        run: by_hand,
    },
    Scenario { name: "kill-node", about: "the active node loses power", run: kill_node },
    Scenario { name: "failback", about: "it comes back: auto_failback is on", run: come_back },
    Scenario {
        name: "kill-daemon",
        about: "kill -9 of Heartbeat on the active node, which lives on",
        run: kill_daemon,
    },
    Scenario { name: "daemon-back", about: "Heartbeat is started on it again", run: start_again },
    Scenario { name: "clean-stop", about: "Heartbeat is stopped on the active node", run: clean_stop },
    Scenario { name: "start-again", about: "and started again", run: start_again },
];

/// Calls as Heartbeat makes them on both sides of a split, all of which leave the address where it is.
fn by_hand(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = now();
    story.failure(at, one, "elastic-ip is called on both nodes");
    pair.ensure_call(one, "start", 0, "associated with")?;
    pair.ensure_call(two, "stop", 0, "disowned")?;
    pair.world().break_api(&FaultKind::Reset);
    pair.ensure_call(one, "start", 0, "associated with")?;
    pair.ensure_call(two, "start", 1, "Could not map")?;
    pair.ensure_call(two, "stop", 0, "disowned")?;
    pair.ensure_status(one, true)?;
    pair.ensure_status(two, false)?;
    pair.world().heal();
    pair.settle(one, TAKEOVER_LIMIT)?;
    pair.ensure_moved(at, &[])
}

/// Nobody lets go: the address is on a node whose Heartbeat is dead, and has to be taken from there.
fn kill_daemon(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.kill_heartbeat(one)?;
    story.failure(at, two, "kill -9 of Heartbeat on n1");
    pair.settle(two, TAKEOVER_LIMIT)?;
    pair.ensure_moved(at, &[two])?;
    pair.ensure_always_held(at)?;
    pair.ensure_status(one, false)
}

fn clean_stop(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = now();
    story.failure(at, two, "heartbeat -k on n1");
    pair.stop_heartbeat(one)?;
    pair.settle(two, TAKEOVER_LIMIT)?;
    pair.ensure_moved(at, &[two])?;
    pair.ensure_status(one, false)
}

fn start_again(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, _) = nodes()?;
    let at = now();
    story.failure(at, one, "Heartbeat is started on n1 again");
    pair.start_heartbeat(one)?;
    pair.settle(one, RETURN_LIMIT)?;
    pair.ensure_moved(at, &[one])
}
