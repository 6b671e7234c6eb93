//! The ways to call the agent. A face parses its input and renders the result. Apart from some diagnostics of `eipctl` and settings of
//! keepalived, it reaches AWS through `resource` and `world`.
//!
//! The name of the binary selects the face. The parts of a face that do not need the AWS SDK are also built without
//! it, for generating the manual pages and the completion.

pub mod alert;
pub mod assignments;
#[cfg(feature = "sdk")]
mod call;
pub mod cluster;
pub mod ctl;
pub mod environment;
#[cfg(feature = "sdk")]
mod health;
pub mod init;
pub mod keepalived;
#[cfg(feature = "sdk")]
pub mod ocf;
pub mod parameters;
pub mod program_name;
pub mod report;
#[cfg(feature = "sdk")]
mod serve;
pub mod settings_file;
pub mod shell;
#[cfg(feature = "sdk")]
mod watchdog;

#[cfg(feature = "sdk")]
pub use call::Call;
#[cfg(feature = "sdk")]
pub use serve::serve;
