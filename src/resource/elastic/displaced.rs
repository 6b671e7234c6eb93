//! Elastic IPs that ours displaces from its private address: usually the node's own access from the internet. They are restored
//! when ours goes, at boot, or by the stop of another resource on the same place.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::{Elastic, Location, Op, World};
use crate::base::deadline::Deadline;
use crate::base::deadline::millis;
use crate::base::ids::{AllocationId, InterfaceId};
use crate::base::retry::{Backoff, Patience, Retryable as _, Series};
use crate::cloud::{Ec2 as _, Ec2Error, Ec2Fault, Imds as _, Selector, Target};
use crate::host::Host as _;
use crate::resource::error::Error;
use crate::resource::location::of_each_interface;
use crate::state::{Displaced, Records as _, Sent};

/// Time limit for a stop's queries about displaced addresses: the cluster starts the address elsewhere only after the stop. A
/// call that was sent is awaited beyond that.
const QUERY_LIMIT: Duration = Duration::from_secs(2);

/// A displaced address that is to be restored.
pub(super) struct Restore<'r, R> {
    /// The record that it is in.
    pub(super) records: &'r R,
    pub(super) entry: &'r Displaced,
    /// Limit for the queries.
    pub(super) until: &'r Deadline,
}

impl<R> Restore<'_, R> {
    /// The place that it was displaced from.
    fn target(&self) -> Target {
        Target { interface: self.entry.interface.clone(), private_ip: self.entry.private_ip }
    }

    /// Whether a record is about the same address in the same place.
    fn is_of(&self, other: &Displaced) -> bool {
        other.public_ip == self.entry.public_ip && other.private_ip == self.entry.private_ip
    }
}

/// Outcome for a displaced address.
enum Restored {
    /// It is back in its place; the sentence for the log.
    Back(String),
    /// Nothing to restore any more; the reason.
    Forget(String),
    /// Its place is still in use; by what.
    Waits(String),
}

impl<W: World> Op<'_, Elastic, W> {
    /// Records what is on the target before it is displaced: a process killed right after the call would have lost it.
    /// [displaced-1]
    ///
    /// Whether it is an Elastic IP, or an automatic public address that cannot be restored, is checked on restoring.
    pub(super) fn remember_displaced(&self, location: &Location) {
        let Some(private_ip) = location.private_ip else { return };
        if !self.params.restore_displaced {
            return self.forget_displaced();
        }
        let of_the_cluster = self.addresses_of_the_cluster();
        // What was restored recently may not show yet, and without instance metadata nothing shows; it is displaced again.
        let settling = self.is_settling() || location.carried.is_none();
        let before = self.records().durable().displaced;
        let mut after = before.clone();
        after.retain_mut(|entry| {
            let here = entry.private_ip == private_ip;
            let unseen = settling || self.is_recent(entry.sent.as_ref());
            if entry.put_back && here && (unseen || location.shows(entry.public_ip)) {
                entry.put_back = false;
                entry.sent = None;
            }
            !entry.put_back
        });
        // The same for what another resource, or a claim, has just restored to this place.
        let of_others: Vec<Displaced> =
            self.records().others().into_iter().flat_map(|(_, other)| other.durable().displaced).collect();
        let restored = of_others.iter().filter(|entry| {
            entry.put_back && entry.private_ip == private_ip && self.is_recent(entry.sent.as_ref())
        });
        let shown = location.public_ips().chain(restored.map(|entry| entry.public_ip));
        for public_ip in shown.filter(|ip| Some(*ip) != self.public_ip()) {
            if of_the_cluster.contains(&public_ip) {
                self.log().info(format_args!(
                    "{public_ip} is displaced from {private_ip} for good: a record names it as the cluster's"
                ));
            } else if after.iter().all(|entry| entry.public_ip != public_ip) {
                self.log().info(format_args!("{public_ip} is displaced from {private_ip}"));
                let interface = location.interface.clone();
                after.push(Displaced { public_ip, interface, private_ip, put_back: false, sent: None });
            }
        }
        if after != before {
            self.update_durable(|durable| {
                durable.displaced = after;
                durable.reach = Some(self.params.api.clone());
            });
        }
    }

    /// The addresses of this and the other resources on record: the cluster places them, even if instance metadata still shows
    /// them here. [target-7]
    fn addresses_of_the_cluster(&self) -> Vec<Ipv4Addr> {
        let records = self.records();
        let mut addresses: Vec<Ipv4Addr> = self.public_ip().into_iter().collect();
        addresses.extend(self.last_done().and_then(|record| record.elastic_ip()));
        addresses.extend(records.durable().pair.map(|pair| pair.public_ip));
        for (_, other) in self.resources_beside() {
            addresses.extend(other.volatile().elastic_ip());
            addresses.extend(other.durable().pair.map(|pair| pair.public_ip));
        }
        addresses
    }

    /// Whether a call that restores an address to this place was sent recently and not answered.
    pub(super) fn is_restore_in_flight(&self, location: &Location) -> bool {
        let here = |entry: &Displaced| {
            Some(entry.private_ip) == location.private_ip
                && !entry.put_back
                && self.is_recent(entry.sent.as_ref())
        };
        let records = self.records();
        let others = records.others();
        let others = others.iter().map(|(_, other)| other.durable());
        others.chain([records.durable()]).any(|durable| durable.displaced.iter().any(here))
    }

    /// Whether a call was sent so recently that its effect may not show yet.
    fn is_recent(&self, sent: Option<&Sent>) -> bool {
        let (boot, uptime) = (self.world.host().boot_id(), self.world.host().uptime());
        let age = sent
            .filter(|sent| sent.boot == boot)
            .and_then(|sent| uptime.checked_sub(Duration::from_millis(sent.at_ms)));
        age.is_some_and(|age| age < self.params.timing.settle_window)
    }

    /// Restores what ours had displaced, and what another resource displaced from the same place and left. What cannot be
    /// restored now is kept for the next time; nothing fails because of it. [displaced-3]
    pub(super) async fn restore_displaced(&self) {
        if !self.params.restore_displaced {
            return self.forget_displaced();
        }
        let until = self.deadline.within(QUERY_LIMIT);
        let place = self.last_done().and_then(|record| record.private_ip());
        let own = self.records().durable().displaced;
        // The last one displaced was there last.
        for entry in own.into_iter().rev().filter(|entry| !entry.put_back) {
            self.restore_or_warn(self.records(), &entry, &until).await;
        }
        for (_, other) in self.records().others() {
            if self.runs(&other.volatile()) {
                continue;
            }
            for entry in other.durable().displaced.into_iter().rev() {
                if !entry.put_back && Some(entry.private_ip) == place {
                    self.restore_or_warn(&other, &entry, &until).await;
                }
            }
        }
    }

    async fn restore_or_warn(&self, records: &W::Records, entry: &Displaced, until: &Deadline) {
        if let Err(error) = self.restore_entry(&Restore { records, entry, until }).await {
            self.log().warn(format_args!("{} not restored yet: {error}", entry.public_ip));
        }
    }

    /// Restores one address, and records the outcome while its place is still locked: the start that waits for the lock has to
    /// see it.
    ///
    /// # Errors
    /// Why the outcome is unknown, or what EC2 answered: a retry may help.
    pub(super) async fn restore_entry(&self, restore: &Restore<'_, W::Records>) -> Result<(), Error> {
        let public_ip = restore.entry.public_ip;
        let _lock = self.lock(Some(restore.entry.private_ip), restore.until).await?;
        // A restored address is kept for the next start, any other is forgotten.
        let (put_back, sentence) = match self.restored(restore).await? {
            Restored::Back(sentence) => (true, sentence),
            Restored::Forget(sentence) => (false, sentence),
            Restored::Waits(sentence) => {
                self.log().info(format_args!("{public_ip} waits: {sentence}"));
                return Ok(());
            }
        };
        self.log().info(format_args!("{public_ip} {sentence}"));
        restore.records.update_durable(|durable| {
            durable.displaced.retain_mut(|kept| {
                let this = restore.is_of(kept);
                kept.put_back |= this && put_back;
                !this || put_back
            });
        });
        Ok(())
    }

    /// Drops displaced addresses: with `restore_displaced=false` they must not be restored at the next boot either.
    fn forget_displaced(&self) {
        if self.records().durable().displaced.iter().any(|entry| !entry.put_back) {
            self.update_durable(|durable| durable.displaced.retain(|entry| entry.put_back));
        }
    }

    /// Restores one address if its place is free according to EC2 and belongs to this instance. [target-2]
    async fn restored(&self, restore: &Restore<'_, W::Records>) -> Result<Restored, Error> {
        let (entry, until, target) = (restore.entry, restore.until, restore.target());
        if self.runs(&restore.records.volatile()) {
            return Ok(Restored::Waits("the resource runs here".to_owned()));
        }
        for (resource, other) in self.resources_beside() {
            let record = other.volatile();
            if self.runs(&record) && record.private_ip() == Some(entry.private_ip) {
                return Ok(Restored::Waits(format!("its target carries the address of {resource}")));
            }
        }
        if !self.has_interface(&entry.interface, until).await? {
            let why =
                format!("was on {}, which is not attached to this instance: not restored", entry.interface);
            return Ok(Restored::Forget(why));
        }
        let select = Selector::PublicIp(entry.public_ip);
        let describe = async || self.world.ec2().describe(&select).await;
        let address = match self.call("DescribeAddresses", &select, until, describe).await {
            Ok(address) => address,
            // With other settings than when it was displaced, another account or region may have been queried.
            Err(error) if error.fault == Ec2Fault::Unknown && self.reaches_as(restore.records) => {
                return Ok(Restored::Forget(
                    "was not an Elastic IP of this account: nothing to restore".to_owned(),
                ));
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(association) = &address.association {
            let back = association.interface.as_ref() == Some(&target.interface)
                && association.private_ip == Some(target.private_ip);
            if !back {
                return Ok(Restored::Forget(format!("is now held by {association}: not restored")));
            }
            // Soon after ours displaced it this answer may be from before.
            if !self.is_settling() && !self.settles(&restore.records.volatile()) {
                return Ok(Restored::Back(format!("is back on {target} already")));
            }
        }
        if let Some(occupied) = self.occupied(restore).await? {
            return Ok(occupied);
        }
        self.send_restore(restore, &address.allocation).await
    }

    /// Whether AWS is called with the settings with which the addresses of this record were displaced.
    fn reaches_as(&self, records: &W::Records) -> bool {
        records.durable().reach.is_none_or(|reach| reach == self.params.api)
    }

    /// The outcome if EC2 shows another address on the place; `None` if the place is free.
    async fn occupied(&self, restore: &Restore<'_, W::Records>) -> Result<Option<Restored>, Error> {
        let target = restore.target();
        let mut on_record = self.addresses_of_the_cluster();
        on_record
            .extend(self.records().others().iter().filter_map(|(_, other)| other.volatile().elastic_ip()));
        let mut backoff = Backoff::new(self.params.timing.max_backoff);
        loop {
            let query = async || self.world.ec2().on_target(&target).await;
            let mut found = self.call("DescribeAddresses", &target, restore.until, query).await?;
            found.retain(|address| address.public_ip != restore.entry.public_ip);
            let Some(found) = found.first() else { return Ok(None) };
            let ip = found.public_ip;
            if !on_record.contains(&ip) {
                return Ok(Some(Restored::Forget(format!("was not restored: {ip} is on {target}"))));
            }
            // Ours was released from there just now; EC2 may be behind.
            if self.public_ip() != Some(ip) || !backoff.pause(restore.until, Patience::Lasting).await {
                return Ok(Some(Restored::Waits(format!("{ip} is still on {}", target.private_ip))));
            }
        }
    }

    /// Sends the call, which is on record from before it is sent until it is refused. Once sent, it is awaited until the action's
    /// deadline. [target-4], [target-5]
    async fn send_restore(
        &self,
        restore: &Restore<'_, W::Records>,
        allocation: &AllocationId,
    ) -> Result<Restored, Error> {
        let target = restore.target();
        let mark = |sent: Option<Sent>| {
            restore.records.update_durable(|durable| {
                for kept in durable.displaced.iter_mut().filter(|kept| restore.is_of(kept)) {
                    kept.sent.clone_from(&sent);
                }
            });
        };
        let host = self.world.host();
        mark(Some(Sent { boot: host.boot_id(), at_ms: millis(host.uptime()) }));
        let mut series = Series::new(restore.until, self.params.timing.max_backoff);
        loop {
            // Not taken from a holder that got it meanwhile.
            let call = self.world.ec2().associate(allocation, &target, false);
            let error = match self.deadline.bound(call).await {
                Ok(Ok(id)) => {
                    return Ok(Restored::Back(format!("restored on {target} ({id})")));
                }
                Ok(Err(error)) => error,
                Err(_) => Ec2Error::cut_off("AssociateAddress", allocation),
            };
            if !error.may_have_worked() {
                mark(None);
            }
            if error.fault == Ec2Fault::Target {
                return Ok(Restored::Forget(format!("cannot be restored on {target}: {}", error.answer)));
            }
            if !series.again(error.patience()).await {
                return Err(error.into());
            }
        }
    }

    /// Whether the interface belongs to this instance, according to instance metadata or the record of this boot.
    async fn has_interface(&self, interface: &InterfaceId, until: &Deadline) -> Result<bool, Error> {
        let list = async || of_each_interface(self.world.imds(), W::Imds::interface_id).await;
        match self.query(until, list).await {
            Ok(found) => Ok(found.contains(interface)),
            Err(_) if self.last_done().is_some_and(|record| record.interface.as_ref() == Some(interface)) => {
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }
}
