//! Hostile input for the agent: generated from a seed, fed to the built agent, and judged by rules that hold for any input.
//!
//! From the bottom up: [`seed`] selects the cases and repeats one of them, [`input`] generates texts, bytes and documents,
//! [`answer`] generates server responses, [`impostor`] serves them, [`place`] is a folder with everything that a path can lead
//! to, [`call`] runs the agent with limited memory, [`verdict`] judges the outcome.
//!
//! Expectations for particular inputs are in `tests/agent`.

// The whole crate is test code: a panic is how a test fails, and what a test builds it uses.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::return_self_not_must_use,
    clippy::string_slice,
    clippy::unwrap_used
)]

pub mod answer;
pub mod call;
pub mod impostor;
pub mod input;
pub mod place;
pub mod seed;
pub mod verdict;
