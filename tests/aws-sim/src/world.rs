//! State that the servers share besides the account, behind one lock.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use eip::base::ids::InstanceId;
use eip::cloud::model::{ACCOUNT, Account, REGION};

use crate::credentials::{CredState, Keyring, Principal};
use crate::iam::Iam;
use crate::imds::ImdsState;
use crate::log::RequestLog;

/// Identifiers and tokens derive from it, so that two runs give the same names.
pub(crate) const SEED: u64 = 1;
/// Lifetime of credentials from instance metadata and from `AssumeRole`.
pub(crate) const CREDENTIAL_LIFETIME: Duration = Duration::from_hours(6);

/// How one instance's metadata service behaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) state: ImdsState,
    pub(crate) credentials: CredState,
}

#[derive(Debug)]
pub(crate) struct SimulatorState {
    pub(crate) account: Account,
    /// Round-trip time of an EC2 or STS call; half of it passes before the call takes effect.
    pub(crate) latency: Duration,
    /// Seconds by which AWS's clock is ahead of the machine's.
    pub(crate) skew: f64,
    pub(crate) rng: fastrand::Rng,
    pub(crate) iam: Iam,
    pub(crate) keys: Keyring,
    pub(crate) log: RequestLog,
    pub(crate) metadata: BTreeMap<InstanceId, Metadata>,
    /// Metadata session tokens: their instance, and when they expire.
    pub(crate) tokens: BTreeMap<String, (InstanceId, f64)>,
}

impl SimulatorState {
    pub(crate) fn new(account: &Account) -> Self {
        Self {
            account: account.clone(),
            latency: Duration::ZERO,
            skew: 0.0,
            rng: fastrand::Rng::with_seed(SEED),
            iam: Iam::default(),
            keys: Keyring::default(),
            log: RequestLog::default(),
            metadata: BTreeMap::new(),
            tokens: BTreeMap::new(),
        }
    }

    pub(crate) fn now(&self) -> f64 {
        self.account.now()
    }

    /// The time according to AWS.
    pub(crate) fn aws_now(&self) -> f64 {
        self.account.now() + self.skew
    }

    /// A new request identifier.
    pub(crate) fn request_id(&mut self) -> String {
        let (high, low) = (self.rng.u64(..), self.rng.u64(..));
        let hex = format!("{high:016x}{low:016x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }

    /// The instance that calls from `peer`.
    pub(crate) fn instance_at(&self, peer: IpAddr) -> Option<InstanceId> {
        let IpAddr::V4(ip) = peer else { return None };
        self.account.private_holder(ip).map(|(instance, _)| instance)
    }

    /// The principal of an instance's role.
    pub(crate) fn role_of(&self, id: &InstanceId) -> Option<Principal> {
        let role = self.account.instance(id)?.role?;
        Some(Principal {
            arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{id}"),
            role: Some(role),
            instance: Some(id.clone()),
        })
    }

    /// ARN of an EC2 resource in the account; the prefix of its id gives the kind.
    pub(crate) fn arn(id: &str) -> String {
        let kind = match id.split_once('-') {
            Some(("eni", _)) => "network-interface",
            Some(("rtb", _)) => "route-table",
            _ => "elastic-ip",
        };
        format!("arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{id}")
    }
}
