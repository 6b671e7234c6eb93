//! Records what this node does, and reports every change of holder.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::UNIX_EPOCH;

use super::World;
use super::kind::{Holder, Kind, Location, Op, Owner};
use crate::base::deadline::Deadline;
use crate::base::deadline::millis;
use crate::base::ids::InstanceId;
use crate::cloud::Imds as _;
use crate::host::Host as _;
use crate::resource::error::Error;
use crate::state::{Change, Durable, Phase, PhaseTime, Records as _, Volatile};

/// The lock of a place in this world.
pub(super) type LockOf<W> = <<W as World>::Records as crate::state::Records>::Lock;

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    /// Records what this node has just done with the address.
    pub(super) fn record(&self, phase: Phase, change: impl FnOnce(&mut Volatile)) {
        let host = self.world.host();
        let (boot, at_ms) = (host.boot_id(), millis(host.uptime()));
        let last = self.last_done();
        self.records().update_volatile(|record| {
            *record = last.unwrap_or_default();
            record.phase = Some(phase);
            record.at_ms = at_ms;
            record.boot = boot;
            (record.lost, record.denied) = (false, false);
            K::note(self, None, record);
            change(record);
        });
    }

    /// As [`Self::record`], with the location.
    pub(super) fn record_at(&self, phase: Phase, location: &Location, change: impl FnOnce(&mut Volatile)) {
        self.record(phase, |record| {
            record.instance.clone_from(&location.instance);
            record.interface = Some(location.interface.clone());
            record.mac = location.mac;
            K::note(self, Some(location), record);
            change(record);
        });
    }

    /// Records that a monitor found the address gone, so that the next start does not assume that it is here.
    pub(super) fn record_lost(&self) {
        self.doubt(|record| &mut record.lost);
    }

    /// Sets a flag of the record of a start, unless it is set.
    pub(super) fn doubt(&self, flag: fn(&mut Volatile) -> &mut bool) {
        let started = |record: &Volatile| record.phase == Some(Phase::Started);
        if self.last_done().filter(started).is_some_and(|mut record| !*flag(&mut record)) {
            self.records().update_volatile(|record| *flag(record) = true);
        }
    }

    /// Whether EC2's answer contradicts a call that it accepted from this node in the settling window, so that it may come from a
    /// replica that is behind. An association that this node has not seen before is news.
    ///
    /// docs/behaviour.md, [stale-1].
    pub(super) fn contradicts(&self, owner: &Owner<K::Held>) -> bool {
        let Some(record) = self.last_done().filter(|_| self.is_settling()) else { return false };
        let seen = |held: &K::Held| held.marks().iter().all(|mark| record.marks.contains(mark));
        // An association of ours that is elsewhere has moved there, with its private address.
        let moved = |held: &K::Held| held.association().is_some_and(|id| Some(&id) == record.association());
        match (record.phase, owner) {
            (Some(Phase::Starting | Phase::Started), Owner::Unassigned) => true,
            // Without a mark from before, an old holder cannot be distinguished from a new one.
            (Some(Phase::Starting | Phase::Started), Owner::Elsewhere(held) | Owner::Misplaced(held)) => {
                (record.marks.is_empty() || seen(held)) && !moved(held)
            }
            (Some(Phase::Stopped), Owner::Ours(held) | Owner::Misplaced(held)) => seen(held),
            _ => false,
        }
    }

    /// Drops a record made on another instance: the disk was moved, or created from an image.
    pub(super) fn drop_foreign_record(&self, instance: Option<&InstanceId>) {
        let records = self.records();
        let Some(here) = instance.cloned().or_else(|| self.world.host().instance_id()) else { return };
        let durable = records.durable();
        if let Some(other) = durable.instance.filter(|other| *other != here) {
            self.log().warn(format_args!("record of {other} dropped: this is {here}"));
            records.update_durable(|record| *record = Durable::default());
            records.update_volatile(|record| *record = Volatile::default());
        }
    }

    /// Changes the durable record, and stamps it with this instance.
    pub(super) fn update_durable(&self, change: impl FnOnce(&mut Durable)) {
        let instance =
            self.last_done().and_then(|record| record.instance).or_else(|| self.world.host().instance_id());
        self.records().update_durable(|record| {
            if instance.is_some() {
                // Another instance's record must not become this one's.
                if record.instance.is_some() && record.instance != instance {
                    *record = Durable::default();
                }
                record.instance = instance;
            }
            change(record);
        });
    }

    /// Locks a private address of this node, as every mutating call on it requires. [target-3]
    ///
    /// # Errors
    /// [`Error::Busy`] if another process still holds it at the deadline.
    pub(super) async fn lock(
        &self,
        place: Option<Ipv4Addr>,
        until: &Deadline,
    ) -> Result<Option<LockOf<W>>, Error> {
        let Some(place) = place else { return Ok(None) };
        self.records().lock(place, until).await.map(Some).ok_or(Error::Busy(place))
    }

    /// Logs a change of holder and adds it to the history, with the time, the address and this node.
    pub(super) fn made(&self, change: Change) {
        let Change { action, from, to, association, phases, .. } = &change;
        let mut line = format!("{} moved from {from} to {to}; reason {action}", self.name());
        if let Some(id) = association {
            let _ = write!(line, "; {id}");
        }
        for PhaseTime { phase, ms } in phases {
            let _ = write!(line, "; {phase} {ms} ms");
        }
        self.log().info(&line);
        self.records().update_tally(|tally| *tally.moves.entry(action.clone()).or_default() += 1);
        let at = self.world.host().now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let change = Change {
            at_ms: millis(at),
            took_ms: millis(self.deadline.elapsed()),
            address: self.name(),
            node: self.nodes.first().cloned(),
            ..change
        };
        self.update_durable(|durable| durable.remember(change));
    }

    /// Stores the region for when instance metadata is silent.
    pub(super) async fn remember_region(&self) {
        let region = self.region().await;
        if region.is_some() && region != self.records().durable().region {
            self.update_durable(|durable| durable.region = region);
        }
    }

    /// The region to store for when instance metadata is silent; `None` if unknown.
    pub(super) async fn region(&self) -> Option<String> {
        match &self.common().api.region {
            Some(region) => Some(region.clone()),
            None => self.deadline.bound(self.world.imds().region()).await.ok()?.ok(),
        }
    }
}
