//! The parameters of the resource `vip`.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::error::ParamError;
use super::value::Values;
use super::{ApiSettings, InterfaceSelector, OnStop, Timing, private_ip, table};

/// The parameters of one resource, well-formed and consistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VipParams {
    /// The secondary private address.
    pub address: Ipv4Addr,
    /// The interface of this node that gets it.
    pub interface: InterfaceSelector,
    /// Whether to add it to the network device as well.
    pub add_to_device: bool,
    /// Suffix of its label on the device, after the device's name and a colon.
    pub label: Option<String>,
    /// Access to EC2 and instance metadata.
    pub api: ApiSettings,
    /// Whether a start may take the address from another interface.
    pub allow_reassignment: bool,
    /// What `stop` does; never [`OnStop::Release`] if `allow_reassignment` is false.
    pub on_stop: OnStop,
    /// Time limits and intervals.
    pub timing: Timing,
}

/// Longest suffix: the shortest device name and the colon fit before it.
///
/// # Source
/// Linux, `include/uapi/linux/if.h`: `IFNAMSIZ` is 16, with the final zero byte.
const LONGEST_LABEL: usize = 13;
/// Format of a label.
pub(super) const LABEL: &str = "at most 13 letters, digits, - . or _";

impl VipParams {
    /// Validates the values of a resource, as [`super::Params::parse`] does for the other agent.
    ///
    /// # Errors
    /// The first parameter that is missing or malformed, or two that contradict each other.
    pub fn parse(raw: &BTreeMap<String, String>) -> Result<Self, ParamError> {
        let values = Values::new(raw, table::VIP);
        let address = values.text("secondary_private_ip").ok_or(ParamError::NoPrivateAddress)?;
        let allow_reassignment = values.boolean("allow_reassignment")?;
        let label = values.checked("iflabel", is_label, LABEL)?;
        Ok(Self {
            address: private_ip::usable(address).ok_or_else(|| {
                ParamError::invalid("secondary_private_ip", address, "an IPv4 address such as 10.0.0.12")
            })?,
            interface: InterfaceSelector::parse(&values)?,
            add_to_device: values.boolean("add_to_device")?,
            label: label.map(str::to_owned),
            api: ApiSettings::parse(&values)?,
            allow_reassignment,
            on_stop: OnStop::parse(&values, "allow_reassignment", allow_reassignment, "unassign")?,
            timing: Timing::parse(&values)?,
        })
    }
}

pub(super) fn is_label(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    value.len() <= LONGEST_LABEL && value.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(values: &[(&str, &str)]) -> Result<VipParams, ParamError> {
        let raw = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        VipParams::parse(&raw)
    }

    fn with(name: &str, value: &str) -> Result<VipParams, ParamError> {
        parse(&[("secondary_private_ip", "10.0.0.12"), (name, value)])
    }

    #[test]
    fn an_address_alone_is_enough() {
        let params = with("awscli", "/usr/bin/aws").unwrap();
        assert_eq!(params.address, Ipv4Addr::new(10, 0, 0, 12));
        assert!(params.add_to_device && params.allow_reassignment && params.label.is_none());
        assert_eq!(params.on_stop, OnStop::Release);
        assert_eq!(params.interface, InterfaceSelector::Primary);
    }

    #[test]
    fn a_missing_or_malformed_address_is_reported_in_one_line() {
        assert_eq!(parse(&[]).unwrap_err(), ParamError::NoPrivateAddress);
        assert_eq!(parse(&[("secondary_private_ip", " ")]).unwrap_err(), ParamError::NoPrivateAddress);
        for wrong in
            ["10.0.0.300", "10.0.0.12/24", "fd00::1", "0.0.0.0", "224.0.0.1", "127.0.0.1", "169.254.169.254"]
        {
            let error = parse(&[("secondary_private_ip", wrong)]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("secondary_private_ip={wrong}: expected")), "{error}");
            assert!(error.len() <= 128);
        }
        assert!(ParamError::NoPrivateAddress.to_string().len() <= 128);
    }

    /// [stop-8]
    #[test]
    fn what_never_moves_is_a_contradiction_and_no_reassignment_is_strict() {
        let both = |on_stop| {
            parse(&[
                ("secondary_private_ip", "10.0.0.12"),
                ("allow_reassignment", "false"),
                ("on_stop", on_stop),
            ])
        };
        assert_eq!(both("leave").unwrap_err(), ParamError::NeverMoves("allow_reassignment"));
        for on_stop in ["", "unassign", "strict"] {
            assert_eq!(both(on_stop).unwrap().on_stop, OnStop::Strict, "{on_stop}");
        }
        assert!(
            with("on_stop", "disassociate").unwrap_err().to_string().contains("unassign, strict or leave")
        );
    }

    #[test]
    fn a_label_fits_behind_a_device() {
        assert_eq!(with("iflabel", "web").unwrap().label.as_deref(), Some("web"));
        for wrong in ["fourteen-chars", "a:b", "a b", "a/b"] {
            assert!(with("iflabel", wrong).is_err(), "{wrong}");
        }
    }
}
