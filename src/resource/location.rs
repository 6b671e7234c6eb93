//! Finds the interface that the parameters select on this node, and the place on it.

use super::kind::{Kind, Location, Op};
use super::{Report, World};
use crate::base::ids::MacAddress;
use crate::base::retry::{Backoff, Patience};
use crate::cloud::{Attachment, Imds, ImdsError, Interface};
use crate::host::Host as _;
use crate::params::InterfaceSelector;
use crate::resource::error::Error;
use crate::state::Volatile;

/// Path of the interfaces in instance metadata.
const INTERFACES: &str = "network/interfaces/macs/";

/// Resolves the configured interface, in one query of instance metadata.
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
            let mut attached = Vec::new();
            for mac in imds.macs().await? {
                attached.extend(present(imds.attachment(mac).await)?.map(|attachment| (attachment, mac)));
            }
            at_index(*index, attached)?.ok_or_else(|| Error::NoInterface(format!("number {index}")))
        }
    }
}

/// The one at this device index. Each network card counts from 0 again; every instance has the first card.
///
/// # Errors
/// If several have this index, but not exactly one of them on the first card.
pub(super) fn at_index<T>(
    index: u32,
    attached: impl IntoIterator<Item = (Attachment, T)>,
) -> Result<Option<T>, Error> {
    let mut fitting: Vec<_> = attached.into_iter().filter(|(it, _)| it.device_index == index).collect();
    if fitting.len() > 1 {
        fitting.retain(|(it, _)| it.network_card == 0);
        if fitting.len() != 1 {
            let text = format!("interface {index}: fits several interfaces, name one by its id");
            return Err(Error::NotHere(text));
        }
    }
    Ok(fitting.pop().map(|(_, found)| found))
}

/// An item of an interface; `None` if instance metadata lists the interface without it, because it is being attached or detached.
/// A problem with one interface must not affect the others.
pub(super) fn present<T>(item: Result<T, ImdsError>) -> Result<Option<T>, ImdsError> {
    match item {
        Err(ImdsError::Absent { .. }) => Ok(None),
        item => item.map(Some),
    }
}

/// An item of each interface of this instance, except of those that are being attached or detached.
pub(super) async fn of_each_interface<I: Imds, T>(
    imds: &I,
    item: impl AsyncFn(&I, MacAddress) -> Result<T, ImdsError>,
) -> Result<Vec<T>, ImdsError> {
    let mut found = Vec::new();
    for mac in imds.macs().await? {
        found.extend(present(item(imds, mac).await)?);
    }
    Ok(found)
}

/// Converts the result of an instance metadata query: if the place of the address is wrong, the address is not here.
pub(super) fn seen(found: Result<Report, Error>) -> Result<Report, ImdsError> {
    match found {
        Err(Error::Imds(error)) => Err(error),
        Err(other) => Ok(Report::NotHere(other.to_string())),
        Ok(seen) => Ok(seen),
    }
}

/// Whether a later query of instance metadata may find what is missing: a hot-plugged interface or an item of it, a new private
/// address.
fn may_appear(error: &Error) -> bool {
    match error {
        Error::NoInterface(_) | Error::NoPrivateIp { .. } => true,
        Error::Imds(ImdsError::Absent { path }) => path.starts_with(INTERFACES),
        _ => false,
    }
}

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    /// Converts the response for an interface that was queried by its hardware address.
    ///
    /// # Errors
    /// [`Error::NoInterface`] if there is none; [`Error::Imds`]
    pub(super) fn attached(
        &self,
        mac: MacAddress,
        answer: Result<Interface, ImdsError>,
    ) -> Result<Interface, Error> {
        present(answer)?.ok_or_else(|| {
            Error::NoInterface(match self.common().interface {
                InterfaceSelector::Device(device) => format!("{device} ({mac})"),
                _ => mac.to_string(),
            })
        })
    }

    /// The recorded interface, with the record; `None` if it is no longer the configured one, as far as known without instance
    /// metadata.
    pub(super) fn recorded_place(&self) -> Option<(Location, Volatile)> {
        let record = self.last_done()?;
        let fits = match self.common().interface {
            InterfaceSelector::Primary => true,
            InterfaceSelector::Device(device) => self.world.host().mac_of(device) == record.mac,
            InterfaceSelector::Mac(mac) => record.mac == Some(*mac),
            InterfaceSelector::Eni(id) => record.interface.as_ref() == Some(id),
            // Only instance metadata knows the device index.
            InterfaceSelector::Index(_) => false,
        };
        let interface = record.interface.clone().filter(|_| fits)?;
        let (instance, mac) = (record.instance.clone(), record.mac);
        Some((Location { instance, mac, ..Location::on(interface) }, record))
    }

    /// Finds the location through instance metadata, retrying until the deadline. With `acting`, for a start: uses the record of
    /// the last start if instance metadata is silent for a quarter of the budget, and retries what is not there yet until half of
    /// it.
    ///
    /// # Errors
    /// What is wrong with the place; [`Error::Imds`] or [`Error::NotEc2`] if instance metadata is silent.
    pub(super) async fn locate(&self, acting: bool) -> Result<Location, Error> {
        let half = self.deadline.fraction(2);
        let mut backoff = Backoff::new(self.common().timing.max_backoff);
        let mut last = None;
        for until in [self.deadline.fraction(4), self.deadline] {
            loop {
                let error = match self.query(&until, async || K::locate(self).await).await {
                    Err(Error::Imds(error)) if !matches!(error, ImdsError::Absent { .. }) => error,
                    Err(error)
                        if acting && may_appear(&error) && backoff.pause(&half, Patience::Lasting).await =>
                    {
                        continue;
                    }
                    other => return other,
                };
                if let Some(location) = K::recall(self).filter(|_| acting) {
                    self.log().warn(format_args!("{error}; using the interface recorded by the last start"));
                    return Ok(location);
                }
                last = Some(error);
                break;
            }
        }
        let error = last.unwrap_or(ImdsError::Absent { path: "meta-data".to_owned() });
        if self.is_off_ec2() { Err(Error::NotEc2(error)) } else { Err(Error::Imds(error)) }
    }
}
