//! The `cluster` program: see the crate `cluster`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cluster::main()
}
