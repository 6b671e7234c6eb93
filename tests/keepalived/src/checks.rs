//! Looks at the pair: waits until it is settled, and asserts what must not have happened.

use std::time::{Duration, Instant};

use cluster::error::{Error, Result, ensure};
use cluster::timeline::thefts;
use cluster::topology::{ELASTIC_IP, NodeName};
use cluster::wait::{Epoch, Look, until};

use crate::pair::Pair;

/// How long a settled state has to last to count.
const STABLE: Duration = Duration::from_secs(1);
/// What the packages install.
const SCRIPT: &str = "/usr/sbin/eip-keepalived";

impl Pair {
    /// Waits until the cloud, a client of the address and keepalived on every node that is well agree that `holder` has the
    /// address, every other node has its own address back, and all that has lasted for a second.
    ///
    /// # Errors
    /// [`Error::TimedOut`] with the last flaw.
    pub fn settle(&self, holder: NodeName, limit: Duration) -> Result<()> {
        let mut since: Option<(Instant, usize)> = None;
        until(&format!("all agree on {holder}"), limit, || {
            let changes = self.world().history().len();
            if let Err(why) = self.look(holder)? {
                since = None;
                return Ok(Look::NotYet(why));
            }
            let (began, known) = *since.get_or_insert((Instant::now(), changes));
            if known != changes {
                since = None;
            } else if began.elapsed() >= STABLE {
                return Ok(Look::There(()));
            }
            Ok(Look::NotYet(format!("not for {} s yet", STABLE.as_secs())))
        })
    }

    fn look(&self, holder: NodeName) -> Result<Result<(), String>> {
        let held = self.world().holder();
        if held != Some(holder) {
            return Ok(Err(format!("{} holds it", name(held))));
        }
        let answering = self.probe().answering();
        if answering != Some(holder) {
            return Ok(Err(format!("{} answers", name(answering))));
        }
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

    /// Asserts that since `from` no node has released the address while another one held it.
    ///
    /// # Errors
    /// [`Error::Wrong`] with the first such release.
    pub fn ensure_no_theft(&self, from: Epoch) -> Result<()> {
        let thefts = thefts(&self.world().history(), from);
        ensure(thefts.is_empty(), || format!("a node released another's address: {thefts:?}"))
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

fn name(node: Option<NodeName>) -> String {
    node.map_or_else(|| "nobody".to_owned(), |node| node.to_string())
}

/// Returns [`Error::Wrong`], for what cannot be.
pub fn wrong(why: impl Into<String>) -> Error {
    Error::Wrong(why.into())
}
