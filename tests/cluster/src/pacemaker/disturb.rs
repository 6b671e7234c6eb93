//! Disturbances other than the failure of a whole node: daemons that die or get no CPU time, a node that leaves cleanly, a broken
//! path between two nodes, and an administrator's commands at a bad time.

use std::time::Duration;

use rustix::process::Signal;

use super::PacemakerCluster;
use crate::error::{HarnessError, Result};
use crate::machines::NodeCondition;
use crate::topology::NodeName;
use crate::wait::{Epoch, Polled, now, until};

/// How long a command given at a bad time may take.
const ORDER_LIMIT: Duration = Duration::from_secs(5);
/// How long a leaving node may take to stop its resource.
const LEAVE_LIMIT: Duration = Duration::from_secs(6);

impl PacemakerCluster {
    /// Stops processes of a node, without a name all except PID 1, until [`PacemakerCluster::go_on`]; returns when. With all of them
    /// stopped, the node is like a machine without CPU time: it can't serve, and later continues as if nothing had happened.
    ///
    /// # Errors
    /// If the node does not run.
    pub fn stop_processes(&mut self, node: NodeName, only: Option<&str>) -> Result<Epoch> {
        let processes = self.node(node)?.processes()?;
        let from = now();
        self.stopped.insert(node);
        if only.is_none() {
            self.set_unusable(node, from);
        }
        processes.signal(|name| only.is_none_or(|wanted| name == wanted), Signal::STOP);
        Ok(from)
    }

    /// Continues a node's stopped processes.
    ///
    /// # Errors
    /// If the node does not run.
    pub fn go_on(&mut self, node: NodeName) -> Result<()> {
        if self.stopped.remove(&node) {
            self.node(node)?.go_on()?;
            self.set_usable(node, now());
        }
        Ok(())
    }

    /// Stops Pacemaker on a node cleanly, which stops its resources, then Corosync; returns when that began.
    ///
    /// # Errors
    /// If the node does not run. Pacemaker not ending in time is no error.
    pub fn leave(&mut self, node: NodeName) -> Result<Epoch> {
        let processes = self.node(node)?.processes()?;
        let at = self.set_condition(node, NodeCondition::NoCorosync);
        processes.signal(|name| name == "pacemakerd", Signal::TERM);
        let ended = until("the end of pacemakerd", LEAVE_LIMIT, || {
            Ok(if processes.has("pacemakerd") { Polled::NotYet("it runs".into()) } else { Polled::There(()) })
        });
        if let Err(HarnessError::Interrupted) = ended {
            return Err(HarnessError::Interrupted);
        }
        processes.signal(|name| name == "corosync", Signal::TERM);
        Ok(at)
    }

    /// Runs a command as an administrator does while things fail: once, on the first healthy node. Returns what went wrong, if
    /// anything did.
    ///
    /// # Errors
    /// Only [`HarnessError::Interrupted`].
    pub fn order(&self, words: &[&str]) -> Result<Option<String>> {
        let Some(first) = self.well().first().copied() else {
            return Ok(Some("no healthy node to run it on".into()));
        };
        let given = self.node(first)?.command(words).and_then(|command| command.limit(ORDER_LIMIT).run());
        Ok(match Polled::tolerant(given)? {
            Polled::There(_) => None,
            Polled::NotYet(why) => Some(why),
        })
    }
}
