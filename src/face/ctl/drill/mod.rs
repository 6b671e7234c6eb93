//! `eipctl drill`: a resource of the running cluster is moved to another node and back, and what that costs is measured.
//!
//! The cluster does the moving, as it would for an administrator; here it is only asked to, watched, and left as it was found.

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
mod tools;

#[cfg(feature = "sdk")]
pub(super) use run::run;
