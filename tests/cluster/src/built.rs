//! Paths of built programs.

use std::env;
use std::path::{Path, PathBuf};

/// Cargo's target folder: `CARGO_TARGET_DIR`, or, because sudo drops that, the one that contains this binary.
pub fn target_folder() -> PathBuf {
    // TARGET/PROFILE/NAME
    let own = || env::current_exe().ok().and_then(|path| path.ancestors().nth(2).map(Path::to_owned));
    env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).or_else(own).unwrap_or_default()
}

/// The default agent under test: `EIP_BIN`, or else what `make agent` built.
pub fn agent() -> PathBuf {
    let by_variable = env::var_os("EIP_BIN").filter(|path| !path.is_empty()).map(PathBuf::from);
    by_variable.unwrap_or_else(|| target_folder().join("release/eip"))
}

/// The default folder for logs.
pub fn logs() -> PathBuf {
    target_folder().join("cluster-logs")
}
