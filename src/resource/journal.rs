//! Records what this node does, and reports every change of holder.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::{Duration, UNIX_EPOCH};

use super::kind::{Holder, Kind, Location, Op, Owner};
use super::{World, millis};
use crate::base::deadline::Deadline;
use crate::base::ids::{AssociationId, InstanceId};
use crate::cloud::Imds as _;
use crate::host::Host as _;
use crate::resource::error::Error;
use crate::state::{Change, Durable, Phase, PhaseTime, Records as _, Volatile};

/// The lock of a place in this world.
pub(super) type LockOf<W> = <<W as World>::Records as crate::state::Records>::Lock;

/// A change of holder that this node made.
pub(super) struct Made<'a> {
    /// The action that made it, for example `start`.
    pub action: &'a str,
    /// Previous holder.
    pub from: String,
    /// New holder.
    pub to: String,
    /// The association that was created or ended.
    pub association: Option<AssociationId>,
    /// Duration of each phase.
    pub phases: Vec<(&'static str, Duration)>,
}

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    /// Records what this node has just done with the address.
    pub(super) fn record(&self, phase: Phase, change: impl FnOnce(&mut Volatile)) {
        let host = self.world.host();
        let (boot, at_ms) = (host.boot_id(), millis(host.uptime()));
        let last = self.last_done();
        self.world.records().update_volatile(|record| {
            *record = last.unwrap_or_default();
            record.phase = Some(phase);
            record.at_ms = at_ms;
            record.boot = boot;
            (record.lost, record.denied) = (false, false);
            K::identify(self, record);
            change(record);
        });
    }

    /// As [`Self::record`], with the location.
    pub(super) fn record_at(&self, phase: Phase, location: &Location, change: impl FnOnce(&mut Volatile)) {
        self.record(phase, |record| {
            record.instance.clone_from(&location.instance);
            record.interface = Some(location.interface.clone());
            record.mac = location.mac;
            K::note(self, location, record);
            change(record);
        });
    }

    /// Records that a monitor found the address gone, so that the next start does not assume that it is here.
    pub(super) fn record_lost(&self) {
        self.doubt(|record| &mut record.lost);
    }

    /// Records that EC2 denied a probe that the address is here, so that the next start does not assume it.
    pub(super) fn record_denied(&self) {
        self.doubt(|record| &mut record.denied);
    }

    fn doubt(&self, flag: fn(&mut Volatile) -> &mut bool) {
        let started = |record: &Volatile| record.phase == Some(Phase::Started);
        if self.last_done().filter(started).is_some_and(|mut record| !*flag(&mut record)) {
            self.world.records().update_volatile(|record| *flag(record) = true);
        }
    }

    /// Whether a monitor has found the address gone since the last start.
    pub(super) fn was_found_gone(&self) -> bool {
        self.last_done().is_some_and(|record| record.lost)
    }

    /// Whether EC2's answer contradicts a call that it accepted from this node in the settling window, so that it may come from a
    /// replica that is behind. An association that this node has not seen before is news.
    ///
    /// docs/behaviour.md, [stale-1].
    pub(super) fn contradicts(&self, owner: &Owner<K::Held>) -> bool {
        let Some(record) = self.last_done().filter(|_| self.is_settling()) else { return false };
        let seen = |held: &K::Held| held.marks().iter().all(|mark| record.marks.contains(mark));
        match (record.phase, owner) {
            (Some(Phase::Starting | Phase::Started), Owner::Unassigned) => true,
            // Without a mark from before, an old holder cannot be distinguished from a new one.
            (Some(Phase::Starting | Phase::Started), Owner::Elsewhere(held) | Owner::Misplaced(held)) => {
                record.marks.is_empty() || seen(held)
            }
            (Some(Phase::Stopped), Owner::Ours(held) | Owner::Misplaced(held)) => seen(held),
            _ => false,
        }
    }

    /// Drops a record made on another instance: the disk was moved, or created from an image.
    pub(super) fn drop_foreign_record(&self, instance: Option<&InstanceId>) {
        let records = self.world.records();
        let Some(here) = instance.cloned().or_else(|| self.world.host().instance_id()) else { return };
        let durable = records.durable();
        if let Some(other) = durable.instance.filter(|other| *other != here) {
            self.world.log().warn(format_args!("record of {other} dropped: this is {here}"));
            records.update_durable(|record| *record = Durable::default());
            records.update_volatile(|record| *record = Volatile::default());
        }
    }

    /// Changes the durable record, and stamps it with this instance.
    pub(super) fn update_durable(&self, change: impl FnOnce(&mut Durable)) {
        let instance =
            self.last_done().and_then(|record| record.instance).or_else(|| self.world.host().instance_id());
        self.world.records().update_durable(|record| {
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
        self.world.records().lock(place, until).await.map(Some).ok_or(Error::Busy(place))
    }

    /// Logs a change of holder and adds it to the history.
    pub(super) fn made(&self, made: Made<'_>) {
        let mut line =
            format!("{} moved from {} to {}; reason {}", self.name(), made.from, made.to, made.action);
        if let Some(id) = &made.association {
            let _ = write!(line, "; {id}");
        }
        for (phase, took) in &made.phases {
            let _ = write!(line, "; {phase} {} ms", took.as_millis());
        }
        self.world.log().info(&line);
        self.world
            .records()
            .update_tally(|tally| *tally.moves.entry(made.action.to_owned()).or_default() += 1);
        let at = self.world.host().now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let change = Change {
            at_ms: millis(at),
            action: made.action.to_owned(),
            from: made.from,
            to: made.to,
            association: made.association,
            took_ms: millis(self.deadline.elapsed()),
            address: self.name(),
            node: self.nodes.first().cloned(),
            phases: made.phases.iter().map(|(phase, took)| PhaseTime::new(phase, *took)).collect(),
        };
        self.update_durable(|durable| durable.remember(change));
    }

    /// Stores the region for when instance metadata is silent.
    pub(super) async fn remember_region(&self) {
        let region = self.region().await;
        if region.is_some() && region != self.world.records().durable().region {
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
