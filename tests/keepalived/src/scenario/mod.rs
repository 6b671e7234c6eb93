//! The scenarios: something happens to a settled pair, and the address has to be where keepalived says.

use std::time::Duration;

use cluster::error::Result;
use cluster::pair::nodes;
use cluster::topology::NodeName;
use cluster::wait::{Look, until};
use cluster::witness::Story;

use crate::pair::Pair;

pub mod article;
pub mod example;
pub mod fast;

/// From whatever happens until the pair is settled, on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// A test of the whole pair.
pub type Scenario = cluster::play::Scenario<Pair>;

/// Starts keepalived on both nodes: the first one takes the address, which nobody has.
fn start(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.start_keepalived(one)?;
    story.failure(at, one, "keepalived is started on n1");
    // Where neither takes it from the other, the first one stays.
    until("keepalived makes n1 MASTER", LIMIT, || {
        let state = pair.state(one)?;
        Ok(if state == "MASTER" { Look::There(()) } else { Look::NotYet(state) })
    })?;
    let second = pair.start_keepalived(two)?;
    story.note(second, "keepalived is started on n2");
    pair.settle(one, LIMIT)?;
    pair.ensure_moved(at, &[one])?;
    pair.ensure_status(one, true)?;
    pair.ensure_status(two, false)
}

/// Kills the first node as a power cut does; the second one has to take the address over.
fn kill_node(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, two) = nodes()?;
    let at = pair.power_off(one)?;
    story.failure(at, two, "power cut of n1 (kill -9 of its PID 1)");
    pair.settle(two, LIMIT)?;
    pair.ensure_moved(at, &[two])
}

/// Boots it again, and it takes the address back.
fn take_back(pair: &mut Pair, story: &mut Story) -> Result<()> {
    let (one, _) = nodes()?;
    let at = pair.repair(one)?;
    story.failure(at, one, "n1 boots again and starts keepalived");
    pair.settle(one, LIMIT)?;
    pair.ensure_moved(at, &[one])
}

/// Waits until a claim of MASTER on a node is looked after, or is looked after no more.
fn wait_for_look_after(pair: &Pair, node: NodeName, wanted: bool) -> Result<()> {
    // As `notify` says it, and as notify_master_rx_lower_pri does. 1 is "none".
    let list = "pgrep -f -- 'called-as=[e]ip-keepalived .*(MASTER|master)' || [ $? = 1 ]";
    let what = format!("the claim of {node} is looked after{}", if wanted { "" } else { " no more" });
    until(&what, LIMIT, || {
        let running = pair.node(node)?.run(&["sh", "-c", list])?;
        let there = !running.trim().is_empty();
        Ok(if there == wanted { Look::There(()) } else { Look::NotYet(format!("running: {running:?}")) })
    })
}

/// Waits until a node has the address.
fn wait_for_holder(pair: &Pair, node: NodeName) -> Result<()> {
    until(&format!("{node} takes the address"), LIMIT, || {
        let holder = pair.world().holder();
        Ok(if holder == Some(node) { Look::There(()) } else { Look::NotYet(format!("{holder:?} has it")) })
    })
}
