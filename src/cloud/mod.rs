//! What the agent asks of AWS, in the agent's own words: traits, their types and their errors.
//!
//! The SDK is behind them, in the files named `aws.rs`, in `client` and in `credentials`; nothing above this module sees one of its types.

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
pub use ec2::{Address, Association, Ec2, Ec2Error, Fault as Ec2Fault, Selector, Target};
pub use imds::{Attachment, Imds, ImdsError, Interface, Subnet};
