//! The parameters of the resources: the tables that describe them, and their validated values.
//!
//! Converts raw text to [`Params`] ([`VipParams`] for a resource `vip`, [`OverlayParams`] for `overlay-ip`), or to one
//! [`ParamError`] that an operator can act on. Checks only form and mutual consistency; whether the interface exists on this node or the address belongs to
//! the account is checked later, against host, instance metadata and EC2.

mod api;
mod error;
mod health;
mod interface;
mod overlay;
mod private_ip;
pub mod table;
mod timing;
mod value;
mod vip;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub use api::ApiSettings;
#[cfg(feature = "sdk")]
pub(crate) use api::is_role;
pub(crate) use api::{ENDPOINT, is_endpoint};
pub use error::{ParamError, shown};
pub use health::HealthParams;
pub use interface::InterfaceSelector;
pub use overlay::{OverlayParams, Tables};
pub use private_ip::PrivateIp;
pub use timing::Timing;
pub use vip::VipParams;

use crate::base::ids::AllocationId;
use value::Values;

/// What `stop` does with the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStop {
    /// Release it; if AWS cannot be reached by the deadline, log an error and succeed.
    Release,
    /// Release it; if AWS cannot be reached by the deadline, fail.
    Strict,
    /// Leave it where it is: the next start on any node takes it.
    Leave,
}

/// The parameters of one resource, well-formed and consistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    /// The public address; at least one of it and `allocation_id` is set.
    pub elastic_ip: Option<Ipv4Addr>,
    /// The allocation id; at least one of it and `elastic_ip` is set.
    pub allocation_id: Option<AllocationId>,
    /// The interface of this node that gets the address.
    pub interface: InterfaceSelector,
    /// The private address on that interface that the Elastic IP is associated with.
    pub private_ip: PrivateIp,
    /// Access to EC2 and instance metadata.
    pub api: ApiSettings,
    /// Whether a start may take the address from another holder.
    pub allow_reassociation: bool,
    /// What `stop` does; never [`OnStop::Release`] if `allow_reassociation` is false.
    pub on_stop: OnStop,
    /// Whether `stop` restores an Elastic IP that our start displaced.
    pub restore_displaced: bool,
    /// Time limits and intervals.
    pub timing: Timing,
}

impl Params {
    /// Validates the values of a resource, keyed by parameter name without the `OCF_RESKEY_` prefix.
    ///
    /// Surrounding white space is dropped: it comes from quoting and is never significant here, while an error would
    /// stop the resource on every node. An empty value counts as unset. Names that are not in the table are ignored;
    /// [`unknown`] lists them.
    ///
    /// # Errors
    /// The first parameter that is missing or malformed, or two that contradict each other.
    pub fn parse(raw: &BTreeMap<String, String>) -> Result<Self, ParamError> {
        let values = Values::new(raw, table::EIP);
        let elastic_ip = values.text("elastic_ip").map(elastic_ip).transpose()?;
        let allocation_id = values.text("allocation_id").map(allocation_id).transpose()?;
        if elastic_ip.is_none() && allocation_id.is_none() {
            return Err(ParamError::NoAddress);
        }
        let allow_reassociation = values.boolean("allow_reassociation")?;
        Ok(Self {
            elastic_ip,
            allocation_id,
            interface: InterfaceSelector::parse(&values)?,
            private_ip: PrivateIp::parse(&values)?,
            api: ApiSettings::parse(&values)?,
            allow_reassociation,
            on_stop: OnStop::parse(&values, "allow_reassociation", allow_reassociation, "disassociate")?,
            restore_displaced: values.boolean("restore_displaced")?,
            timing: Timing::parse(&values)?,
        })
    }
}

/// Accepts any address of a single host. Private ranges are not refused: EC2 treats customer-owned and carrier addresses as
/// Elastic IPs, and simulators allocate from any range.
fn elastic_ip(value: &str) -> Result<Ipv4Addr, ParamError> {
    match value.parse::<Ipv4Addr>() {
        Ok(address) if !(address.is_unspecified() || address.is_multicast() || address.is_broadcast()) => {
            Ok(address)
        }
        _ => Err(ParamError::invalid("elastic_ip", value, "an IPv4 address such as 203.0.113.10")),
    }
}

fn allocation_id(value: &str) -> Result<AllocationId, ParamError> {
    AllocationId::parse(value).map_err(|_| ParamError::invalid("allocation_id", value, AllocationId::FORM))
}

/// Validates only the access to AWS, for callers without an address or with one from elsewhere.
///
/// # Errors
/// The first parameter that is malformed.
pub fn reach(raw: &BTreeMap<String, String>) -> Result<(ApiSettings, Timing), ParamError> {
    let values = Values::new(raw, table::EIP);
    Ok((ApiSettings::parse(&values)?, Timing::parse(&values)?))
}

impl OnStop {
    /// Parses `on_stop`, where `release` stands for the agent's own way of releasing, and checks it against the
    /// parameter `name`, which says whether a start may take the address from another holder.
    ///
    /// If it may not, an address that a failed stop left behind would never move again, so such a stop has to fail. For
    /// the same reason `leave` is refused then.
    fn parse(
        values: &Values<'_>,
        name: &'static str,
        may_take: bool,
        release: &'static str,
    ) -> Result<Self, ParamError> {
        match (values.text("on_stop").unwrap_or(release), may_take) {
            (value, true) if value == release => Ok(Self::Release),
            (value, false) if value == release => Ok(Self::Strict),
            ("strict", _) => Ok(Self::Strict),
            ("leave", true) => Ok(Self::Leave),
            ("leave", false) => Err(ParamError::NeverMoves(name)),
            (other, _) => Err(ParamError::invalid("on_stop", other, format!("{release}, strict or leave"))),
        }
    }
}

/// The names in `raw` that are neither in this agent's table nor set by the cluster, sorted.
///
/// Excludes what Pacemaker adds to every action, the check level as passed before Pacemaker 2.0.5, and the trace
/// settings that pcs and crmsh offer for every agent.
pub fn unknown(raw: &BTreeMap<String, String>, table: &[table::Spec]) -> Vec<String> {
    let from_the_cluster = |name: &str| {
        name.starts_with("CRM_meta_")
            || matches!(name, "crm_feature_set" | "OCF_CHECK_LEVEL" | "trace_ra" | "trace_dir" | "trace_file")
    };
    raw.keys().filter(|name| !from_the_cluster(name) && table::find(table, name).is_none()).cloned().collect()
}

/// The names of the options in `awscli`: there is no command that they could be passed to.
pub fn options_of_awscli(raw: &BTreeMap<String, String>) -> Vec<&str> {
    let words = raw.get("awscli").into_iter().flat_map(|line| line.split_whitespace());
    words.filter(|word| word.starts_with('-')).filter_map(|word| word.split('=').next()).collect()
}

#[cfg(test)]
mod tests;
