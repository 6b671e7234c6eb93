//! Request throttling: one token bucket per API action.
//!
//! Account and Region are not part of the key, because the model has one of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Size and refill of one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Tokens in a full bucket.
    pub burst: f64,
    /// Tokens added each second.
    pub per_second: f64,
}

impl Rate {
    /// A bucket of `burst` tokens to which `per_second` are added each second.
    pub const fn new(burst: f64, per_second: f64) -> Self {
        Self { burst, per_second }
    }
}

/// The action with an additional, smaller bucket for requests without ids, filter or pagination.
const HAS_TWO: &str = "DescribeNetworkInterfaces";

/// Rates by kind of action.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Buckets {
    /// Describe actions; each has a bucket of its own.
    pub describe: Rate,
    /// `DescribeNetworkInterfaces` without filter, ids or pagination.
    pub describe_unfiltered: Rate,
    /// Mutating actions: associate, disassociate.
    pub mutate: Rate,
    /// Assigning and unassigning private addresses.
    pub private_ips: Rate,
}

impl Buckets {
    /// The figures that AWS documents.
    ///
    /// # Source
    /// Amazon EC2 Developer Guide, "Request throttling for the Amazon EC2 API", bucket sizes and refill rates.
    pub const fn aws() -> Self {
        Self {
            describe: Rate::new(100.0, 20.0),
            describe_unfiltered: Rate::new(50.0, 10.0),
            mutate: Rate::new(50.0, 5.0),
            private_ips: Rate::new(100.0, 5.0),
        }
    }

    fn rate(&self, action: &str, filtered: bool) -> Rate {
        match action {
            _ if HAS_TWO == action && !filtered => self.describe_unfiltered,
            "AssignPrivateIpAddresses" | "UnassignPrivateIpAddresses" => self.private_ips,
            _ if action.starts_with("Describe") => self.describe,
            _ => self.mutate,
        }
    }
}

/// Fill levels of all buckets used so far.
#[derive(Debug, Default)]
pub(super) struct Fill {
    tokens: BTreeMap<(String, bool), (f64, f64)>,
}

impl Fill {
    /// Takes one token for `action` at time `now` in seconds; `false` if the bucket is empty.
    ///
    /// # Source
    /// Amazon EC2 Developer Guide, "Request throttling for the Amazon EC2 API": each request takes a token, those beyond the
    /// tokens fail, and tokens that were added since can be used at once.
    pub(super) fn take(&mut self, buckets: &Buckets, action: &str, filtered: bool, now: f64) -> bool {
        let filtered = filtered || HAS_TWO != action;
        let rate = buckets.rate(action, filtered);
        let slot = self.tokens.entry((action.to_owned(), filtered)).or_insert((rate.burst, now));
        let (left, then) = *slot;
        let left = (left + (now - then) * rate.per_second).min(rate.burst);
        let granted = left >= 1.0;
        *slot = (if granted { left - 1.0 } else { left }, now);
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_is_granted_then_refused_then_refilled_at_the_rate() {
        let (aws, mut fill) = (Buckets::aws(), Fill::default());
        let granted = (0..60).filter(|_| fill.take(&aws, "AssociateAddress", false, 1000.0)).count();
        assert_eq!(granted, 50);
        let later = (0..60).filter(|_| fill.take(&aws, "AssociateAddress", false, 1002.0)).count();
        assert_eq!(later, 10, "5 tokens a second for 2 s");
    }

    #[test]
    fn actions_do_not_share_a_bucket_and_unfiltered_describes_have_a_smaller_one() {
        let (aws, mut fill) = (Buckets::aws(), Fill::default());
        let mut drain =
            |action, filtered| (0..200).filter(|_| fill.take(&aws, action, filtered, 1.0)).count();
        assert_eq!(drain("DescribeNetworkInterfaces", false), 50);
        assert_eq!(drain("DescribeNetworkInterfaces", true), 100);
        assert_eq!((drain("DescribeAddresses", true), drain("DescribeAddresses", false)), (100, 0));
        assert_eq!(drain("AssignPrivateIpAddresses", true), 100);
        assert_eq!(drain("DisassociateAddress", true), 50);
    }
}
