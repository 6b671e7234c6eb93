//! What the agent reads from instance metadata, in its own types.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};

use crate::base::ids::{InstanceId, InterfaceId, MacAddress, SubnetId, VpcId};
use crate::base::retry::{Patience, Retryable};

#[cfg(feature = "sdk")]
pub mod aws;

/// A network interface of this instance according to instance metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Hardware address, the key of the interface in instance metadata.
    pub mac: MacAddress,
    /// `eni-...`.
    pub id: InterfaceId,
    /// Private addresses, the primary first. Empty for an interface for IPv6 or EFA only, or one that has just been attached.
    pub private_ips: Vec<Ipv4Addr>,
}

/// How an interface is attached to the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attachment {
    /// Device index, 0 for the primary interface. Each network card has an index sequence of its own.
    pub device_index: u32,
    /// Index of the network card; 0 on instances with one.
    pub network_card: u32,
}

/// The subnet of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// `subnet-...`.
    pub id: SubnetId,
    /// IPv4 range of the subnet.
    pub cidr: Ipv4Net,
}

/// The VPC of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    /// `vpc-...`.
    pub id: VpcId,
    /// All its ranges, IPv4 and IPv6.
    pub ranges: Vec<IpNet>,
}

/// A failed query of instance metadata.
#[derive(Debug, thiserror::Error)]
pub enum ImdsError {
    /// No response, a server error, or the service is switched off.
    #[error("IMDS {path}: {answer}")]
    Silent {
        /// Path of the item, relative to `meta-data`.
        path: String,
        /// What happened instead of a response.
        answer: String,
    },
    /// The service accepts connections, but no response has reached this process.
    #[error("IMDS {path}: connects but does not answer: hop limit of 1 in a container?")]
    Mute {
        /// Path of the item.
        path: String,
    },
    /// The service responded that there is no such item.
    #[error("IMDS has no {path}")]
    Absent {
        /// Path of the item.
        path: String,
    },
    /// A response that cannot be parsed.
    #[error("IMDS {path}: unreadable answer {text:?}")]
    Garbled {
        /// Path of the item.
        path: String,
        /// The beginning of the response.
        text: String,
    },
}

impl ImdsError {
    /// The error of a query that the deadline cut off.
    pub fn cut_off(path: &str) -> Self {
        Self::Silent { path: path.to_owned(), answer: "no answer in time".to_owned() }
    }

    /// The error of a response that cannot be parsed; keeps as much of it as fits an operator's line.
    pub fn garbled(path: &str, answer: &str) -> Self {
        let text = answer.chars().filter(|c| !c.is_control()).take(40).collect();
        Self::Garbled { path: path.to_owned(), text }
    }
}

impl Retryable for ImdsError {
    fn patience(&self) -> Patience {
        match self {
            Self::Silent { .. } | Self::Mute { .. } | Self::Garbled { .. } => Patience::Lasting,
            Self::Absent { .. } => Patience::Never,
        }
    }
}

/// The queries that the agent sends to instance metadata. Every method is one attempt.
pub trait Imds {
    /// Instance id of this instance.
    ///
    /// # Errors
    /// Any [`ImdsError`]; so for all methods of this trait.
    async fn instance_id(&self) -> Result<InstanceId, ImdsError>;

    /// Region of this instance.
    async fn region(&self) -> Result<String, ImdsError>;

    /// Account that owns the primary interface, twelve digits.
    async fn account(&self) -> Result<String, ImdsError>;

    /// Hardware address of the primary interface.
    async fn primary_mac(&self) -> Result<MacAddress, ImdsError>;

    /// Hardware addresses of all interfaces.
    async fn macs(&self) -> Result<Vec<MacAddress>, ImdsError>;

    /// The interface with this hardware address.
    async fn interface(&self, mac: MacAddress) -> Result<Interface, ImdsError>;

    /// Id of the interface with this hardware address. Unlike addresses, every interface has one.
    async fn interface_id(&self, mac: MacAddress) -> Result<InterfaceId, ImdsError>;

    /// How this interface is attached.
    async fn attachment(&self, mac: MacAddress) -> Result<Attachment, ImdsError>;

    /// The subnet that this interface is in.
    async fn subnet(&self, mac: MacAddress) -> Result<Subnet, ImdsError>;

    /// The VPC that this interface is in.
    async fn vpc(&self, mac: MacAddress) -> Result<Vpc, ImdsError>;

    /// The private addresses of this interface that carry `public_ip`; empty if it is not on this interface.
    async fn association(&self, mac: MacAddress, public_ip: Ipv4Addr) -> Result<Vec<Ipv4Addr>, ImdsError>;

    /// The public addresses on this interface, each with the private addresses that carry it.
    async fn associations(&self, mac: MacAddress) -> Result<Vec<(Ipv4Addr, Vec<Ipv4Addr>)>, ImdsError>;
}

/// Whether a text looks like `eu-west-1` or `us-gov-west-1`: words, then a number.
#[cfg(any(feature = "sdk", test))]
fn is_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else { return false };
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.contains('-')
        && words.split('-').all(word)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_distinguished_from_parts_of_regions_and_pages() {
        for region in ["eu-west-1", "us-gov-west-1", "cn-northwest-1", "eusc-de-east-1", "ap-southeast-10"] {
            assert!(is_region(region), "{region}");
        }
        for text in ["", "eu-we", "eu-west-", "eu-west", "-west-1", "<html>", "eu-west-1a"] {
            assert!(!is_region(text), "{text}");
        }
    }

    #[test]
    fn a_page_instead_of_an_answer_fits_into_a_line() {
        let page = format!("<html>\n<body>\r{}</body>", "x".repeat(5000));
        let text = ImdsError::garbled("placement/region", &page).to_string();
        assert!(text.contains("<html><body>xxx") && text.len() < 128, "{} bytes: {text}", text.len());
    }
}
