//! Addresses that ours pushes off their private address: a node's own way in from outside, as a rule. They are put back when
//! ours goes.

use super::place::Place;
use super::{Eip, World};
use crate::cloud::{Address, Ec2 as _, Ec2Error, Ec2Fault, Selector, Target};
use crate::deadline::Deadline;
use crate::retry;
use crate::state::{Displaced, Records as _};

impl<W: World> Eip<'_, W> {
    /// Keeps what sits on the private address, before it is pushed off: a process killed right after the order would have
    /// lost it.
    ///
    /// Whether it is an Elastic IP, or an automatic public address that can't be put back, is asked when it is put back.
    pub(super) fn remember_displaced(&self, place: &Place) {
        if !self.params.restore_displaced {
            return;
        }
        let ours = self.public_ip();
        let others: Vec<_> =
            self.world.records().others().into_iter().filter_map(|(_, record)| record.elastic_ip).collect();
        let mut durable = self.world.records().durable();
        let before = durable.displaced.len();
        for (public_ip, private_ips) in place.carried.iter().flatten() {
            let in_our_place = private_ips.contains(&place.target.private_ip);
            let known = durable.displaced.iter().any(|displaced| displaced.public_ip == *public_ip);
            // The address of another resource is the cluster's to place, also when the metadata still shows it here.
            let of_the_cluster = Some(*public_ip) == ours || others.contains(public_ip);
            if in_our_place && !known && !of_the_cluster {
                self.world.log().info(format_args!("{public_ip} gives way on {}", place.target));
                durable.displaced.push(Displaced {
                    public_ip: *public_ip,
                    interface: place.target.interface.clone(),
                    private_ip: place.target.private_ip,
                });
            }
        }
        if durable.displaced.len() > before {
            self.world.records().set_durable(&durable);
        }
    }

    /// Puts back what ours had pushed off. What can't be put back now is kept for the next time; nothing fails by it.
    pub(super) async fn put_back_displaced(&self, until: &Deadline) {
        if !self.params.restore_displaced {
            return;
        }
        let displaced = self.world.records().durable().displaced;
        for entry in displaced {
            match self.put_back(&entry, until).await {
                Ok(sentence) => {
                    self.world.log().info(format_args!("{} {sentence}", entry.public_ip));
                    let mut durable = self.world.records().durable();
                    durable.displaced.retain(|kept| *kept != entry);
                    self.world.records().set_durable(&durable);
                }
                Err(error) => {
                    self.world.log().warn(format_args!("{} not put back yet: {error}", entry.public_ip));
                }
            }
        }
    }

    async fn put_back(&self, entry: &Displaced, until: &Deadline) -> Result<String, Ec2Error> {
        let address: Address = match self.describe(&Selector::PublicIp(entry.public_ip), until).await {
            Ok(address) => address,
            Err(error) if error.fault == Ec2Fault::Unknown => {
                return Ok("was no Elastic IP of this account: nothing to put back".to_owned());
            }
            Err(error) => return Err(error),
        };
        if let Some(association) = &address.association {
            return Ok(format!("is with {association} by now: not put back"));
        }
        let target = Target { interface: entry.interface.clone(), private_ip: entry.private_ip };
        let ordered = retry::until(
            until,
            self.params.timing.max_backoff,
            || Ec2Error::cut_off("AssociateAddress", &address.allocation),
            // Never from somebody who has taken it meanwhile.
            async || self.world.ec2().associate(&address.allocation, &target, false).await,
        )
        .await;
        match ordered {
            Ok(id) => Ok(format!("put back on {target} ({id})")),
            Err(error) if error.fault == Ec2Fault::AlreadyAssociated => {
                Ok("is associated by now: not put back".to_owned())
            }
            Err(error) if error.fault == Ec2Fault::Target => {
                Ok(format!("can't be put back on {target}: {}", error.answer))
            }
            Err(error) => Err(error),
        }
    }
}
