//! What EC2's answer about the holder means for this node.

use std::net::Ipv4Addr;

use super::super::kind::{Location, Owner};
use crate::base::ids::{InstanceId, InterfaceId};
use crate::cloud::Association;

/// Identity of this node, as far as known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// Id of this instance; `None` if neither firmware nor record has it.
    pub instance: Option<InstanceId>,
    /// The interface that the address belongs on.
    pub interface: Option<InterfaceId>,
    /// All known interfaces of the instance.
    pub interfaces: Vec<InterfaceId>,
    /// The private address that it belongs on, if known.
    pub private_ip: Option<Ipv4Addr>,
    /// Whether the configured place does not exist on this node, so that nothing can be there.
    pub placeless: bool,
}

impl Identity {
    /// The node at this location.
    pub(super) fn at(location: &Location) -> Self {
        Self {
            instance: location.instance.clone(),
            interface: Some(location.interface.clone()),
            interfaces: vec![location.interface.clone()],
            private_ip: location.private_ip,
            placeless: false,
        }
    }

    /// Whether enough is known to recognise this node in an answer of EC2.
    pub(super) fn is_known(&self) -> bool {
        self.instance.is_some() || self.interface.is_some() || !self.interfaces.is_empty()
    }

    /// What an association means for this node.
    ///
    /// If both instances are known, they decide: the interface may have moved to the peer since the last query. EC2 omits the
    /// instance for an unattached interface, and some simulators of EC2 always omit it.
    pub(super) fn judge(&self, association: Option<&Association>) -> Owner<Association> {
        let Some(association) = association else {
            return Owner::Unassigned;
        };
        let same = |a: Option<&InterfaceId>, b: Option<&InterfaceId>| a.is_some() && a == b;
        let on_interface = same(association.interface.as_ref(), self.interface.as_ref());
        let on_instance = match (&association.instance, &self.instance) {
            (Some(holder), Some(here)) => holder == here,
            _ => {
                on_interface || association.interface.as_ref().is_some_and(|id| self.interfaces.contains(id))
            }
        };
        let on_private_ip = self.private_ip.is_none_or(|ip| association.private_ip == Some(ip));
        let in_place = (on_interface || self.interface.is_none()) && on_private_ip && !self.placeless;
        match (on_instance, in_place) {
            (true, true) => Owner::Ours(association.clone()),
            (true, false) => Owner::Misplaced(association.clone()),
            (false, _) => Owner::Elsewhere(association.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn association(instance: &str, interface: &str, ip: &str) -> Association {
        Association {
            id: "eipassoc-0123456789abcdef0".parse().unwrap(),
            instance: instance.parse().ok(),
            interface: interface.parse().ok(),
            private_ip: ip.parse().ok(),
        }
    }

    const HERE: &str = "i-00000000000000001";
    const ENI: &str = "eni-00000000000000001";
    const ENI_2: &str = "eni-00000000000000002";

    /// [holder-1]
    #[test]
    fn an_address_is_ours_only_on_the_right_interface_and_private_address() {
        let me = |ip: Option<&str>| Identity {
            instance: HERE.parse().ok(),
            interface: ENI.parse().ok(),
            private_ip: ip.and_then(|ip| ip.parse().ok()),
            ..Identity::default()
        };
        let at = |instance, interface, ip| association(instance, interface, ip);
        let rows = [
            ("in place", me(None), at(HERE, ENI, "10.0.0.1"), "ours"),
            ("in place by address", me(Some("10.0.0.1")), at(HERE, ENI, "10.0.0.1"), "ours"),
            ("instance left out", me(None), at("", ENI, "10.0.0.1"), "ours"),
            ("wrong private address", me(Some("10.0.0.9")), at(HERE, ENI, "10.0.0.1"), "misplaced"),
            ("wrong interface", me(None), at(HERE, ENI_2, "10.0.0.2"), "misplaced"),
            ("another instance", me(None), at("i-00000000000000002", ENI_2, "10.0.1.1"), "elsewhere"),
            (
                "our interface moved to another",
                me(None),
                at("i-00000000000000002", ENI, "10.0.0.1"),
                "elsewhere",
            ),
            ("no instance", me(None), at("", ENI_2, "10.0.1.1"), "elsewhere"),
            ("nothing known of us", Identity::default(), at("", ENI_2, "10.0.1.1"), "elsewhere"),
        ];
        for (situation, me, association, expected) in rows {
            let answer = match me.judge(Some(&association)) {
                Owner::Ours(_) => "ours",
                Owner::Misplaced(_) => "misplaced",
                Owner::Elsewhere(_) => "elsewhere",
                Owner::Unassigned => "unassigned",
            };
            assert_eq!(answer, expected, "{situation}");
        }
        assert_eq!(me(None).judge(None), Owner::Unassigned);
    }
}
