//! Selects the interface of a node that gets the address.

use super::error::ParamError;
use super::value::Values;
use crate::base::ids::{InterfaceId, MacAddress};

/// Names an interface in one of the forms that operators use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InterfaceSelector {
    /// The primary interface: device index 0.
    Primary,
    /// The interface with this name in Linux.
    Device(String),
    /// The interface with this hardware address, which exists on one node only.
    Mac(MacAddress),
    /// The interface with this id, which exists on one node only until it is moved.
    Eni(InterfaceId),
    /// The interface attached at this device index.
    Index(u32),
}

/// Longest name of a device, without the final zero byte.
///
/// # Source
/// Linux, `include/uapi/linux/if.h`: `IFNAMSIZ` is 16.
const LONGEST_DEVICE: usize = 15;
/// Longest alternative name.
///
/// # Source
/// The same file: `ALTIFNAMSIZ` is 128.
const LONGEST_ALTERNATIVE: usize = 127;

impl InterfaceSelector {
    /// The selector in `interface`; the primary interface if unset.
    pub(super) fn parse(values: &Values<'_>) -> Result<Self, ParamError> {
        let Some(value) = values.text("interface") else {
            return Ok(Self::Primary);
        };
        let invalid = |expected| ParamError::invalid("interface", value, expected);
        // A value that starts like an id, or consists of digits, is never a device name: report such a mistake here,
        // and not as a device that is missing on every node.
        if value.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("eni-")) {
            return InterfaceId::parse(value).map(Self::Eni).map_err(|_| invalid(InterfaceId::FORM));
        }
        if value.bytes().all(|byte| byte.is_ascii_digit()) {
            return value.parse().map(Self::Index).map_err(|_| invalid("a device index such as 1"));
        }
        if let Ok(mac) = value.parse() {
            return Ok(Self::Mac(mac));
        }
        if is_device(value) {
            return Ok(Self::Device(value.to_owned()));
        }
        Err(invalid("a device name, MAC address, eni-... id or index"))
    }
}

/// Whether Linux could give a device this name or alternative name.
///
/// # Source
/// Linux, `net/core/dev.c`: `dev_valid_name`.
pub(super) fn is_device(value: &str) -> bool {
    let strange =
        |byte: u8| byte.is_ascii_whitespace() || byte.is_ascii_control() || matches!(byte, b'/' | b':');
    // Of the longer names, only those that udev and administrators use: otherwise any text would be valid.
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let alternative = value.len() <= LONGEST_ALTERNATIVE && value.bytes().all(usual);
    (value.len() <= LONGEST_DEVICE || alternative)
        && !matches!(value, "." | "..")
        && !value.bytes().any(strange)
}
