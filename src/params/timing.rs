//! How long the agent waits for what. The deadline of an action is not here: it comes from the cluster.

use std::time::Duration;

use super::error::ParamError;
use super::value::Values;

/// The waiting times of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The longest that a connection to EC2 or STS may take to come up.
    pub connect_timeout: Duration,
    /// The longest that one attempt of a call may take, the connection included.
    pub attempt_timeout: Duration,
    /// How long after a change on this node `monitor` asks EC2 as well, because IMDS may be stale; may be zero.
    pub settle_window: Duration,
    /// The longest pause between two attempts.
    pub max_backoff: Duration,
}

/// An attempt longer than this would fill every timeout that clusters set.
const LONGEST_ATTEMPT: u64 = 120;
/// Nobody has seen IMDS stale for longer; EC2 is asked at every monitor until the window has passed.
const LONGEST_WINDOW: u64 = 3600;
/// Longer pauses only make an outage longer.
const LONGEST_PAUSE: u64 = 60;

impl Timing {
    /// Reads the four parameters. Zero is a window that is over at once, but never a time to wait for an answer.
    pub(super) fn parse(values: &Values<'_>) -> Result<Self, ParamError> {
        Ok(Self {
            connect_timeout: values.seconds("connect_timeout", 1, LONGEST_ATTEMPT)?,
            attempt_timeout: values.seconds("attempt_timeout", 1, LONGEST_ATTEMPT)?,
            settle_window: values.seconds("settle_window", 0, LONGEST_WINDOW)?,
            max_backoff: values.seconds("max_backoff", 1, LONGEST_PAUSE)?,
        })
    }
}
