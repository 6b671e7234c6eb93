//! MASTER: taking the address, and looking for a while whether it stays taken.
//!
//! The look is for an order that another node gave before and that EC2 carries out only afterwards. This process goes on as a
//! child of keepalived, which ends it when keepalived itself is killed: a node whose keepalived is dead takes nothing.

use std::io::Write as _;
use std::os::unix::process::parent_id;
use std::time::{Duration, Instant};

use super::arguments::{Job, Teller};
use super::background;
use super::work::{Entry, FAILED, Work, by_hand};
use crate::cloud::Imds as _;
use crate::resource::elastic::{self, Elastic};
use crate::resource::error::Error;
use crate::resource::{self, Action, Report, Request, World as _};

/// When a claim is looked at again, in tenths of the time that is set for it.
const LOOKS: [u32; 4] = [1, 3, 6, 10];
/// How many of these looks there are where nobody will tell of the loss. By the later ones the other node may be master, and have
/// taken the address rightly: that takes it three advertisements, of a second each unless set otherwise.
const LOOKS_UNTOLD: usize = 2;
/// The time for one such look.
const LOOK_LIMIT: Duration = Duration::from_secs(10);
/// How often a claim is made anew. Two nodes that both believe to be master would else take it from each other for ever.
const CLAIMS: u32 = 2;
/// Into how many parts the time for a claim is split.
const SLICES: u32 = 3;
/// How often the word and keepalived are looked for between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// Limit for the question which instance this is, where `INST_ID` is set.
const WHO_LIMIT: Duration = Duration::from_millis(500);

/// Takes the address.
pub(super) fn serve(mut work: Work, teller: &Teller) -> u8 {
    let keepalived = parent_id();
    for warning in work.environment.warnings().iter().chain(&work.settings.warnings) {
        work.log.warn(warning);
    }
    if !work.announce("MASTER") {
        work.log.info(format_args!("{}MASTER: a later state has come already", subject(teller)));
        return 0;
    }
    let limit = work.settings.deadline;
    let lock = match work.enter(limit) {
        Entry::Ours(lock) => lock,
        Entry::Overtaken => return overtaken(&work, teller),
        Entry::Late => return work.fail(&Error::OutOfTime(limit)),
    };
    let address = work.settings.address().to_owned();
    let outcome = claim_until(&work, limit);
    let displaced = match outcome {
        Ok(Some(displaced)) => displaced,
        Ok(None) => return overtaken(&work, teller),
        Err(error) => {
            work.end(false);
            return work.fail(&error);
        }
    };
    work.end(true);
    let took = work.started.elapsed().as_millis();
    work.log.info(format_args!("{}MASTER: {address} is here; {took} ms", subject(teller)));
    if *teller == Teller::Word {
        say("started");
    }
    if !by_hand() {
        let looks = if *teller == Teller::Word { LOOKS_UNTOLD } else { LOOKS.len() };
        verify(&work, keepalived, looks);
    }
    drop(lock);
    // keepalived tells of the next state by `notify`, but not to one that only ever asked for this one.
    // Where the word is not written down a later one could not end it.
    if *teller == Teller::Word && displaced && work.word().is_some() && !work.is_over() {
        background::leave(&work, Job::Follow);
    }
    0
}

/// Takes the address within `limit` from the start of this process.
///
/// Where EC2 goes on showing another holder after it took the order, that node's order came after ours, though it may have
/// been given before: then it is taken once more.
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

/// Returns whether the time ran out on a claim, and it was not refused.
fn is_worth_another(error: &Error) -> bool {
    match error {
        Error::Ec2(error) => error.is_silence(),
        Error::Unconfirmed { .. } | Error::OutOfTime(_) | Error::Imds(_) | Error::BothSilent { .. } => true,
        _ => false,
    }
}

/// Takes the address and returns whether another one had to make way; nothing where a later word came.
fn claim(work: &Work, limit: Duration) -> Result<Option<bool>, Error> {
    let wanted = work.settings.instance.clone();
    work.run(Action::Start, limit, async |world, request: &Request| {
        if let Some(wanted) = &wanted
            && let Ok(Ok(found)) = tokio::time::timeout(WHO_LIMIT, world.imds().instance_id()).await
            && found != *wanted
        {
            work.log
                .warn(format_args!("INST_ID is {wanted}, but this is {found}: is it another node's file?"));
        }
        resource::run::<Elastic, _>(world, request).await?;
        Ok(elastic::has_displaced(world, request))
    })
}

/// Looks for a while whether the address stays, and takes it again where it does not.
fn verify(work: &Work, keepalived: u32, looks: usize) {
    let (began, mut claims) = (Instant::now(), 0);
    for tenths in LOOKS.into_iter().take(looks) {
        let until = began + work.settings.verify * tenths / 10;
        while Instant::now() < until {
            if work.is_over() || parent_id() != keepalived {
                return;
            }
            std::thread::sleep(PAUSE.min(until.saturating_duration_since(Instant::now())));
        }
        if work.settings.verify.is_zero() {
            return;
        }
        let look = work.run(Action::Monitor { level: 10 }, LOOK_LIMIT, async |world, request| {
            resource::run::<Elastic, _>(world, request).await
        });
        match look {
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
            // What is not known is no reason to act.
            Ok(Some(Report::Done)) | Err(_) => {}
        }
    }
}

fn overtaken(work: &Work, teller: &Teller) -> u8 {
    work.log.info(format_args!("{}MASTER: a later state has come meanwhile", subject(teller)));
    FAILED
}

/// Returns the beginning of the one line of a transition.
pub(super) fn subject(teller: &Teller) -> String {
    match teller {
        Teller::Notify(name) => format!("{name} is "),
        Teller::Word => String::new(),
    }
}

/// Prints a word of the article's script, and does without where nobody reads.
pub(super) fn say(word: &str) {
    let _ = writeln!(std::io::stdout(), "{word}");
}
