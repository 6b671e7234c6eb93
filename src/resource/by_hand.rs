//! What `eipctl` does by hand: dry runs, and how the cluster adopts a claimed address.

use std::fmt::Write as _;

use super::World;
use super::kind::{Holder as _, Kind, Me, Op, Owner};
use super::recorded::names;
use crate::params::OnStop;
use crate::resource::error::Error;
use crate::state::{Phase, Records as _, Volatile};

/// Resource name for the records of manual changes. For one address, the address follows after a hyphen.
pub const BY_HAND: &str = "eipctl";

/// Whether a record is about manual changes, not about a resource of the cluster.
pub fn is_by_hand(resource: &str) -> bool {
    resource.strip_prefix(BY_HAND).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    /// What a start would do now, in a sentence.
    ///
    /// # Errors
    /// Why it would fail.
    pub async fn would_start(&self) -> Result<String, Error> {
        let location = self.locate(true).await?;
        let (ticket, owner) = K::learn(self, &location).await?;
        K::prepare(self, &location).await?;
        let (name, holder) = (self.name(), owner.holder());
        match owner {
            Owner::Ours(held) => return Ok(format!("{name} is here already ({})", held.described())),
            Owner::Elsewhere(_) if !self.common().may_take => {
                return Err(Error::Held { address: name, holder, parameter: K::WORDS.may_take });
            }
            Owner::Elsewhere(_) | Owner::Misplaced(_) | Owner::Unassigned => {}
        }
        K::may_be_taken(self, &ticket, &location).await?;
        let mut sentence = format!("{name} would move from {holder} to {location}");
        for public_ip in location.public_ips().filter(|ip| Some(*ip) != K::public_ip(self)) {
            // Writing to a `String` cannot fail.
            let _ = write!(sentence, "; {public_ip} would be displaced");
        }
        Ok(sentence)
    }

    /// What a stop would do now, in a sentence.
    ///
    /// # Errors
    /// Why it would fail.
    pub async fn would_stop(&self) -> Result<String, Error> {
        let name = self.name();
        if self.common().on_stop == OnStop::Leave {
            return Ok(format!("{name} would be {}", K::WORDS.left));
        }
        Ok(match self.query_ec2(Me::Known, &self.deadline).await? {
            Owner::Ours(held) | Owner::Misplaced(held) => {
                K::may_be_released(self, &held).await?;
                format!("{name} would be released: {}", held.described())
            }
            Owner::Elsewhere(held) => format!("{name} is held by {held}: nothing would be done"),
            Owner::Unassigned => format!("{name} is unassigned: nothing would be done"),
        })
    }

    /// The records of this node's other resources. What was claimed by hand is not among them: it may be the node's own address, and if it
    /// is a resource's, that has a record of its own.
    pub(super) fn resources_beside(&self) -> impl Iterator<Item = (String, W::Records)> {
        self.records().others().into_iter().filter(|(name, _)| !is_by_hand(name))
    }

    /// Adopts what `eipctl claim` recorded about this address on this node: it becomes this resource's, and so do the addresses
    /// that the claim displaced. [displaced-4]
    pub(super) fn take_over_claims(&self) {
        let mut own = names(&Volatile::default(), &self.records().durable());
        if !own.contains(&self.name()) {
            own = vec![self.name()];
        }
        for (resource, claim) in self.records().others() {
            // Checked before its files are read: a start reads no other resource's.
            if !is_by_hand(&resource) {
                continue;
            }
            let (volatile, durable) = (claim.volatile(), claim.durable());
            if !names(&volatile, &durable).iter().any(|name| own.contains(name)) {
                continue;
            }
            let displaced: Vec<_> = durable.displaced.into_iter().filter(|entry| !entry.put_back).collect();
            if !displaced.is_empty() {
                self.update_durable(|record| {
                    for entry in displaced {
                        // One that this resource restored before has been displaced again.
                        record
                            .displaced
                            .retain(|known| known.public_ip != entry.public_ip || !known.put_back);
                        if record.displaced.iter().all(|known| known.public_ip != entry.public_ip) {
                            record.displaced.push(entry);
                        }
                    }
                    record.reach = record.reach.take().or(durable.reach);
                });
                claim.update_durable(|record| record.displaced.clear());
            }
            if self.runs(&volatile) {
                claim.update_volatile(|record| record.phase = Some(Phase::Stopped));
                // It was this node's last call about the address: what follows waits for EC2 to show it, as after a start of its own.
                self.records().update_volatile(|record| {
                    if record.boot != volatile.boot || record.at_ms < volatile.at_ms {
                        *record = volatile;
                    }
                });
            }
        }
    }
}
