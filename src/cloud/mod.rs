//! AWS as the agent sees it: traits with the agent's own types and errors.
//!
//! The SDK stays behind them, in the files named `aws.rs`, in `client` and in `credentials`; nothing above this module
//! uses one of its types.

#[cfg(feature = "sdk")]
mod bounded;
#[cfg(feature = "sdk")]
pub mod client;
pub mod credentials;
pub mod ec2;
pub mod imds;
#[cfg(feature = "model")]
pub mod model;
pub mod settings;

pub use ec2::private_ips::{Eni, PrivateAddress, PrivateIps};
pub use ec2::routes::{Route, RouteTable, Routes};
pub use ec2::{Address, Association, Ec2, Ec2Error, Ec2Fault, Selector, Target, Wanted};
pub use imds::{Attachment, Imds, ImdsError, Interface, Subnet, Vpc};
