//! Real clusters under chaos: rounds of random failures, with strict checks during each round and at the quiet point after it.
//!
//! A round follows from the seed, its number and the number of nodes alone, so each one can be replayed by itself. The machine's
//! timing is not reproduced. `plan` decides what happens, `strike` and `turmoil` make it happen, `rules` judges what was observed
//! meanwhile, `quiet` judges the state afterwards, `record` reports it.

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
