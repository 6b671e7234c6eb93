//! Waits for a state, with a limit: polls, and never sleeps for a guessed time.

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::error::{HarnessError, Result};
use crate::interrupt;

/// Seconds since 1970 on this machine's clock, which nodes, simulator and harness share.
pub type Epoch = f64;

const POLL_EVERY: Duration = Duration::from_millis(50);

/// The current time.
pub fn now() -> Epoch {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Result of one check.
#[derive(Debug)]
pub enum Polled<T> {
    /// The expected state.
    There(T),
    /// Another state, in words.
    NotYet(String),
}

impl<T> Polled<T> {
    /// Turns an error into "not yet": for checks through programs that fail while a node is starting.
    ///
    /// # Errors
    /// Only [`HarnessError::Interrupted`].
    pub fn tolerant(look: Result<T>) -> Result<Self> {
        match look {
            Ok(found) => Ok(Self::There(found)),
            Err(HarnessError::Interrupted) => Err(HarnessError::Interrupted),
            Err(error) => Ok(Self::NotYet(error.to_string())),
        }
    }
}

/// Repeats a check until the expected state is reached, and returns its result.
///
/// # Errors
/// [`HarnessError::TimedOut`] with the last check's result after `limit`; [`HarnessError::Interrupted`]; or the check's own error at once.
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<Polled<T>>) -> Result<T> {
    let began = Instant::now();
    loop {
        interrupt::check()?;
        // The last check begins after the limit, however long the previous one took.
        let is_last = began.elapsed() >= limit;
        let last = match look()? {
            Polled::There(found) => return Ok(found),
            Polled::NotYet(why) => why,
        };
        if is_last {
            return Err(HarnessError::TimedOut { what: what.to_owned(), limit, last });
        }
        thread::sleep(POLL_EVERY);
    }
}

/// Lets the cluster run for a given time that the scenario itself is about ("the API is down for 10 s").
///
/// # Errors
/// [`HarnessError::Interrupted`].
pub fn let_run(time: Duration) -> Result<()> {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        interrupt::check()?;
        thread::sleep(left.min(POLL_EVERY));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_never_comes_is_reported_with_what_was_seen_last() {
        let mut looks = 0;
        let error = until("the moon is blue", Duration::from_millis(10), || {
            looks += 1;
            Ok(Polled::<()>::NotYet(format!("look {looks}: white")))
        })
        .unwrap_err();
        assert!(looks >= 2, "one look only");
        assert_eq!(
            error.to_string(),
            format!("the moon is blue: not within 0 s; last seen: look {looks}: white")
        );
    }
}
