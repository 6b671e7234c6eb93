//! The objects of the account: subnets, instances with their network interfaces, and Elastic IPs.
//!
//! Everything that can move has a [`History`]; one function changes each such fact and all its consequences at one instant.
//! Nothing is refused here: [`operations`](super::operations) checks first, then acts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::history::{Caller, History};
use super::routes::StoredTable;
use crate::base::ids::{
    AllocationId, AssociationId, InstanceId, InterfaceId, MacAddress, RouteTableId, SubnetId,
};
use crate::cloud::ec2::private_ips::{Eni, PrivateAddress};
use crate::cloud::ec2::{Address, Association, Selector, Target};
use crate::cloud::imds::Attachment;

/// Lifecycle state of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Being launched: addresses cannot be associated yet.
    Pending,
    /// Running normally.
    Running,
    /// Halted; interfaces and Elastic IPs stay, an auto-assigned public address is released.
    Stopped,
    /// Deleted, together with its interfaces.
    Terminated,
}

impl From<&AllocationId> for Selector {
    fn from(id: &AllocationId) -> Self {
        Self::Allocation(id.clone())
    }
}

impl From<Ipv4Addr> for Selector {
    fn from(ip: Ipv4Addr) -> Self {
        Self::PublicIp(ip)
    }
}

impl From<&Ipv4Addr> for Selector {
    fn from(ip: &Ipv4Addr) -> Self {
        Self::PublicIp(*ip)
    }
}

/// By public address.
///
/// # Panics
/// If the text is not an IPv4 address.
impl From<&str> for Selector {
    fn from(ip: &str) -> Self {
        Self::PublicIp(ip.parse().unwrap_or_else(|error| panic!("{ip}: {error}")))
    }
}

/// An instance as a reader sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Instance {
    /// `i-...`.
    pub id: InstanceId,
    /// Availability zone, for example `eu-west-1a`.
    pub zone: String,
    /// Network border group of the zone; the Region for ordinary zones.
    pub border_group: String,
    /// Lifecycle state.
    pub state: InstanceState,
    /// Name of the IAM role in its instance profile.
    pub role: Option<String>,
    /// Network interfaces by device index.
    pub interfaces: Vec<NetworkInterface>,
}

/// A network interface as a reader sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkInterface {
    /// `eni-...`.
    pub eni: InterfaceId,
    /// Hardware address, by which instance metadata lists it.
    pub mac: MacAddress,
    /// Device index on its network card; 0 on card 0 is the primary interface.
    pub device_index: u32,
    /// Index of the network card.
    pub network_card: u32,
    /// The subnet it is in.
    pub subnet: SubnetId,
    /// Private addresses, the primary first.
    pub private_ips: Vec<Ipv4Addr>,
    /// Public addresses by the private address that carries them, Elastic IPs and an auto-assigned one.
    pub public_ips: BTreeMap<Ipv4Addr, Ipv4Addr>,
}

/// What an Elastic IP is associated with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Associated {
    pub(super) id: AssociationId,
    pub(super) target: Target,
}

/// Stored form of an Elastic IP.
#[derive(Clone, Debug)]
pub(super) struct ElasticIp {
    pub(super) public_ip: Ipv4Addr,
    pub(super) allocation: AllocationId,
    pub(super) border_group: String,
    pub(super) managed_by: Option<String>,
    pub(super) association: History<Option<Associated>>,
}

/// Stored form of an interface.
#[derive(Clone, Debug)]
pub(super) struct StoredInterface {
    pub(super) mac: MacAddress,
    pub(super) subnet: SubnetId,
    pub(super) private_ips: History<Vec<Ipv4Addr>>,
    /// The Elastic IPs on it by private address: the inverse of [`ElasticIp::association`].
    pub(super) carried: History<BTreeMap<Ipv4Addr, Ipv4Addr>>,
    /// Whether EC2 drops its traffic for other addresses; the default of a new interface.
    pub(super) source_dest_check: bool,
    /// The instance and the place in its order of attachment.
    pub(super) attachment: History<Option<(InstanceId, usize)>>,
    /// Device index and network card, if they are not that place and card 0.
    pub(super) on_card: Option<Attachment>,
}

impl StoredInterface {
    fn attachment_at(&self, index: usize) -> Attachment {
        let device_index = u32::try_from(index).unwrap_or(u32::MAX);
        self.on_card.unwrap_or(Attachment { device_index, network_card: 0 })
    }
}

/// Stored form of an instance.
#[derive(Clone, Debug)]
pub(super) struct StoredInstance {
    pub(super) zone: String,
    pub(super) border_group: String,
    pub(super) role: Option<String>,
    pub(super) state: History<InstanceState>,
    /// Its interfaces in the order of attachment: the inverse of [`StoredInterface::attachment`].
    pub(super) interfaces: History<Vec<InterfaceId>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct StoredSubnet {
    pub(super) id: SubnetId,
    pub(super) cidr: Ipv4Net,
    pub(super) zone: String,
}

/// Everything in the account.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    pub(super) gateway_detached: bool,
    pub(super) subnets: Vec<StoredSubnet>,
    pub(super) instances: BTreeMap<InstanceId, StoredInstance>,
    pub(super) interfaces: BTreeMap<InterfaceId, StoredInterface>,
    /// The interface that has a private address of a subnet.
    pub(super) private_ips: BTreeMap<(SubnetId, Ipv4Addr), History<Option<InterfaceId>>>,
    pub(super) elastic_ips: BTreeMap<Ipv4Addr, ElasticIp>,
    pub(super) allocations: BTreeMap<AllocationId, Ipv4Addr>,
    pub(super) tables: BTreeMap<RouteTableId, StoredTable>,
    /// How long a route that was changed is shown as a blackhole.
    pub(super) late_routes: Duration,
    /// Elastic IPs of other accounts.
    pub(super) foreign: BTreeSet<Ipv4Addr>,
}

impl Objects {
    pub(super) fn elastic_ip(&self, which: &Selector) -> Option<&ElasticIp> {
        let ip = match which {
            Selector::Allocation(id) => self.allocations.get(id)?,
            Selector::PublicIp(ip) => ip,
        };
        self.elastic_ips.get(ip)
    }

    pub(super) fn subnet(&self, id: &SubnetId) -> Option<&StoredSubnet> {
        self.subnets.iter().find(|subnet| subnet.id == *id)
    }

    /// The interface that currently has a private address of a subnet.
    pub(super) fn private_holder(&self, subnet: &SubnetId, ip: Ipv4Addr) -> Option<&InterfaceId> {
        self.private_ips.get(&(subnet.clone(), ip))?.now().as_ref()
    }

    /// The Elastic IP currently on a private address of an interface.
    pub(super) fn sitting_on(&self, target: &Target) -> Option<&ElasticIp> {
        self.sitting_at(target, Duration::MAX)
    }

    /// The Elastic IP on a private address of an interface at a moment.
    pub(super) fn sitting_at(&self, target: &Target, moment: Duration) -> Option<&ElasticIp> {
        let public = self.interfaces.get(&target.interface)?.carried.at(moment).get(&target.private_ip)?;
        self.elastic_ips.get(public)
    }

    /// EC2's description of an Elastic IP at a moment.
    pub(super) fn address_at(&self, address: &ElasticIp, moment: Duration) -> Address {
        let association = address.association.at(moment).as_ref().map(|held| Association {
            id: held.id.clone(),
            instance: self.attached_at(&held.target.interface, moment).map(|(instance, _)| instance),
            interface: Some(held.target.interface.clone()),
            private_ip: Some(held.target.private_ip),
        });
        Address {
            public_ip: address.public_ip,
            allocation: address.allocation.clone(),
            association,
            border_group: Some(address.border_group.clone()),
            managed_by: address.managed_by.clone(),
        }
    }

    /// EC2's description of an interface at a moment.
    pub(super) fn eni_at(&self, id: &InterfaceId, moment: Duration) -> Option<Eni> {
        let interface = self.interfaces.get(id)?;
        let (instance, index) = self.attached_at(id, moment).unzip();
        let (private, public) = (interface.private_ips.at(moment), interface.carried.at(moment));
        let address = |(place, ip): (usize, &Ipv4Addr)| PrivateAddress {
            ip: *ip,
            primary: place == 0,
            public_ip: public.get(ip).copied(),
        };
        Some(Eni {
            id: id.clone(),
            instance,
            attachment: index.map(|index| interface.attachment_at(index)),
            subnet: Some(interface.subnet.clone()),
            addresses: private.iter().enumerate().map(address).collect(),
        })
    }

    /// An instance as it was at a moment.
    pub(super) fn instance_at(&self, id: &InstanceId, moment: Duration) -> Option<Instance> {
        let instance = self.instances.get(id)?;
        let seen = |(index, eni): (usize, &InterfaceId)| {
            let interface = self.interfaces.get(eni)?;
            let Attachment { device_index, network_card } = interface.attachment_at(index);
            Some(NetworkInterface {
                eni: eni.clone(),
                mac: interface.mac,
                device_index,
                network_card,
                subnet: interface.subnet.clone(),
                private_ips: interface.private_ips.at(moment).clone(),
                public_ips: interface.carried.at(moment).clone(),
            })
        };
        Some(Instance {
            id: id.clone(),
            zone: instance.zone.clone(),
            border_group: instance.border_group.clone(),
            state: *instance.state.at(moment),
            role: instance.role.clone(),
            interfaces: instance.interfaces.at(moment).iter().enumerate().filter_map(seen).collect(),
        })
    }

    pub(super) fn attached_at(&self, eni: &InterfaceId, moment: Duration) -> Option<(InstanceId, usize)> {
        self.interfaces.get(eni)?.attachment.at(moment).clone()
    }

    /// Moves an Elastic IP to a target, displacing the one there, or disassociates it.
    ///
    /// # Source
    /// EC2 API Reference, `AssociateAddress`: the address that was on the private address is disassociated and stays allocated.
    pub(super) fn move_elastic_ip(
        &mut self,
        at: Duration,
        by: &Caller,
        ip: Ipv4Addr,
        to: Option<Associated>,
    ) {
        let displaced =
            to.as_ref().and_then(|to| self.sitting_on(&to.target)).map(|sitting| sitting.public_ip);
        if let Some(displaced) = displaced.filter(|displaced| *displaced != ip) {
            self.move_elastic_ip(at, by, displaced, None);
        }
        let Some(address) = self.elastic_ips.get_mut(&ip) else { return };
        let before = address.association.now().clone();
        address.association.set(at, by, to.clone());
        if let Some(Associated { target, .. }) = before {
            self.carry(at, by, &target.interface, |carried| carried.remove(&target.private_ip));
        }
        if let Some(Associated { target, .. }) = to {
            self.carry(at, by, &target.interface, |carried| carried.insert(target.private_ip, ip));
        }
    }

    fn carry(
        &mut self,
        at: Duration,
        by: &Caller,
        eni: &InterfaceId,
        change: impl FnOnce(&mut BTreeMap<Ipv4Addr, Ipv4Addr>) -> Option<Ipv4Addr>,
    ) {
        if let Some(interface) = self.interfaces.get_mut(eni) {
            let mut carried = interface.carried.now().clone();
            change(&mut carried);
            interface.carried.set(at, by, carried);
        }
    }

    /// Moves a private address of a subnet to an interface, or unassigns it. The Elastic IP on it moves along, or is
    /// disassociated if there is no destination.
    ///
    /// # Source
    /// EC2 API Reference, `AssignPrivateIpAddresses`: "When you move a secondary private IP address to another network
    /// interface, any Elastic IP address that is associated with the IP address is also moved."
    pub(super) fn move_private_ip(
        &mut self,
        at: Duration,
        by: &Caller,
        subnet: &SubnetId,
        ip: Ipv4Addr,
        to: Option<&InterfaceId>,
    ) {
        let before = self.private_holder(subnet, ip).cloned();
        if before.as_ref() == to {
            return;
        }
        if let Some(before) = before {
            let place = Target { interface: before.clone(), private_ip: ip };
            if let Some(interface) = self.interfaces.get_mut(&before) {
                let mut ips = interface.private_ips.now().clone();
                ips.retain(|have| *have != ip);
                interface.private_ips.set(at, by, ips);
            }
            let riding =
                self.sitting_on(&place).map(|riding| (riding.public_ip, riding.association.now().clone()));
            if let Some((public_ip, Some(Associated { id, .. }))) = riding {
                let moved =
                    to.map(|to| Associated { id, target: Target { interface: to.clone(), private_ip: ip } });
                self.move_elastic_ip(at, by, public_ip, moved);
            }
        }
        if let Some(interface) = to.and_then(|to| self.interfaces.get_mut(to)) {
            let mut ips = interface.private_ips.now().clone();
            ips.push(ip);
            interface.private_ips.set(at, by, ips);
        }
        let holder = self.private_ips.entry((subnet.clone(), ip)).or_insert_with(|| History::new(at, None));
        holder.set(at, by, to.cloned());
    }

    /// Attaches an interface to an instance at the next device index.
    pub(super) fn attach(&mut self, at: Duration, eni: &InterfaceId, id: &InstanceId) {
        if let (Some(interface), Some(instance)) = (self.interfaces.get_mut(eni), self.instances.get_mut(id))
        {
            let mut interfaces = instance.interfaces.now().clone();
            interface.attachment.set(at, &Caller::default(), Some((id.clone(), interfaces.len())));
            interfaces.push(eni.clone());
            instance.interfaces.set(at, &Caller::default(), interfaces);
        }
    }

    /// Changes an instance's state, with the consequences for its addresses.
    pub(super) fn set_state(&mut self, at: Duration, id: &InstanceId, state: InstanceState) {
        let anyone = Caller::default();
        let Some(instance) = self.instances.get_mut(id) else { return };
        instance.state.set(at, &anyone, state);
        if state != InstanceState::Terminated {
            return;
        }
        let interfaces = instance.interfaces.now().clone();
        instance.interfaces.set(at, &anyone, Vec::new());
        for eni in interfaces {
            let Some(interface) = self.interfaces.get_mut(&eni) else { continue };
            interface.attachment.set(at, &anyone, None);
            let (subnet, ips) = (interface.subnet.clone(), interface.private_ips.now().clone());
            for ip in ips {
                self.move_private_ip(at, &anyone, &subnet, ip, None);
            }
        }
    }
}
