//! The agent's process: notes when it began, reads its surroundings once, serves the call, exits.

use std::time::Instant;

use eip::face::{Call, serve};

fn main() {
    let started = Instant::now();
    let call =
        Call { started, arguments: std::env::args_os().collect(), variables: std::env::vars_os().collect() };
    // Not a return from `main`: dropping things could wait for a name look-up that hangs, past the deadline.
    std::process::exit(i32::from(serve(call)));
}
