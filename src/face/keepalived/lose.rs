//! BACKUP, FAULT and STOP: another node should hold the address.
//!
//! By default the address stays until a peer takes it, so it is never unassociated; the article's script does the
//! same, and if no peer can take it, the service keeps running. Once the address has moved, the one displaced here is
//! restored.

use super::arguments::{Job, NotificationSource, VrrpState};
use super::background;
use super::master::{prefix, print_line};
use super::settings::Losing;
use super::work::{FAILED, LockOutcome, Work, by_hand};
use crate::params::OnStop;
use crate::resource::elastic::Elastic;
use crate::resource::error::Error;
use crate::resource::{self, Action, Report, op};

/// Starts giving up the address, in a process that outlives this one: when keepalived exits, it kills scripts that
/// take longer than a second.
pub(super) fn serve(mut work: Work, state: VrrpState, source: &NotificationSource) -> u8 {
    for warning in work.environment.warnings().iter().chain(&work.settings.warnings) {
        work.log.warn(warning);
    }
    if !work.announce(state.name()) {
        work.log.info(format_args!(
            "{}{}: already superseded by a later state",
            prefix(source),
            state.name()
        ));
        return 0;
    }
    let code = if by_hand() {
        here(&work, state, source)
    } else {
        background::wait(&work, Job::Lose(state)).unwrap_or_else(|| here(&work, state, source))
    };
    if code == 0 && *source == NotificationSource::Action && state == VrrpState::Stop {
        print_line("stopped");
    }
    code
}

/// Releases the address or hands it over, in this process.
pub(super) fn here(work: &Work, state: VrrpState, source: &NotificationSource) -> u8 {
    let limit = work.settings.deadline;
    let transition = format!("{}{}", prefix(source), state.name());
    let _lock = match work.enter(limit) {
        LockOutcome::Acquired(lock) => lock,
        LockOutcome::Superseded => return superseded(work, &transition),
        LockOutcome::TimedOut => return work.fail(&Error::OutOfTime(limit)),
    };
    let address = work.settings.address();
    let left = limit.saturating_sub(work.started.elapsed());
    let outcome = match work.settings.losing(state) {
        Losing::Leave => work.run(Action::Stop, left, async |world, request| {
            op::<Elastic, _>(world, request).hand_over().await
        }),
        Losing::Release => work.run(Action::Stop, left, async |world, request| {
            let mut request = request.clone();
            if request.params.on_stop == OnStop::Leave {
                request.params.on_stop = OnStop::Release;
            }
            resource::run::<Elastic, _>(world, &request).await
        }),
    };
    let released = work.settings.losing(state) == Losing::Release;
    match outcome {
        Ok(None) => return superseded(work, &transition),
        Ok(Some(Report::NotHere(reason))) => work.log.info(format_args!("{transition}: {reason}")),
        Ok(Some(Report::Done)) if released => {
            work.log.info(format_args!("{transition}: {address} is not here"));
        }
        Ok(Some(Report::Done)) => {
            work.log.info(format_args!("{transition}: {address} stays here until another node takes it"));
        }
        // Nothing failed on this node.
        Err(error @ Error::Left { .. }) => {
            work.log.warn(format_args!("{transition}: {error}"));
            work.end(true);
            return FAILED;
        }
        Err(error) => {
            work.end(false);
            return work.fail(&error);
        }
    }
    work.end(true);
    0
}

fn superseded(work: &Work, transition: &str) -> u8 {
    work.log.info(format_args!("{transition}: superseded by a later state meanwhile"));
    FAILED
}
