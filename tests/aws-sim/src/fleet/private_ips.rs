//! Secondary private addresses: giving them to an interface and taking them away.

use std::{collections::BTreeMap, net::Ipv4Addr};

use super::{Fleet, Instance};
use crate::ids::{InstanceId, InterfaceId};

/// Private addresses an interface can have; that of the common instance sizes (`m5.large`).
pub(crate) const PER_INTERFACE: usize = 10;

impl Fleet {
    /// Puts `ips` on the interface, taking each from the interface that had it; an Elastic IP on one moves along.
    ///
    /// # Source
    /// EC2 API Reference, `AssignPrivateIpAddresses`: "When you move a secondary private IP address to another
    /// network interface, any Elastic IP address that is associated with the IP address is also moved."
    pub(crate) fn assign_private_ips(&mut self, eni: &InterfaceId, ips: &[Ipv4Addr]) {
        for ip in ips {
            let before = self.interface_with(*ip);
            if before.as_ref() == Some(eni) {
                continue;
            }
            if let Some(interface) = before.as_ref().and_then(|eni| self.interface_mut(eni)) {
                interface.private_ips.retain(|have| have != ip);
            }
            if let Some(interface) = self.interface_mut(eni) {
                interface.private_ips.push(*ip);
            }
            for association in self.addresses.iter_mut().filter_map(|a| a.association.as_mut()) {
                if before.as_ref() == Some(&association.eni) && association.private_ip == *ip {
                    association.eni = eni.clone();
                }
            }
        }
    }

    /// Takes `ips` off the interface; an Elastic IP on one of them is disassociated.
    pub(crate) fn unassign_private_ips(&mut self, eni: &InterfaceId, ips: &[Ipv4Addr]) {
        if let Some(interface) = self.interface_mut(eni) {
            interface.private_ips.retain(|have| !ips.contains(have));
        }
        for address in &mut self.addresses {
            address.association.take_if(|s| s.eni == *eni && ips.contains(&s.private_ip));
        }
        self.restore_public_ip(eni);
    }

    /// Returns every private address with the instance that has it.
    pub(crate) fn private_ips(&self) -> BTreeMap<Ipv4Addr, &InstanceId> {
        let of = |instance: &'_ Instance| {
            instance.interfaces.iter().flat_map(|n| n.private_ips.iter().copied()).collect::<Vec<_>>()
        };
        self.instances.iter().flat_map(|i| of(i).into_iter().map(move |ip| (ip, &i.id))).collect()
    }

    /// Returns the interface that has the private address.
    pub(crate) fn interface_with(&self, ip: Ipv4Addr) -> Option<InterfaceId> {
        self.instances
            .iter()
            .flat_map(|i| &i.interfaces)
            .find(|n| n.private_ips.contains(&ip))
            .map(|n| n.eni.clone())
    }

    /// Returns `count` addresses of the interface's subnet that nobody has; fewer when it is full.
    pub(crate) fn free_private_ips(&self, eni: &InterfaceId, count: usize) -> Vec<Ipv4Addr> {
        let subnet = self
            .interface(eni)
            .and_then(|(instance, _)| self.subnets.iter().find(|s| s.id == instance.subnet));
        subnet.map_or_else(Vec::new, |subnet| {
            subnet.cidr.usable().filter(|ip| self.interface_with(*ip).is_none()).take(count).collect()
        })
    }
}
