//! Which private address on the interface the Elastic IP is put on: one for all nodes, or one for each.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::error::{ParamError, Shown};
use super::value::Values;

/// The private address that carries the Elastic IP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateIp {
    /// The interface's primary private address.
    Default,
    /// This one on every node.
    Literal(Ipv4Addr),
    /// By name of the node, because the subnets of different zones have different addresses.
    PerNode(BTreeMap<String, Ipv4Addr>),
}

const NAME: &str = "private_ip_address";

impl PrivateIp {
    /// Reads `private_ip_address`: an address, or entries `NODE=ADDRESS` with commas between them.
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
                // The entry alone: the whole list would be cut before the place that is wrong.
                return Err(ParamError::invalid(NAME, entry, "NODE=ADDRESS between commas"));
            };
            if list.keys().any(|other| other.eq_ignore_ascii_case(node)) {
                return Err(ParamError::invalid(NAME, entry, "each node once"));
            }
            list.insert(node.to_owned(), address);
        }
        Ok(Self::PerNode(list))
    }

    /// Returns the private address for a node, by the name the cluster has for it; none means the interface's primary.
    ///
    /// An entry with exactly this name decides. Else, case is ignored, and if that finds nothing the parts before the
    /// first dot are compared, because one side may have the name with the domain and the other without.
    ///
    /// # Errors
    /// [`ParamError::NodeNotListed`] when no entry fits, [`ParamError::NodeAmbiguous`] when several do.
    pub fn for_node(&self, node: &str) -> Result<Option<Ipv4Addr>, ParamError> {
        let list = match self {
            Self::Default => return Ok(None),
            Self::Literal(address) => return Ok(Some(*address)),
            Self::PerNode(list) => list,
        };
        if node.is_empty() {
            return Err(ParamError::NodeUnknown);
        }
        // Names that differ in case alone are refused by `parse`, so at most one entry fits here.
        if let Some((_, address)) = list.iter().find(|(name, _)| name.eq_ignore_ascii_case(node)) {
            return Ok(Some(*address));
        }
        let wanted = host_part(node);
        let mut fitting = list.iter().filter(|(name, _)| host_part(name).eq_ignore_ascii_case(wanted));
        match (fitting.next(), fitting.next()) {
            (Some((_, address)), None) => Ok(Some(*address)),
            (Some(_), Some(_)) => Err(ParamError::NodeAmbiguous { node: Shown::new(node) }),
            (None, _) => Err(ParamError::NodeNotListed { node: Shown::new(node) }),
        }
    }
}

/// Splits `NODE=ADDRESS`.
fn entry_of(entry: &str) -> Option<(&str, Ipv4Addr)> {
    let (node, address) = entry.split_once('=')?;
    let node = node.trim_ascii_end();
    let named = !node.is_empty() && node.bytes().all(|byte| byte.is_ascii_graphic());
    usable(address.trim_ascii_start()).filter(|_| named).map(|address| (node, address))
}

/// Takes an address that an interface can have.
pub(super) fn usable(text: &str) -> Option<Ipv4Addr> {
    let strange =
        |ip: &Ipv4Addr| ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast() || ip.is_loopback();
    text.parse().ok().filter(|address| !strange(address))
}

/// Returns what is before the first dot, except of a node that is named by an address: 10.0.0.1 is not 10.0.0.2.
fn host_part(node: &str) -> &str {
    match node.split_once('.') {
        Some((host, _)) if node.parse::<Ipv4Addr>().is_err() => host,
        _ => node,
    }
}
