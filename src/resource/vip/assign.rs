//! Assigning a secondary private address to any instance of the account, from anywhere: what a person asks for, not a cluster.
//!
//! Only EC2's half: the network device is on the other machine, and so is the metadata service that could confirm it.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::VipError;
use crate::cloud::{Ec2Error, Ec2Fault, Eni, PrivateIps};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::ids::InstanceId;
use crate::params::InterfaceSelector;
use crate::resource::World;
use crate::resource::beside::beside;
use crate::retry::{self, Backoff, Patience};

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
/// [`VipError::OtherSubnet`], [`VipError::Primary`] and [`VipError::Held`] as for the resource; else what EC2 answered.
pub async fn assign<W: World<Ec2: PrivateIps>>(
    world: &W,
    order: &Order,
    deadline: &Deadline,
) -> Result<Assigned, Error> {
    let address = order.address;
    let describe = || async { world.ec2().interfaces_of(&order.instance).await };
    let cut_off = || Ec2Error::cut_off("DescribeInstances", &order.instance);
    let interfaces = retry::until(deadline, order.max_backoff, cut_off, async || describe().await).await?;
    let target = choose(interfaces, order)?;
    match target.address(address) {
        Some(here) if here.primary => {
            return Err(VipError::Primary { address, of: target.to_string() }.into());
        }
        Some(_) => return Ok(Assigned::Already(target)),
        None => {}
    }
    let cut_off = || Ec2Error::cut_off("AssignPrivateIpAddresses", &address);
    let assign = retry::until(deadline, order.max_backoff, cut_off, async || {
        world.ec2().assign(&target.id, address, order.reassign).await
    });
    // Who had it is worth a line, not a failure: the caller may lack that permission.
    let look = async {
        let subnet = target.subnet.as_ref()?;
        world.ec2().holder(address, subnet).await.ok().flatten()
    };
    let (outcome, from) = beside(assign, look).await;
    let from = from.flatten().filter(|eni| eni.id != target.id);
    if let Err(error) = outcome {
        return Err(match error.fault {
            Ec2Fault::OtherSubnet => {
                VipError::OtherSubnet { address, subnet: format!("the subnet of {}", target.id) }.into()
            }
            Ec2Fault::AlreadyAssociated => refusal(world, &target, order, from, deadline, error).await,
            _ => Error::Ec2(error),
        });
    }
    let mut backoff = Backoff::new(order.max_backoff);
    loop {
        let look = deadline.bound(world.ec2().interfaces(std::slice::from_ref(&target.id))).await;
        if let Ok(Ok(found)) = look
            && let Some(to) =
                found.into_iter().find(|eni| eni.id == target.id && eni.address(address).is_some())
        {
            return Ok(Assigned::Now { to, from });
        }
        if !deadline.pause(backoff.next(Patience::Lasting)).await {
            let what = format!("{address} on {}", target.id);
            return Err(Error::Unconfirmed {
                what,
                shown: "it elsewhere".to_owned(),
                waited: deadline.elapsed(),
            });
        }
    }
}

/// Returns the interface that is meant.
fn choose(interfaces: Vec<Eni>, order: &Order) -> Result<Eni, Error> {
    let instance = &order.instance;
    let missing = |name: String| Error::NotHere(format!("interface {name}: not attached to {instance}"));
    let fits = |eni: &Eni| match &order.interface {
        InterfaceSelector::Primary => eni.device_index == Some(0),
        InterfaceSelector::Index(index) => eni.device_index == Some(*index),
        InterfaceSelector::Eni(id) => eni.id == *id,
        InterfaceSelector::Device(_) | InterfaceSelector::Mac(_) => false,
    };
    let name = match &order.interface {
        InterfaceSelector::Primary => "0".to_owned(),
        InterfaceSelector::Index(index) => index.to_string(),
        InterfaceSelector::Eni(id) => id.to_string(),
        InterfaceSelector::Device(_) | InterfaceSelector::Mac(_) => {
            let text = "interface of another machine: expected its eni-... id or its device index";
            return Err(Error::NotHere(text.to_owned()));
        }
    };
    interfaces.into_iter().find(fits).ok_or_else(|| missing(name))
}

/// Returns why EC2 says that somebody has the address.
async fn refusal<W: World<Ec2: PrivateIps>>(
    world: &W,
    target: &Eni,
    order: &Order,
    from: Option<Eni>,
    deadline: &Deadline,
    error: Ec2Error,
) -> Error {
    let address = order.address;
    let holder = match (from, &target.subnet) {
        (None, Some(subnet)) => {
            deadline.bound(world.ec2().holder(address, subnet)).await.ok().and_then(Result::ok).flatten()
        }
        (from, _) => from,
    };
    match holder {
        Some(eni) if eni.address(address).is_some_and(|address| address.primary) => {
            VipError::Primary { address, of: eni.to_string() }.into()
        }
        Some(eni) if !order.reassign => VipError::Held { address, holder: eni.to_string() }.into(),
        _ => Error::Ec2(error),
    }
}
