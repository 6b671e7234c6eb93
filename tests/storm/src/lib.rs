//! A storm: an Availability Zone fails, and thousands of clusters of one account take their addresses over at the same moment.
//!
//! AWS throttles requests by account and action. So the last takeover can't come before the bucket has had a token for each. The
//! storm measures how much later it comes, which takeovers fail, and how many requests they need. [`clusters`] runs it on virtual
//! time with the decisions and retries of the crate `eip`, and with naive [policies](policy) for comparison, against the crate's
//! model of EC2; [`processes`] runs it with the built agent against the simulator. Both have the model's buckets, at AWS's rates,
//! and both produce [`figures`].
//!
//! Nothing is lost or late here except by throttling: other tests cover that.

// The whole crate is test code: a panic is how it fails.
#![allow(clippy::missing_panics_doc, clippy::panic)]

pub mod clusters;
pub mod count;
pub mod figures;
pub mod naive;
pub mod names;
pub mod policy;
pub mod processes;
