//! The harness of the black-box tests: a simulated account, nodes in it, and runs of the built agent on a node.
//!
//! A run has a clean environment, as the cluster provides it. Its outcome has exit code, output, log, duration and the requests to
//! the simulator. What holds for every run (an answer in time, silence on success, one reason on failure, no secret anywhere) is
//! checked on every run. An agent that could reach a real AWS endpoint is never started.
//!
//! Expectations for single actions are in the tests, not here.

// The whole crate is test code: a panic is how a test fails, and a test uses all that it builds.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    // Values of any type read best in a call without an ampersand.
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
mod pool;
mod proxy;
mod rows;
mod run;
mod silence;
mod world;

pub use self::{
    binary::binary,
    folder::{Folder, records_in, write_program},
    isolation::Isolation,
    kinds::{
        AddressKind, KINDS, OTHER_ACCOUNT, OVERLAY, ROUTE_TABLE, SHARED_OVERLAY, SHOWN, TABLE_ROLE, TwoNodes,
        VIP, one_subnet,
    },
    node::Node,
    outcome::RunOutcome,
    pool::all,
    proxy::{Proxy, relay},
    rows::each,
    run::{NodeAction, Run, RunningAgent, of_process, waited_of},
    silence::{black_hole, mute, refusing},
    world::{Setup, SimulatedWorld},
};
