//! Shapes what passes between the cluster and an agent: environment, exit codes, log lines, exit reasons, meta-data.
//!
//! Knows the standard and what Pacemaker makes of it; knows nothing about addresses or AWS.

pub mod agent;
pub mod environment;
pub mod exit;
pub mod meta_data;
pub mod usage;
