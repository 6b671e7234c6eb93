//! Checks of a pair: waits until it is settled, and asserts what must not have happened.

use std::time::Duration;

use super::NodePair;
use crate::error::{Result, ensure};
use crate::timeline::unassigned;
use crate::topology::{ELASTIC_IP, NodeName, name_of};
use crate::wait::{Epoch, now};

impl NodePair {
    /// Waits until the cloud, a client of the address and the cluster manager on every healthy node agree that `holder` has the address, and
    /// all that has lasted for a second.
    pub fn settle(&self, holder: NodeName, limit: Duration) -> Result<()> {
        let look = || {
            let (held, answering) = (self.world().holder(), self.answering(self.layout().address()));
            if held != Some(holder) {
                return Ok(Err(format!("{} holds it", name_of(held))));
            }
            if answering != Some(holder) {
                return Ok(Err(format!("{} answers", name_of(answering))));
            }
            Ok((self.manager.flaw)(self, holder)?.map(|()| holder))
        };
        self.settled(&format!("all agree on {holder}"), limit, look).map(drop)
    }

    /// Asserts that since `from` the address went to these nodes, one after the other, and to no other. It was unassigned between two
    /// of them only if the cluster manager releases it.
    pub fn ensure_moved(&self, from: Epoch, to: &[NodeName]) -> Result<()> {
        let history = self.world().history();
        let mut holders: Vec<_> = history.iter().filter(|held| held.at >= from).map(|held| held.by).collect();
        if self.manager.releases {
            holders.retain(Option::is_some);
            holders.dedup();
        }
        let wanted: Vec<_> = to.iter().copied().map(Some).collect();
        ensure(holders == wanted, || {
            let names: Vec<_> = holders.into_iter().map(name_of).collect();
            format!("the address went to: {}", names.join(", "))
        })
    }

    /// Asserts that since `from` the address has never been unassigned.
    pub fn ensure_always_held(&self, from: Epoch) -> Result<()> {
        let gap = unassigned(&self.world().history(), from, now());
        ensure(gap.total == 0.0, || format!("the address was unassigned for {:.2} s", gap.total))
    }

    /// Asserts that `status` on these nodes reports, in its output and exit code, that `holder` has the address and the others do not.
    pub fn ensure_status(&self, nodes: &[NodeName], holder: NodeName) -> Result<()> {
        let address = ELASTIC_IP.to_string();
        for &node in nodes {
            let output = self.node(node)?.command(&[self.manager.script, &address, "status"])?.output()?;
            let (printed, code) = (self.manager.status)(node == holder);
            let right = output.stdout == printed && output.status.code() == Some(code);
            ensure(right, || format!("status on {node}: {output:?}"))?;
        }
        Ok(())
    }
}
