//! Runs a thread of the harness in a network namespace.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::error::{HarnessError, Result};

/// Moves only the calling thread into a network namespace, for the rest of its life.
pub fn enter(namespace: &Path) -> Result<()> {
    let failed = || format!("entering the network namespace {}", namespace.display());
    let file = File::open(namespace).map_err(HarnessError::io(failed()))?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(|error| HarnessError::Io { what: failed(), source: error.into() })
}
