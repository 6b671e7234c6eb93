//! Which interface of a node gets the address.

use super::error::ParamError;
use super::value::Values;
use crate::base::ids::{InterfaceId, MacAddress};

/// Names an interface, in one of the ways in which operators know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InterfaceSelector {
    /// The interface that the instance was launched with: device index 0.
    Primary,
    /// The interface that Linux gives this name.
    Device(String),
    /// The interface with this hardware address; such a value fits one node only.
    Mac(MacAddress),
    /// The interface with this id; such a value fits one node only, until the interface is moved.
    Eni(InterfaceId),
    /// The interface attached at this device index.
    Index(u32),
}

/// The longest name of a device, without the final zero byte.
///
/// # Source
/// Linux, `include/uapi/linux/if.h`: `IFNAMSIZ` is 16.
const LONGEST_DEVICE: usize = 15;
/// The longest alternative name.
///
/// # Source
/// The same file: `ALTIFNAMSIZ` is 128.
const LONGEST_ALTERNATIVE: usize = 127;

impl InterfaceSelector {
    /// Reads `interface`.
    pub(super) fn parse(values: &Values<'_>) -> Result<Self, ParamError> {
        let Some(value) = values.text("interface") else {
            return Ok(Self::Primary);
        };
        let invalid = |expected| ParamError::invalid("interface", value, expected);
        // What begins like an id or consists of digits is never taken for a device: such a slip should be reported
        // here, and not as a device that is missing on every node.
        if value.starts_with("eni-") {
            let form = "eni- and 8 or 17 digits of 0-9a-f";
            return InterfaceId::parse(value).map(Self::Eni).map_err(|_| invalid(form));
        }
        if value.bytes().all(|byte| byte.is_ascii_digit()) {
            return value.parse().map(Self::Index).map_err(|_| invalid("a device index such as 1"));
        }
        if let Ok(mac) = MacAddress::parse(value) {
            return Ok(Self::Mac(mac));
        }
        if is_device(value) {
            return Ok(Self::Device(value.to_owned()));
        }
        Err(invalid("a device name, MAC address, eni-... id or index"))
    }
}

/// Returns whether Linux could give a device this name, or this alternative name.
///
/// # Source
/// Linux, `net/core/dev.c`: `dev_valid_name`.
fn is_device(value: &str) -> bool {
    let strange =
        |byte: u8| byte.is_ascii_whitespace() || byte.is_ascii_control() || matches!(byte, b'/' | b':');
    // Of the longer ones only those that udev and people give: any text would be one otherwise.
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let alternative = value.len() <= LONGEST_ALTERNATIVE && value.bytes().all(usual);
    (value.len() <= LONGEST_DEVICE || alternative)
        && !matches!(value, "." | "..")
        && !value.bytes().any(strange)
}
