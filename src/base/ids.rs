//! Typed identifiers: EC2 object ids, and the MAC address under which IMDS lists an interface.
//!
//! Parsing checks the format only; whether EC2 has such an object is not checked here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A malformed identifier: displays on one line what was given and which format is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {shown:?}: expected {expected}", shown = shorten(.text))]
pub struct IdError {
    kind: &'static str,
    text: String,
    expected: &'static str,
}

impl IdError {
    /// The expected format, without the rejected text.
    pub fn expected(&self) -> &'static str {
        self.expected
    }
}

/// Shortens a malformed identifier for display.
fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A kind of EC2 object ids.
struct IdKind {
    /// The text before the hexadecimal digits.
    prefix: &'static str,
    /// The name of such an id in messages.
    name: &'static str,
    /// The expected format, for error messages.
    form: &'static str,
}

const fn kind(prefix: &'static str, name: &'static str, form: &'static str) -> IdKind {
    IdKind { prefix, name, form }
}

/// All kinds; the index distinguishes their types.
const KINDS: [IdKind; 7] = [
    kind("eipalloc-", "allocation id", "eipalloc- and 8 or 17 digits of 0-9a-f"),
    kind("eipassoc-", "association id", "eipassoc- and 8 or 17 digits of 0-9a-f"),
    kind("eni-", "interface id", "eni- and 8 or 17 digits of 0-9a-f"),
    kind("subnet-", "subnet id", "subnet- and 8 or 17 digits of 0-9a-f"),
    kind("rtb-", "route table id", "rtb- and 8 or 17 digits of 0-9a-f"),
    kind("vpc-", "VPC id", "vpc- and 8 or 17 digits of 0-9a-f"),
    kind("i-", "instance id", "i- and 8 or 17 digits of 0-9a-f"),
];

/// The allocation of an Elastic IP to the account, `eipalloc-...`; stays the same until the address is released.
pub type AllocationId = Id<0>;
/// One association of an Elastic IP with an interface, `eipassoc-...`; every move creates a new one.
pub type AssociationId = Id<1>;
/// A network interface, `eni-...`.
pub type InterfaceId = Id<2>;
/// A subnet, `subnet-...`; a subnet belongs to one availability zone.
pub type SubnetId = Id<3>;
/// A route table, `rtb-...`.
pub type RouteTableId = Id<4>;
/// A VPC, `vpc-...`.
pub type VpcId = Id<5>;
/// An instance, `i-...`; stays the same over a stop and a start.
pub type InstanceId = Id<6>;

/// An EC2 object id.
///
/// [`Id::parse`] checks what a person typed. Ids from AWS or a record are kept as they are, by [`FromStr`] and serde:
/// EC2 has changed the length of its ids before, and an id in an unknown format must not read as absent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Id<const K: usize>(String);

impl<const K: usize> Id<K> {
    // Evaluated when compiled.
    #[allow(clippy::indexing_slicing)]
    const KIND: &'static IdKind = &KINDS[K];
    /// The expected format, for error messages.
    pub const FORM: &'static str = Self::KIND.form;

    /// Parses what a person typed: the prefix and 8 or 17 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// If the text has another format.
    ///
    /// # Source
    /// Amazon EC2 User Guide, "Resource IDs": eight characters before 2016, seventeen since.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix(Self::KIND.prefix).unwrap_or_default();
        let hexadecimal = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hexadecimal && matches!(digits.len(), 8 | 17) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Self::malformed(text))
        }
    }

    fn malformed(text: &str) -> IdError {
        IdError { kind: Self::KIND.name, text: text.to_owned(), expected: Self::FORM }
    }

    /// The id as EC2 writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const K: usize> std::ops::Deref for Id<K> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const K: usize> AsRef<str> for Id<K> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<const K: usize> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<const K: usize> FromStr for Id<K> {
    type Err = IdError;

    /// Accepts any text without whitespace, for ids that come from AWS.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let readable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        readable.then(|| Self(text.to_owned())).ok_or_else(|| Self::malformed(text))
    }
}

impl<const K: usize> TryFrom<String> for Id<K> {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

/// The MAC address of an interface; displayed in lower case with colons, as IMDS and Linux do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress([u8; 6]);

impl FromStr for MacAddress {
    type Err = IdError;

    /// Parses six octets of two hexadecimal digits, in either case, separated by `:` or by `-`.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let separator = if text.contains(':') { ':' } else { '-' };
        let octets: Option<Vec<u8>> = text.split(separator).map(octet).collect();
        octets.and_then(|octets| octets.try_into().ok()).map(Self).ok_or_else(|| IdError {
            kind: "MAC address",
            text: text.to_owned(),
            expected: "six octets such as 02:1b:44:11:3a:b7",
        })
    }
}

/// Parses exactly two hexadecimal digits: `from_str_radix` would also accept a single digit, or a sign.
fn octet(text: &str) -> Option<u8> {
    let two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    two_digits.then(|| u8::from_str_radix(text, 16).ok()).flatten()
}

impl From<[u8; 6]> for MacAddress {
    fn from(octets: [u8; 6]) -> Self {
        Self(octets)
    }
}

impl From<MacAddress> for [u8; 6] {
    fn from(mac: MacAddress) -> Self {
        mac.0
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.map(|octet| format!("{octet:02x}")).join(":"))
    }
}

impl TryFrom<String> for MacAddress {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<MacAddress> for String {
    fn from(mac: MacAddress) -> Self {
        mac.to_string()
    }
}

#[cfg(test)]
mod tests;
