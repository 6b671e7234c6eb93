//! An IPv4 network in prefix notation.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use serde::{Serialize, Serializer};

/// An IPv4 network, for example `10.0.1.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: Ipv4Addr,
    prefix: u8,
}

impl Cidr {
    /// Tells whether `ip` lies in the network.
    #[must_use]
    pub fn contains(&self, ip: Ipv4Addr) -> bool {
        (ip.to_bits() ^ self.network.to_bits()) & self.mask() == 0
    }

    /// Returns the addresses an instance can have: all but the first four and the last.
    ///
    /// # Source
    /// Amazon VPC User Guide, "Subnet CIDR reservations": AWS keeps five addresses of each subnet.
    pub(crate) fn usable(self) -> impl Iterator<Item = Ipv4Addr> {
        let first = self.network.to_bits();
        let last = first | !self.mask();
        (first.saturating_add(4)..last).map(Ipv4Addr::from_bits)
    }

    fn mask(self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0)
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is not a network like 10.0.1.0/24");
        let (network, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let network: Ipv4Addr = network.parse().map_err(|_| wrong())?;
        let prefix = prefix.parse().ok().filter(|p| *p <= 32).ok_or_else(wrong)?;
        let whole = Self { network, prefix };
        Ok(Self { network: Ipv4Addr::from_bits(network.to_bits() & whole.mask()), prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_of_a_network() -> Result<(), String> {
        let net: Cidr = "10.0.1.17/28".parse()?;
        assert_eq!(net.to_string(), "10.0.1.16/28");
        assert!(net.contains(Ipv4Addr::new(10, 0, 1, 31)));
        assert!(!net.contains(Ipv4Addr::new(10, 0, 1, 32)));
        assert_eq!(net.usable().count(), 16 - 5);
        assert!("0.0.0.0/0".parse::<Cidr>()?.contains(Ipv4Addr::BROADCAST));
        assert!("10.0.0.0/33".parse::<Cidr>().is_err());
        Ok(())
    }
}
