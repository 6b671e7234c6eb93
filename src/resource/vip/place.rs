//! Where on this node the address belongs: which interface, in which subnet. From the metadata service, and where that is
//! silent from what this node did last.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::{Vip, VipError, VipWorld};
use crate::cloud::{Imds as _, ImdsError, Subnet};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::host::Host as _;
use crate::ids::{InstanceId, InterfaceId, MacAddress};
use crate::params::InterfaceSelector;
use crate::resource::eip::silent;
use crate::resource::interface;
use crate::retry;

/// Limit for a look when the time is up: the margin of the deadline is half a second or more.
const LAST_LOOK: Duration = Duration::from_millis(200);

/// The place on this node where the address belongs.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// This instance.
    pub instance: Option<InstanceId>,
    /// The interface to assign it to.
    pub interface: InterfaceId,
    /// The interface's hardware address.
    pub mac: Option<MacAddress>,
    /// The interface's own address.
    pub own_ip: Option<Ipv4Addr>,
    /// Its subnet.
    pub subnet: Option<Subnet>,
    /// Whether the metadata service shows the address there; nothing where it was not asked.
    pub shown: Option<bool>,
}

/// What the metadata service says about the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is on the chosen interface.
    Here,
    /// It is not, and why.
    NotHere(String),
}

impl<W: VipWorld> Vip<'_, W> {
    /// Returns whether the metadata service shows the address on the chosen interface, by one look: a token, the primary
    /// interface, and two questions about it at once.
    pub(super) async fn look_once(&self) -> Result<Seen, ImdsError> {
        let address = self.params.address;
        let absent = |error: Error| match error {
            Error::Imds(error) => Err(error),
            other => Ok(Seen::NotHere(other.to_string())),
        };
        let mac = match interface::find_mac(self.world, &self.params.interface).await {
            Ok(mac) => mac,
            Err(error) => return absent(error),
        };
        let interface = match self.world.imds().interface(mac).await {
            Err(ImdsError::Absent { .. }) => return absent(Error::NoInterface(mac.to_string())),
            other => other?,
        };
        let place = interface.private_ips.iter().position(|ip| *ip == address);
        Ok(match place {
            Some(0) => Seen::NotHere(format!("{address} is the primary address of {}", interface.id)),
            Some(_) => Seen::Here,
            None => Seen::NotHere(format!("{address} is not on {} of this node", interface.id)),
        })
    }

    /// Returns what [`Self::look_once`] does, looking again until `until` while the service is silent.
    pub(super) async fn look(&self, until: &Deadline) -> Result<Seen, ImdsError> {
        let longest = self.params.timing.max_backoff;
        retry::until(until, longest, || silent("meta-data"), async || self.look_once().await).await
    }

    /// Looks once more when the time is up, within what the margin of the deadline leaves.
    pub(super) async fn last_look(&self) -> Option<Seen> {
        tokio::time::timeout(LAST_LOOK, self.look_once()).await.ok()?.ok()
    }

    /// Returns whether the metadata service shows the address on no interface of this instance as a secondary one.
    pub(super) async fn not_in_sight(&self) -> bool {
        let look = async {
            let imds = self.world.imds();
            for mac in imds.macs().await? {
                if imds.interface(mac).await?.private_ips.iter().skip(1).any(|ip| *ip == self.params.address)
                {
                    return Ok::<bool, ImdsError>(false);
                }
            }
            Ok(true)
        };
        matches!(self.deadline.bound(look).await, Ok(Ok(true)))
    }

    /// Returns the interfaces of this instance, by one look.
    pub(super) async fn own_interfaces_once(&self) -> Result<Vec<InterfaceId>, ImdsError> {
        let imds = self.world.imds();
        let mut interfaces = Vec::new();
        for mac in imds.macs().await? {
            interfaces.push(imds.interface(mac).await?.id);
        }
        Ok(interfaces)
    }

    async fn place_once(&self) -> Result<Place, Error> {
        let address = self.params.address;
        let imds = self.world.imds();
        let mac = interface::find_mac(self.world, &self.params.interface).await?;
        let (instance, interface, subnet) =
            tokio::join!(imds.instance_id(), imds.interface(mac), imds.subnet(mac));
        let interface = match interface {
            Err(ImdsError::Absent { .. }) => return Err(Error::NoInterface(mac.to_string())),
            other => other?,
        };
        let subnet = subnet?;
        let cidr = subnet.cidr;
        if !cidr.contains(address) {
            return Err(
                VipError::OtherSubnet { address, subnet: format!("this node's subnet {cidr}") }.into()
            );
        }
        let own_ip = interface.private_ips.first().copied();
        if own_ip == Some(address) {
            return Err(VipError::Primary { address, of: format!("this node's {}", interface.id) }.into());
        }
        Ok(Place {
            instance: Some(instance?),
            interface: interface.id,
            mac: Some(mac),
            own_ip,
            subnet: Some(subnet),
            shown: Some(interface.private_ips.contains(&address)),
        })
    }

    /// Returns where the address belongs, asking until the deadline.
    ///
    /// Where `remembered` is true, what this node used last in this boot will do after a quarter of the budget.
    pub(super) async fn place(&self, remembered: bool) -> Result<Place, Error> {
        let mut last = None;
        for until in [self.deadline.fraction(4), self.deadline] {
            let cut_off = || Error::Imds(silent("meta-data"));
            let longest = self.params.timing.max_backoff;
            match retry::until(&until, longest, cut_off, async || self.place_once().await).await {
                Err(Error::Imds(error @ (ImdsError::Silent { .. } | ImdsError::Garbled { .. }))) => {
                    if let Some(place) = self.remembered_place().filter(|_| remembered) {
                        self.world.log().warn(format_args!("{error}; using what was right before"));
                        return Ok(place);
                    }
                    last = Some(error);
                }
                other => return other,
            }
        }
        let error = last.unwrap_or(ImdsError::Absent { path: "meta-data".to_owned() });
        if self.is_off_ec2() { Err(Error::NotEc2(error)) } else { Err(Error::Imds(error)) }
    }

    /// Returns the place by what this node did last in this boot, if the interface is still the one that is meant.
    pub(super) fn remembered_place(&self) -> Option<Place> {
        let record = self.last_done()?;
        let interface = record.interface?;
        let same_interface = match &self.params.interface {
            InterfaceSelector::Primary => true,
            InterfaceSelector::Device(device) => self.world.host().mac_of(device) == record.mac,
            InterfaceSelector::Mac(mac) => record.mac == Some(*mac),
            InterfaceSelector::Eni(id) => *id == interface,
            // Only the metadata service knows the order of attachment.
            InterfaceSelector::Index(_) => false,
        };
        same_interface.then_some(Place {
            instance: record.instance,
            interface,
            mac: record.mac,
            own_ip: record.private_ip_of_interface,
            subnet: record
                .subnet
                .zip(record.cidr)
                .and_then(|(id, cidr)| Some(Subnet { id, cidr: cidr.parse().ok()? })),
            shown: None,
        })
    }

    /// Returns whether the metadata service answers when the time is up.
    pub(super) async fn has_metadata(&self) -> bool {
        matches!(tokio::time::timeout(LAST_LOOK, self.world.imds().instance_id()).await, Ok(Ok(_)))
    }

    /// Returns whether this host seems to be no EC2 instance, where the metadata service is silent: nothing says so, and it
    /// never was one since it booted.
    pub(super) fn is_off_ec2(&self) -> bool {
        let was_ec2 = self.last_done().is_some_and(|record| record.instance.is_some());
        !was_ec2 && !self.world.host().looks_like_ec2()
    }
}
