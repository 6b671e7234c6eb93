//! Secondary private addresses, as an administrator gives and takes them.

use std::net::Ipv4Addr;

use super::Cloud;
use crate::{
    ids::{InstanceId, InterfaceId},
    world::PrivateIpChange,
};

impl Cloud {
    /// Puts a secondary private address on an interface, taking it from whichever has it.
    pub fn assign_private_ip(&self, eni: &InterfaceId, ip: Ipv4Addr) {
        self.with(|world| world.change(None, |fleet, _| fleet.assign_private_ips(eni, &[ip])));
    }

    /// Takes a secondary private address off the interface that has it; nothing happens where none has.
    pub fn unassign_private_ip(&self, ip: Ipv4Addr) {
        self.with(|world| {
            if let Some(eni) = world.present().interface_with(ip) {
                world.change(None, |fleet, _| fleet.unassign_private_ips(&eni, &[ip]));
            }
        });
    }

    /// Returns the instance and the interface that truly have a private address at this moment.
    #[must_use]
    pub fn private_holder(&self, ip: Ipv4Addr) -> Option<(InstanceId, InterfaceId)> {
        self.with(|world| {
            let eni = world.present().interface_with(ip)?;
            let instance = world.present().interface(&eni)?.0.id.clone();
            Some((instance, eni))
        })
    }

    /// Returns every change of the instance that has a private address, oldest first, from the first one on.
    #[must_use]
    pub fn private_history(&self, ip: Ipv4Addr) -> Vec<PrivateIpChange> {
        self.with(|world| world.private_history.get(&ip).cloned().unwrap_or_default())
    }
}
