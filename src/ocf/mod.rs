//! The interface between the cluster and an agent: environment, exit codes, usage and meta-data.
//!
//! Knows the OCF standard and how Pacemaker interprets it; knows nothing about addresses or AWS.

pub mod agent;
pub mod environment;
pub mod exit;
pub mod meta_data;
pub mod usage;
