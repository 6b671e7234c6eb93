//! EC2 and instance metadata in memory: the one model that all tests work against.
//!
//! An [`Account`] holds the objects with their past, lagging readers, token buckets, and faults by call. It runs on
//! tokio's clock, paused or not. [`ModelClient`] implements the agent's [`Ec2`](super::Ec2),
//! [`PrivateIps`](super::PrivateIps), [`Routes`](super::Routes) and [`Imds`](super::Imds) on it, for unit tests, interleavings and storm. The
//! simulator `aws-sim` is another face of it, with HTTP, signatures and the wire formats.
//!
//! It has the calls that the agents make, and no others.

// Test code: it fails by panicking.
#![allow(clippy::missing_panics_doc, clippy::panic)]

mod account;
mod buckets;
mod build;
mod client;
mod error;
mod faults;
mod history;
mod operations;
mod routes;
mod state;
#[cfg(all(test, feature = "paused-time"))]
mod tests;

pub use account::{
    ACCOUNT, Account, CallRecord, ElasticIpHolder, HolderChange, Journey, PrivateIpChange, REGION, Reads,
    parsed,
};
pub use buckets::{Buckets, Rate};
pub use build::{Allocated, InstanceSpec, InterfaceSpec};
pub use client::ModelClient;
pub use error::ApiError;
pub use faults::{Fault, FaultId, FaultKind, Service, millis, throttled};
pub use history::{Caller, History, Lag, Version};
pub use operations::{Operation, VPC};
pub use routes::{RouteTableSpec, ShownTable};
pub use state::{Instance, InstanceState, NetworkInterface};
