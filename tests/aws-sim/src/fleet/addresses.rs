//! What moves when an Elastic IP moves, and what happens to addresses when an instance changes its state.
//!
//! Nothing is refused here: the operations check first, then act.

use std::net::Ipv4Addr;

use super::{Association, Fleet, InstanceState};
use crate::ids::{AllocationId, AssociationId, InterfaceId};

/// A private address on an interface: what an Elastic IP is associated with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) eni: InterfaceId,
    pub(crate) private_ip: Ipv4Addr,
}

impl Fleet {
    /// Associates the address with `target` and returns the association's identifier.
    ///
    /// An association with the same target stays as it is and keeps its identifier; otherwise `fresh` names the new
    /// one. The address that was on the target is displaced but stays allocated; the auto-assigned public address
    /// of the target is released, and the old holder gets one back.
    ///
    /// # Source
    /// EC2 API Reference, `AssociateAddress`: idempotent; a displaced address stays allocated. Whether a repeat keeps
    /// the identifier is not documented: keeping it is this simulator's choice.
    pub(crate) fn associate(
        &mut self,
        id: &AllocationId,
        target: &Target,
        fresh: AssociationId,
        now: f64,
    ) -> AssociationId {
        let held = self.address_mut(id).and_then(|a| a.association.clone());
        if let Some(held) = held.filter(|h| h.eni == target.eni && h.private_ip == target.private_ip) {
            return held.id;
        }
        let displaced = self.address_on(&target.eni, target.private_ip).map(|a| a.allocation_id.clone());
        if let Some(address) = displaced.and_then(|id| self.address_mut(&id)) {
            address.association = None;
        }
        let before = self.take(id);
        if let Some(address) = self.address_mut(id) {
            address.association = Some(Association {
                id: fresh.clone(),
                eni: target.eni.clone(),
                private_ip: target.private_ip,
                since: now,
            });
        }
        if let Some(interface) = self.interface_mut(&target.eni)
            && interface.private_ips.first() == Some(&target.private_ip)
        {
            interface.public_ip = None;
        }
        if let Some(before) = before {
            self.restore_public_ip(&before.eni);
        }
        fresh
    }

    /// Dissolves the association of the address; the interface gets an auto-assigned public address back if due.
    pub(crate) fn disassociate(&mut self, id: &AllocationId) {
        if let Some(before) = self.take(id) {
            self.restore_public_ip(&before.eni);
        }
    }

    fn take(&mut self, id: &AllocationId) -> Option<Association> {
        self.address_mut(id).and_then(|a| a.association.take())
    }

    /// Gives the interface an auto-assigned public address where EC2 does.
    ///
    /// # Source
    /// Amazon EC2 User Guide, "Public IPv4 addresses": not with more than one interface on the instance, nor while a
    /// secondary private address has an Elastic IP.
    pub(crate) fn restore_public_ip(&mut self, eni: &InterfaceId) {
        let due = self.interface(eni).is_some_and(|(instance, interface)| {
            interface.auto_public_ip
                && interface.public_ip.is_none()
                && instance.interfaces.len() == 1
                && matches!(instance.state, InstanceState::Running | InstanceState::Pending)
                && !self.addresses.iter().any(|a| a.association.as_ref().is_some_and(|s| s.eni == *eni))
        });
        if due {
            self.next_auto = self.next_auto.wrapping_add(1);
            let public_ip = Some(Ipv4Addr::new(198, 51, 100, self.next_auto));
            if let Some(interface) = self.interface_mut(eni) {
                interface.public_ip = public_ip;
            }
        }
    }

    /// Puts the instance into `state`, with what follows for its addresses.
    pub(crate) fn set_state(&mut self, id: &str, state: InstanceState) {
        let Some(instance) = self.instance_mut(id) else { return };
        instance.state = state;
        let enis: Vec<_> = instance.interfaces.iter().map(|n| n.eni.clone()).collect();
        match state {
            InstanceState::Pending | InstanceState::Running => {
                for eni in &enis {
                    self.restore_public_ip(eni);
                }
            }
            InstanceState::Stopped => instance.interfaces.iter_mut().for_each(|n| n.public_ip = None),
            InstanceState::Terminated => {
                instance.interfaces.clear();
                for address in &mut self.addresses {
                    address.association.take_if(|s| enis.contains(&s.eni));
                }
            }
        }
    }
}
