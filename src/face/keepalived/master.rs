//! MASTER: takes the address, then verifies for a while that it stays.
//!
//! Verification catches a call of another node that was sent earlier and takes effect in EC2 later. This process stays
//! a child of keepalived, and verification ends if keepalived itself is killed: a node without keepalived must not
//! take the address.

use std::io::Write as _;
use std::os::unix::process::parent_id;
use std::time::{Duration, Instant};

use super::arguments::{Job, NotificationSource};
use super::background;
use super::work::{FAILED, LockOutcome, Work, by_hand};
use crate::cloud::Imds as _;
use crate::resource::elastic::Elastic;
use crate::resource::error::Error;
use crate::resource::{self, Action, Report, Request, World as _, op};

/// When to verify, in tenths of the configured time.
const VERIFY_AT: [u32; 4] = [1, 3, 6, 10];
/// Number of verifications if keepalived will not report the next state. By the later ones another node may be master
/// and hold the address legitimately: that takes three advertisements, one second apart by default.
const VERIFICATIONS_WITHOUT_NOTIFY: usize = 2;
/// Time limit of one verification.
const QUERY_LIMIT: Duration = Duration::from_secs(10);
/// How often the address is taken again. Without a limit, two nodes that both believe to be master would take it from
/// each other forever.
const CLAIMS: u32 = 2;
/// Number of parts into which the time for a takeover is split.
const SLICES: u32 = 3;
/// How often to check for a later notification, and for keepalived itself, between verifications.
const PAUSE: Duration = Duration::from_millis(50);
/// Time limit for querying this instance's id, if `INST_ID` is set.
const INSTANCE_ID_LIMIT: Duration = Duration::from_millis(500);

/// Takes the address and verifies it; returns the exit code.
pub(super) fn serve(mut work: Work, source: &NotificationSource) -> u8 {
    let keepalived = parent_id();
    for warning in work.environment.warnings().iter().chain(&work.settings.warnings) {
        work.log.warn(warning);
    }
    if !work.announce("MASTER") {
        work.log.info(format_args!("{}MASTER: already superseded by a later state", prefix(source)));
        return 0;
    }
    let limit = work.settings.deadline;
    let lock = match work.enter(limit) {
        LockOutcome::Acquired(lock) => lock,
        LockOutcome::Superseded => return superseded(&work, source),
        LockOutcome::TimedOut => return work.fail(&Error::OutOfTime(limit)),
    };
    let address = work.settings.address().to_owned();
    let outcome = claim_until(&work, limit);
    let displaced = match outcome {
        Ok(Some(displaced)) => displaced,
        Ok(None) => return superseded(&work, source),
        Err(error) => {
            work.end(false);
            return work.fail(&error);
        }
    };
    work.end(true);
    let took = work.started.elapsed().as_millis();
    work.log.info(format_args!("{}MASTER: {address} is here; {took} ms", prefix(source)));
    if *source == NotificationSource::Action {
        print_line("started");
    }
    if !by_hand() {
        let verifications = if *source == NotificationSource::Action {
            VERIFICATIONS_WITHOUT_NOTIFY
        } else {
            VERIFY_AT.len()
        };
        verify(&work, keepalived, verifications);
    }
    drop(lock);
    // keepalived reports the next state through `notify`, but a script set as `notify_master` only ever hears of
    // MASTER. Without a recorded generation, a later notification could not stop the job.
    if *source == NotificationSource::Action
        && displaced
        && work.recorded_generation().is_some()
        && !work.is_superseded()
    {
        background::leave(&work, Job::Follow);
    }
    0
}

/// Takes the address within `limit` from the start of this process.
///
/// If EC2 keeps showing another holder after it has accepted our call, that node's call took effect after ours,
/// although it may have been sent before. The address is then taken again.
fn claim_until(work: &Work, limit: Duration) -> Result<Option<bool>, Error> {
    let slice = limit / SLICES;
    loop {
        let left = limit.saturating_sub(work.started.elapsed());
        match claim(work, if left < slice * 2 { left } else { slice }) {
            Err(error) if left >= slice * 2 && is_worth_another(&error) => work.log.warn(error),
            outcome => return outcome,
        }
    }
}

/// True if the attempt ran out of time without being refused.
fn is_worth_another(error: &Error) -> bool {
    match error {
        Error::Ec2(error) => error.is_silence(),
        Error::Unconfirmed { .. } | Error::OutOfTime(_) | Error::Imds(_) | Error::BothSilent { .. } => true,
        _ => false,
    }
}

/// Takes the address; true if it displaced another one, `None` if a later notification arrived.
fn claim(work: &Work, limit: Duration) -> Result<Option<bool>, Error> {
    let wanted = work.settings.instance.clone();
    work.run(Action::Start, limit, async |world, request: &Request| {
        if let Some(wanted) = &wanted
            && let Ok(Ok(found)) = tokio::time::timeout(INSTANCE_ID_LIMIT, world.imds().instance_id()).await
            && found != *wanted
        {
            work.log
                .warn(format_args!("INST_ID is {wanted}, but this is {found}: is it another node's file?"));
        }
        resource::run::<Elastic, _>(world, request).await?;
        Ok(op::<Elastic, _>(world, request).has_displaced())
    })
}

/// Checks for a while that the address stays here, and takes it again if not.
fn verify(work: &Work, keepalived: u32, verifications: usize) {
    let (began, mut claims) = (Instant::now(), 0);
    for tenths in VERIFY_AT.into_iter().take(verifications) {
        let until = began + work.settings.verify * tenths / 10;
        while Instant::now() < until {
            if work.is_superseded() || parent_id() != keepalived {
                return;
            }
            std::thread::sleep(PAUSE.min(until.saturating_duration_since(Instant::now())));
        }
        if work.settings.verify.is_zero() {
            return;
        }
        let outcome = work.run(Action::Monitor { level: 10 }, QUERY_LIMIT, async |world, request| {
            resource::run::<Elastic, _>(world, request).await
        });
        match outcome {
            Ok(None) => return,
            Ok(Some(Report::NotHere(reason))) if claims < CLAIMS => {
                claims += 1;
                work.log.warn(format_args!("{reason} though this is MASTER: taking it again"));
                if let Err(error) = claim(work, work.settings.deadline / SLICES) {
                    work.fail(&error);
                }
            }
            Ok(Some(Report::NotHere(reason))) => {
                work.log.error(format_args!("{reason} though this is MASTER: not taken a third time"));
                return;
            }
            // An unknown holder is no reason to act.
            Ok(Some(Report::Done)) | Err(_) => {}
        }
    }
}

fn superseded(work: &Work, source: &NotificationSource) -> u8 {
    work.log.info(format_args!("{}MASTER: superseded by a later state meanwhile", prefix(source)));
    FAILED
}

/// Prefix of the log line about a transition.
pub(super) fn prefix(source: &NotificationSource) -> String {
    match source {
        NotificationSource::Notify(name) => format!("{name} is "),
        NotificationSource::Action => String::new(),
    }
}

/// Prints a word of the article's script; a closed reader is not an error.
pub(super) fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
