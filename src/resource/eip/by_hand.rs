//! What a person asks of an address that the cluster does not ask: to look without touching, to say what would be done.

use std::fmt::Write as _;

use super::examine::Extent;
use super::finding::Finding;
use super::holding::Holding;
use super::surroundings::Surroundings;
use super::survey::Survey;
use super::{Eip, World};
use crate::base::retry;
use crate::cloud::{Address, Ec2 as _, Ec2Error};
use crate::resource::Request;
use crate::resource::error::Error;

/// Asks every source who holds the address.
pub async fn survey<W: World>(world: &W, request: &Request) -> Survey {
    Eip::of(world, request).survey().await
}

/// Returns what EC2 says of the address at this moment.
///
/// # Errors
/// Why it does not say it.
pub async fn holder<W: World>(world: &W, request: &Request) -> Result<Address, Error> {
    let eip = Eip::of(world, request);
    eip.ask_ec2(&eip.deadline).await
}

/// Looks at everything that a takeover by this node would need, and tells each finding when there is one.
pub async fn examine<W: World>(
    world: &W,
    request: &Request,
    surroundings: &Surroundings,
    mut tell: impl FnMut(Finding),
) {
    Eip::of(world, request).examine(Extent::All(surroundings), &mut tell).await;
}

/// Returns what a start would do at this moment, in a sentence.
///
/// # Errors
/// What would keep it from doing it.
pub async fn would_start<W: World>(world: &W, request: &Request) -> Result<String, Error> {
    let eip = Eip::of(world, request);
    let place = eip.place(true).await?;
    let address = eip.ask_ec2(&eip.deadline).await?;
    eip.refuse_shared_private_ip(&place, Some(address.public_ip))?;
    let (ip, target) = (address.public_ip, &place.target);
    if let Some(service) = &address.managed_by {
        return Err(Error::Managed(ip, service.clone()));
    }
    let holding = place.identity.judge(address.association.as_ref());
    let holder = holding.holder();
    match holding {
        Holding::Ours(association) => return Ok(format!("{ip} is here already ({})", association.id)),
        Holding::Elsewhere(_) if !eip.params.allow_reassociation => {
            return Err(Error::Held { address: ip.to_string(), holder, parameter: "allow_reassociation" });
        }
        Holding::Elsewhere(_) | Holding::Misplaced(_) | Holding::Nobody => {}
    }
    let cut_off = || Ec2Error::cut_off("AssociateAddress", &address.allocation);
    let ask = async || world.ec2().may_associate(&address.allocation, target).await;
    retry::until(&eip.deadline, eip.params.timing.max_backoff, cut_off, ask).await?;
    let mut sentence = format!("{ip} would move from {holder} to {target}");
    for (public, private) in place.carried.iter().flatten() {
        if private.contains(&target.private_ip) && *public != ip {
            let _ = write!(sentence, "; {public} would make way");
        }
    }
    Ok(sentence)
}

/// Returns what a stop would do at this moment, in a sentence.
///
/// # Errors
/// What would keep it from doing it.
pub async fn would_stop<W: World>(world: &W, request: &Request) -> Result<String, Error> {
    let eip = Eip::of(world, request);
    let address = eip.ask_ec2(&eip.deadline).await?;
    let ip = address.public_ip;
    match eip.judge_for_stop(&address).await? {
        Holding::Ours(association) | Holding::Misplaced(association) => {
            let cut_off = || Ec2Error::cut_off("DisassociateAddress", &association.id);
            let ask = async || world.ec2().may_disassociate(&association.id).await;
            retry::until(&eip.deadline, eip.params.timing.max_backoff, cut_off, ask).await?;
            Ok(format!("{ip} would be let go: {association}, {}", association.id))
        }
        Holding::Elsewhere(association) => {
            Ok(format!("{ip} is held by {association}: nothing would be done"))
        }
        Holding::Nobody => Ok(format!("{ip} is held by nobody: nothing would be done")),
    }
}
