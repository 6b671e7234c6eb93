//! The work of one call, which a later notification may supersede at any time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use super::arguments::VrrpState;
use super::settings::KeepalivedSettings;
use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::cloud::ec2::guard::CallGuard;
use crate::face::watchdog::{FallbackCode, Watchdog};
use crate::ocf::environment::Environment;
use crate::params::Params;
use crate::resource::error::Error;
use crate::resource::{Action, Request};
use crate::state::generations::{Generation, Generations, POLL_INTERVAL};
use crate::world::{self, RealWorld};

/// Exit code if the work failed.
pub(super) const FAILED: u8 = 1;
/// Exit code if the call or the settings are invalid.
pub(super) const UNUSABLE: u8 = 2;

/// One call with everything it needs.
pub(super) struct Work {
    /// Parameters from the command line.
    pub parameters: BTreeMap<String, String>,
    pub settings: KeepalivedSettings,
    pub environment: Environment,
    pub log: Log,
    pub params: Params,
    pub generations: Generations,
    /// `None` if the state folder is not usable. Then a later notification cannot supersede this call.
    pub generation: Option<Generation>,
    pub started: Instant,
    /// Exit code if the work blocks or panics.
    pub fallback: FallbackCode,
}

/// Result of waiting for the lock.
pub(super) enum LockOutcome {
    /// Lock acquired; `None` if the state folder is not usable, so that there is nothing to lock.
    Acquired(Option<File>),
    /// Superseded by a later notification.
    Superseded,
    /// The previous process did not finish in time.
    TimedOut,
}

impl Work {
    /// Logs the warnings about the settings and records this call's request; returns false if a later one is already recorded.
    pub(super) fn announce(&mut self, transition: &str, state: VrrpState) -> bool {
        self.log.warn_all(self.environment.warnings().iter().chain(&self.settings.warnings));
        let first = self.generation.map_or(Ok(true), |own| self.generations.begin(own, state.name()));
        let first = first.unwrap_or_else(|error| {
            self.generation = None;
            self.log.warn(format_args!(
                "cannot use the state directory, so overlapping scripts are not serialised: {error}; \
                 use script_user root, or set STATE_DIR"
            ));
            true
        });
        if !first {
            self.log.info(format_args!("{transition}: already superseded by a later state"));
        }
        first
    }

    /// Waits for the previous process to finish.
    pub(super) fn enter(&self, limit: Duration) -> LockOutcome {
        let Some(generation) = self.generation else { return LockOutcome::Acquired(None) };
        match self.generations.lock(generation, Instant::now() + limit) {
            Ok(Some(lock)) => LockOutcome::Acquired(Some(lock)),
            Ok(None) if self.is_superseded() => LockOutcome::Superseded,
            Ok(None) => LockOutcome::TimedOut,
            Err(error) => {
                self.log.warn(format_args!("not serialised with other scripts: {error}"));
                LockOutcome::Acquired(None)
            }
        }
    }

    /// Does the work of a transition once the previous process has finished, and records and reports its outcome. Returns the lock
    /// and the result.
    ///
    /// # Errors
    /// The exit code, if the transition has failed or a later one supersedes it.
    pub(super) fn in_turn<T>(
        &self,
        transition: &str,
        work: impl FnOnce() -> Result<Option<T>, Error>,
    ) -> Result<(Option<File>, T), u8> {
        let limit = self.settings.deadline;
        let (lock, outcome) = match self.enter(limit) {
            LockOutcome::Acquired(lock) => (lock, work()),
            LockOutcome::Superseded => (None, Ok(None)),
            LockOutcome::TimedOut => return Err(self.fail(&Error::OutOfTime(limit))),
        };
        match outcome {
            Ok(Some(result)) => {
                self.end(true);
                return Ok((lock, result));
            }
            Ok(None) => {
                self.log.info(format_args!("{transition}: superseded by a later state meanwhile"));
            }
            // Nothing failed on this node.
            Err(error @ Error::Left { .. }) => {
                self.log.warn(format_args!("{transition}: {error}"));
                self.end(true);
            }
            Err(error) => {
                self.end(false);
                self.fail(&error);
            }
        }
        Err(FAILED)
    }

    /// True once a later notification has arrived.
    pub(super) fn is_superseded(&self) -> bool {
        self.generation.is_some_and(|own| self.generations.is_superseded(own))
    }

    /// Records whether the requested state was reached.
    fn end(&self, done: bool) {
        if let Some(generation) = self.generation
            && let Err(error) = self.generations.end(generation, done)
        {
            self.log.warn(format_args!("outcome not recorded: {error}"));
        }
    }

    /// Starts a watchdog that ends the process, whatever blocks it, once `limit` has passed since it started.
    pub(super) fn watch(&self, limit: Duration) -> Watchdog {
        Watchdog::start(&Deadline::since(self.started, limit), self.fallback.clone(), &self.log)
    }

    /// The real services, warnings about the settings, and the request for an action.
    fn services(
        &self,
        action: Action,
        deadline: Deadline,
    ) -> Result<(RealWorld, Vec<String>, Request), Error> {
        let (api, timing) = (&self.params.api, &self.params.timing);
        let (world, warnings) = world::build(api, timing, deadline, &self.environment, &self.log)?;
        Ok((world, warnings, Request { action, params: self.params.clone(), deadline, nodes: Vec::new() }))
    }

    /// Runs a query within `limit` from the start of this process. It changes nothing, so a later notification does
    /// not cancel it.
    pub(super) fn query<T>(
        &self,
        action: Action,
        limit: Duration,
        work: impl AsyncFnOnce(&RealWorld, &Request) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let deadline = Deadline::since(self.started, limit);
        let (world, _, request) = self.services(action, deadline)?;
        world::run(deadline, work(&world, &request))
    }

    /// Runs work with the real services within `limit` from now. A later notification cancels it, which yields `None`;
    /// a mutating call in flight is completed first.
    pub(super) fn run<T>(
        &self,
        action: Action,
        limit: Duration,
        work: impl AsyncFnOnce(&RealWorld, &Request) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let deadline = Deadline::new(tokio::time::Instant::now(), limit);
        let _guard = Watchdog::start(&deadline, self.fallback.clone(), &self.log);
        let (mut world, warnings, request) = self.services(action, deadline)?;
        if action == Action::Start {
            self.log.warn_all(&warnings);
        }
        let (generations, own) = (self.generations.clone(), self.generation);
        let guard = CallGuard::new(move || own.is_some_and(|own| generations.is_superseded(own)));
        world.ec2.guard_by(guard.clone());
        world::run(deadline, async {
            let superseded = async {
                loop {
                    tokio::time::sleep(POLL_INTERVAL).await;
                    if guard.is_over() {
                        return;
                    }
                }
            };
            tokio::select! {
                biased;
                outcome = work(&world, &request) => outcome.map(Some),
                () = superseded => Ok(None),
            }
        })
    }

    /// Reports a failure: on one line of standard error, and in full in the log.
    pub(super) fn fail(&self, error: &Error) -> u8 {
        world::give_reason(error, &self.log);
        FAILED
    }
}

/// Whether a person at a terminal runs this.
pub(super) fn by_hand() -> bool {
    std::io::stdin().is_terminal()
}
