//! Putting displaced addresses back where no stop will do it: at boot, after the node went down while ours was on it.
//!
//! Unlike a stop, this does not know that the place is free. A node that was down for a moment may still hold the cluster's
//! address, and the record may have come to another instance with an image of the disk.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::{Eip, World};
use crate::base::deadline::Deadline;
use crate::base::retry::{Backoff, Patience, Retryable as _};
use crate::cloud::{Address, Ec2 as _, Ec2Error, Ec2Fault, Imds as _, ImdsError, Selector};
use crate::host::Host as _;
use crate::params::Params;
use crate::resource::error::Error;
use crate::state::{Displaced, Records as _};

/// The longest that one address may take while others wait.
const TURN: Duration = Duration::from_secs(5);

/// A resource on record, with what it takes to act for it.
pub struct Known<W> {
    /// Its world, with its records.
    pub world: W,
    /// Its parameters as far as they are known.
    pub params: Params,
}

/// An address that is not back.
#[derive(Debug)]
pub struct Left {
    /// The address.
    pub public_ip: Ipv4Addr,
    /// Why.
    pub error: Error,
}

/// What is to be done about an address now.
enum Verdict {
    /// It has to wait until a resource of this node lets go of its place.
    Waits(String),
    /// It is none of this node's business.
    Forget(String),
    /// Its place is free.
    PutBack,
}

/// Puts back every displaced address of these resources, and returns those that are not back when the time is up.
///
/// An address whose place carries the address of a resource on record is not among them: it comes back when that one goes.
pub async fn restore<W: World>(resources: &[Known<W>], deadline: &Deadline) -> Vec<Left> {
    let mut backoff = Backoff::new(Duration::from_secs(2));
    loop {
        let mut left = Vec::new();
        let mut worthwhile = false;
        let of_resources = resources_on_record(resources);
        for Known { world, params } in resources {
            for entry in world.records().durable().displaced.into_iter().filter(|entry| !entry.put_back) {
                let eip = Eip { world, params, deadline: deadline.within(TURN), node: None };
                if let Err(error) = eip.restore_one(&entry, &of_resources).await {
                    worthwhile |= error.patience() != Patience::Never;
                    left.push(Left { public_ip: entry.public_ip, error });
                }
            }
        }
        if !worthwhile || !backoff.pause(deadline, Patience::Lasting).await {
            return left;
        }
    }
}

/// Returns the addresses that the resources on record are about.
fn resources_on_record<W: World>(resources: &[Known<W>]) -> Vec<Ipv4Addr> {
    let addresses =
        resources.iter().filter_map(|known| Some(known.world.records().durable().pair?.public_ip));
    addresses.collect()
}

impl<W: World> Eip<'_, W> {
    async fn restore_one(&self, entry: &Displaced, of_resources: &[Ipv4Addr]) -> Result<(), Error> {
        match self.may_put_back(entry, of_resources).await? {
            Verdict::Waits(why) => {
                self.world.log().info(format_args!("{} waits: {why}", entry.public_ip));
            }
            Verdict::Forget(why) => self.settle_displaced(entry, false, &why),
            Verdict::PutBack => {
                let (put_back, sentence) = self.put_back(entry, &self.deadline).await?;
                self.settle_displaced(entry, put_back, &sentence);
            }
        }
        Ok(())
    }

    async fn may_put_back(&self, entry: &Displaced, of_resources: &[Ipv4Addr]) -> Result<Verdict, Error> {
        let boot = self.world.host().boot_id();
        if self.world.records().volatile().is_running(&boot) {
            return Ok(Verdict::Waits("the resource runs here".to_owned()));
        }
        let carried = match self.deadline.bound(self.carried_on(entry)).await {
            Ok(carried) => carried?,
            Err(_) => return Err(ImdsError::cut_off("network/interfaces").into()),
        };
        let Some(mut suspects) = carried else {
            let why =
                format!("was on {}, which is not attached to this instance: not put back", entry.interface);
            return Ok(Verdict::Forget(why));
        };
        // The metadata may lag behind, so the addresses of resources are asked for in any case.
        suspects.extend(of_resources);
        suspects.retain(|suspect| *suspect != entry.public_ip);
        suspects.sort_unstable();
        suspects.dedup();
        for suspect in suspects {
            let Some(address) = self.elastic(suspect).await? else { continue };
            let there = address.association.as_ref().is_some_and(|association| {
                association.interface.as_ref() == Some(&entry.interface)
                    && association.private_ip == Some(entry.private_ip)
            });
            if there && of_resources.contains(&suspect) {
                return Ok(Verdict::Waits(format!("{suspect} is on {} still", entry.private_ip)));
            }
            if there {
                return Err(Error::NotHere(format!("{suspect} is on {} by now", entry.private_ip)));
            }
        }
        Ok(Verdict::PutBack)
    }

    /// Returns the public addresses that the metadata service shows in the place; nothing where this instance has no such
    /// interface.
    async fn carried_on(&self, entry: &Displaced) -> Result<Option<Vec<Ipv4Addr>>, ImdsError> {
        for mac in self.world.imds().macs().await? {
            if self.world.imds().interface(mac).await?.id == entry.interface {
                let carried = self.world.imds().associations(mac).await?;
                let here = carried.into_iter().filter(|(_, private)| private.contains(&entry.private_ip));
                return Ok(Some(here.map(|(public, _)| public).collect()));
            }
        }
        Ok(None)
    }

    /// Returns what EC2 says of an address; nothing where it is no Elastic IP of the account, but an automatic one.
    async fn elastic(&self, public_ip: Ipv4Addr) -> Result<Option<Address>, Error> {
        let selector = Selector::PublicIp(public_ip);
        match self.deadline.bound(self.world.ec2().describe(&selector)).await {
            Ok(Ok(address)) => Ok(Some(address)),
            Ok(Err(error)) if error.fault == Ec2Fault::Unknown => Ok(None),
            Ok(Err(error)) => Err(Error::Ec2(error)),
            Err(_) => Err(Error::Ec2(Ec2Error::cut_off("DescribeAddresses", &public_ip))),
        }
    }
}
