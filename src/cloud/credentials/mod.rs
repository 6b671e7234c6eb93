//! Where credentials come from, in the order of docs/behaviour.md, [cred-1]: the parameters; the environment; `~/.aws`;
//! `.awssecret`; web identity; container; instance role.
//!
//! A source that exists and fails ends the search: credentials of a later one may belong to another identity.

#[cfg(any(feature = "sdk", test))]
mod awssecret;
#[cfg(feature = "sdk")]
pub(super) mod chain;
#[cfg(any(feature = "sdk", test))]
mod document;
#[cfg(feature = "sdk")]
mod instance_role;
#[cfg(any(feature = "sdk", test))]
mod plan;
#[cfg(feature = "sdk")]
mod process;
#[cfg(feature = "sdk")]
pub(super) mod profiles;
#[cfg(feature = "sdk")]
mod secret_file;
#[cfg(feature = "sdk")]
mod sources;
#[cfg(feature = "sdk")]
mod token_file;

#[cfg(feature = "sdk")]
pub(crate) use profiles::complete;
#[cfg(feature = "sdk")]
pub use sources::Sources;
