//! Real Pacemaker clusters on one machine, in a simulated cloud, to prove what the agent does in them.
//!
//! Each node has its own network, mount, process, IPC and UTS namespaces, its own disk and its own metadata service at
//! 169.254.169.254; EC2 and the client that sees the elastic IP live in a third network namespace. The simulator runs
//! within this process, so scenarios have its state, faults and request log at hand. Nothing is added to the machine's
//! own network, and everything is gone when a [`cluster::Cluster`] is dropped.
//!
//! From the bottom up: [`command`], [`net`], [`node`], [`world`] make and break things; [`crm_mon`], [`journal`],
//! [`probe`] observe; [`cluster`] holds them together and checks strictly; [`scenario`] says what happens;
//! [`chronicle`], [`timeline`], [`report`] tell it. [`pair`], [`play`], [`witness`] and [`document`] are
//! for the tests of other cluster managers, on nodes without Pacemaker. This crate does not decide which agent is right: it only looks.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

pub mod built;
pub mod chaos;
pub mod chronicle;
pub mod cli;
pub mod cluster;
pub mod command;
pub mod corosync;
pub mod crm_mon;
pub mod demo;
pub mod document;
pub mod error;
pub mod inside;
pub mod interrupt;
pub mod journal;
pub mod leftovers;
pub mod net;
pub mod node;
pub mod pair;
pub mod play;
pub mod prerequisites;
pub mod probe;
pub mod processes;
pub mod program;
pub mod report;
pub mod save;
pub mod scenario;
pub mod shell;
pub mod state_dir;
pub mod suite;
pub mod timeline;
pub mod topology;
pub mod wait;
pub mod witness;
pub mod world;
