//! Identifiers as types: EC2's object ids and the MAC address that IMDS lists an interface under.
//!
//! A value of one of these types has the form that EC2 gives it; whether EC2 knows such an object is not asked here.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Is one line that says what is wrong with a text given for an identifier, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {shown:?}: expected {expected}", shown = shorten(.text))]
pub struct IdError {
    kind: &'static str,
    text: String,
    expected: &'static str,
}

impl IdError {
    /// Returns what would have been right, without naming the text that was wrong.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        self.expected
    }
}

/// Cuts a text that cannot be an identifier to what is worth showing of it.
fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Tells one kind of EC2 object id from another.
pub trait Kind {
    /// What comes before the hexadecimal digits.
    const PREFIX: &'static str;
    /// What an operator calls such an id.
    const NAME: &'static str;
    /// The form of such an id, for the error message.
    const FORM: &'static str;
}

/// Marks the id of an Elastic IP's allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Allocation {}

impl Kind for Allocation {
    const PREFIX: &'static str = "eipalloc-";
    const NAME: &'static str = "allocation id";
    const FORM: &'static str = "eipalloc- and 8 or 17 digits of 0-9a-f";
}

/// Marks the id of an Elastic IP's association with an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Association {}

impl Kind for Association {
    const PREFIX: &'static str = "eipassoc-";
    const NAME: &'static str = "association id";
    const FORM: &'static str = "eipassoc- and 8 or 17 digits of 0-9a-f";
}

/// Marks the id of a network interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {}

impl Kind for Interface {
    const PREFIX: &'static str = "eni-";
    const NAME: &'static str = "interface id";
    const FORM: &'static str = "eni- and 8 or 17 digits of 0-9a-f";
}

/// Marks the id of a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subnet {}

impl Kind for Subnet {
    const PREFIX: &'static str = "subnet-";
    const NAME: &'static str = "subnet id";
    const FORM: &'static str = "subnet- and 8 or 17 digits of 0-9a-f";
}

/// Marks the id of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instance {}

impl Kind for Instance {
    const PREFIX: &'static str = "i-";
    const NAME: &'static str = "instance id";
    const FORM: &'static str = "i- and 8 or 17 digits of 0-9a-f";
}

/// The id of an Elastic IP's allocation to the account, `eipalloc-...`; lives as long as the address is kept.
pub type AllocationId = Id<Allocation>;
/// The id of one association of an Elastic IP with an interface, `eipassoc-...`; EC2 makes a new one for every move.
pub type AssociationId = Id<Association>;
/// The id of a network interface, `eni-...`.
pub type InterfaceId = Id<Interface>;
/// The id of a subnet, `subnet-...`; a subnet lies in one zone.
pub type SubnetId = Id<Subnet>;
/// The id of an instance, `i-...`.
pub type InstanceId = Id<Instance>;

/// An EC2 object id of one kind.
///
/// What a person typed is checked by [`Id::parse`]. What AWS or a record gives is kept as it is, by [`FromStr`] and serde: EC2
/// has changed the length of its ids before, and an id that is not understood must not read as one that is absent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String", bound = "K: Kind + Clone")]
pub struct Id<K> {
    text: String,
    kind: PhantomData<K>,
}

impl<K: Kind> Id<K> {
    /// Takes what a person typed, if it has the form of such an id: the prefix and 8 or 17 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// When it has another form.
    ///
    /// # Source
    /// Amazon EC2 User Guide, "Resource IDs": eight characters before 2016, seventeen since.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix(K::PREFIX).unwrap_or_default();
        let hexadecimal = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hexadecimal && matches!(digits.len(), 8 | 17) {
            Ok(Self { text: text.to_owned(), kind: PhantomData })
        } else {
            Err(IdError { kind: K::NAME, text: text.to_owned(), expected: K::FORM })
        }
    }
}

impl<K> Id<K> {
    /// Returns the id as EC2 writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<K> std::ops::Deref for Id<K> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl<K> AsRef<str> for Id<K> {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    /// Takes what AWS gave: any text without blanks.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let readable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        readable.then(|| Self { text: text.to_owned(), kind: PhantomData }).ok_or_else(|| IdError {
            kind: K::NAME,
            text: text.to_owned(),
            expected: K::FORM,
        })
    }
}

impl<K: Kind> TryFrom<String> for Id<K> {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl<K> From<Id<K>> for String {
    fn from(id: Id<K>) -> Self {
        id.text
    }
}

/// The MAC address of an interface; shown in lower case with colons, as IMDS and Linux show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// Takes six octets of two hexadecimal digits, in either case, with `:` or with `-` between them.
    ///
    /// # Errors
    /// When there are not six octets, or the separators are mixed.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let separator = if text.contains(':') { ':' } else { '-' };
        let octets: Option<Vec<u8>> = text.split(separator).map(octet).collect();
        octets.and_then(|octets| octets.try_into().ok()).map(Self).ok_or_else(|| IdError {
            kind: "MAC address",
            text: text.to_owned(),
            expected: "six octets such as 02:1b:44:11:3a:b7",
        })
    }
}

/// Reads exactly two hexadecimal digits: `from_str_radix` alone would take one, or a sign.
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

impl FromStr for MacAddress {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for MacAddress {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

impl From<MacAddress> for String {
    fn from(mac: MacAddress) -> Self {
        mac.to_string()
    }
}

#[cfg(test)]
mod tests;
