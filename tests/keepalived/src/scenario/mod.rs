//! The scenarios: something happens to a settled pair, and the address has to be where keepalived says.

use std::time::Duration;

use cluster::error::{Error, Result};
use cluster::topology::NodeName;
use cluster::wait::{Look, until};
use cluster::witness::Story;

use crate::pair::Pair;

pub mod article;
pub mod example;
pub mod fast;

/// From whatever happens until the pair is settled, on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// A test of the whole pair. Those of one group share a pair and are run in order.
#[derive(Debug)]
pub struct Scenario {
    /// What it is called in the table.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    run: fn(&mut Pair, &mut Story) -> Result<()>,
}

impl Scenario {
    /// Lets it happen and checks what follows.
    ///
    /// # Errors
    /// What went wrong; `story` holds what was done until then.
    pub fn play(&self, pair: &mut Pair, story: &mut Story) -> Result<()> {
        let began = cluster::wait::now();
        (self.run)(pair, story)?;
        story.close();
        // What is asked of every scenario, whatever else it asks.
        pair.ensure_no_theft(began)
    }
}

/// Returns the two nodes.
fn nodes() -> Result<(NodeName, NodeName)> {
    let mut names = NodeName::first(2);
    match (names.next(), names.next()) {
        (Some(one), Some(two)) => Ok((one, two)),
        _ => Err(Error::Wrong("two nodes are expected".to_owned())),
    }
}

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
