//! The resource agents as the OCF face runs them: which parameters they parse, and which kind of address does their actions.

use std::collections::BTreeMap;

use crate::ocf::agent::{self, Agent};
use crate::params::{ParamError, Params, VipParams};
use crate::resource::elastic::Elastic;
use crate::resource::kind::Kind;
use crate::resource::private::Private;
use crate::world::RealWorld;

/// A kind of address behind this face.
pub(super) trait Resource: Kind<RealWorld> {
    /// What it is to the cluster.
    const AGENT: &'static Agent;

    /// Checks the parameters.
    fn parse(raw: &BTreeMap<String, String>) -> Result<Self::Params, ParamError>;
}

impl Resource for Elastic {
    const AGENT: &'static Agent = &agent::EIP;

    fn parse(raw: &BTreeMap<String, String>) -> Result<Params, ParamError> {
        Params::parse(raw)
    }
}

impl Resource for Private {
    const AGENT: &'static Agent = &agent::VIP;

    fn parse(raw: &BTreeMap<String, String>) -> Result<VipParams, ParamError> {
        VipParams::parse(raw)
    }
}
