//! The face for Pacemaker's alerts: `eip-alert`, which announces each move of an address once, on the node that made it.
//!
//! Pacemaker calls it for every event, as the user `hacluster`, and ends it after a time limit of its own.

pub mod announcement;
pub mod recipient;
#[cfg(feature = "sdk")]
mod serve;

#[cfg(feature = "sdk")]
pub(super) use serve::serve;

/// The name of the binary that selects this face.
pub const NAME: &str = "eip-alert";
