//! What a client does when AWS throttles it: the agent's own policy, and naive ones.
//!
//! A naive client retries by itself, below the agent's retries, and reports "refused" when it gives up. So every policy uses the
//! same code of the agent, and the agent has no switch for it.

use std::fmt;
use std::time::Duration;

/// A way to retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryPolicy {
    /// The agent's own.
    Ours,
    /// Always the same pause, until the deadline.
    Fixed(Duration),
    /// The default of the AWS SDKs and the AWS CLI: three attempts in all.
    ///
    /// # Source
    /// AWS SDKs and Tools Reference Guide, "Retry behavior": standard mode, `random(0, 1) * min(20 s, 2^i s)`.
    Sdk,
    /// One attempt: a shell script that accepts the first response. It doesn't check whether EC2 shows the address, either.
    Once,
}

impl RetryPolicy {
    /// The pause after this many attempts; `None` to give up.
    pub fn pause(self, attempts: i32, random: &mut fastrand::Rng) -> Option<Duration> {
        match self {
            Self::Fixed(pause) => Some(pause),
            Self::Sdk if attempts < 3 => {
                let longest = 2_f64.powi(attempts - 1).min(20.0);
                Some(Duration::from_secs_f64(longest * random.f64()))
            }
            // The agent's pauses are not computed here.
            Self::Ours | Self::Sdk | Self::Once => None,
        }
    }
}

impl fmt::Display for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours => f.write_str("ours"),
            Self::Fixed(pause) => write!(f, "every {} s", pause.as_secs()),
            Self::Sdk => f.write_str("SDK, 3 attempts"),
            Self::Once => f.write_str("single try"),
        }
    }
}
