//! Scenarios common to all cluster managers of pairs.

use std::time::Duration;

use super::NodePair;
use crate::error::Result;
use crate::machines::Cut;
use crate::story::Story;
use crate::topology::{N1, N2, NodeName};
use crate::wait::{Epoch, Polled, until};

/// From a failure to a settled takeover: most of it is Heartbeat's deadtime of 10 s, and a busy machine is slow.
pub const TAKEOVER_LIMIT: Duration = Duration::from_mins(1);
/// From a return until the pair is settled: Heartbeat itself waits some seconds for its peer.
pub const RETURN_LIMIT: Duration = Duration::from_secs(90);

impl NodePair {
    /// Notes what was done, waits until `holder` has the address, and asserts that it moved exactly this way since then.
    pub fn follow(
        &self,
        story: &mut Story,
        (at, what): (Epoch, &str),
        holder: NodeName,
        way: &[NodeName],
    ) -> Result<()> {
        story.target = Some(holder);
        story.failure(at, what);
        self.settle(holder, TAKEOVER_LIMIT)?;
        self.ensure_moved(at, way)
    }

    /// Waits until a node has the address.
    pub fn wait_for_holder(&self, node: NodeName) -> Result<()> {
        until(&format!("{node} takes the address"), TAKEOVER_LIMIT, || {
            let holder = self.world().holder();
            Ok(if holder == Some(node) {
                Polled::There(())
            } else {
                Polled::NotYet(format!("{holder:?} has it"))
            })
        })
    }
}

/// Kills the node that has the address like a power cut; the other one has to take it over.
pub fn kill_node(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = pair.power_off(N1)?;
    pair.follow(story, (at, "power cut of n1 (kill -9 of its PID 1)"), N2, &[N2])
}

/// Sets the interface of the node that has the address down; the other one has to take it over.
pub fn link_down(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = pair.cut(N1, Cut::LinkDown)?;
    pair.follow(story, (at, "ip link set eth0 down on n1"), N2, &[N2])
}

/// Boots the first node again, to which the address goes back.
pub fn failback(pair: &mut NodePair, story: &mut Story) -> Result<()> {
    let at = pair.repair(N1)?;
    story.target = Some(N1);
    story.failure(at, "n1 boots again and starts its cluster manager");
    pair.settle(N1, RETURN_LIMIT)?;
    pair.ensure_moved(at, &[N1])?;
    pair.ensure_status(&[N1, N2], N1)
}
