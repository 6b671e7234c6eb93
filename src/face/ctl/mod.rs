//! The face for operators: `eipctl`. It parses and renders; the resource layer decides what an address is and how it
//! moves.
//!
//! One file per command. The command line with its help is in [`command`], because it is also needed without the SDK.

#[cfg(feature = "sdk")]
pub(super) mod assign;
#[cfg(feature = "sdk")]
mod by_hand;
#[cfg(feature = "sdk")]
mod call;
#[cfg(feature = "sdk")]
mod check;
pub mod command;
pub mod drill;
#[cfg(feature = "sdk")]
mod history;
pub mod metrics;
mod options;
#[cfg(feature = "sdk")]
mod policy;
#[cfg(feature = "sdk")]
mod restore;
#[cfg(feature = "sdk")]
mod serve;
#[cfg(feature = "sdk")]
mod show;
pub mod status;
#[cfg(feature = "sdk")]
mod subject;
pub mod surroundings;

#[cfg(feature = "sdk")]
pub(super) use serve::serve;

/// The name of the binary that selects this face.
pub const NAME: &str = "eipctl";
