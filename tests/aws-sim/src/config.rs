//! Initial settings of a simulator.

use std::time::Duration;

use eip::cloud::model::Buckets;

/// The settings a [`Sim`](crate::Sim) starts with; most can be changed later through [`Cloud`](crate::Cloud).
#[derive(Clone, Debug)]
pub struct Config {
    /// The only Region there is; requests signed for another are refused.
    pub region: String,
    /// The account everything belongs to, 12 digits.
    pub account: String,
    /// Round trip of an EC2 or STS call; half of it passes before the call takes effect.
    pub latency: Duration,
    /// How far Describe answers are behind the truth.
    pub describe_lag: Duration,
    /// How far the instance metadata is behind the truth.
    pub imds_lag: Duration,
    /// Throttling; `None` lets every request pass.
    pub buckets: Option<Buckets>,
    /// Identifiers and tokens follow from it, so that two runs give the same names.
    pub seed: u64,
    /// How long credentials from the instance metadata and from `AssumeRole` are good for.
    pub credential_lifetime: Duration,
    /// Whether signatures are checked. Off is for hand-made requests.
    pub verify_signatures: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            region: "eu-west-1".to_owned(),
            account: "123456789012".to_owned(),
            latency: Duration::ZERO,
            describe_lag: Duration::ZERO,
            imds_lag: Duration::ZERO,
            buckets: None,
            seed: 1,
            credential_lifetime: Duration::from_hours(6),
            verify_signatures: true,
        }
    }
}
