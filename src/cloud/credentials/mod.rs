//! Where credentials come from, in the order of the behaviour document: what a parameter names; the environment; `~/.aws`;
//! `.awssecret`; web identity; container; instance role.
//!
//! Nothing here is read before the first EC2 call.

#[cfg(any(feature = "sdk", test))]
mod awssecret;
#[cfg(feature = "sdk")]
pub(super) mod chain;
#[cfg(feature = "sdk")]
mod instance_role;
#[cfg(feature = "sdk")]
pub(super) mod profiles;
#[cfg(feature = "sdk")]
mod secret_file;
#[cfg(feature = "sdk")]
mod sources;
#[cfg(feature = "sdk")]
mod token_file;

#[cfg(feature = "sdk")]
pub use sources::provider;
