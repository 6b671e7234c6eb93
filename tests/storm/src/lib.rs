//! A storm: an Availability Zone fails, and very many clusters of one account take their addresses over at the same moment.
//!
//! AWS counts requests by account and action and refuses those that find the bucket empty. So the last takeover can't come
//! before the bucket has had a token for each; what is measured here is how much later it comes, who fails, and how many
//! requests it takes. [`clusters`] plays it on virtual time with the decisions and retries of the crate `eip`, and with naive
//! [policies](policy) for comparison, against the crate's model of EC2; [`processes`] plays it with the built agent against the
//! simulator. Both have the model's buckets, at AWS's rates, and both give [`figures`].
//!
//! Nothing is lost or late here except by throttling: other tests have that.

// The whole crate is test code: a panic is how it fails.
#![allow(clippy::missing_panics_doc, clippy::panic)]

pub mod clusters;
pub mod count;
pub mod figures;
pub mod naive;
pub mod names;
pub mod policy;
pub mod processes;
