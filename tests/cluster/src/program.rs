//! How a program of the harness ends: its exit code, and a message if the machine cannot run it.

use std::process::ExitCode;

use crate::error::{HarnessError, Result};

/// "Not run", as for automake and others.
const SKIPPED: u8 = 77;
/// As a shell reports a program that was ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Exit code of a program; prints an error to standard error first.
pub fn end(program: &str, outcome: Result<ExitCode>) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(HarnessError::Interrupted) => {
            eprintln!("{program}: interrupted; everything has been removed");
            ExitCode::from(INTERRUPTED)
        }
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what the machine lacks. That is no failure, except in CI, where it would hide that nothing was tested.
pub fn skip(program: &str, missing: &[String]) -> ExitCode {
    for line in missing {
        eprintln!("{program}: {line}");
    }
    if std::env::var("CI").is_ok_and(|value| value == "true") {
        eprintln!("{program}: failed: nothing could be run (CI=true)");
        return ExitCode::FAILURE;
    }
    eprintln!("{program}: skipped");
    ExitCode::from(SKIPPED)
}
