//! Assigns a secondary private address to any instance of the account, from anywhere. For administrators, not for a cluster.
//!
//! EC2 only: the network device, and the instance metadata that could confirm the change, are on the other machine.

use std::cell::OnceCell;
use std::fmt::Display;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::time::Instant;

use crate::base::deadline::Deadline;
use crate::base::ids::InstanceId;
use crate::base::retry::{self, Patience, Retryable as _, Series};
use crate::cloud::{Ec2Error, Ec2Fault, Eni, PrivateIps};
use crate::params::InterfaceSelector;
use crate::resource::World;
use crate::resource::error::Error;
use crate::resource::location;
use crate::resource::start::with_side_query;

/// Parameters of the assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The address.
    pub address: Ipv4Addr,
    /// The instance that gets it.
    pub instance: InstanceId,
    /// Its interface.
    pub interface: InterfaceSelector,
    /// Whether the address may be taken from another interface.
    pub reassign: bool,
    /// Longest pause between two attempts.
    pub max_backoff: Duration,
}

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

/// Assigns an address to an instance, and returns once EC2 shows it there.
///
/// # Errors
/// [`Error::OtherSubnet`], [`Error::Primary`] and [`Error::Held`] as for the resource; otherwise EC2's error.
pub async fn assign<W: World<Ec2: PrivateIps>>(
    world: &W,
    order: &Order,
    deadline: &Deadline,
) -> Result<Assigned, Error> {
    let address = order.address;
    let target = choose(&interfaces(world, order, deadline).await?, order)?;
    match target.address(address) {
        Some(here) if here.primary => {
            return Err(Error::Primary { address, of: target.to_string() });
        }
        Some(_) => return Ok(Assigned::Already(target)),
        None => {}
    }
    let cut_off = || Ec2Error::cut_off("AssignPrivateIpAddresses", &address);
    let assign = retry::until(deadline, order.max_backoff, cut_off, async || {
        world.ec2().assign(&target.id, address, order.reassign).await
    });
    // The previous holder is only logged, so failing to find it is no error.
    let holder = OnceCell::new();
    let query = async {
        if let Some(subnet) = &target.subnet
            && let Ok(found) = world.ec2().holder(address, subnet).await
        {
            let _ = holder.set(found);
        }
    };
    let outcome = with_side_query(assign, query).await;
    let from = holder.into_inner().flatten().filter(|eni| eni.id != target.id);
    match outcome {
        Ok(()) => {}
        Err(error) if error.fault == Ec2Fault::AlreadyAssociated => {
            refused_by_holder(world, &target, order, from.clone(), deadline, error).await?;
        }
        Err(error) => return Err(Error::Ec2(error)),
    }
    let to = confirmed(world, target, order, deadline).await?;
    Ok(Assigned::Now { to, from })
}

async fn interfaces<W: World<Ec2: PrivateIps>>(
    world: &W,
    order: &Order,
    deadline: &Deadline,
) -> Result<Vec<Eni>, Error> {
    let instance = &order.instance;
    let cut_off = || Ec2Error::cut_off("DescribeNetworkInterfaces", instance);
    let query = async || world.ec2().interfaces_of(instance).await;
    let found = retry::until(deadline, order.max_backoff, cut_off, query).await?;
    if found.is_empty() {
        let text = format!("{instance}: EC2 shows no interface of this instance in this region and account");
        return Err(Error::NotHere(text));
    }
    Ok(found)
}

/// Waits until EC2 shows the address on the interface.
async fn confirmed<W: World<Ec2: PrivateIps>>(
    world: &W,
    target: Eni,
    order: &Order,
    deadline: &Deadline,
) -> Result<Eni, Error> {
    let began = Instant::now();
    let mut series = Series::new(deadline, order.max_backoff);
    let mut shown = "nothing".to_owned();
    loop {
        let answer = deadline.bound(world.ec2().interfaces(std::slice::from_ref(&target.id))).await;
        let patience = match answer {
            Ok(Ok(found)) => {
                let has_it = |eni: &Eni| eni.id == target.id && eni.address(order.address).is_some();
                if let Some(eni) = found.into_iter().find(has_it) {
                    return Ok(eni);
                }
                shown = format!("it not on {}", target.id);
                Patience::Lasting
            }
            Ok(Err(error)) => {
                shown = error.to_string();
                error.patience()
            }
            Err(_) => Patience::Never,
        };
        if !series.again(patience).await {
            let what = format!("{} on {}", order.address, target.id);
            return Err(Error::Unconfirmed { what, shown, waited: began.elapsed() });
        }
    }
}

/// Finds the configured interface.
fn choose(interfaces: &[Eni], order: &Order) -> Result<Eni, Error> {
    let instance = &order.instance;
    let missing =
        |name: &dyn Display| Error::NotHere(format!("interface {name}: not attached to {instance}"));
    let at = |index: u32| {
        let attached = interfaces.iter().filter_map(|eni| Some((eni.attachment?, eni.clone())));
        location::at_index(index, attached)?.ok_or_else(|| missing(&index))
    };
    match &order.interface {
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
async fn refused_by_holder<W: World<Ec2: PrivateIps>>(
    world: &W,
    target: &Eni,
    order: &Order,
    from: Option<Eni>,
    deadline: &Deadline,
    error: Ec2Error,
) -> Result<(), Error> {
    let address = order.address;
    // What was seen before the call may have changed.
    let now = match &target.subnet {
        Some(subnet) => {
            deadline.bound(world.ec2().holder(address, subnet)).await.ok().and_then(Result::ok).flatten()
        }
        None => None,
    };
    match now.or(from) {
        Some(eni) if eni.address(address).is_some_and(|address| address.primary) => {
            Err(Error::Primary { address, of: eni.to_string() })
        }
        Some(eni) if eni.id == target.id => Ok(()),
        Some(eni) if !order.reassign => Err(Error::Held {
            address: address.to_string(),
            holder: eni.to_string(),
            parameter: "allow_reassignment",
        }),
        _ => Err(Error::Ec2(error)),
    }
}
