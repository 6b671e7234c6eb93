//! `eipctl drill`: moves a resource of the running cluster to another node and back, and measures the interruption.
//!
//! The cluster does the moving, as it would for an administrator; the drill only requests it, observes, and leaves the
//! cluster as it was. With `--kill` it requests nothing, and measures a failure that the operator causes.

pub mod chart;
#[cfg(feature = "sdk")]
mod guard;
#[cfg(feature = "sdk")]
mod measure;
pub mod page;
pub mod picture;
pub mod plan;
pub mod report;
#[cfg(feature = "sdk")]
mod run;
pub mod sightings;

#[cfg(feature = "sdk")]
pub(super) use run::run;
