//! The scenarios: something happens to a settled pair, and the address has to be where Heartbeat promises it.

use std::time::Duration;

use cluster::error::Result;
use cluster::pair::nodes;
use cluster::wait::now;
use cluster::witness::Story;

use crate::pair::Pair;

pub mod article;
pub mod quick;
pub mod split;

/// From a failure to a settled takeover: deadtime, and some seconds more on a busy machine.
const TAKEOVER_LIMIT: Duration = Duration::from_mins(1);
/// From a return until the pair is settled: Heartbeat itself waits some seconds for its peer.
const RETURN_LIMIT: Duration = Duration::from_secs(90);

/// A test of the whole pair.
pub type Scenario = cluster::play::Scenario<Pair>;

/// Starts Heartbeat on both nodes, which then agree on the preferred one.
fn start(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = now();
    for node in [one, two] {
        pair.start_heartbeat(node)?;
    }
    story.failure(at, one, "Heartbeat is started on both nodes");
    pair.settle(one, RETURN_LIMIT)?;
    pair.ensure_moved(at, &[one])?;
    pair.ensure_status(one, true)?;
    pair.ensure_status(two, false)
}

/// Kills the node that has the address as a power cut does; the other one has to take it over.
fn kill_node(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.power_off(one)?;
    story.failure(at, two, "power cut of n1 (kill -9 of its PID 1)");
    pair.settle(two, TAKEOVER_LIMIT)?;
    pair.ensure_moved(at, &[two])
}

/// Boots it again; with `auto_failback on` the address goes back.
fn come_back(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.repair(one)?;
    story.failure(at, one, "n1 boots again and starts Heartbeat");
    pair.settle(one, RETURN_LIMIT)?;
    pair.ensure_moved(at, &[one])?;
    pair.ensure_status(one, true)?;
    pair.ensure_status(two, false)
}
