//! `eipctl status`: every address of the cluster, according to the cluster, EC2 and the nodes.
//!
//! Whatever does not answer is named, and the rest is shown all the same.

#[cfg(feature = "sdk")]
mod collect;
pub mod view;

#[cfg(feature = "sdk")]
pub(super) use collect::run;
