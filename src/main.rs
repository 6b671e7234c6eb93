//! The agent's process: records its start time, reads its environment once, serves the call, exits.

use std::time::Instant;

use eip::face::{Call, serve};

fn main() {
    let started = Instant::now();
    let call =
        Call { started, arguments: std::env::args_os().collect(), variables: std::env::vars_os().collect() };
    // Not a return from `main`: dropping could wait for a hanging name lookup, past the deadline.
    std::process::exit(i32::from(serve(call)));
}
