//! Paths of built programs.

use std::env;
use std::path::{Path, PathBuf};

/// Returns cargo's target folder: `CARGO_TARGET_DIR`, or, as sudo drops that, the one that this binary is in.
pub fn target_folder() -> PathBuf {
    // TARGET/PROFILE/NAME
    let own = || env::current_exe().ok().and_then(|path| path.ancestors().nth(2).map(Path::to_owned));
    env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).or_else(own).unwrap_or_default()
}

/// Returns the agent under test where a command line names none: `EIP_BIN`, else what `make agent` leaves.
pub fn agent() -> PathBuf {
    let by_variable = env::var_os("EIP_BIN").filter(|path| !path.is_empty()).map(PathBuf::from);
    by_variable.unwrap_or_else(|| target_folder().join("release/eip"))
}

/// Returns the folder for logs where a command line names none.
pub fn logs() -> PathBuf {
    target_folder().join("cluster-logs")
}
