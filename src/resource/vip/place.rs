//! Where on this node the address belongs: which interface, in which subnet. From the metadata service, and where that is
//! silent from what this node did last.

use std::net::Ipv4Addr;

use super::{Vip, VipWorld};
use crate::base::ids::{InstanceId, InterfaceId, MacAddress};
use crate::cloud::{Imds as _, ImdsError, Subnet};
use crate::resource::error::Error;
use crate::resource::interface;

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

impl<W: VipWorld> Vip<'_, W> {
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
        if !cidr.contains(&address) {
            return Err(Error::OtherSubnet { address, subnet: format!("this node's subnet {cidr}") });
        }
        let own_ip = interface.private_ips.first().copied();
        if own_ip == Some(address) {
            return Err(Error::Primary { address, of: format!("this node's {}", interface.id) });
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
        interface::find_place(
            self.world,
            &self.deadline,
            self.params.timing.max_backoff,
            async || self.place_once().await,
            || self.remembered_place().filter(|_| remembered),
            self.was_ec2(),
        )
        .await
    }

    /// Returns the place by what this node did last in this boot, if the interface is still the one that is meant.
    pub(super) fn remembered_place(&self) -> Option<Place> {
        let record = self.last_done()?;
        if !interface::is_on_record(self.world, &self.params.interface, &record) {
            return None;
        }
        Some(Place {
            instance: record.instance,
            interface: record.interface?,
            mac: record.mac,
            own_ip: record.private_ip_of_interface,
            subnet: record
                .subnet
                .zip(record.cidr)
                .and_then(|(id, cidr)| Some(Subnet { id, cidr: cidr.parse().ok()? })),
            shown: None,
        })
    }

    /// Returns whether this host was an EC2 instance when it last did something in this boot.
    pub(super) fn was_ec2(&self) -> bool {
        self.last_done().is_some_and(|record| record.instance.is_some())
    }
}
