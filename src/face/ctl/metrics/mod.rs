//! `eipctl metrics`: what Prometheus can know about the addresses of this node.

pub mod exposition;
#[cfg(feature = "sdk")]
mod run;

#[cfg(feature = "sdk")]
pub(super) use run::run;
