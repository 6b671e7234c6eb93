//! The ways in which the agent is called. A face parses what comes in and renders what goes out; it knows nothing of AWS.
//!
//! Which face it is depends on the name the binary is called by. What of a face needs no AWS SDK is there without it too, so
//! that the manual pages and the completion can be made from it.

pub mod assignments;
pub mod called;
pub mod ctl;
pub mod given;
pub mod init;
pub mod keepalived;
#[cfg(feature = "sdk")]
mod last_resort;
pub mod no_cluster;
#[cfg(feature = "sdk")]
pub mod ocf;
#[cfg(feature = "sdk")]
mod serve;
pub mod settings_file;
pub mod shell;

#[cfg(feature = "sdk")]
pub use serve::{Call, serve};
