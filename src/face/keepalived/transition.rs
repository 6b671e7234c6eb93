//! What a change of state means: MASTER takes the address, then verifies for a while that it stays; in any other state another
//! node should hold it.
//!
//! Verification catches a call of another node that was sent earlier and takes effect in EC2 later. This process stays
//! a child of keepalived, and verification ends if keepalived itself is killed: a node without keepalived must not
//! take the address.
//!
//! By default the address stays until a peer takes it, so it is never unassociated; the article's script does the
//! same, and if no peer can take it, the service keeps running. Once the address has moved, the one displaced here is
//! restored.

use std::os::unix::process::{CommandExt as _, parent_id};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::NAME;
use super::arguments::{Job, NotificationSource, VrrpState};
use super::work::{FAILED, Work, by_hand};
use crate::cloud::Imds as _;
use crate::face::call::print;
use crate::params::OnStop;
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
pub(super) fn master(mut work: Work, source: &NotificationSource) -> u8 {
    let keepalived = parent_id();
    let transition = source.transition(VrrpState::Master);
    if !work.announce(&transition, VrrpState::Master) {
        return 0;
    }
    let (lock, displaced) = match work.in_turn(&transition, || claim_until(&work, work.settings.deadline)) {
        Ok(done) => done,
        Err(code) => return code,
    };
    let (address, took) = (work.settings.address(), work.started.elapsed().as_millis());
    work.log.info(format_args!("{transition}: {address} is here; {took} ms"));
    let by_action = *source == NotificationSource::Action;
    if by_action {
        print("started\n");
    }
    if !by_hand() {
        let verifications = if by_action { VERIFICATIONS_WITHOUT_NOTIFY } else { VERIFY_AT.len() };
        verify(&work, keepalived, verifications);
    }
    drop(lock);
    // keepalived reports the next state through `notify`, but a script set as `notify_master` only ever hears of
    // MASTER. Without a recorded generation, a later notification could not stop the job.
    if by_action && displaced && work.generation.is_some() && !work.is_superseded() {
        // It shares no open files with this process, which does not wait for it.
        let started = background(&work, Job::Follow).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        if let Err(error) = started {
            work.log.warn(format_args!("displaced address not restored before the next state: {error}"));
        }
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
    work.run(Action::Start, limit, async |world, request: &Request| {
        if let Some(wanted) = &work.settings.instance
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

/// Starts giving up the address, in a process that outlives this one: when keepalived exits, it kills scripts that
/// take longer than a second.
pub(super) fn lose(mut work: Work, state: VrrpState, source: &NotificationSource) -> u8 {
    if !work.announce(&source.transition(state), state) {
        return 0;
    }
    let outcome = if by_hand() { None } else { Some(background(&work, Job::Lose(state)).status()) };
    let code = match outcome {
        None => lose_here(&work, state, source),
        Some(Ok(status)) => status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED),
        Some(Err(error)) => {
            work.log.warn(format_args!("cannot start a separate process: {error}"));
            lose_here(&work, state, source)
        }
    };
    if code == 0 && *source == NotificationSource::Action && state == VrrpState::Stop {
        print("stopped\n");
    }
    code
}

/// Releases the address or hands it over, in this process.
pub(super) fn lose_here(work: &Work, state: VrrpState, source: &NotificationSource) -> u8 {
    let transition = source.transition(state);
    let releases = work.settings.released_in.contains(&state);
    let done = work.in_turn(&transition, || {
        let left = work.settings.deadline.saturating_sub(work.started.elapsed());
        work.run(Action::Stop, left, async |world, request| {
            if !releases {
                return op::<Elastic, _>(world, request).hand_over().await;
            }
            let mut request = request.clone();
            if request.params.on_stop == OnStop::Leave {
                request.params.on_stop = OnStop::Release;
            }
            resource::run::<Elastic, _>(world, &request).await
        })
    });
    let address = work.settings.address();
    match done {
        Ok((_, Report::NotHere(reason))) => work.log.info(format_args!("{transition}: {reason}")),
        Ok((_, Report::Done)) if releases => {
            work.log.info(format_args!("{transition}: {address} is not here"));
        }
        Ok((_, Report::Done)) => {
            work.log.info(format_args!("{transition}: {address} stays here until another node takes it"));
        }
        Err(code) => return code,
    }
    0
}

/// A job in a process of its own, which continues even if this one is killed.
fn background(work: &Work, job: Job) -> Command {
    // This path still works after an update has replaced the file.
    let mut command = Command::new("/proc/self/exe");
    command.arg0(NAME);
    command.args(work.parameters.iter().map(|(name, value)| format!("{name}={value}")));
    command.arg(job.argument(work.generation)).stdin(Stdio::null()).current_dir("/");
    // keepalived kills whole process groups.
    command.process_group(0);
    command
}
