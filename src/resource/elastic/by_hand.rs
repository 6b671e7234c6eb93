//! What a person asks of an address that the cluster does not ask: to look without touching, to say what would be done.

use std::fmt::Write as _;

use super::super::kind::{Me, Owner};
use super::examine::Extent;
use super::finding::Finding;
use super::identity::Identity;
use super::surroundings::Surroundings;
use super::survey::Survey;
use super::{Elastic, World};
use crate::cloud::{Address, Ec2 as _};
use crate::resource::error::Error;
use crate::resource::{Request, op};

/// Asks every source who holds the address.
pub async fn survey<W: World>(world: &W, request: &Request) -> Survey {
    op::<Elastic, W>(world, request).survey().await
}

/// Returns what EC2 says of the address at this moment.
///
/// # Errors
/// Why it does not say it.
pub async fn holder<W: World>(world: &W, request: &Request) -> Result<Address, Error> {
    let eip = op::<Elastic, W>(world, request);
    eip.ask_ec2(&eip.deadline).await
}

/// Looks at everything that a takeover by this node would need, and tells each finding when there is one.
pub async fn examine<W: World>(
    world: &W,
    request: &Request,
    surroundings: &Surroundings,
    mut tell: impl FnMut(Finding),
) {
    op::<Elastic, W>(world, request).examine(Extent::All(surroundings), &mut tell).await;
}

/// Returns what a start would do at this moment, in a sentence.
///
/// # Errors
/// What would keep it from doing it.
pub async fn would_start<W: World>(world: &W, request: &Request) -> Result<String, Error> {
    let eip = op::<Elastic, W>(world, request);
    let location = eip.locate(true).await?;
    let address = eip.ask_ec2(&eip.deadline).await?;
    eip.refuse_shared_target(&location, Some(address.public_ip))?;
    let ip = address.public_ip;
    let Some(target) = location.target() else { return Ok(format!("{ip} has no target on this node")) };
    let owner = Identity::at(&location).judge(address.association.as_ref());
    let holder = owner.holder();
    match owner {
        Owner::Ours(association) => return Ok(format!("{ip} is here already ({})", association.id)),
        Owner::Elsewhere(_) if !eip.params.allow_reassociation => {
            return Err(Error::Held { address: ip.to_string(), holder, parameter: "allow_reassociation" });
        }
        Owner::Elsewhere(_) | Owner::Misplaced(_) | Owner::Unassigned => {}
    }
    let ask = async || world.ec2().may_associate(&address.allocation, &target).await;
    eip.call("AssociateAddress", &address.allocation, &eip.deadline, ask).await?;
    let mut sentence = format!("{ip} would move from {holder} to {target}");
    for (public, private) in location.carried.iter().flatten() {
        if private.contains(&target.private_ip) && *public != ip {
            let _ = write!(sentence, "; {public} would be displaced");
        }
    }
    Ok(sentence)
}

/// Returns what a stop would do at this moment, in a sentence.
///
/// # Errors
/// What would keep it from doing it.
pub async fn would_stop<W: World>(world: &W, request: &Request) -> Result<String, Error> {
    let eip = op::<Elastic, W>(world, request);
    let ip = eip.ask_ec2(&eip.deadline).await?.public_ip;
    match eip.ask(Me::Known, &eip.deadline).await? {
        Owner::Ours(association) | Owner::Misplaced(association) => {
            let ask = async || world.ec2().may_disassociate(&association.id).await;
            eip.call("DisassociateAddress", &association.id, &eip.deadline, ask).await?;
            Ok(format!("{ip} would be released: {association}, {}", association.id))
        }
        Owner::Elsewhere(association) => Ok(format!("{ip} is held by {association}: nothing would be done")),
        Owner::Unassigned => Ok(format!("{ip} is unassociated: nothing would be done")),
    }
}
