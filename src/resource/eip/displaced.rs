//! Addresses that ours pushes off their private address: a node's own way in from outside, as a rule. They are put back when
//! ours goes.

use super::place::Place;
use super::{Eip, World};
use crate::base::deadline::Deadline;
use crate::base::retry;
use crate::cloud::{Address, Ec2 as _, Ec2Error, Ec2Fault, Selector, Target};
use crate::host::Host as _;
use crate::state::{Displaced, Records as _};

impl<W: World> Eip<'_, W> {
    /// Keeps what sits on the private address, before it is pushed off: a process killed right after the order would have
    /// lost it.
    ///
    /// Whether it is an Elastic IP, or an automatic public address that can't be put back, is asked when it is put back.
    pub(super) fn remember_displaced(&self, place: &Place) {
        if !self.params.restore_displaced {
            return self.forget_displaced();
        }
        let mut durable = self.world.records().durable();
        let before = durable.displaced.clone();
        // The addresses of this and of other resources are the cluster's to place, also where the metadata still show them.
        let mut of_the_cluster: Vec<_> =
            self.world.records().others().into_iter().filter_map(|(_, record)| record.elastic_ip).collect();
        of_the_cluster.extend(self.public_ip());
        of_the_cluster.extend(self.last_done().and_then(|record| record.elastic_ip));
        of_the_cluster.extend(durable.pair.as_ref().map(|pair| pair.public_ip));
        // What was put back lately may not show yet, but gives way again.
        let settling = self.is_settling();
        durable.displaced.retain_mut(|displaced| {
            let here = displaced.private_ip == place.target.private_ip;
            let shown = place.shows(displaced.public_ip);
            if displaced.put_back && here && (shown || settling) {
                displaced.put_back = false;
            }
            !displaced.put_back
        });
        for (public_ip, private_ips) in place.carried.iter().flatten() {
            let in_our_place = private_ips.contains(&place.target.private_ip);
            let known = durable.displaced.iter().any(|displaced| displaced.public_ip == *public_ip);
            if in_our_place && !known && !of_the_cluster.contains(public_ip) {
                self.world.log().info(format_args!("{public_ip} gives way on {}", place.target));
                durable.displaced.push(Displaced {
                    public_ip: *public_ip,
                    interface: place.target.interface.clone(),
                    private_ip: place.target.private_ip,
                    put_back: false,
                });
            }
        }
        if durable.displaced != before {
            durable.reach = Some(self.params.api.clone());
            self.world.records().set_durable(&durable);
        }
    }

    /// Puts back what ours had pushed off. What can't be put back now is kept for the next time; nothing fails by it.
    pub(super) async fn put_back_displaced(&self, until: &Deadline) {
        if !self.params.restore_displaced {
            return self.forget_displaced();
        }
        let displaced = self.world.records().durable().displaced;
        for entry in displaced.into_iter().filter(|entry| !entry.put_back) {
            match self.put_back(&entry, until).await {
                Ok((put_back, sentence)) => self.settle_displaced(&entry, put_back, &sentence),
                Err(error) => {
                    self.world.log().warn(format_args!("{} not put back yet: {error}", entry.public_ip));
                }
            }
        }
    }

    /// Keeps what became of an address: one that is back still has to be known to the next start, any other is forgotten.
    pub(super) fn settle_displaced(&self, entry: &Displaced, put_back: bool, sentence: &str) {
        self.world.log().info(format_args!("{} {sentence}", entry.public_ip));
        let mut durable = self.world.records().durable();
        durable.displaced.retain_mut(|kept| {
            let this = kept == entry;
            kept.put_back |= this && put_back;
            !this || put_back
        });
        self.world.records().set_durable(&durable);
    }

    /// Forgets what was pushed off: whoever switches `restore_displaced` off does not want it back at the next boot either.
    fn forget_displaced(&self) {
        let mut durable = self.world.records().durable();
        let before = durable.displaced.len();
        durable.displaced.retain(|entry| entry.put_back);
        if durable.displaced.len() != before {
            self.world.records().set_durable(&durable);
        }
    }

    /// Puts one address back, and returns whether it is back, with a sentence that says what became of it.
    pub(super) async fn put_back(
        &self,
        entry: &Displaced,
        until: &Deadline,
    ) -> Result<(bool, String), Ec2Error> {
        let address: Address = match self.describe(&Selector::PublicIp(entry.public_ip), until).await {
            Ok(address) => address,
            Err(error) if error.fault == Ec2Fault::Unknown => {
                return Ok((false, "was no Elastic IP of this account: nothing to put back".to_owned()));
            }
            Err(error) => return Err(error),
        };
        if let Some(association) = &address.association {
            return Ok((false, format!("is with {association} by now: not put back")));
        }
        let boot = self.world.host().boot_id();
        let taken = self
            .world
            .records()
            .others()
            .into_iter()
            .find(|(_, record)| record.is_running(&boot) && record.private_ip == Some(entry.private_ip));
        if let Some((resource, _)) = taken {
            let mut error = Ec2Error::cut_off("AssociateAddress", &address.allocation);
            error.answer = format!("its place carries the address of {resource}");
            return Err(error);
        }
        let target = Target { interface: entry.interface.clone(), private_ip: entry.private_ip };
        let ordered = retry::until(
            until,
            self.params.timing.max_backoff,
            || Ec2Error::cut_off("AssociateAddress", &address.allocation),
            // The address itself is not taken from anybody who got it meanwhile.
            async || self.world.ec2().associate(&address.allocation, &target, false).await,
        )
        .await;
        match ordered {
            Ok(id) => Ok((true, format!("put back on {target} ({id})"))),
            Err(error) if error.fault == Ec2Fault::Target => {
                Ok((false, format!("can't be put back on {target}: {}", error.answer)))
            }
            Err(error) => Err(error),
        }
    }
}
