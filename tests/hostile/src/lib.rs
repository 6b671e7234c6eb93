//! Hostile input for the agent: what is drawn from a seed, how a built agent is given it, and what has to hold whatever it was.
//!
//! From the bottom up: [`seed`] says which cases are run and how one of them is run again, [`input`] makes texts, bytes and
//! documents, [`answer`] makes answers of servers, [`impostor`] is such a server, [`place`] is a folder with everything that a
//! path can lead to, [`call`] runs the agent with a limit on its memory, [`verdict`] judges what came of it.
//!
//! What a given input should lead to is not known here: those tests are in `tests/agent`.

// The whole crate is test code: a panic is how a test fails, and what a test builds it uses.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
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
