//! `eipctl drill`: moves a resource of the running cluster to another node and back, and measures the interruption.
//!
//! The cluster does the moving, as it would for an administrator; the drill only requests it, observes, and leaves the
//! cluster as it was.

pub mod complaint;
pub mod configuration;
#[cfg(feature = "sdk")]
mod guard;
#[cfg(feature = "sdk")]
mod measure;
pub mod plan;
pub mod report;
#[cfg(feature = "sdk")]
mod run;
pub mod sightings;
pub mod status;
#[cfg(feature = "sdk")]
pub(in crate::face) mod tools;

#[cfg(feature = "sdk")]
pub(super) use run::run;
