//! Path of the agent under test.

use std::path::{Path, PathBuf};

/// The agent under test: `EIP_BIN`, or else what `make agent` left in the target folder of this test.
///
/// # Panics
/// If it has not been built.
pub fn binary() -> PathBuf {
    let path = std::env::var_os("EIP_BIN").map_or_else(built, PathBuf::from);
    assert!(path.is_file(), "{} is not there: run `make agent`", path.display());
    path
}

fn built() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || {
            // target/PROFILE/deps/TEST
            let this = std::env::current_exe().expect("the path of this test");
            this.ancestors().nth(3).map(Path::to_owned).expect("a test in a target folder")
        },
        PathBuf::from,
    );
    target.join("release/eip")
}
