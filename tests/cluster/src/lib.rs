//! Real Pacemaker, Heartbeat and keepalived clusters on one machine, in a simulated cloud, to prove what the agent does in them.
//!
//! Each node has its own network, mount, process, IPC and UTS namespaces, its own disk and its own metadata service at
//! 169.254.169.254. EC2 and the client of the elastic IP live in a separate network namespace, which is also the router of the
//! VPC; the clients of an overlay address have namespaces behind it. The simulator runs within this process, so scenarios have
//! its state, faults and request log at hand. Nothing is added to the machine's own network, and everything is removed when
//! `machines::Machines` is dropped.
//!
//! From the bottom up: `command`, `net`, `node`, `world` make and break things, `probe` observes; `machines` holds them
//! together. `pacemaker`, `heartbeat` and `keepalived` are the cluster managers; `pairs` has what the last two share.
//! `suite` plays scenarios; `story`, `chronicle`, `timeline`, `report` present what happened. This crate does not decide what
//! the agent should do; it only observes.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

#[cfg(test)]
mod browser;
pub mod built;
mod chronicle;
mod cli;
pub mod command;
mod documents;
pub mod error;
mod heartbeat;
mod inside;
pub mod interrupt;
mod keepalived;
pub mod lanes;
pub mod leftovers;
mod machines;
mod net;
mod node;
pub mod pacemaker;
mod pairs;
pub mod prerequisites;
pub mod probe;
mod processes;
pub mod program;
mod report;
pub mod state_dir;
pub mod story;
pub mod suite;
mod timeline;
pub mod topology;
mod vpc_router;
pub mod wait;
mod world;

pub use self::cli::main;
