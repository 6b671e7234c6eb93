//! Assigns a secondary private address to any instance of the account, from anywhere. For administrators, not for a cluster.
//!
//! EC2 only: the network device, and the instance metadata that could confirm the change, are on the other machine.

use std::cell::OnceCell;
use std::fmt::Display;

use tokio::time::Instant;

use super::{Op, Private, PrivateWorld};
use crate::base::ids::InstanceId;
use crate::base::retry::{Patience, Retryable as _, Series};
use crate::cloud::{Ec2Error, Ec2Fault, Eni, PrivateIps as _};
use crate::params::InterfaceSelector;
use crate::resource::error::Error;
use crate::resource::location;
use crate::resource::start::with_side_query;

/// Result of an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assigned {
    /// The interface had the address before.
    Already(Eni),
    /// It has the address now.
    Now {
        /// The interface.
        to: Eni,
        /// The previous interface, if there was one and EC2 has shown it.
        from: Option<Eni>,
    },
}

impl<W: PrivateWorld> Op<'_, Private, W> {
    /// Assigns the address to an instance, and returns once EC2 shows it there.
    ///
    /// # Errors
    /// [`Error::OtherSubnet`], [`Error::Primary`] and [`Error::Held`] as for the resource; otherwise EC2's error.
    pub async fn assign_to(&self, instance: &InstanceId) -> Result<Assigned, Error> {
        let address = self.params.address;
        let query = async || self.world.ec2().interfaces_of(instance).await;
        let interfaces = self.call("DescribeNetworkInterfaces", instance, &self.deadline, query).await?;
        if interfaces.is_empty() {
            let text =
                format!("{instance}: EC2 shows no interface of this instance in this region and account");
            return Err(Error::NotHere(text));
        }
        let target = self.choose(&interfaces, instance)?;
        match target.address(address) {
            Some(here) if here.primary => {
                return Err(Error::Primary { address, of: target.to_string() });
            }
            Some(_) => return Ok(Assigned::Already(target)),
            None => {}
        }
        let assign = self.call("AssignPrivateIpAddresses", &address, &self.deadline, async || {
            self.world.ec2().assign(&target.id, address, self.params.allow_reassignment).await
        });
        // The previous holder is only logged, so failing to find it is no error.
        let holder = OnceCell::new();
        let query = async { drop(holder.set(self.holder_beside(&target).await)) };
        let outcome = with_side_query(assign, query).await;
        let from = holder.into_inner().flatten().filter(|eni| eni.id != target.id);
        match outcome {
            Ok(()) => {}
            Err(error) if error.fault == Ec2Fault::AlreadyAssociated => {
                self.refused_by_holder(&target, from.clone(), error).await?;
            }
            Err(error) => return Err(Error::Ec2(error)),
        }
        Ok(Assigned::Now { to: self.confirmed(target).await?, from })
    }

    /// The interface in the target's subnet that has the address; `None` also if EC2 does not answer.
    async fn holder_beside(&self, target: &Eni) -> Option<Eni> {
        let query = self.world.ec2().holder(self.params.address, target.subnet.as_ref()?);
        self.deadline.bound(query).await.ok()?.ok()?
    }

    /// Waits until EC2 shows the address on the interface.
    async fn confirmed(&self, target: Eni) -> Result<Eni, Error> {
        let began = Instant::now();
        let address = self.params.address;
        let mut series = Series::new(&self.deadline, self.params.timing.max_backoff);
        let mut shown = "nothing".to_owned();
        loop {
            let query = self.world.ec2().interfaces(std::slice::from_ref(&target.id));
            let patience = match self.deadline.bound(query).await {
                Ok(Ok(found)) => {
                    let has_it = |eni: &Eni| eni.id == target.id && eni.address(address).is_some();
                    if let Some(eni) = found.into_iter().find(has_it) {
                        return Ok(eni);
                    }
                    shown = format!("{} without it", target.id);
                    Patience::Lasting
                }
                Ok(Err(error)) => {
                    shown = error.to_string();
                    error.patience()
                }
                Err(_) => Patience::Never,
            };
            if !series.again(patience).await {
                let what = format!("{address} on {}", target.id);
                return Err(Error::Unconfirmed { what, shown, waited: began.elapsed() });
            }
        }
    }

    /// Finds the configured interface.
    fn choose(&self, interfaces: &[Eni], instance: &InstanceId) -> Result<Eni, Error> {
        let missing =
            |name: &dyn Display| Error::NotHere(format!("interface {name}: not attached to {instance}"));
        let at = |index: u32| {
            let attached = interfaces.iter().filter_map(|eni| Some((eni.attachment?, eni.clone())));
            location::at_index(index, attached)?.ok_or_else(|| missing(&index))
        };
        match &self.params.interface {
            InterfaceSelector::Primary => at(0),
            InterfaceSelector::Index(index) => at(*index),
            InterfaceSelector::Eni(id) => {
                interfaces.iter().find(|eni| eni.id == *id).cloned().ok_or_else(|| missing(id))
            }
            InterfaceSelector::Device(_) | InterfaceSelector::Mac(_) => {
                let text = "interface of another machine: expected its eni-... id or its device index";
                Err(Error::NotHere(text.to_owned()))
            }
        }
    }

    /// Finds out why EC2 reports the address as held: no error if the target has it, by an earlier call whose response was lost.
    async fn refused_by_holder(&self, target: &Eni, from: Option<Eni>, error: Ec2Error) -> Result<(), Error> {
        let address = self.params.address;
        // What was seen before the call may have changed.
        match self.holder_beside(target).await.or(from) {
            Some(eni) if eni.address(address).is_some_and(|address| address.primary) => {
                Err(Error::Primary { address, of: eni.to_string() })
            }
            Some(eni) if eni.id == target.id => Ok(()),
            Some(eni) if !self.params.allow_reassignment => Err(Error::Held {
                address: address.to_string(),
                holder: eni.to_string(),
                parameter: "allow_reassignment",
            }),
            _ => Err(Error::Ec2(error)),
        }
    }
}
