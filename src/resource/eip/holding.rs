//! Who holds the address: what EC2's answer means for this node.

use std::net::Ipv4Addr;

use crate::base::ids::{InstanceId, InterfaceId};
use crate::cloud::Association;

/// Who this node is, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// The instance.
    pub instance: Option<InstanceId>,
    /// The interface the address belongs on.
    pub interface: Option<InterfaceId>,
    /// All interfaces of the instance that are known.
    pub interfaces: Vec<InterfaceId>,
    /// The private address it belongs on, where that is known.
    pub private_ip: Option<Ipv4Addr>,
    /// Whether the place that is configured does not exist on this node, so that nothing can be in it.
    pub placeless: bool,
}

/// The four answers; the fourth, unknown, is an error that says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// It is where it belongs on this node.
    Ours(Association),
    /// It is on this instance, but on another interface or private address than it belongs on.
    Misplaced(Association),
    /// Somebody else holds it.
    Elsewhere(Association),
    /// Nobody holds it.
    Nobody,
}

impl Identity {
    /// Returns whether enough is known of this node to recognise it in an answer of EC2.
    pub(super) fn is_known(&self) -> bool {
        self.instance.is_some() || self.interface.is_some() || !self.interfaces.is_empty()
    }

    /// Returns what an association means for this node.
    ///
    /// Where both instances are known they decide: an interface can have moved to the peer since this node last looked. EC2
    /// leaves the instance out for an interface that is attached to none, and some look-alikes of EC2 leave it out always.
    pub(super) fn judge(&self, association: Option<&Association>) -> Holding {
        let Some(association) = association else {
            return Holding::Nobody;
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
            (true, true) => Holding::Ours(association.clone()),
            (true, false) => Holding::Misplaced(association.clone()),
            (false, _) => Holding::Elsewhere(association.clone()),
        }
    }
}

impl Holding {
    /// Returns who holds the address, for a sentence like "held by ...".
    #[must_use]
    pub fn holder(&self) -> String {
        match self {
            Self::Ours(association) => format!("this node, {association}"),
            Self::Misplaced(association) => {
                let interface = association.interface.as_ref().map(ToString::to_string).unwrap_or_default();
                let private_ip = association.private_ip.map(|ip| format!(" ({ip})")).unwrap_or_default();
                format!("this node, but on {interface}{private_ip}")
            }
            Self::Elsewhere(association) => association.to_string(),
            Self::Nobody => "nobody".to_owned(),
        }
    }

    /// Returns why the address is not here, as the one line of a monitor.
    pub(super) fn absence(&self, address: &str) -> String {
        match self {
            Self::Nobody => format!("{address} is associated with nothing"),
            other => format!("{address} is held by {}", other.holder()),
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
                Holding::Ours(_) => "ours",
                Holding::Misplaced(_) => "misplaced",
                Holding::Elsewhere(_) => "elsewhere",
                Holding::Nobody => "nobody",
            };
            assert_eq!(answer, expected, "{situation}");
        }
        assert_eq!(me(None).judge(None), Holding::Nobody);
    }

    #[test]
    fn the_reason_names_the_holder() {
        let me = Identity { instance: HERE.parse().ok(), ..Identity::default() };
        let other = association("i-00000000000000002", ENI_2, "10.0.1.1");
        assert_eq!(
            me.judge(Some(&other)).absence("203.0.113.10"),
            "203.0.113.10 is held by i-00000000000000002 (10.0.1.1)"
        );
        assert_eq!(me.judge(None).absence("203.0.113.10"), "203.0.113.10 is associated with nothing");
    }
}
