//! Looks at the pair: waits until it is settled, and asserts what must not have happened.

use std::time::Duration;

use cluster::error::{Error, Result, ensure};
use cluster::timeline::nobody;
use cluster::topology::{ELASTIC_IP, NodeName};
use cluster::wait::{Epoch, Look, now};

use crate::pair::Pair;
use crate::setup::host_name;

/// Where Heartbeat finds the resource.
const SCRIPT: &str = "/etc/ha.d/resource.d/elastic-ip";

impl Pair {
    /// Waits until the cloud, a client of the address and Heartbeat on every node that is well agree that `holder` has the
    /// address, and all that has lasted for a second.
    ///
    /// # Errors
    /// [`Error::TimedOut`] with the last flaw.
    pub fn settle(&self, holder: NodeName, limit: Duration) -> Result<()> {
        self.settled(holder, limit, || self.look(holder))
    }

    /// Returns whether Heartbeat on a node has told since it began that it could not read a message: two of its scripts write
    /// into one pipe at once, and Heartbeat 3.0.6 loses both lines. Where one of them was "the takeover is complete", its word
    /// for its resources is "transition" until something else happens; the address is not concerned.
    fn has_lost_a_word(&self, node: NodeName) -> Result<bool> {
        let log = self.heartbeat_log(node)?;
        Ok(has_lost_a_word(&log))
    }

    fn look(&self, holder: NodeName) -> Result<Result<(), String>> {
        let well = self.well();
        for &node in &well {
            let resources = match Look::tolerant(self.node(node)?.run(&["cl_status", "rscstatus"]))? {
                Look::There(text) => text.trim().to_owned(),
                Look::NotYet(why) => return Ok(Err(why)),
            };
            // With auto_failback each node has the resources of its own lines; alone it has all.
            let wanted: &[&str] = match (node == holder, well.len() > 1) {
                (true, true) => &["local", "all"],
                (true, false) => &["all"],
                (false, _) => &["local", "foreign", "none"],
            };
            if !(wanted.contains(&resources.as_str())
                || resources == "transition" && self.has_lost_a_word(node)?)
            {
                return Ok(Err(format!("{} has resources: {resources}", host_name(node))));
            }
            for &peer in well.iter().filter(|peer| **peer != node) {
                let words = ["cl_status", "nodestatus", &host_name(peer)];
                match Look::tolerant(self.node(node)?.run(&words))? {
                    Look::There(text) if text.trim() == "active" => {}
                    Look::There(text) => return Ok(Err(format!("{} is {}", host_name(peer), text.trim()))),
                    Look::NotYet(why) => return Ok(Err(why)),
                }
            }
        }
        Ok(Ok(()))
    }

    /// Asserts that since `from` the address went to these nodes, one after the other, and to no other; nobody between two
    /// of them is left out.
    ///
    /// # Errors
    /// [`Error::Wrong`] with what happened instead.
    pub fn ensure_moved(&self, from: Epoch, to: &[NodeName]) -> Result<()> {
        let history = self.world().history();
        let mut holders: Vec<NodeName> =
            history.iter().filter(|held| held.at >= from).filter_map(|held| held.by).collect();
        holders.dedup();
        ensure(holders == to, || {
            let names: Vec<_> = holders.iter().map(|node| host_name(*node)).collect();
            format!("the address went to: {}", names.join(", "))
        })
    }

    /// Asserts that since `from` there has been no moment at which nobody held the address.
    ///
    /// # Errors
    /// [`Error::Wrong`] with how long nobody did.
    pub fn ensure_always_held(&self, from: Epoch) -> Result<()> {
        let gap = nobody(&self.world().history(), from, now());
        ensure(gap.total == 0.0, || format!("nobody held the address for {:.2} s", gap.total))
    }

    /// Asserts that `status` on a node says whether it has the address, in words and by its exit code.
    ///
    /// # Errors
    /// [`Error::Wrong`] with what it said.
    pub fn ensure_status(&self, node: NodeName, has: bool) -> Result<()> {
        let output = self.node(node)?.command(&[SCRIPT, &ELASTIC_IP.to_string(), "status"])?.output()?;
        let expected = if has {
            format!("elastic-ip remapper: I have {ELASTIC_IP}\nelastic-ip remapper: running\n")
        } else {
            format!("elastic-ip remapper: I do not have {ELASTIC_IP}\nelastic-ip remapper: not running\n")
        };
        let code = if has { 0 } else { 3 };
        ensure(output.stdout == expected && output.status.code() == Some(code), || {
            format!("status on {}: {output:?}", host_name(node))
        })
    }

    /// Asserts that an action, called by hand with a time of three seconds, ends with this code and says this.
    ///
    /// # Errors
    /// [`Error::Wrong`] with what it said.
    pub fn ensure_call(&self, node: NodeName, action: &str, code: i32, said: &str) -> Result<()> {
        let script = format!(
            "cat /etc/default/elastic-ip >/run/settings; echo TIMEOUT=3 >>/run/settings\n\
             ELASTIC_IP_SETTINGS=/run/settings exec {SCRIPT} {ELASTIC_IP} {action}"
        );
        let output = self.node(node)?.command(&["sh", "-ec", &script])?.output()?;
        let right = output.status.code() == Some(code) && output.stdout.contains(said);
        ensure(right, || format!("{action} on {}: {output:?}", host_name(node)))
    }
}

/// Returns whether a message was lost, by the log, since Heartbeat has last begun.
fn has_lost_a_word(log: &str) -> bool {
    let since = log.rfind("Configuration validated. Starting heartbeat").unwrap_or_default();
    log.get(since..).is_some_and(|log| log.contains("NV failure (msgfromsteam)"))
}

/// Returns [`Error::Wrong`], for what cannot be.
pub fn wrong(why: impl Into<String>) -> Error {
    Error::Wrong(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_lost_before_heartbeat_began_anew_is_no_excuse() {
        let begins = "n1 heartbeat: [70]: info: Configuration validated. Starting heartbeat 3.0.6\n";
        let lost = "n1 heartbeat: [446]: ERROR: NV failure (msgfromsteam): [>>>\n";
        assert!(has_lost_a_word(&[begins, lost].concat()));
        assert!(!has_lost_a_word(&[begins, lost, begins].concat()));
        assert!(!has_lost_a_word(begins));
    }
}
