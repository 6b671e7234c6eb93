//! The built agent with hostile input from every side: whatever it is given it answers in its time, with one of its exit codes,
//! in a bounded amount of memory, and shows nothing that a terminal or a log would act on.
//!
//! `HOSTILE=1000 HOSTILE_SEED=7 make hostile-test` runs more cases, and others; a case that fails prints the line that runs it
//! alone. By itself every run has the same cases.

// Not only the functions marked `#[test]` are test code here: in all of it a panic is how a test fails.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod answers;
mod cluster;
mod files;
mod scene;
mod situations;
mod surroundings;
mod words;
