//! Looks at the pair: waits until it is settled, and asserts what must not have happened.

use std::time::Duration;

use cluster::error::{Error, Result, ensure};
use cluster::pair::name;
use cluster::topology::{ELASTIC_IP, NodeName};
use cluster::wait::Epoch;

use crate::pair::Pair;

/// What the packages install.
const SCRIPT: &str = "/usr/sbin/eip-keepalived";

impl Pair {
    /// Waits until the cloud, a client of the address and keepalived on every node that is well agree that `holder` has the
    /// address, every other node has its own address back, and all that has lasted for a second.
    ///
    /// # Errors
    /// [`Error::TimedOut`] with the last flaw.
    pub fn settle(&self, holder: NodeName, limit: Duration) -> Result<()> {
        self.settled(holder, limit, || self.look(holder))
    }

    fn look(&self, holder: NodeName) -> Result<Result<(), String>> {
        for node in self.well() {
            let state = self.state(node)?;
            if (state == "MASTER") != (node == holder) {
                return Ok(Err(format!("keepalived on {node} is {state}")));
            }
            if self.has_own(node) != (node != holder) {
                let has = if node == holder { "still has" } else { "has not got" };
                return Ok(Err(format!("{node} {has} its own address")));
            }
        }
        Ok(Ok(()))
    }

    /// Returns the state that keepalived on a node has logged last; a dash where it does not run.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn state(&self, node: NodeName) -> Result<String> {
        let log = self.node(node)?.output_of("keepalived");
        let told = |line: &str| match line.split_once(") Entering ") {
            Some((_, state)) => state.split(' ').next().map(str::to_owned),
            None => (line.ends_with(": Stopping") || line.contains(": Starting Keepalived"))
                .then(|| "-".to_owned()),
        };
        Ok(log.lines().rev().find_map(told).unwrap_or_else(|| "-".to_owned()))
    }

    /// Asserts that since `from` the address went from node to node in this order, with nobody between two of them.
    ///
    /// # Errors
    /// [`Error::Wrong`] with what happened instead.
    pub fn ensure_moved(&self, from: Epoch, to: &[NodeName]) -> Result<()> {
        let history = self.world().history();
        let holders: Vec<Option<NodeName>> =
            history.iter().filter(|held| held.at >= from).map(|held| held.by).collect();
        let wanted: Vec<Option<NodeName>> = to.iter().copied().map(Some).collect();
        ensure(holders == wanted, || {
            let names: Vec<_> = holders.iter().map(|node| name(*node)).collect();
            format!("the address went to: {}", names.join(", "))
        })
    }

    /// Asserts that `status` on a node says whether it has the address, in the article's word and by its exit code.
    ///
    /// # Errors
    /// [`Error::Wrong`] with what it said.
    pub fn ensure_status(&self, node: NodeName, has: bool) -> Result<()> {
        let output = self.node(node)?.command(&[SCRIPT, &ELASTIC_IP.to_string(), "status"])?.output()?;
        let (word, code) = if has { ("OK\n", 0) } else { ("FAIL\n", 1) };
        let right = output.stdout == word && output.status.code() == Some(code);
        ensure(right, || format!("status on {node}: {output:?}"))
    }
}

/// Returns [`Error::Wrong`], for what cannot be.
pub fn wrong(why: impl Into<String>) -> Error {
    Error::Wrong(why.into())
}
