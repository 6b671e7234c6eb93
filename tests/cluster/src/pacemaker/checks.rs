//! Checks of the running cluster: waits until it is settled, and asserts what must or must not have happened.

use std::net::IpAddr;
use std::time::Duration;

use super::crm_mon::ClusterStatus;
use super::journal::{Event, EventKind};
use super::settled::{Outside, verdict};
use super::{ELASTIC, ManagedAddress, PRIVATE, PacemakerCluster, RESOURCE};
use crate::error::{HarnessError, Result, ensure};
use crate::topology::{NodeName, name_of};
use crate::wait::{Epoch, Polled, until};

impl PacemakerCluster {
    /// Waits until all healthy nodes agree on one active node, the cloud and a client agree with them, nothing is pending, blocked or
    /// failed, and all that has lasted for a second. Returns the active node.
    ///
    /// # Errors
    /// [`HarnessError::TimedOut`] with the last flaw; [`HarnessError::Wrong`] if the active node is not `expected`.
    pub fn settle(&self, expected: Option<NodeName>, limit: Duration) -> Result<NodeName> {
        let active = self.settled("a settled cluster", limit, || self.look())?;
        ensure(expected.is_none_or(|node| node == active), || {
            format!("settled on {active} instead of {}", name_of(expected))
        })?;
        Ok(active)
    }

    /// Asserts that no node has a failed action or a fail-count on record.
    ///
    /// # Errors
    /// [`HarnessError::Wrong`] with the record.
    pub fn ensure_no_failures(&self) -> Result<()> {
        for node in self.well() {
            let status = self.status(node)?;
            let counted = status
                .fail_counts
                .iter()
                .map(|one| format!("fail-count of {} on {}: {}", one.resource, one.node, one.count));
            let remembered: Vec<_> = status.failures.iter().map(ToString::to_string).chain(counted).collect();
            ensure(remembered.is_empty(), || format!("{node} remembers: {}", remembered.join("; ")))?;
        }
        Ok(())
    }

    /// Asserts that since `from` no action except monitors was run on any node and no address has changed its holder.
    ///
    /// # Errors
    /// [`HarnessError::Wrong`] with what was done.
    pub fn ensure_untouched(&mut self, from: Epoch) -> Result<()> {
        let addresses = self.addresses().to_vec();
        addresses.into_iter().try_for_each(|address| self.ensure_address_untouched(address, from))
    }

    /// Asserts the same for one of the addresses.
    ///
    /// # Errors
    /// [`HarnessError::Wrong`] with what was done.
    pub fn ensure_address_untouched(&mut self, address: &ManagedAddress, from: Epoch) -> Result<()> {
        let resource = address.resource;
        self.ensure_no_action(resource, from)?;
        let mut changes = self.world().history_of(address.ip);
        changes.retain(|held| held.at >= from);
        ensure(changes.is_empty(), || format!("the address of {resource} moved: {changes:?}"))
    }

    /// Asserts that since `from` no action of a resource except monitors was run on any node.
    ///
    /// # Errors
    /// [`HarnessError::Wrong`] with what was done.
    pub fn ensure_no_action(&mut self, resource: &str, from: Epoch) -> Result<()> {
        let events = self.events_since(from)?;
        let actions: Vec<_> = started(&events, resource).collect();
        ensure(actions.is_empty(), || format!("the cluster acted on {resource}: {actions:?}"))
    }

    /// Actions other than monitors with which the agent was started since `from`, on one node or on all.
    ///
    /// # Errors
    /// If a log cannot be read.
    pub fn actions_since(&mut self, from: Epoch, on: Option<NodeName>) -> Result<Vec<(NodeName, String)>> {
        let events = self.events_since(from)?;
        let run = started(&events, RESOURCE).filter(|(node, _)| on.is_none_or(|on| on == *node));
        Ok(run.map(|(node, action)| (node, action.to_owned())).collect())
    }

    /// Waits until an action has begun since `from`, on the given node or, if `None`, on any.
    ///
    /// # Errors
    /// [`HarnessError::TimedOut`].
    pub fn wait_for_action(
        &mut self,
        action: &str,
        on: impl Into<Option<NodeName>>,
        from: Epoch,
        limit: Duration,
    ) -> Result<()> {
        let on = on.into();
        until(&format!("{action} on {}", on.map_or("any node".into(), |on| on.to_string())), limit, || {
            let seen = self.actions_since(from, on)?;
            Ok(if seen.iter().any(|(_, name)| name == action) {
                Polled::There(())
            } else {
                Polled::NotYet(format!("{seen:?}"))
            })
        })
    }

    /// Healthy nodes that have an address on a device.
    ///
    /// # Errors
    /// If a command on a node fails.
    pub fn devices_with(&self, ip: impl Into<IpAddr>) -> Result<Vec<NodeName>> {
        let shown = format!(" {}/", ip.into());
        let mut found = Vec::new();
        for node in self.well() {
            if self.node(node)?.run(&["ip", "-o", "address", "show"])?.contains(&shown) {
                found.push(node);
            }
        }
        Ok(found)
    }

    fn look(&self) -> Result<Result<NodeName, String>> {
        // First the checks that need no process.
        let mut outside: Vec<_> = self.addresses.iter().map(|address| self.outside(address)).collect();
        if let Some(moving) = outside.iter().find(|address| address.answering != address.holder) {
            let (holder, answering) = (name_of(moving.holder), name_of(moving.answering));
            return Ok(Err(format!(
                "{holder} holds the address of {}, {answering} answers",
                moving.resource
            )));
        }
        let mut views = Vec::new();
        for node in self.well() {
            match Polled::tolerant(self.status(node))? {
                Polled::There(status) => views.push((node, status)),
                Polled::NotYet(why) => return Ok(Err(why)),
            }
        }
        for (address, outside) in self.addresses.iter().zip(&mut outside) {
            if **address != ELASTIC {
                outside.devices = Some(self.devices_with(address.ip)?);
            }
        }
        match verdict(&views, &self.standby, &outside) {
            Err(why) => Ok(Err(why)),
            Ok(active) => Ok(self.idle(&views)?.map(|()| active)),
        }
    }

    /// What can be observed of an address without querying the nodes.
    fn outside(&self, address: &ManagedAddress) -> Outside {
        let (resource, holder) = (address.resource, self.world().holder_of(address.ip));
        // A private address has no client: a neighbour may keep sending to the previous holder, which EC2 never does.
        let answering = if *address == PRIVATE { holder } else { self.answering(address.ip) };
        Outside { resource, holder, answering, devices: None }
    }

    /// True if the controller is idle, according to the first healthy node.
    ///
    /// # Errors
    /// Only [`HarnessError::Interrupted`].
    pub fn is_idle(&self) -> Result<bool> {
        let Some(first) = self.well().first().copied() else { return Ok(false) };
        Ok(match Polled::tolerant(self.status(first))? {
            Polled::There(status) => self.idle(&[(first, status)])?.is_ok(),
            Polled::NotYet(_) => false,
        })
    }

    /// Whether the controller is idle: `crm_mon` alone does not show an action that is yet to begin.
    fn idle(&self, views: &[(NodeName, ClusterStatus)]) -> Result<Result<(), String>> {
        let dc = views.iter().find_map(|(_, status)| status.dc.as_deref()).unwrap_or_default();
        match self.run(&["crmadmin", "-S", dc]) {
            Ok(state) if state.contains("S_IDLE") => Ok(Ok(())),
            Ok(state) => Ok(Err(format!("the controller is busy: {}", state.trim()))),
            Err(HarnessError::Interrupted) => Err(HarnessError::Interrupted),
            Err(error) => Ok(Err(error.to_string())),
        }
    }
}

/// Actions other than monitors with which a resource's agent was started, and where.
fn started<'e>(events: &'e [Event], resource: &str) -> impl Iterator<Item = (NodeName, &'e str)> {
    events.iter().filter_map(move |event| match &event.kind {
        EventKind::Executing { action, resource: own } if own == resource && action != "monitor" => {
            Some((event.node, action.as_str()))
        }
        _ => None,
    })
}
