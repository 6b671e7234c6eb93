//! The resource agents as the OCF face runs them: which parameters they parse, and what does their actions.

use std::collections::BTreeMap;

use crate::ocf::agent::{self, Agent};
use crate::params::{ApiSettings, ParamError, Params, Timing, VipParams};
use crate::resource::error::Error;
use crate::resource::{Report, Request, eip, vip};
use crate::world::RealWorld;

/// A resource agent behind this face.
pub(super) trait Resource {
    /// What it is to the cluster.
    const AGENT: &'static Agent;
    /// Its parameters.
    type Params;

    /// Checks the parameters.
    fn parse(raw: &BTreeMap<String, String>) -> Result<Self::Params, ParamError>;

    /// Returns how AWS is reached, and how long is waited for what.
    fn reach(params: &Self::Params) -> (&ApiSettings, &Timing);

    /// Runs one action.
    async fn run(world: &RealWorld, request: &Request<Self::Params>) -> Result<Report, Error>;
}

/// `ocf:heartbeat:eip`.
pub(super) struct Eip;

impl Resource for Eip {
    const AGENT: &'static Agent = &agent::EIP;
    type Params = Params;

    fn parse(raw: &BTreeMap<String, String>) -> Result<Params, ParamError> {
        Params::parse(raw)
    }

    fn reach(params: &Params) -> (&ApiSettings, &Timing) {
        (&params.api, &params.timing)
    }

    async fn run(world: &RealWorld, request: &Request) -> Result<Report, Error> {
        eip::run(world, request).await
    }
}

/// `ocf:heartbeat:vip`.
pub(super) struct Vip;

impl Resource for Vip {
    const AGENT: &'static Agent = &agent::VIP;
    type Params = VipParams;

    fn parse(raw: &BTreeMap<String, String>) -> Result<VipParams, ParamError> {
        VipParams::parse(raw)
    }

    fn reach(params: &VipParams) -> (&ApiSettings, &Timing) {
        (&params.api, &params.timing)
    }

    async fn run(world: &RealWorld, request: &Request<VipParams>) -> Result<Report, Error> {
        vip::run(world, request).await
    }
}
