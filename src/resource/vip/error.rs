//! What only a secondary private address can run into.

use std::net::Ipv4Addr;

use crate::base::ids::MacAddress;
use crate::network::NetworkError;

/// Why an action on a secondary private address failed, where an Elastic IP could not have failed so.
#[derive(Debug, thiserror::Error)]
pub enum VipError {
    /// The address is not of the subnet that the interface is in.
    #[error("{address} is not in {subnet}: a subnet lies in one zone; use ocf:heartbeat:eip across zones")]
    OtherSubnet {
        /// The address.
        address: Ipv4Addr,
        /// The subnet, as an operator knows it.
        subnet: String,
    },
    /// The address is an interface's own, which never moves.
    #[error("{address} is the primary address of {of}: choose another one of the subnet")]
    Primary {
        /// The address.
        address: Ipv4Addr,
        /// The interface or instance whose own it is.
        of: String,
    },
    /// Another interface has the address, and `allow_reassignment=false` forbids to take it.
    #[error("{address} is held by {holder} and allow_reassignment=false")]
    Held {
        /// The address.
        address: Ipv4Addr,
        /// Who has it.
        holder: String,
    },
    /// No network device belongs to the interface.
    #[error("no network device of this node has the hardware address {0}: add_to_device=false does without")]
    NoDevice(MacAddress),
    /// Which device belongs to the interface is not known.
    #[error("the interface's network device is not known while the metadata service is silent")]
    UnknownDevice,
    /// The length of the subnet's prefix is not known.
    #[error("the subnet's prefix length is not known while the metadata service is silent")]
    UnknownPrefix,
    /// Device and label together are too long.
    #[error("iflabel={label}: with device {device} before it expected at most 15 characters")]
    Label {
        /// The label.
        label: String,
        /// The device.
        device: String,
    },
    /// The kernel refused.
    #[error(transparent)]
    Network(NetworkError),
}

impl VipError {
    /// Returns whether the cause is this node or the configuration, so that trying again here changes nothing.
    #[must_use]
    pub fn is_of_this_node(&self) -> bool {
        match self {
            Self::OtherSubnet { .. } | Self::Primary { .. } | Self::NoDevice(_) | Self::Label { .. } => true,
            Self::Held { .. } | Self::UnknownDevice | Self::UnknownPrefix | Self::Network(_) => false,
        }
    }
}

impl From<VipError> for crate::resource::error::Error {
    fn from(error: VipError) -> Self {
        Self::Vip(error)
    }
}

impl From<NetworkError> for crate::resource::error::Error {
    fn from(error: NetworkError) -> Self {
        Self::Vip(VipError::Network(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_reasons_fit_what_pacemaker_keeps() {
        let address = Ipv4Addr::new(100, 100, 100, 100);
        let of = "i-0123456789abcdef0 (eni-0123456789abcdef0)".to_owned();
        for error in [
            VipError::OtherSubnet { address, subnet: "this node's subnet 100.100.100.128/28".to_owned() },
            VipError::OtherSubnet { address, subnet: "the subnet of eni-0123456789abcdef0".to_owned() },
            VipError::Primary { address, of: of.clone() },
            VipError::Held { address, holder: of },
            VipError::NoDevice([0xff; 6].into()),
            VipError::UnknownDevice,
            VipError::Label { label: "thirteen-char".to_owned(), device: "fifteen-letters".to_owned() },
        ] {
            let text = error.to_string();
            assert!(text.len() <= 128 && text.is_ascii(), "{} bytes: {text}", text.len());
        }
    }
}
