//! Real clusters under chaos: rounds of random failures, with strict checks all the time and at the quiet point after each.
//!
//! A round is made from the seed, its number and the number of nodes alone, so each can be played again by itself. What
//! is not repeated is the machine's timing. `plan` says what happens, `strike` and `turmoil` make it happen, `rules` judges what was
//! seen meanwhile, `quiet` judges the state afterwards, `record` tells it.

mod actions;
mod draw;
mod explained;
mod failure;
mod hunter;
mod plan;
mod quiet;
mod record;
mod round;
mod rules;
mod run;
mod stay;
mod strike;
mod struck;
mod turmoil;
mod undo;

pub use self::run::{ChaosRun, run};
