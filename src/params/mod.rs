//! The parameters of the resources: the one table they are described in, and their values once checked.
//!
//! Raw text comes in, [`Params`] goes out (of a resource `vip`, [`VipParams`]), or one [`ParamError`] that an operator can act on. Only form and mutual
//! consistency are looked at: whether the interface exists on this node or the address belongs to the account is found
//! out by those who ask the host, IMDS and EC2.

mod addresses;
mod api;
mod error;
mod interface;
mod private_ip;
pub mod table;
mod timing;
mod value;
mod vip;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub use api::ApiSettings;
pub(crate) use api::{ENDPOINT, is_endpoint};
pub use error::{ParamError, Shown};
pub use interface::InterfaceSelector;
pub use private_ip::PrivateIp;
pub use timing::Timing;
pub use vip::VipParams;

use crate::base::ids::AllocationId;
use value::Values;

/// What to do with the address on `stop`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnStop {
    /// Release it; if AWS cannot be reached by the deadline, log an error and succeed.
    Release,
    /// Release it; if AWS cannot be reached by the deadline, fail.
    Strict,
    /// Never release it.
    Leave,
}

/// The parameters of one resource, each of the right form and in agreement with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    /// The public address; set, or `allocation_id` is.
    pub elastic_ip: Option<Ipv4Addr>,
    /// The id of the address's allocation; set, or `elastic_ip` is.
    pub allocation_id: Option<AllocationId>,
    /// Which interface of this node gets the address.
    pub interface: InterfaceSelector,
    /// Which private address on that interface the Elastic IP is put on.
    pub private_ip: PrivateIp,
    /// Where EC2 and IMDS are, and as whom to ask.
    pub api: ApiSettings,
    /// Whether a start may take the address from another holder.
    pub allow_reassociation: bool,
    /// What `stop` does; never [`OnStop::Release`] together with `allow_reassociation` false.
    pub on_stop: OnStop,
    /// Whether an Elastic IP that our associate pushed off is put back when we let go.
    pub restore_displaced: bool,
    /// How long to wait for what.
    pub timing: Timing,
}

impl Params {
    /// Checks the values of a resource, given by parameter name without the `OCF_RESKEY_` prefix.
    ///
    /// White space around a value is dropped: it comes from quoting and never carries meaning here, while an error
    /// would stop the resource on every node. A value that is empty then counts as unset. Names that the table does
    /// not know are ignored; [`unknown`] lists them.
    ///
    /// # Errors
    /// The first parameter that is missing or malformed, or two that contradict each other.
    pub fn parse(raw: &BTreeMap<String, String>) -> Result<Self, ParamError> {
        let values = Values::new(raw, table::EIP);
        let (elastic_ip, allocation_id) = addresses::parse(&values)?;
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

/// Checks only how AWS is to be reached, where no address is at issue or it is known from elsewhere.
///
/// # Errors
/// The first parameter that is malformed.
pub fn reach(raw: &BTreeMap<String, String>) -> Result<(ApiSettings, Timing), ParamError> {
    let values = Values::new(raw, table::EIP);
    Ok((ApiSettings::parse(&values)?, Timing::parse(&values)?))
}

impl OnStop {
    /// Reads `on_stop`, whose value `release` is the agent's word for releasing, made consistent with the parameter `name` that
    /// says whether a start may take the address from another holder.
    ///
    /// If it may not, an address that a failed stop left behind would never move again, so such a stop has to fail. For the same
    /// reason `leave` is refused then.
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
            (other, _) if release == "unassign" => {
                Err(ParamError::invalid("on_stop", other, "unassign, strict or leave"))
            }
            (other, _) => Err(ParamError::invalid("on_stop", other, "disassociate, strict or leave")),
        }
    }
}

/// Returns the names among `raw` that are neither in this agent's table nor set by the cluster, sorted.
///
/// Not the cluster's own: what Pacemaker adds to every action, the check level as it came before Pacemaker 2.0.5, and
/// the trace settings that pcs and crmsh offer for every agent.
#[must_use]
pub fn unknown(raw: &BTreeMap<String, String>, table: &[table::Spec]) -> Vec<String> {
    let from_the_cluster = |name: &str| {
        name.starts_with("CRM_meta_")
            || matches!(name, "crm_feature_set" | "OCF_CHECK_LEVEL" | "trace_ra" | "trace_dir" | "trace_file")
    };
    raw.keys().filter(|name| !from_the_cluster(name) && table::find(table, name).is_none()).cloned().collect()
}

#[cfg(test)]
mod tests;
