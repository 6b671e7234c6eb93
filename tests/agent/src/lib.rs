//! The harness of the black-box tests: a simulated account, nodes in it, and runs of the built agent on a node.
//!
//! A run has a clean environment, as the cluster gives it, and its outcome tells exit code, output, log, time and what
//! the simulator was asked. What holds for every run (an answer in time, silence on success, one reason on failure, no
//! secret anywhere) is checked at every run. An agent that could reach a real AWS endpoint is never started.
//!
//! No expectation about one action is here: those are the tests.

// The whole crate is test code: a panic is how a test fails, and what a test builds it uses.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    // A value of any type reads best in a call without an ampersand.
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::return_self_not_must_use,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod binary;
mod folder;
mod isolation;
mod kinds;
mod node;
mod outcome;
mod proxy;
mod rows;
mod run;
mod secrets;
mod silence;
mod world;

pub use self::{
    binary::binary,
    folder::{Folder, records_in},
    isolation::Isolation,
    kinds::{
        AddressKind, KINDS, OTHER_ACCOUNT, OVERLAY, ROUTE_TABLE, SHARED_OVERLAY, SHOWN, TABLE_ROLE, TwoNodes,
        VIP, one_subnet,
    },
    node::Node,
    outcome::RunOutcome,
    proxy::Proxy,
    rows::each,
    run::{NodeAction, Run, RunningAgent, of_process, waited_of},
    silence::{black_hole, mute, refusing},
    world::{Setup, SimulatedWorld},
};
