//! Assigning a secondary private address to any instance of the account, from anywhere: what a person asks for, not a cluster.
//!
//! Only EC2's half: the network device is on the other machine, and so is the metadata service that could confirm it.

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
use crate::resource::start::beside;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The address.
    pub address: Ipv4Addr,
    /// The instance that is to have it.
    pub instance: InstanceId,
    /// Which of its interfaces.
    pub interface: InterfaceSelector,
    /// Whether it may be taken from another interface.
    pub reassign: bool,
    /// The longest pause between two attempts.
    pub max_backoff: Duration,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assigned {
    /// The interface had the address before.
    Already(Eni),
    /// It has it now.
    Now {
        /// The interface.
        to: Eni,
        /// The interface that had it before, where one had it and EC2 said so.
        from: Option<Eni>,
    },
}

/// Assigns an address to an instance, and returns when EC2 shows it there.
///
/// # Errors
/// [`Error::OtherSubnet`], [`Error::Primary`] and [`Error::Held`] as for the resource; else what EC2 answered.
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
    // Who had it is worth a line, not a failure.
    let holder = OnceCell::new();
    let query = async {
        if let Some(subnet) = &target.subnet
            && let Ok(found) = world.ec2().holder(address, subnet).await
        {
            let _ = holder.set(found);
        }
    };
    let outcome = beside(assign, query).await;
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

/// Returns the interfaces of the instance.
async fn interfaces<W: World<Ec2: PrivateIps>>(
    world: &W,
    order: &Order,
    deadline: &Deadline,
) -> Result<Vec<Eni>, Error> {
    let instance = &order.instance;
    let cut_off = || Ec2Error::cut_off("DescribeNetworkInterfaces", instance);
    let ask = async || world.ec2().interfaces_of(instance).await;
    let found = retry::until(deadline, order.max_backoff, cut_off, ask).await?;
    if found.is_empty() {
        let text =
            format!("{instance}: EC2 shows no interface of such an instance in this region and account");
        return Err(Error::NotHere(text));
    }
    Ok(found)
}

/// Returns the interface as EC2 shows it with the address.
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
        let look = deadline.bound(world.ec2().interfaces(std::slice::from_ref(&target.id))).await;
        let patience = match look {
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

/// Returns the interface that is meant.
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

/// Finds out why EC2 says that the address is taken: fine where the target has it, by an order whose answer was lost.
async fn refused_by_holder<W: World<Ec2: PrivateIps>>(
    world: &W,
    target: &Eni,
    order: &Order,
    from: Option<Eni>,
    deadline: &Deadline,
    error: Ec2Error,
) -> Result<(), Error> {
    let address = order.address;
    // What was seen before the order may be over by now.
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
