//! Time limits and intervals. The deadline of an action is not among them: it comes from the cluster.

use std::time::Duration;

use super::error::ParamError;
use super::value::Values;

/// Time limits and intervals of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Limit for establishing a connection to EC2 or STS.
    pub connect_timeout: Duration,
    /// Limit for one attempt of a call, including the connection.
    pub attempt_timeout: Duration,
    /// How long after a change on this node `monitor` also queries EC2, because instance metadata may be stale; may be zero.
    pub settle_window: Duration,
    /// Longest pause between two attempts.
    pub max_backoff: Duration,
}

/// A longer attempt would exceed any timeout that clusters use.
const LONGEST_ATTEMPT: u64 = 120;
/// No longer staleness of instance metadata has been observed; every monitor queries EC2 until the window has passed.
const LONGEST_WINDOW: u64 = 3600;
/// Longer pauses only prolong an outage.
const LONGEST_PAUSE: u64 = 60;

impl Timing {
    /// Parses the four parameters. A window may be zero, a time limit may not.
    pub(super) fn parse(values: &Values<'_>) -> Result<Self, ParamError> {
        Ok(Self {
            connect_timeout: values.seconds("connect_timeout", 1, LONGEST_ATTEMPT)?,
            attempt_timeout: values.seconds("attempt_timeout", 1, LONGEST_ATTEMPT)?,
            settle_window: values.seconds("settle_window", 0, LONGEST_WINDOW)?,
            max_backoff: values.seconds("max_backoff", 1, LONGEST_PAUSE)?,
        })
    }
}
