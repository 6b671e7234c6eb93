//! Where on this node the address belongs: which interface, which private address. From the metadata service, and where that
//! is silent from what this node did last.

use std::net::Ipv4Addr;

use super::holding::Identity;
use super::{Eip, World};
use crate::base::ids::{InstanceId, InterfaceId, MacAddress};
use crate::cloud::{Imds as _, ImdsError, Interface, Target};
use crate::host::Host as _;
use crate::params::InterfaceSelector;
use crate::resource::error::Error;
use crate::resource::evidence::Seen;
use crate::resource::interface;

/// A public address and the private addresses that carry it.
pub(super) type Carried = (Ipv4Addr, Vec<Ipv4Addr>);

/// The place on this node where the address belongs.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// This node, to be recognised by.
    pub identity: Identity,
    /// Where to associate it.
    pub target: Target,
    /// The interface's hardware address.
    pub mac: Option<MacAddress>,
    /// What the metadata service shows on the interface now; nothing where it was not asked.
    pub carried: Option<Vec<Carried>>,
}

impl<W: World> Eip<'_, W> {
    /// Returns the private address that is configured for this node, if one is.
    pub(super) fn wanted_ip(&self) -> Result<Option<Ipv4Addr>, Error> {
        let kernel_name;
        let node = if let Some(node) = self.node {
            node
        } else {
            kernel_name = self.world.host().node_name();
            &kernel_name
        };
        self.params.private_ip.for_node(node).map_err(|error| Error::NotHere(error.to_string()))
    }

    /// Returns whether the metadata service shows the address in its place, by one look.
    ///
    /// In the plainest set-up that is a token, the primary interface, and three questions about it at once.
    pub(super) async fn look_once(&self, public_ip: Ipv4Addr) -> Result<Seen, ImdsError> {
        let absent = |error: Error| match error {
            Error::Imds(error) => Err(error),
            other => Ok(Seen::NotHere(other.to_string())),
        };
        let (mac, wanted) = match self.wanted_ip() {
            Ok(wanted) => match self.find_mac(wanted).await {
                Ok(mac) => (mac, wanted),
                Err(error) => return absent(error),
            },
            Err(error) => return absent(error),
        };
        let imds = self.world.imds();
        let (carriers, interface) = tokio::join!(imds.association(mac, public_ip), imds.interface(mac));
        let interface = match interface {
            Err(ImdsError::Absent { .. }) => return absent(Error::NoInterface(mac.to_string())),
            other => other?,
        };
        // Where none is configured, the address belongs on the primary private address: there a start would put it.
        let private_ip = wanted.or(interface.private_ips.first().copied());
        let here = private_ip.is_some_and(|ip| interface.private_ips.contains(&ip))
            && carriers?.iter().any(|carrier| Some(*carrier) == private_ip);
        Ok(if here { Seen::Here } else { Seen::NotHere(format!("{public_ip} is not on {mac} of this node")) })
    }

    /// Finds the interface by its configured name, and among several by the configured private address.
    async fn find_mac(&self, wanted: Option<Ipv4Addr>) -> Result<MacAddress, Error> {
        let imds = self.world.imds();
        match &self.params.interface {
            InterfaceSelector::Primary => {
                let primary = imds.primary_mac().await?;
                match wanted {
                    // A private address names its interface: in a VPC it is on one only.
                    Some(ip) => self.carrier_of(ip, primary).await,
                    None => Ok(primary),
                }
            }
            named => interface::find_mac(self.world, named).await,
        }
    }

    async fn carrier_of(&self, wanted: Ipv4Addr, primary: MacAddress) -> Result<MacAddress, Error> {
        let first = self.world.imds().interface(primary).await?;
        if first.private_ips.contains(&wanted) {
            return Ok(primary);
        }
        for mac in self.world.imds().macs().await? {
            if mac != primary && self.world.imds().interface(mac).await?.private_ips.contains(&wanted) {
                return Ok(mac);
            }
        }
        Err(Error::NoPrivateIp { wanted, interface: first.id, mac: primary })
    }

    /// Returns where the address belongs, by one look at the metadata service.
    async fn place_once(&self, wanted: Option<Ipv4Addr>) -> Result<Place, Error> {
        let imds = self.world.imds();
        let mac = self.find_mac(wanted).await?;
        let (instance, interface, carried) =
            tokio::join!(imds.instance_id(), imds.interface(mac), imds.associations(mac));
        let interface: Interface = match interface {
            Err(ImdsError::Absent { .. }) => return Err(Error::NoInterface(mac.to_string())),
            other => other?,
        };
        let private_ip = match wanted {
            Some(ip) if interface.private_ips.contains(&ip) => ip,
            Some(wanted) => return Err(Error::NoPrivateIp { wanted, interface: interface.id, mac }),
            None => *interface.private_ips.first().ok_or_else(|| ImdsError::garbled("local-ipv4s", ""))?,
        };
        Ok(Place {
            identity: Identity {
                instance: Some(instance?),
                interface: Some(interface.id.clone()),
                interfaces: vec![interface.id.clone()],
                private_ip: Some(private_ip),
                placeless: false,
            },
            target: Target { interface: interface.id, private_ip },
            mac: Some(mac),
            carried: Some(carried?),
        })
    }

    /// Returns where the address belongs, asking until the deadline.
    ///
    /// Where `remembered` is true, what this node used last in this boot will do after a quarter of the budget.
    pub(super) async fn place(&self, remembered: bool) -> Result<Place, Error> {
        let wanted = self.wanted_ip()?;
        interface::find_place(
            self.world,
            &self.deadline,
            self.params.timing.max_backoff,
            async || self.place_once(wanted).await,
            || self.remembered_place(wanted).filter(|_| remembered),
            self.was_ec2(),
        )
        .await
    }

    fn remembered_place(&self, wanted: Option<Ipv4Addr>) -> Option<Place> {
        let record = self.last_done()?;
        if !interface::is_on_record(self.world, &self.params.interface, &record) {
            return None;
        }
        let (interface, private_ip) = (record.interface?, record.private_ip?);
        if wanted.is_some_and(|wanted| wanted != private_ip) {
            return None;
        }
        Some(Place {
            identity: Identity {
                instance: record.instance,
                interface: Some(interface.clone()),
                interfaces: vec![interface.clone()],
                private_ip: Some(private_ip),
                placeless: false,
            },
            target: Target { interface, private_ip },
            mac: record.mac,
            carried: None,
        })
    }

    /// Returns who this node is as far as that is known without the metadata service: firmware and record.
    pub(super) fn identity_without_imds(&self) -> Identity {
        let record = self.last_done().unwrap_or_default();
        Identity {
            instance: self.world.host().instance_id().or(record.instance),
            interface: record.interface.clone(),
            interfaces: record.interface.into_iter().collect(),
            private_ip: self.wanted_ip().ok().flatten().or(record.private_ip),
            placeless: false,
        }
    }

    /// Returns who this node is, as the metadata service says, by one look. What the interface selector names is part of it
    /// only where there is such an interface.
    pub(super) async fn identity_once(&self) -> Result<Identity, ImdsError> {
        let imds = self.world.imds();
        let (instance, macs) = tokio::join!(imds.instance_id(), imds.macs());
        let instance: InstanceId = instance?;
        let mut interfaces: Vec<InterfaceId> = Vec::new();
        for mac in macs? {
            interfaces.push(imds.interface(mac).await?.id);
        }
        let chosen = match self.wanted_ip() {
            Ok(wanted) => self.find_mac(wanted).await.map(|mac| (mac, wanted)),
            Err(error) => Err(error),
        };
        let chosen = match chosen {
            Ok((mac, wanted)) => Some((imds.interface(mac).await?, wanted)),
            Err(Error::Imds(error)) => return Err(error),
            Err(_) => None,
        };
        Ok(Identity {
            instance: Some(instance),
            private_ip: chosen.as_ref().and_then(|(chosen, ip)| ip.or(chosen.private_ips.first().copied())),
            placeless: chosen.is_none(),
            interface: chosen.map(|(chosen, _)| chosen.id),
            interfaces,
        })
    }

    /// Returns whether the metadata service shows the address on no interface of this instance.
    pub(super) async fn is_nowhere_here(&self, public_ip: Ipv4Addr) -> Result<bool, ImdsError> {
        for mac in self.world.imds().macs().await? {
            if !self.world.imds().association(mac, public_ip).await?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns whether this host was an EC2 instance when it last did something in this boot.
    pub(super) fn was_ec2(&self) -> bool {
        self.last_done().is_some_and(|record| record.instance.is_some())
    }
}
