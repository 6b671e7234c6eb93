//! The range of addresses of a subnet.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// A range of IPv4 addresses, such as 10.0.1.0/24.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    network: Ipv4Addr,
    prefix: u8,
}

/// The text is not of the form ADDRESS/BITS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not of the form 10.0.1.0/24")]
pub struct CidrError;

impl Cidr {
    /// Returns the number of leading bits that all its addresses share.
    #[must_use]
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Returns whether the address is one of the range.
    #[must_use]
    pub fn contains(self, ip: Ipv4Addr) -> bool {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
        ip.to_bits() & mask == self.network.to_bits() & mask
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (network, prefix) = text.split_once('/').ok_or(CidrError)?;
        let network = network.parse().map_err(|_| CidrError)?;
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= 32).ok_or(CidrError)?;
        Ok(Self { network, prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_where_its_bits_say() {
        let rows = [
            ("10.0.1.0/24", "10.0.1.255", true),
            ("10.0.1.0/24", "10.0.2.0", false),
            ("10.0.0.0/23", "10.0.1.12", true),
            ("10.0.1.12/32", "10.0.1.12", true),
            ("10.0.1.12/32", "10.0.1.13", false),
            ("0.0.0.0/0", "203.0.113.1", true),
        ];
        for (range, ip, inside) in rows {
            assert_eq!(
                range.parse::<Cidr>().unwrap().contains(ip.parse().unwrap()),
                inside,
                "{ip} in {range}"
            );
        }
        for wrong in ["10.0.1.0", "10.0.1.0/33", "10.0.1/24", "/24", ""] {
            assert!(wrong.parse::<Cidr>().is_err(), "{wrong}");
        }
    }
}
