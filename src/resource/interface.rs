//! Which interface of this node is meant, and the place on it, for every kind of address.

use std::time::Duration;

use super::World;
use crate::base::deadline::Deadline;
use crate::base::ids::MacAddress;
use crate::base::retry;
use crate::cloud::{Imds as _, ImdsError};
use crate::host::Host as _;
use crate::params::InterfaceSelector;
use crate::resource::error::Error;
use crate::state::Volatile;

/// Finds the interface by its configured name, by one look at the metadata service.
pub(super) async fn find_mac<W: World>(world: &W, selector: &InterfaceSelector) -> Result<MacAddress, Error> {
    let imds = world.imds();
    match selector {
        InterfaceSelector::Primary => Ok(imds.primary_mac().await?),
        InterfaceSelector::Device(device) => {
            world.host().mac_of(device).ok_or_else(|| Error::NoDevice(device.clone()))
        }
        InterfaceSelector::Mac(mac) => Ok(*mac),
        InterfaceSelector::Eni(id) => {
            for mac in imds.macs().await? {
                if present(imds.interface_id(mac).await)?.as_ref() == Some(id) {
                    return Ok(mac);
                }
            }
            Err(Error::NoInterface(id.to_string()))
        }
        InterfaceSelector::Index(index) => {
            let mut fitting = Vec::new();
            for mac in imds.macs().await? {
                let attached = present(imds.attachment(mac).await)?;
                fitting
                    .extend(attached.filter(|it| it.device_index == *index).map(|it| (it.network_card, mac)));
            }
            // Each network card counts from 0 again; the first card is the one that every instance has.
            if fitting.len() > 1 {
                fitting.retain(|(card, _)| *card == 0);
            }
            match fitting.as_slice() {
                [(_, mac)] => Ok(*mac),
                [] => Err(Error::NoInterface(format!("number {index}"))),
                _ => Err(Error::NotHere(format!(
                    "interface {index}: fits several interfaces, name one by its id"
                ))),
            }
        }
    }
}

/// An item of an interface; `None` if instance metadata lists the interface and has no such item, because it has just been
/// attached. A failure about one interface is no failure of the others.
fn present<T>(item: Result<T, ImdsError>) -> Result<Option<T>, ImdsError> {
    match item {
        Err(ImdsError::Absent { .. }) => Ok(None),
        item => item.map(Some),
    }
}

/// Returns whether the interface on record is still the one that is meant, as far as that can be told without the metadata
/// service.
pub(super) fn is_on_record<W: World>(world: &W, selector: &InterfaceSelector, record: &Volatile) -> bool {
    match selector {
        InterfaceSelector::Primary => true,
        InterfaceSelector::Device(device) => world.host().mac_of(device) == record.mac,
        InterfaceSelector::Mac(mac) => record.mac == Some(*mac),
        InterfaceSelector::Eni(id) => record.interface.as_ref() == Some(id),
        // Only the metadata service knows the order of attachment.
        InterfaceSelector::Index(_) => false,
    }
}

/// Returns whether this host seems to be no EC2 instance, where the metadata service is silent: nothing says so, and it never
/// was one since it booted.
pub(super) fn is_off_ec2<W: World>(world: &W, was_ec2: bool) -> bool {
    !was_ec2 && !world.host().looks_like_ec2()
}

/// Returns the place that looks at the metadata service find, looking until the deadline while it is silent.
///
/// What is remembered, if anything is, will do after a quarter of the budget.
///
/// # Errors
/// What is wrong with the place; that the metadata service is silent, or that this host is no EC2 instance.
pub(super) async fn find_place<W: World, P>(
    world: &W,
    deadline: &Deadline,
    max_backoff: Duration,
    mut look: impl AsyncFnMut() -> Result<P, Error>,
    remembered: impl Fn() -> Option<P>,
    was_ec2: bool,
) -> Result<P, Error> {
    let mut last = None;
    for until in [deadline.fraction(4), *deadline] {
        let cut_off = || Error::Imds(ImdsError::cut_off("meta-data"));
        match retry::until(&until, max_backoff, cut_off, async || look().await).await {
            Err(Error::Imds(error @ (ImdsError::Silent { .. } | ImdsError::Garbled { .. }))) => {
                if let Some(place) = remembered() {
                    world.log().warn(format_args!("{error}; using what was right before"));
                    return Ok(place);
                }
                last = Some(error);
            }
            other => return other,
        }
    }
    let error = last.unwrap_or(ImdsError::Absent { path: "meta-data".to_owned() });
    if is_off_ec2(world, was_ec2) { Err(Error::NotEc2(error)) } else { Err(Error::Imds(error)) }
}
