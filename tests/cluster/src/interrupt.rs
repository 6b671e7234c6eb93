//! SIGINT and SIGTERM: a flag that every wait checks, so that the run unwinds and its guards clean up.
//!
//! Process-wide, like signals. Nothing is cleaned up here.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::{HarnessError, Result};

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Turns SIGINT, SIGTERM and SIGHUP into the flag that [`check`] reads.
///
/// # Errors
/// If a handler cannot be installed.
pub fn install() -> io::Result<()> {
    let flag = ASKED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(flag))?;
    }
    Ok(())
}

/// True if a signal has requested the end of the run.
pub fn asked() -> bool {
    ASKED.get().is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Fails the current step after a signal.
///
/// # Errors
/// [`HarnessError::Interrupted`] from the first signal on.
pub fn check() -> Result<()> {
    if asked() { Err(HarnessError::Interrupted) } else { Ok(()) }
}
