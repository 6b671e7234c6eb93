//! Decides whether the address is here, from two sources: `monitor`, probes and `migrate_to`.
//!
//! Instance metadata comes first, because it answers in a millisecond and needs no credentials. EC2 is queried if that answer may
//! be stale, would cause a recovery, or is missing.

use super::kind::{Holder as _, Kind, Me, Op, Owner};
use super::{Report, World};
use crate::base::deadline::Deadline;
use crate::base::retry::{Backoff, Patience};
use crate::cloud::{Ec2Fault, ImdsError};
use crate::params::OnStop;
use crate::resource::error::Error;
use crate::state::{Phase, Records as _};

/// From this check level on, always query EC2. Level 20 is not implemented, so it behaves like the next lower one.
const QUERY_EC2_LEVEL: u32 = 10;

/// What the check is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    /// A recurring monitor below [`QUERY_EC2_LEVEL`]: instance metadata, and EC2 if in doubt.
    Routine,
    /// A monitor at a level that always queries EC2.
    Deep,
    /// A probe. The cluster starts nothing until it has an answer, so there is no time for the sources to agree.
    Probe,
}

/// EC2's answer, for this node.
struct Answer {
    report: Report,
    /// Part of an address that is held in several parts is here; the report notes it.
    partly: bool,
    /// Contradicts a call by this node that EC2 accepted, so it may come from a replica that is behind.
    suspect: bool,
}

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    /// Whether the address is here.
    ///
    /// # Errors
    /// If the holder is unknown: both sources are silent, or EC2 refuses while instance metadata is silent.
    pub(super) async fn monitor(&self, level: u32) -> Result<Report, Error> {
        self.drop_foreign_record(None);
        if let Some(report) = self.left() {
            return Ok(report);
        }
        let check = if level >= QUERY_EC2_LEVEL { Check::Deep } else { Check::Routine };
        let report = self.check(check).await?;
        self.conclude(report).await
    }

    /// Adds the host's part to a monitor's report, and records a loss for the next start.
    async fn conclude(&self, report: Report) -> Result<Report, Error> {
        match report {
            Report::Done if K::METADATA_KNOWS => K::on_host(self).await,
            Report::Done => Ok(report),
            Report::NotHere(_) => {
                self.record_lost();
                Ok(report)
            }
        }
    }

    /// Checks that the address is here, and releases nothing: the target takes it in one call, and the stop that follows on this
    /// node finds it there.
    ///
    /// # Errors
    /// [`Error::NotHeld`] if it is not here; [`Error::Unmigratable`] if the target may not take it from a holder.
    pub(super) async fn migrate_to(&self) -> Result<Report, Error> {
        if !self.common().may_take {
            return Err(Error::Unmigratable { address: self.name(), parameter: K::WORDS.may_take });
        }
        match self.monitor(0).await? {
            Report::Done => {
                self.record_lost();
                Ok(Report::Done)
            }
            Report::NotHere(why) => Err(Error::NotHeld(why)),
        }
    }

    /// Whether the address is here. Runs on every node before anything is started. Unknown counts as not here, with a warning: a
    /// failed probe makes Pacemaker stop the healthy copy on the other node, while the start that follows this result changes
    /// nothing if the address is already in place.
    pub(super) async fn probe(&self, level: u32) -> Report {
        self.drop_foreign_record(None);
        if let Some(report) = self.left() {
            return report;
        }
        let report = match self.try_probe(level).await {
            Ok(report) => report,
            Err(error) => {
                let name = self.name();
                self.log()
                    .warn(format_args!("probe: holder of {name} unknown, reported as not here: {error}"));
                Report::NotHere(error.to_string())
            }
        };
        if let Report::NotHere(why) = &report {
            K::probed_absent(self, why).await;
        }
        report
    }

    async fn try_probe(&self, level: u32) -> Result<Report, Error> {
        if !K::METADATA_KNOWS {
            return self.check(Check::Probe).await;
        }
        if !K::is_known(self) {
            return self.check(Check::Routine).await;
        }
        // Inside the settling window, instance metadata may be stale; outside it, both answers can be trusted.
        let query_ec2 = level >= QUERY_EC2_LEVEL || self.is_settling();
        let report = match self.deadline.bound(K::look(self)).await {
            // The cluster waits for every node's probe before it starts anything, so EC2 gets only a quarter of the budget.
            Ok(Ok(seen)) if query_ec2 => {
                self.with_ec2(seen, Check::Probe, &self.deadline.fraction(4)).await?
            }
            Ok(Ok(seen)) => seen,
            Ok(Err(error)) => self.without_imds(Check::Probe, error).await?,
            Err(_) => return Err(Error::OutOfTime(self.deadline.budget())),
        };
        if report == Report::Done { K::on_host(self).await } else { Ok(report) }
    }

    /// Whether the address is still here, for a caller that checks every few seconds: EC2 is queried only if instance metadata
    /// does not show the address.
    ///
    /// # Errors
    /// When it is not known. Soon after a change instance metadata may lag, so without EC2 it is not known then either.
    pub async fn is_still_here(&self) -> Result<Report, Error> {
        if !K::is_known(self) {
            return self.monitor(0).await;
        }
        let seen = match self.deadline.bound(K::look(self)).await {
            Ok(Ok(Report::Done)) => return Ok(Report::Done),
            Ok(Ok(Report::NotHere(why))) => Some(why),
            Ok(Err(_)) | Err(_) => None,
        };
        match (self.settled_answer(Me::Known, &self.deadline.fraction(2)).await, seen) {
            (Ok(report), _) => self.conclude(report).await,
            (Err(error), Some(why)) if !(error.is_silence() && self.is_settling()) => {
                Ok(Report::NotHere(format!("{why}; {error}")))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Whether this resource was started in this boot and not stopped since.
    fn is_started(&self) -> bool {
        self.last_done().is_some_and(|record| record.phase == Some(Phase::Started))
    }

    /// The report if the last stop left the address in place on purpose: until the next start it counts as not held.
    fn left(&self) -> Option<Report> {
        let left = K::METADATA_KNOWS
            && self.common().on_stop == OnStop::Leave
            && self.last_done().is_some_and(|record| record.phase == Some(Phase::Left));
        let why = || format!("{} was left by on_stop=leave until the next start", self.name());
        left.then(|| Report::NotHere(why()))
    }

    /// One answer from EC2, retried until `until` while there is none.
    async fn answer(&self, me: Me<'_>, until: &Deadline) -> Result<Answer, Error> {
        let owner = self.query_ec2(me, until).await?;
        let report = match &owner {
            Owner::Ours(_) => Report::Done,
            other => Report::NotHere(K::absence(self, other)),
        };
        let partly = matches!(&owner, Owner::Elsewhere(held) if held.is_partly_here());
        Ok(Answer { report, partly, suspect: self.contradicts(&owner) })
    }

    /// EC2's answer, queried again until `patience` as long as it contradicts a call by this node.
    async fn settled_answer(&self, me: Me<'_>, patience: &Deadline) -> Result<Report, Error> {
        let mut backoff = Backoff::new(self.common().timing.max_backoff);
        let mut last = None;
        loop {
            match self.answer(me, &self.deadline).await {
                Ok(Answer { report, suspect: true, .. }) => last = Some(report),
                Ok(answer) => return Ok(answer.report),
                // Silence after a suspect answer adds nothing.
                Err(error) if error.is_silence() && last.is_some() => {}
                Err(error) => return Err(error),
            }
            if !backoff.pause(patience, Patience::Lasting).await
                && let Some(report) = last.take()
            {
                return Ok(report);
            }
        }
    }

    async fn check(&self, check: Check) -> Result<Report, Error> {
        if !K::METADATA_KNOWS
            && let absent @ Report::NotHere(_) = K::on_host(self).await?
        {
            return Ok(absent);
        }
        if !K::is_known(self) {
            // Only EC2 knows the address. Once it has answered, instance metadata can be queried.
            let answer = self.answer(Me::Known, &self.deadline).await;
            return match (answer, self.look(&self.deadline).await) {
                (Ok(_), Ok(seen)) => self.with_ec2(seen, check, &self.deadline).await,
                (Ok(answer), Err(_)) => Ok(answer.report),
                (Err(error), _) => Err(error),
            };
        }
        let query_ec2 = check != Check::Routine || self.is_settling() || K::is_due(self);
        match self.deadline.bound(K::look(self)).await {
            Ok(Ok(Report::Done)) if !query_ec2 => Ok(Report::Done),
            Ok(Ok(seen)) => {
                // If instance metadata shows the address, there is nothing to gain from waiting long for EC2.
                let quarter = self.deadline.within(self.deadline.budget() / 4);
                let patience = if seen == Report::Done { quarter } else { self.deadline };
                self.with_ec2(seen, check, &patience).await
            }
            Ok(Err(error)) => self.without_imds(check, error).await,
            Err(_) => Err(Error::OutOfTime(self.deadline.budget())),
        }
    }

    /// Queries instance metadata, retrying until `until` while it is silent.
    pub(super) async fn look(&self, until: &Deadline) -> Result<Report, ImdsError> {
        self.query(until, async || K::look(self).await).await
    }

    /// Decides when instance metadata has answered and EC2 is queried too, until `patience` ends.
    async fn with_ec2(&self, mut seen: Report, check: Check, patience: &Deadline) -> Result<Report, Error> {
        let half = self.deadline.fraction(if check == Check::Probe { 4 } else { 2 });
        let mut backoff = Backoff::new(self.common().timing.max_backoff);
        let mut until = *patience;
        // The last answer that is not trusted yet.
        let mut doubted: Option<Report> = None;
        // Whether this action has counted that the two contradict each other.
        let mut counted = false;
        // When EC2 last answered. A query cut off by our own deadline is no silence.
        let mut last_answer = half.elapsed();
        loop {
            let mut answered = true;
            let answer = self.answer(Me::Known, &until).await;
            if let Ok(Answer { report, suspect: false, .. }) = &answer
                && K::METADATA_KNOWS
                && (seen == Report::Done) != (*report == Report::Done)
                && !std::mem::replace(&mut counted, true)
            {
                self.records().update_tally(|tally| tally.disagreements += 1);
            }
            match answer {
                Ok(Answer { report, suspect: true, .. }) => doubted = Some(report),
                Ok(Answer { partly: true, .. }) if check == Check::Probe => return Ok(Report::Done),
                // One of the sources is stale. They get time to agree; after that EC2 wins.
                Ok(Answer { report: absent @ Report::NotHere(_), .. })
                    if seen == Report::Done && K::METADATA_KNOWS =>
                {
                    doubted = Some(absent);
                    if check == Check::Probe {
                        break;
                    }
                }
                Ok(answer) => return Ok(self.by_ec2(answer.report, check)),
                Err(error) if seen == Report::Done && is_denial(&error) => {
                    doubted = Some(Report::NotHere(error.to_string()));
                    if check == Check::Probe {
                        break;
                    }
                }
                Err(error) if doubted.is_none() || !error.is_silence() => {
                    return self.without_ec2(&seen, check, error).await;
                }
                Err(_) => answered = false,
            }
            if answered {
                last_answer = half.elapsed();
            }
            until = half;
            if !backoff.pause(&half, Patience::Lasting).await {
                // If a replica of EC2 that is behind answers and then EC2 falls silent, an address that instance metadata shows
                // must not be stopped.
                let fell_silent = last_answer < half.budget() / 2;
                if let (true, Report::Done, Some(Report::NotHere(why))) = (fell_silent, &seen, &doubted) {
                    let text = format_args!("is {}; EC2 denied it, then fell silent", K::WORDS.witness);
                    self.log().warn(format_args!("{} {text}: {why}", self.name()));
                    return Ok(Report::Done);
                }
                break;
            }
            if let Ok(again) = self.look(&half).await {
                seen = again;
            }
        }
        Ok(self.by_ec2(doubted.unwrap_or(Report::Done), check))
    }

    /// A report decided by EC2. A probe's "not here" is recorded, so that the next start does not assume that the address is here.
    fn by_ec2(&self, report: Report, check: Check) -> Report {
        if check == Check::Probe && matches!(report, Report::NotHere(_)) {
            self.doubt(|record| &mut record.denied);
        }
        report
    }

    /// Decides when EC2 gave no usable answer but instance metadata did.
    async fn without_ec2(&self, seen: &Report, check: Check, error: Error) -> Result<Report, Error> {
        if *seen == Report::Done {
            let name = self.name();
            let text = format!("{name} is {}; EC2 could not confirm it: {error}", K::WORDS.witness);
            // The host does not know where EC2 routes the traffic: trust its device only for what was started here.
            if check == Check::Probe && !K::METADATA_KNOWS && !self.is_started() {
                return Ok(Report::NotHere(text));
            }
            if check == Check::Routine {
                self.log().info(&text);
            } else {
                self.log().warn(&text);
            }
            return Ok(Report::Done);
        }
        // A refusal comes at once. Right after a change, wait for instance metadata as long as silence would have taken.
        if !error.is_silence() && check != Check::Probe && self.is_settling() {
            let until = self.deadline.fraction(2);
            let mut backoff = Backoff::new(self.common().timing.max_backoff);
            while backoff.pause(&until, Patience::Lasting).await {
                if matches!(K::look(self).await, Ok(Report::Done)) {
                    return Ok(Report::Done);
                }
            }
        }
        // The first answer may have gone stale while EC2 did not respond.
        match self.last_query().await.as_ref().unwrap_or(seen) {
            Report::Done => Ok(Report::Done),
            Report::NotHere(why) => Ok(Report::NotHere(format!("{why}; {error}"))),
        }
    }

    /// Decides when instance metadata gave no answer: by EC2 if it can identify this node, or by whichever answers first.
    async fn without_imds(&self, check: Check, first: ImdsError) -> Result<Report, Error> {
        if !K::knows_itself(self) {
            let seen = self.look(&self.deadline).await.map_err(|_| first)?;
            return self.after_silence(seen, check).await;
        }
        let half = self.deadline.fraction(if check == Check::Probe { 4 } else { 2 });
        let mut by_ec2 = Box::pin(self.settled_answer(Me::Recorded, &half));
        let mut by_imds = Box::pin(self.look(&self.deadline));
        let first = tokio::select! {
            // If both answer at once, EC2 wins.
            biased;
            answer = &mut by_ec2 => Err(answer),
            answer = &mut by_imds => Ok(answer),
        };
        match first {
            Err(Ok(report)) => Ok(report),
            Err(Err(ec2)) => match by_imds.await {
                Ok(seen) => self.without_ec2(&seen, check, ec2).await,
                Err(imds) => Err(both_silent(ec2, imds)),
            },
            Ok(Ok(seen)) => {
                // It may be loading the credentials, for which every later call would wait as long as it exists and is not polled.
                drop(by_ec2);
                self.after_silence(seen, check).await
            }
            Ok(Err(imds)) => by_ec2.await.map_err(|ec2| both_silent(ec2, imds)),
        }
    }

    /// Decides when instance metadata answers after a silence.
    async fn after_silence(&self, seen: Report, check: Check) -> Result<Report, Error> {
        let suffices = match check {
            Check::Routine => seen == Report::Done,
            Check::Deep => false,
            Check::Probe => true,
        };
        if suffices && !self.is_settling() {
            return Ok(seen);
        }
        self.with_ec2(seen, check, &self.deadline).await
    }
}

/// Whether EC2's answer rules out that the address is here.
fn is_denial(error: &Error) -> bool {
    error.is_ec2(Ec2Fault::Unknown)
        || matches!(error, Error::Mismatch { .. } | Error::NoInterface(_) | Error::NoDevice(_))
}

/// Both sources failed, so the holder is unknown.
fn both_silent(ec2: Error, imds: ImdsError) -> Error {
    match ec2 {
        Error::Ec2(ec2) if ec2.is_silence() => Error::BothSilent { ec2, imds },
        other => other,
    }
}
