//! The work of one call, which a later notification may supersede at any time.

use std::fs::File;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use super::arguments::CommandLine;
use super::settings::KeepalivedSettings;
use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::face::watchdog::{FallbackCode, Watchdog};
use crate::ocf::environment::Environment;
use crate::params::Params;
use crate::resource::error::Error;
use crate::resource::{Action, Request};
use crate::state::generations::{Generation, Generations, POLL_INTERVAL};
use crate::world::{self, GuardedWorld};

/// Exit code if the work failed.
pub(super) const FAILED: u8 = 1;
/// Exit code if the call or the settings are invalid.
pub(super) const UNUSABLE: u8 = 2;

/// One call with everything it needs.
pub(super) struct Work {
    pub line: CommandLine,
    pub settings: KeepalivedSettings,
    pub environment: Environment,
    pub log: Log,
    pub params: Params,
    pub generations: Generations,
    pub generation: Generation,
    pub started: Instant,
    /// Whether the state folder is usable. If not, a later notification cannot supersede this call.
    ordered: bool,
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
    pub(super) fn new(
        line: CommandLine,
        settings: KeepalivedSettings,
        environment: Environment,
        log: Log,
        started: Instant,
    ) -> Result<Self, Error> {
        let params = Params::parse(&environment.reskeys())?;
        let (generations, generation) = (world::generations(&environment), Generation::own());
        Ok(Self {
            line,
            settings,
            environment,
            log,
            params,
            generations,
            generation,
            started,
            ordered: true,
            fallback: FAILED.into(),
        })
    }

    /// Records this call's request; returns false if a later one is already recorded.
    pub(super) fn announce(&mut self, requested: &str) -> bool {
        match self.generations.begin(self.generation, requested) {
            Ok(first) => first,
            Err(error) => {
                self.ordered = false;
                self.log.warn(format_args!(
                    "cannot use the state directory, so overlapping scripts are not serialised: {error}; \
                     use script_user root, or set STATE_DIR"
                ));
                true
            }
        }
    }

    /// Adopts the generation of the process that started this one; `None` if that process could not record it.
    pub(super) fn adopt(&mut self, generation: Option<Generation>) {
        self.ordered = generation.is_some();
        self.generation = generation.unwrap_or(self.generation);
    }

    /// The generation of this call, if it is recorded.
    pub(super) fn recorded_generation(&self) -> Option<Generation> {
        self.ordered.then_some(self.generation)
    }

    /// Waits for the previous process to finish.
    pub(super) fn enter(&self, limit: Duration) -> LockOutcome {
        if !self.ordered {
            return LockOutcome::Acquired(None);
        }
        match self.generations.lock(self.generation, Instant::now() + limit) {
            Ok(Some(lock)) => LockOutcome::Acquired(Some(lock)),
            Ok(None) if self.is_superseded() => LockOutcome::Superseded,
            Ok(None) => LockOutcome::TimedOut,
            Err(error) => {
                self.log.warn(format_args!("not serialised with other scripts: {error}"));
                LockOutcome::Acquired(None)
            }
        }
    }

    /// True once a later notification has arrived.
    pub(super) fn is_superseded(&self) -> bool {
        self.ordered && self.generations.is_superseded(self.generation)
    }

    /// Records the outcome.
    pub(super) fn end(&self, done: bool) {
        if self.ordered
            && let Err(error) = self.generations.end(self.generation, done)
        {
            self.log.warn(format_args!("outcome not recorded: {error}"));
        }
    }

    /// Runs work with the real services within `limit` from now. A later notification cancels it, which yields `None`;
    /// a mutating call in flight is completed first.
    pub(super) fn run<T>(
        &self,
        action: Action,
        limit: Duration,
        work: impl AsyncFnOnce(&GuardedWorld<&dyn Fn() -> bool>, &Request) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let deadline = Deadline::new(tokio::time::Instant::now(), limit);
        let guard = Watchdog::start(&deadline, self.fallback.clone(), &self.log);
        let outcome = self.guarded(action, deadline, work);
        guard.end();
        outcome
    }

    /// Starts a watchdog that ends the process, whatever blocks it, once `limit` has passed since it started.
    pub(super) fn watch(&self, limit: Duration) -> Watchdog {
        Watchdog::start(&self.since_start(limit), self.fallback.clone(), &self.log)
    }

    fn since_start(&self, limit: Duration) -> Deadline {
        Deadline::new(tokio::time::Instant::from_std(self.started), limit)
    }

    /// Runs a query within `limit` from the start of this process. It changes nothing, so a later notification does
    /// not cancel it.
    pub(super) fn query<T>(
        &self,
        action: Action,
        limit: Duration,
        work: impl AsyncFnOnce(&world::RealWorld, &Request) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let deadline = self.since_start(limit);
        let (api, timing) = (&self.params.api, &self.params.timing);
        let (world, _) = world::build(api, timing, deadline, &self.environment, &self.log)?;
        let request = Request { action, params: self.params.clone(), deadline, nodes: Vec::new() };
        world::run(deadline, work(&world, &request))
    }

    fn guarded<T>(
        &self,
        action: Action,
        deadline: Deadline,
        work: impl AsyncFnOnce(&GuardedWorld<&dyn Fn() -> bool>, &Request) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let (api, timing) = (&self.params.api, &self.params.timing);
        let (real, warnings) = world::build(api, timing, deadline, &self.environment, &self.log)?;
        if action == Action::Start {
            for warning in &warnings {
                self.log.warn(warning);
            }
        }
        let over = || self.is_superseded();
        let world = world::guarded(real, &over as &dyn Fn() -> bool);
        let under_way = world.ec2.order_under_way();
        let request = Request { action, params: self.params.clone(), deadline, nodes: Vec::new() };
        world::run(deadline, async {
            let superseded = async {
                loop {
                    tokio::time::sleep(POLL_INTERVAL).await;
                    if !under_way.get() && over() {
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
