//! Lock files. The kernel releases the lock of a process that ends or is killed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::file;
use crate::base::ownership::check_folder;

/// Limit for an operation that takes microseconds: reading and writing one file.
pub(super) const GATE_LIMIT: Duration = Duration::from_secs(2);
/// Interval between attempts to take a lock.
pub(super) const TRY_EVERY: Duration = Duration::from_millis(20);

/// Takes the lock; `None` if another process has it.
///
/// # Errors
/// If the file cannot be opened or locked, or its folder is not the caller's alone.
pub(super) fn try_lock(path: &Path) -> io::Result<Option<File>> {
    if let Some(folder) = path.parent() {
        file::make_folder(folder)?;
        // As for the records: a folder that others chose or can write to gets nothing of ours.
        check_folder(folder)?;
    }
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Waits for a lock that is held for microseconds.
///
/// # Errors
/// As [`try_lock`]; [`io::ErrorKind::WouldBlock`] if another process still has it after `limit`.
pub(super) fn wait(path: &Path, limit: Duration) -> io::Result<File> {
    let end = Instant::now() + limit;
    loop {
        match try_lock(path)? {
            Some(file) => return Ok(file),
            None if Instant::now() >= end => return Err(io::ErrorKind::WouldBlock.into()),
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}
