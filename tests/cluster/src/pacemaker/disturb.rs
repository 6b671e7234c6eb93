//! Disturbances other than the failure of a whole node: daemons that die or get no CPU time, a node that leaves cleanly, a broken
//! path between two nodes, and administrative commands at a bad time.

use std::time::Duration;

use rustix::process::Signal;

use super::PacemakerCluster;
use crate::error::{HarnessError, Result};
use crate::machines::NodeCondition;
use crate::topology::NodeName;
use crate::wait::{Epoch, Polled, now, until};

/// How long an order given at a bad time may take.
const ORDER_LIMIT: Duration = Duration::from_secs(5);
/// How long a node that leaves may take to stop its resource.
const LEAVE_LIMIT: Duration = Duration::from_secs(6);

impl PacemakerCluster {
    /// Stops processes of a node, all but PID 1 without a name, until [`PacemakerCluster::go_on`]; returns when. With all of them
    /// stopped the node is a machine that gets no time: it can't serve, and goes on later as if nothing had been.
    ///
    /// # Errors
    /// When the node does not run.
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

    /// Lets the stopped processes of a node go on.
    ///
    /// # Errors
    /// When the node does not run.
    pub fn go_on(&mut self, node: NodeName) -> Result<()> {
        if self.stopped.remove(&node) {
            self.node(node)?.go_on()?;
            self.set_usable(node, now());
        }
        Ok(())
    }

    /// Ends Pacemaker on a node in order, which stops what runs there, then Corosync; returns when that began.
    ///
    /// # Errors
    /// When the node does not run. That Pacemaker does not end in time is none.
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

    /// Gives an order as an administrator does while things go wrong: once, on the first node that is well. Returns what
    /// was wrong with it, if anything was.
    ///
    /// # Errors
    /// [`HarnessError::Interrupted`] alone.
    pub fn order(&self, words: &[&str]) -> Result<Option<String>> {
        let Some(first) = self.well().first().copied() else {
            return Ok(Some("no node to give it on".into()));
        };
        let given = self.node(first)?.command(words).and_then(|command| command.limit(ORDER_LIMIT).run());
        Ok(match Polled::tolerant(given)? {
            Polled::There(_) => None,
            Polled::NotYet(why) => Some(why),
        })
    }
}
