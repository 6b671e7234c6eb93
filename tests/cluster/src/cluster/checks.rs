//! Looks at the running cluster: waits until it is settled, and asserts what must or must not have happened.

use std::time::{Duration, Instant};

use super::settled::{Outside, verdict};
use super::{Cluster, RESOURCE};
use crate::error::{Error, Result, ensure};
use crate::journal::Kind;
use crate::timeline::{Held, thefts};
use crate::topology::NodeName;
use crate::wait::{Epoch, Look, until};

/// How long a settled state has to last to count.
const STABLE: Duration = Duration::from_secs(1);

impl Cluster {
    /// Waits until all nodes that are well agree on one active node, the cloud and a client agree with them, nothing
    /// is pending, blocked or failed, and all that has lasted for a second. Returns the active node.
    ///
    /// # Errors
    /// [`Error::TimedOut`] with the last flaw; [`Error::Wrong`] when the active node is not `expected`.
    pub fn settle(&self, expected: Option<NodeName>, limit: Duration) -> Result<NodeName> {
        let mut since: Option<(Instant, NodeName, usize)> = None;
        let active = until("a settled cluster", limit, || {
            // What was seen before the views were taken must still hold after them.
            let changes = self.world.history().len();
            let active = match self.look()? {
                Ok(active) => active,
                Err(why) => {
                    since = None;
                    return Ok(Look::NotYet(why));
                }
            };
            let (began, node, known) = *since.get_or_insert((Instant::now(), active, changes));
            if node != active || known != self.world.history().len() {
                since = None;
            }
            Ok(if since.is_some() && began.elapsed() >= STABLE {
                Look::There(active)
            } else {
                Look::NotYet(format!("settled on {active}, but not for {} s yet", STABLE.as_secs()))
            })
        })?;
        ensure(expected.is_none_or(|node| node == active), || {
            format!(
                "settled on {active} instead of {}",
                expected.map_or_else(String::new, |node| node.to_string())
            )
        })?;
        Ok(active)
    }

    /// Asserts that no node has a failed action or a fail-count on record.
    ///
    /// # Errors
    /// [`Error::Wrong`] with the record.
    pub fn ensure_no_failures(&self) -> Result<()> {
        for node in self.well() {
            let status = self.status(node)?;
            let failed =
                status.failures.iter().map(|f| format!("{} on {}: {}", f.operation, f.node, f.reason));
            let counted = status
                .fail_counts
                .iter()
                .map(|(id, on, count)| format!("fail-count of {id} on {on}: {count}"));
            let remembered: Vec<_> = failed.chain(counted).collect();
            ensure(remembered.is_empty(), || format!("{node} remembers: {}", remembered.join("; ")))?;
        }
        Ok(())
    }

    /// Asserts that since `from` no action but monitors was run on any node and the holder has not changed.
    ///
    /// # Errors
    /// [`Error::Wrong`] with what was done.
    pub fn ensure_untouched(&mut self, from: Epoch) -> Result<()> {
        let actions = self.actions_since(from, None)?;
        ensure(actions.is_empty(), || format!("the cluster acted: {actions:?}"))?;
        let changes: Vec<_> = self.world.history().into_iter().filter(|held| held.at >= from).collect();
        ensure(changes.is_empty(), || format!("the address moved: {changes:?}"))
    }

    /// Asserts that since `from` no node has released the address while another one held it.
    ///
    /// # Errors
    /// [`Error::Wrong`] with the first such release.
    pub fn ensure_no_theft(&self, from: Epoch) -> Result<()> {
        let thefts = thefts(&self.world.history(), from);
        let whom = |node: Option<NodeName>| node.map_or_else(|| "?".to_owned(), |node| node.to_string());
        let tell = |(before, after): &(Held, Held)| {
            format!("{} released it from {}", whom(after.made_by), whom(before.by))
        };
        ensure(thefts.is_empty(), || thefts.iter().map(tell).collect::<Vec<_>>().join(", "))
    }

    /// Returns the actions other than monitors that the agent was started with since `from`, on one node or on all.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn actions_since(&mut self, from: Epoch, on: Option<NodeName>) -> Result<Vec<(NodeName, String)>> {
        let events = self.events_since(from)?;
        let run = events.into_iter().filter_map(|event| match event.kind {
            Kind::Executing { action, resource } if resource == RESOURCE && action != "monitor" => {
                on.is_none_or(|node| node == event.node).then_some((event.node, action))
            }
            _ => None,
        });
        Ok(run.collect())
    }

    /// Waits until an action has begun on a node since `from`.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub fn wait_for_action(
        &mut self,
        action: &str,
        on: NodeName,
        from: Epoch,
        limit: Duration,
    ) -> Result<()> {
        until(&format!("{action} on {on}"), limit, || {
            let seen = self.actions_since(from, Some(on))?;
            Ok(if seen.iter().any(|(_, name)| name == action) {
                Look::There(())
            } else {
                Look::NotYet(format!("{seen:?}"))
            })
        })
    }

    fn look(&self) -> Result<Result<NodeName, String>> {
        let mut views = Vec::new();
        for node in self.well() {
            match Look::tolerant(self.status(node))? {
                Look::There(status) => views.push((node, status)),
                Look::NotYet(why) => return Ok(Err(why)),
            }
        }
        let outside = Outside { holder: self.world.holder(), answering: self.probe.answering() };
        match verdict(&views, &self.standby, outside) {
            Err(why) => Ok(Err(why)),
            Ok(active) => Ok(self.idle(&views)?.map(|()| active)),
        }
    }

    /// The controller works on nothing: `crm_mon` alone does not show an action that is yet to be begun.
    fn idle(&self, views: &[(NodeName, crate::crm_mon::Status)]) -> Result<Result<(), String>> {
        let dc = views.iter().find_map(|(_, status)| status.dc.clone()).unwrap_or_default();
        match self.run(&["crmadmin", "-S", &dc]) {
            Ok(state) if state.contains("S_IDLE") => Ok(Ok(())),
            Ok(state) => Ok(Err(format!("the controller is busy: {}", state.trim()))),
            Err(Error::Interrupted) => Err(Error::Interrupted),
            Err(error) => Ok(Err(error.to_string())),
        }
    }
}
