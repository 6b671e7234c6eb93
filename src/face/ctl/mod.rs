//! The face for a person: `eipctl`. It parses and renders; what an address is and how it moves is decided by the resource.
//!
//! One file per command. The command line itself, with its help, is in [`command`], because it is needed without the SDK too.

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
mod options;
#[cfg(feature = "sdk")]
mod policy;
#[cfg(feature = "sdk")]
mod restore;
#[cfg(feature = "sdk")]
mod serve;
#[cfg(feature = "sdk")]
mod show;
pub mod surroundings;

#[cfg(feature = "sdk")]
pub(super) use serve::serve;

/// The name that the binary is called by for this face.
pub const NAME: &str = "eipctl";
