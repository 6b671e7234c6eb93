//! Finds where the address belongs on this node: interface and private address. From instance metadata, or if that is silent from
//! this node's last action.

use std::net::Ipv4Addr;

use super::identity::Identity;
use super::{Elastic, Location, Op, Report, World};
use crate::base::ids::MacAddress;
use crate::cloud::{Imds as _, ImdsError, Interface};
use crate::host::Host as _;
use crate::params::{InterfaceSelector, ParamError};
use crate::resource::error::Error;
use crate::resource::location::{self, present};
use crate::state::{Phase, Records as _};

impl<W: World> Op<'_, Elastic, W> {
    /// The private address configured for this node, if any.
    pub(super) fn wanted_ip(&self) -> Result<Option<Ipv4Addr>, Error> {
        let kernel_name = [self.world.host().node_name()];
        let names = if self.nodes.is_empty() { &kernel_name } else { self.nodes };
        let mut found = names.iter().map(|name| self.params.private_ip.for_node(name));
        let own = found.next().unwrap_or(Err(ParamError::NodeUnknown));
        // A bundle's own name is in no list of cluster nodes.
        let found = match own {
            Err(ParamError::NodeNotListed { node }) => {
                found.find_map(Result::ok).ok_or(ParamError::NodeNotListed { node })
            }
            own => own,
        };
        found.map_err(|error| Error::NotHere(error.to_string()))
    }

    /// Whether the address is in its place according to one query of instance metadata.
    ///
    /// In the simplest setup that takes a token, the primary interface, and three items of it at once.
    pub(super) async fn look_once(&self, public_ip: Ipv4Addr) -> Result<Report, Error> {
        let (mac, wanted) = self.own_mac().await?;
        let imds = self.world.imds();
        let (carriers, interface) = tokio::join!(imds.association(mac, public_ip), imds.interface(mac));
        let interface = self.attached(mac, interface)?;
        // By default a start uses the primary private address.
        let private_ip = wanted.or(interface.private_ips.first().copied());
        let here = private_ip.is_some_and(|ip| interface.private_ips.contains(&ip))
            && carriers?.iter().any(|carrier| Some(*carrier) == private_ip);
        Ok(if here {
            Report::Done
        } else {
            Report::NotHere(format!("{public_ip} is not on {mac} of this node"))
        })
    }

    /// The configured interface, and the private address configured for this node. By default, the interface that has this address.
    async fn own_mac(&self) -> Result<(MacAddress, Option<Ipv4Addr>), Error> {
        let wanted = self.wanted_ip()?;
        let mac = location::find_mac(self.world, &self.params.interface).await?;
        match (&self.params.interface, wanted) {
            // A private address identifies its interface, unless the instance is in several VPCs.
            (InterfaceSelector::Primary, Some(ip)) => Ok((self.carrier_of(ip, mac).await?, wanted)),
            _ => Ok((mac, wanted)),
        }
    }

    async fn carrier_of(&self, wanted: Ipv4Addr, primary: MacAddress) -> Result<MacAddress, Error> {
        let first = self.world.imds().interface(primary).await?;
        if self.has_private_ip(&first, wanted) {
            return Ok(primary);
        }
        let mut carriers = location::of_each_interface(self.world.imds(), W::Imds::interface).await?;
        carriers.retain(|interface| self.has_private_ip(interface, wanted));
        match carriers.as_slice() {
            [] => Err(Error::NoPrivateIp { wanted, interface: first.id, mac: primary }),
            [carrier] => Ok(carrier.mac),
            _ => {
                let text = format!("private_ip_address {wanted}: fits several interfaces, set interface too");
                Err(Error::NotHere(text))
            }
        }
    }

    /// Finds where the address belongs, in one query of instance metadata.
    pub(super) async fn locate_once(&self) -> Result<Location, Error> {
        let imds = self.world.imds();
        let (mac, wanted) = self.own_mac().await?;
        let (instance, interface, carried) =
            tokio::join!(imds.instance_id(), imds.interface(mac), imds.associations(mac));
        let interface = self.attached(mac, interface)?;
        let private_ip = match wanted {
            Some(ip) if self.has_private_ip(&interface, ip) => ip,
            Some(wanted) => return Err(Error::NoPrivateIp { wanted, interface: interface.id, mac }),
            None => *interface.private_ips.first().ok_or_else(|| ImdsError::garbled("local-ipv4s", ""))?,
        };
        let mut location = Location {
            instance: Some(instance?),
            mac: Some(mac),
            private_ip: Some(private_ip),
            carried: Some(carried?),
            ..Location::on(interface.id)
        };
        location.shown = Some(self.public_ip().is_some_and(|ip| location.shows(ip)));
        Ok(location)
    }

    /// Whether an interface has a private address: according to instance metadata, or because a resource `vip` of this node has
    /// just assigned it, which instance metadata may not show yet. [start-10]
    fn has_private_ip(&self, interface: &Interface, ip: Ipv4Addr) -> bool {
        let assigned = |other: W::Records| {
            let record = other.volatile();
            record.secondary_private_ip() == Some(ip)
                && record.interface.as_ref() == Some(&interface.id)
                && record.phase == Some(Phase::Started)
                && self.settles(&record)
        };
        interface.private_ips.contains(&ip)
            || self.records().others().into_iter().any(|(_, other)| assigned(other))
    }

    /// This node's identity as far as known without instance metadata: firmware and record.
    pub(super) fn identity_without_imds(&self) -> Identity {
        let record = self.last_done().unwrap_or_default();
        let interfaces = record.interface.clone().into_iter().collect();
        Identity {
            instance: self.world.host().instance_id().or_else(|| record.instance.clone()),
            private_ip: self.wanted_ip().ok().flatten().or_else(|| record.private_ip()),
            interface: record.interface,
            interfaces,
            placeless: false,
        }
    }

    /// This node's identity according to one query of instance metadata; with the configured interface only if it exists.
    pub(super) async fn identity_once(&self) -> Result<Identity, ImdsError> {
        let imds = self.world.imds();
        let interfaces = location::of_each_interface(imds, W::Imds::interface_id);
        let (instance, interfaces) = tokio::join!(imds.instance_id(), interfaces);
        let chosen = match self.own_mac().await {
            Ok((mac, wanted)) => present(imds.interface(mac).await)?.map(|chosen| (chosen, wanted)),
            Err(Error::Imds(error)) => return Err(error),
            Err(_) => None,
        };
        Ok(Identity {
            instance: Some(instance?),
            private_ip: chosen.as_ref().and_then(|(chosen, ip)| ip.or(chosen.private_ips.first().copied())),
            placeless: chosen.is_none(),
            interface: chosen.map(|(chosen, _)| chosen.id),
            interfaces: interfaces?,
        })
    }
}
