//! The harness's program: see `cluster`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cluster::main()
}
