//! The private address on the interface that the Elastic IP is associated with: one for all nodes, or one per node.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::error::{ParamError, shown};
use super::value::Values;

/// The private address that carries the Elastic IP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateIp {
    /// The interface's primary private address.
    Default,
    /// This address on every node.
    Literal(Ipv4Addr),
    /// By node name, because subnets of different zones have different addresses.
    PerNode(BTreeMap<String, Ipv4Addr>),
}

const NAME: &str = "private_ip_address";

impl PrivateIp {
    /// Parses `private_ip_address`: an address, or comma-separated entries `NODE=ADDRESS`.
    pub(super) fn parse(values: &Values<'_>) -> Result<Self, ParamError> {
        let Some(value) = values.text(NAME) else {
            return Ok(Self::Default);
        };
        if !value.contains('=') {
            let address = usable(value);
            return address.map(Self::Literal).ok_or_else(|| {
                ParamError::invalid(NAME, value, "an IPv4 address, or node1=ADDRESS,node2=ADDRESS")
            });
        }
        let mut list: BTreeMap<String, Ipv4Addr> = BTreeMap::new();
        for entry in value.split(',').map(str::trim_ascii) {
            let Some((node, address)) = entry_of(entry) else {
                // Only the entry: the whole list would be cut before the mistake.
                return Err(ParamError::invalid(NAME, entry, "NODE=ADDRESS between commas"));
            };
            if list.keys().any(|other| other.eq_ignore_ascii_case(node)) {
                return Err(ParamError::invalid(NAME, entry, "each node once"));
            }
            list.insert(node.to_owned(), address);
        }
        Ok(Self::PerNode(list))
    }

    /// The private address for a node, by its name in the cluster; `None` means the interface's primary address.
    ///
    /// An exact match wins. Otherwise case is ignored; if that finds nothing, the parts before the first dot are
    /// compared, because one side may use the fully qualified name and the other not.
    ///
    /// # Errors
    /// [`ParamError::NodeNotListed`] if no entry matches, [`ParamError::NodeAmbiguous`] if several do.
    pub fn for_node(&self, node: &str) -> Result<Option<Ipv4Addr>, ParamError> {
        let list = match self {
            Self::Default => return Ok(None),
            Self::Literal(address) => return Ok(Some(*address)),
            Self::PerNode(list) => list,
        };
        if node.is_empty() {
            return Err(ParamError::NodeUnknown);
        }
        // Names that differ only in case are refused by `parse`, so at most one entry matches here.
        if let Some((_, address)) = list.iter().find(|(name, _)| name.eq_ignore_ascii_case(node)) {
            return Ok(Some(*address));
        }
        let wanted = host_part(node);
        let mut fitting = list.iter().filter(|(name, _)| host_part(name).eq_ignore_ascii_case(wanted));
        match (fitting.next(), fitting.next()) {
            (Some((_, address)), None) => Ok(Some(*address)),
            (Some(_), Some(_)) => Err(ParamError::NodeAmbiguous { node: shown(node) }),
            (None, _) => Err(ParamError::NodeNotListed { node: shown(node) }),
        }
    }
}

/// The parts of `NODE=ADDRESS`; `None` if the name is empty or the address unusable.
fn entry_of(entry: &str) -> Option<(&str, Ipv4Addr)> {
    let (node, address) = entry.split_once('=')?;
    let node = node.trim_ascii_end();
    let named = !node.is_empty() && node.bytes().all(|byte| byte.is_ascii_graphic());
    usable(address.trim_ascii_start()).filter(|_| named).map(|address| (node, address))
}

/// Parses an address that an interface can have. Link-local ones are AWS's own, such as the metadata service's.
pub(super) fn usable(text: &str) -> Option<Ipv4Addr> {
    let strange = |ip: &Ipv4Addr| {
        ip.is_unspecified()
            || ip.is_multicast()
            || ip.is_broadcast()
            || ip.is_loopback()
            || ip.is_link_local()
    };
    text.parse().ok().filter(|address| !strange(address))
}

/// The part before the first dot, except for a node named by an address: 10.0.0.1 is not 10.0.0.2.
fn host_part(node: &str) -> &str {
    match node.split_once('.') {
        Some((host, _)) if node.parse::<Ipv4Addr>().is_err() => host,
        _ => node,
    }
}
