//! What the agent asks of the instance metadata service, in the agent's own types.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::base::ids::{InstanceId, InterfaceId, MacAddress, SubnetId};
use crate::base::retry::{Patience, Retryable};

#[cfg(feature = "sdk")]
pub mod aws;
#[cfg(all(test, feature = "paused-time"))]
pub mod fake;

/// A network interface of this instance, as the metadata service describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its hardware address, by which the service names it.
    pub mac: MacAddress,
    /// Its id in EC2.
    pub id: InterfaceId,
    /// Its private addresses, the primary one first. None of an interface for IPv6 or EFA only, or that has just been attached.
    pub private_ips: Vec<Ipv4Addr>,
}

/// How an interface is attached to the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attachment {
    /// Its place in the order of attachment, 0 for the primary interface. Each network card has such an order of its own.
    pub device_index: u32,
    /// The network card; 0 on instances with one.
    pub network_card: u32,
}

/// The subnet that an interface is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// Its id in EC2.
    pub id: SubnetId,
    /// Its addresses.
    pub cidr: Ipv4Net,
}

/// A question to the metadata service that was not answered with what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ImdsError {
    /// No answer, a server error, or the service is switched off.
    #[error("IMDS {path}: {answer}")]
    Silent {
        /// What was asked for.
        path: String,
        /// What happened instead of an answer.
        answer: String,
    },
    /// The service answered that it has no such item.
    #[error("IMDS has no {path}")]
    Absent {
        /// What was asked for.
        path: String,
    },
    /// An answer that is not what belongs there.
    #[error("IMDS {path}: unreadable answer {text:?}")]
    Garbled {
        /// What was asked for.
        path: String,
        /// The beginning of the answer.
        text: String,
    },
}

impl ImdsError {
    /// Returns the error of a question that the deadline cut off.
    #[must_use]
    pub fn cut_off(path: &str) -> Self {
        Self::Silent { path: path.to_owned(), answer: "no answer in time".to_owned() }
    }

    /// Returns the error of an answer that is not what belongs there. It keeps as much of it as fits an operator's line.
    #[must_use]
    pub fn garbled(path: &str, answer: &str) -> Self {
        let text = answer.chars().filter(|c| !c.is_control()).take(40).collect();
        Self::Garbled { path: path.to_owned(), text }
    }
}

impl Retryable for ImdsError {
    fn patience(&self) -> Patience {
        match self {
            Self::Silent { .. } | Self::Garbled { .. } => Patience::Lasting,
            Self::Absent { .. } => Patience::Never,
        }
    }
}

/// The questions the agent asks of the metadata service. Every method is one attempt.
pub trait Imds {
    /// Returns the id of this instance.
    ///
    /// # Errors
    /// As [`ImdsError`] says; so for all methods of this trait.
    async fn instance_id(&self) -> Result<InstanceId, ImdsError>;

    /// Returns the region of this instance.
    async fn region(&self) -> Result<String, ImdsError>;

    /// Returns the account that owns the primary interface, twelve digits.
    async fn account(&self) -> Result<String, ImdsError>;

    /// Returns the hardware address of the primary interface.
    async fn primary_mac(&self) -> Result<MacAddress, ImdsError>;

    /// Returns the hardware addresses of all interfaces.
    async fn macs(&self) -> Result<Vec<MacAddress>, ImdsError>;

    /// Returns the interface with this hardware address.
    async fn interface(&self, mac: MacAddress) -> Result<Interface, ImdsError>;

    /// Returns the id of the interface with this hardware address. Unlike its addresses, every interface has one.
    async fn interface_id(&self, mac: MacAddress) -> Result<InterfaceId, ImdsError>;

    /// Returns how this interface is attached.
    async fn attachment(&self, mac: MacAddress) -> Result<Attachment, ImdsError>;

    /// Returns the subnet that this interface is in.
    async fn subnet(&self, mac: MacAddress) -> Result<Subnet, ImdsError>;

    /// Returns the private addresses of this interface that carry `public_ip`; none when it isn't on this interface.
    async fn association(&self, mac: MacAddress, public_ip: Ipv4Addr) -> Result<Vec<Ipv4Addr>, ImdsError>;

    /// Returns the public addresses on this interface, each with the private addresses that carry it.
    async fn associations(&self, mac: MacAddress) -> Result<Vec<(Ipv4Addr, Vec<Ipv4Addr>)>, ImdsError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_instead_of_an_answer_fits_into_a_line() {
        let page = format!("<html>\n<body>\r{}</body>", "x".repeat(5000));
        let text = ImdsError::garbled("placement/region", &page).to_string();
        assert!(text.contains("<html><body>xxx") && text.len() < 128, "{} bytes: {text}", text.len());
    }
}
