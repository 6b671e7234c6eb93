//! Makes this node the holder. If the address is here already, nothing is written; otherwise it is taken. What is recorded on the
//! way makes it safe to kill the process between any two steps.

use std::cell::{Cell, OnceCell, RefCell};
use std::cmp::Reverse;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::kind::{Holder as _, Kind, Location, Me, Op, Owner};
use super::{Action, Report, World};
use crate::base::retry::{Backoff, Patience, Retryable as _, Series};
use crate::cloud::{Ec2Error, Ec2Fault};
use crate::resource::error::{Error, exit_code};
use crate::state::{Change, Phase, PhaseTime, Records as _, Volatile};

/// How long a start waits for instance metadata to show what EC2 shows. It can be minutes behind, and the resources that start
/// after this one would wait for nothing.
const METADATA_PATIENCE: Duration = Duration::from_secs(5);
/// Pause before checking whether another call for the same place has taken effect late.
const LATE_CALL: Duration = Duration::from_secs(1);

struct Takeover<'t, K: Kind<W>, W: World> {
    location: &'t Location,
    prepared: &'t K::Prepared,
    ticket: K::Ticket,
    /// Holder before the taking call, once EC2 has shown it.
    before: OnceCell<Owner<K::Held>>,
    /// Why no call can succeed, according to the concurrent query.
    fatal: RefCell<Option<Error>>,
    /// Whether EC2 has accepted a call.
    accepted: Cell<bool>,
    /// Whether a call whose response was lost may have taken effect.
    unanswered: Cell<bool>,
    /// The node that has taken the address meanwhile, once EC2 has shown it in answer to one of the calls.
    taken_by: OnceCell<String>,
    baseline: Baseline<K::Held>,
}

/// State before the taking call.
struct Baseline<H> {
    /// Whether instance metadata that shows the address after the call proves that the call took effect.
    metadata_counts: bool,
    /// Last answer of EC2 before the call; `None` if it was not queried or was silent.
    shown: Option<Owner<H>>,
}

/// Outcome of a taking call.
enum Taken<H> {
    /// EC2 accepted it; the holder, if the response names it.
    Accepted(Option<H>),
    /// The response was lost, but EC2 shows the address here.
    Shown(H),
}

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    /// Makes this node the holder, and returns once EC2 shows it.
    ///
    /// # Errors
    /// If it cannot or may not be taken, or EC2 never shows it here.
    pub(super) async fn start(&self, action: &'static str) -> Result<Report, Error> {
        self.drop_foreign_record(None);
        let location = self.locate(true).await?;
        self.drop_foreign_record(location.instance.as_ref());
        self.take_over_claims();
        let prepared = K::prepare(self, &location).await?;
        let _lock = self.lock(K::place(self, &location), &self.deadline).await?;
        let mut baseline = Baseline { metadata_counts: self.metadata_counts(&location), shown: None };
        if self.may_be_here(&location) {
            match self.adopt(&location, &prepared).await? {
                Ok(report) => return Ok(report),
                Err(shown) => baseline.shown = shown,
            }
            // EC2 has contradicted instance metadata, so the same state later proves nothing.
            baseline.metadata_counts &= location.shown != Some(true);
        }
        if let Some(ticket) = K::ticket(self) {
            // A takeover takes one round trip: the query for the holder runs concurrently with the call.
            return self.take(action, &location, &prepared, ticket, None, baseline).await;
        }
        match K::learn(self, &location).await {
            Ok((ticket, owner)) => {
                self.take(action, &location, &prepared, ticket, Some(owner), baseline).await
            }
            Err(error) if error.is_silence() && self.is_still_shown(&location).await => {
                self.started_by_metadata(&location, &prepared, &error).await
            }
            Err(error) => Err(error),
        }
    }

    /// Whether, by the record of this boot, the address may be here already. [stale-5]
    fn may_be_here(&self, location: &Location) -> bool {
        let started =
            |record: Volatile| record.phase == Some(Phase::Started) && !record.lost && !record.denied;
        let is_likely = !K::METADATA_KNOWS || location.shown.unwrap_or_else(|| self.is_settling());
        self.last_done().is_some_and(started) && is_likely
    }

    /// Whether instance metadata that shows the address after the taking call proves that the call took effect.
    fn metadata_counts(&self, location: &Location) -> bool {
        let released =
            self.last_done().is_some_and(|r| matches!(r.phase, Some(Phase::Stopped | Phase::Stopping)));
        location.shown == Some(false) || !(released && self.is_settling())
    }

    /// Finishes a start that finds the address here; otherwise returns the holder, as far as EC2 has shown it.
    async fn adopt(
        &self,
        location: &Location,
        prepared: &K::Prepared,
    ) -> Result<Result<Report, Option<Owner<K::Held>>>, Error> {
        let half = self.deadline.fraction(2);
        let mut backoff = Backoff::new(self.common().timing.max_backoff);
        let mut shown = None;
        loop {
            // Waiting out a contradicted answer may use half of the time; the rest is for taking the address.
            let until = if shown.is_some() { &half } else { &self.deadline };
            match self.query_ec2(Me::At(location), until).await {
                Ok(owner @ Owner::Ours(_)) => {
                    self.log().info(format_args!("{} is here already", self.name()));
                    return self.started_as_found(location, prepared, Some(&owner)).await.map(Ok);
                }
                Ok(owner) if self.contradicts(&owner) && backoff.pause(&half, Patience::Lasting).await => {
                    shown = Some(owner);
                }
                Ok(owner) => return Ok(Err(Some(owner))),
                Err(error) if error.is_silence() && shown.is_some() => return Ok(Err(shown)),
                Err(error) if error.is_silence() && self.is_still_shown(location).await => {
                    return self.started_by_metadata(location, prepared, &error).await.map(Ok);
                }
                Err(error) if error.is_ec2(Ec2Fault::Unknown) => return Ok(Err(shown)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether instance metadata shows the address here, both at the beginning and now.
    async fn is_still_shown(&self, location: &Location) -> bool {
        location.shown == Some(true) && self.last_query().await == Some(Report::Done)
    }

    /// An outage of the API must not take down a working address. [start-6]
    async fn started_by_metadata(
        &self,
        location: &Location,
        prepared: &K::Prepared,
        error: &Error,
    ) -> Result<Report, Error> {
        let name = self.name();
        self.log().warn(format_args!("{name} is here according to instance metadata alone: {error}"));
        self.started_as_found(location, prepared, None).await
    }

    /// Finishes a start that changed nothing in EC2. `shown` is the holder, unless only instance metadata shows the address here.
    async fn started_as_found(
        &self,
        location: &Location,
        prepared: &K::Prepared,
        shown: Option<&Owner<K::Held>>,
    ) -> Result<Report, Error> {
        let was_on_host = matches!(K::on_host(self).await, Ok(Report::Done));
        K::accepted(self, location, prepared).await?;
        self.record_at(Phase::Started, location, |record| {
            if let Some(owner) = shown {
                record.set_association(owner.held().and_then(K::Held::association));
            }
        });
        K::settled(self, location, prepared, shown, !was_on_host).await;
        Ok(Report::Done)
    }

    /// Takes the address, and returns once EC2 shows it here.
    async fn take(
        &self,
        action: &'static str,
        location: &Location,
        prepared: &K::Prepared,
        ticket: K::Ticket,
        known: Option<Owner<K::Held>>,
        baseline: Baseline<K::Held>,
    ) -> Result<Report, Error> {
        let began = Instant::now();
        let by_record = known.is_none();
        // Must run before the new phase is recorded: the old record has the address that was ours before.
        K::before_taking(self, location)?;
        let earlier = self.records().volatile();
        self.record_at(Phase::Starting, location, |record| record.set_association(None));
        let before = known.map(OnceCell::from).unwrap_or_default();
        let (fatal, taken_by) = (RefCell::default(), OnceCell::new());
        let (accepted, unanswered) = (Cell::new(false), Cell::new(false));
        let takeover =
            Takeover { location, prepared, ticket, before, fatal, accepted, unanswered, taken_by, baseline };
        let taking = async {
            let taken = self.send_calls(&takeover, &takeover.ticket).await?;
            let until_accepted = began.elapsed();
            Ok::<_, Error>((self.confirm(&takeover, taken).await?, until_accepted))
        };
        let outcome = if by_record {
            let before = async {
                match K::owner(self, Me::At(location)).await {
                    Ok(owner) => drop(takeover.before.set(owner)),
                    Err(error @ (Error::Managed(..) | Error::Mismatch { .. })) => {
                        takeover.fatal.replace(Some(error));
                    }
                    Err(_) => {}
                }
            };
            tokio::join!(with_side_query(taking, before), K::while_taking(self, location)).0
        } else {
            taking.await
        };
        if outcome.is_err() && !takeover.accepted.get() && !takeover.unanswered.get() {
            // Nothing was changed, so the stop that follows need not expect EC2 to show it late. [start-12]
            self.records().update_volatile(|record| {
                let (instance, interface) = (record.instance.take(), record.interface.take());
                *record = Volatile { instance, interface, mac: record.mac, ..earlier };
            });
        }
        let (held, until_accepted) = match outcome {
            Ok(taken) => taken,
            Err(error) if error.is_silence() && self.metadata_proves(&takeover).await => {
                return self.started_by_metadata(location, prepared, &error).await;
            }
            Err(mut error) => {
                if error.is_ec2(Ec2Fault::Unknown) && by_record && K::forget(self) {
                    match K::learn(self, location).await {
                        Ok((ticket, owner)) => {
                            let baseline = takeover.baseline;
                            let taking = self.take(action, location, prepared, ticket, Some(owner), baseline);
                            return Box::pin(taking).await;
                        }
                        Err(reason) => error = reason,
                    }
                }
                if !takeover.accepted.get() && !error.is_silence() {
                    K::not_taken(self).await;
                }
                return Err(error);
            }
        };
        self.recheck_after_late_call(&takeover).await?;
        let before = takeover.before.into_inner();
        let association = held.as_ref().and_then(K::Held::association);
        // A concurrent query may show the effect of our own call, unless instance metadata showed the address before it.
        let was_here = matches!(
            (&before, &held),
            (Some(Owner::Ours(before)), Some(held)) if before.mark() == held.mark()
        ) && (!by_record || location.shown == Some(true));
        let before = before.filter(|owner| !matches!(owner, Owner::Ours(_)));
        self.record_at(Phase::Started, location, |record| {
            // Of parts that were here already the earlier holders are not known, so any holder may be an earlier one.
            let known = before.iter().filter(|owner| !owner.held().is_some_and(K::Held::is_partly_here));
            record.marks =
                known.flat_map(|owner| owner.held().map_or(vec![String::new()], K::Held::marks)).collect();
            record.set_association(association.clone());
        });
        if was_here {
            self.log().info(format_args!("{} is here already", self.name()));
        } else {
            let to = match (&held, &location.instance) {
                (Some(held), _) => format!("{held} on {}", location.interface),
                (None, Some(instance)) => format!("{instance} ({})", location.interface),
                (None, None) => location.interface.to_string(),
            };
            self.made(Change {
                action: action.to_owned(),
                from: before.as_ref().map_or_else(|| "an unknown holder".to_owned(), Owner::holder),
                to,
                association,
                phases: vec![
                    PhaseTime::new("looking", self.deadline.elapsed().saturating_sub(began.elapsed())),
                    PhaseTime::new(K::WORDS.phase, until_accepted),
                    PhaseTime::new("confirm", began.elapsed().saturating_sub(until_accepted)),
                ],
                ..Change::default()
            });
        }
        K::settled(self, location, prepared, before.as_ref(), true).await;
        Ok(Report::Done)
    }

    /// Sends all taking calls at once, and returns when EC2 has accepted each, shows its effect, or never will.
    ///
    /// # Errors
    /// Of several failures the one that nothing but an operator ends.
    async fn send_calls(
        &self,
        takeover: &Takeover<'_, K, W>,
        ticket: &K::Ticket,
    ) -> Result<Taken<K::Held>, Error> {
        let calls = K::calls(self, ticket);
        let requests = calls.iter().map(|call| async move {
            let taken = self.send_call(takeover, call).await?;
            // Not after the confirmation: from the accepted call on, EC2 may route here, and a client must get an answer.
            if !takeover.accepted.replace(true) {
                K::accepted(self, takeover.location, takeover.prepared).await?;
            }
            Ok::<_, Error>(taken)
        });
        let mut outcomes = join_all(requests).await;
        if outcomes.len() < 2 {
            return outcomes.pop().unwrap_or(Ok(Taken::Accepted(None)));
        }
        let errors = outcomes.into_iter().filter_map(Result::err).collect();
        self.worst(errors).map_or(Ok(Taken::Accepted(None)), Err)
    }

    /// The failure that an operator has to fix first. If there are several, all of them are logged.
    pub(super) fn worst(&self, mut errors: Vec<Error>) -> Option<Error> {
        // The codes of errors grow with how little a retry helps.
        errors.sort_by_key(|error| Reverse(exit_code(error, Action::Start) as u8));
        if errors.len() > 1 {
            for error in &errors {
                self.log().error(error);
            }
        }
        errors.into_iter().next()
    }

    /// Sends one taking call until EC2 accepts it, shows its effect, or never will.
    async fn send_call(
        &self,
        takeover: &Takeover<'_, K, W>,
        ticket: &K::Ticket,
    ) -> Result<Taken<K::Held>, Error> {
        let mut series = Series::new(&self.deadline, self.common().timing.max_backoff);
        let mut may_take =
            self.common().may_take || matches!(takeover.before.get(), Some(Owner::Misplaced(_)));
        let mut last: Option<Ec2Error> = None;
        loop {
            let call = K::take(self, ticket, takeover.location, may_take);
            let error = match self.deadline.bound(call).await {
                Ok(Ok(held)) => return Ok(Taken::Accepted(held)),
                Ok(Err(error)) => error,
                Err(_) => Ec2Error::cut_off(K::WORDS.taking, &self.name()).after(last.as_ref()),
            };
            if error.may_have_worked() {
                takeover.unanswered.set(true);
            }
            if let Some(error) = takeover.fatal.take() {
                return Err(error);
            }
            let mut patience = error.patience();
            let refused = error.fault == Ec2Fault::AlreadyAssociated;
            if error.may_have_worked() || refused {
                match self.query_after_failure(takeover, ticket, refused).await? {
                    Some(Owner::Ours(held)) => return Ok(Taken::Shown(held)),
                    // Taking it from this node needs no permission.
                    Some(Owner::Misplaced(_)) if refused => may_take = true,
                    _ => {}
                }
            }
            if refused {
                // EC2 did not show the holder: it may be this node, by an earlier call whose response was lost.
                patience = Patience::Lasting;
            }
            if !series.again(patience).await {
                return Err(Error::Ec2(error));
            }
            // What was refused would be taken from the node that has the other parts by now. [start-7]
            if let Some(holder) = takeover.taken_by.get().cloned() {
                return Err(Error::TakenMeanwhile { address: self.name(), holder });
            }
            last = Some(error);
        }
    }

    /// Queries EC2 after a taking call whose response was lost, or that was refused because the address is held; `None` if there is
    /// no answer.
    ///
    /// After a lost response, keeps querying for up to half of the budget: resending the call blindly could take the address back
    /// from a node that started it later.
    async fn query_after_failure(
        &self,
        takeover: &Takeover<'_, K, W>,
        ticket: &K::Ticket,
        refused: bool,
    ) -> Result<Option<Owner<K::Held>>, Error> {
        let half = self.deadline.fraction(2);
        let me = Me::At(takeover.location);
        let owner = if half.is_over() {
            self.deadline.bound(K::owner(self, me)).await.ok().and_then(Result::ok)
        } else {
            self.query_ec2(me, &half).await.ok()
        };
        let Some(shown) = owner else { return Ok(None) };
        let owner = K::part_of(shown.clone(), ticket);
        if let Owner::Ours(_) = owner {
            return Ok(Some(owner));
        }
        // If the concurrent query failed, use what an earlier one showed, or else this one.
        let before = takeover.before.get_or_init(|| takeover.baseline.shown.clone().unwrap_or(shown));
        let before = K::part_of(before.clone(), ticket);
        match &owner {
            Owner::Elsewhere(_) if refused => {
                if let Some(error) = K::refusal(self, &owner) {
                    return Err(error);
                }
                if !self.common().may_take {
                    let (address, parameter) = (self.name(), K::WORDS.may_take);
                    return Err(Error::Held { address, holder: owner.holder(), parameter });
                }
            }
            Owner::Elsewhere(now) if before.held().map(K::Held::mark) != Some(now.mark()) => {
                let holder = takeover.taken_by.get_or_init(|| owner.holder()).clone();
                return Err(Error::TakenMeanwhile { address: self.name(), holder });
            }
            _ => {}
        }
        Ok(Some(owner))
    }

    /// Waits until EC2 shows the address here. The first query is sent without a pause.
    async fn confirm(
        &self,
        takeover: &Takeover<'_, K, W>,
        taken: Taken<K::Held>,
    ) -> Result<Option<K::Held>, Error> {
        let began = Instant::now();
        let (accepted, mut confirmed) = match taken {
            Taken::Accepted(held) => (held, None),
            Taken::Shown(held) => (None, Some(held)),
        };
        let mut backoff = Backoff::new(self.common().timing.max_backoff);
        let metadata = self.deadline.within(METADATA_PATIENCE);
        let mut shown = "nothing".to_owned();
        let mut overlooked = None;
        loop {
            let mut patience = Patience::Lasting;
            if confirmed.is_none() {
                match self.deadline.bound(K::owner(self, Me::At(takeover.location))).await {
                    Ok(Ok(Owner::Ours(held))) => confirmed = Some(held),
                    Ok(Ok(owner)) => {
                        shown = owner.holder();
                        if overlooked.is_none()
                            && let Some(more) = K::overlooked(self, &takeover.ticket, &owner)
                        {
                            self.send_calls(takeover, &more).await?;
                            overlooked = Some(more);
                            continue;
                        }
                    }
                    // The call was accepted, so "not found" and "rejected" come from a replica that is behind. A denial does not.
                    Ok(Err(error))
                        if !error.is_ec2(Ec2Fault::Denied)
                            && (error.is_silence() || error.patience() != Patience::Never) =>
                    {
                        shown = error.to_string();
                        patience = error.patience();
                    }
                    Ok(Err(error)) => return Err(error),
                    Err(_) => break,
                }
            }
            if confirmed.is_some() {
                if !K::AWAITS_METADATA
                    || matches!(self.deadline.bound(K::look(self)).await, Ok(Ok(Report::Done)))
                {
                    return Ok(confirmed);
                }
                if metadata.is_over() {
                    self.log().info(format_args!(
                        "EC2 shows {} on this node; instance metadata has not caught up",
                        self.name()
                    ));
                    return Ok(confirmed);
                }
            }
            if !backoff.pause(&self.deadline, patience).await {
                break;
            }
        }
        if confirmed.is_some() {
            return Ok(confirmed);
        }
        // EC2 accepted the call and then fell silent. Instance metadata may know.
        if K::is_known(self) && self.metadata_proves(takeover).await {
            self.log().warn(format_args!(
                "{} is here according to instance metadata; EC2 shows {shown}",
                self.name()
            ));
            return Ok(accepted);
        }
        let what = format!("{} on {}", self.name(), takeover.location);
        Err(Error::Unconfirmed { what, shown, waited: began.elapsed() })
    }

    /// Whether instance metadata shows that the call took effect, even if EC2 does not confirm it.
    async fn metadata_proves(&self, takeover: &Takeover<'_, K, W>) -> bool {
        let counts = K::METADATA_KNOWS && takeover.baseline.metadata_counts && K::is_known(self);
        counts && self.last_query().await == Some(Report::Done)
    }

    /// If another call for this place was sent recently and its response was lost, checks once more, and takes the address again
    /// if that call took effect after ours. [target-5]
    async fn recheck_after_late_call(&self, takeover: &Takeover<'_, K, W>) -> Result<(), Error> {
        if !K::is_call_in_flight(self, takeover.location) || !self.deadline.pause(LATE_CALL).await {
            return Ok(());
        }
        match self.deadline.bound(K::owner(self, Me::At(takeover.location))).await {
            Ok(Ok(Owner::Unassigned)) => {
                self.log()
                    .warn(format_args!("{} was displaced by a late call: taking it again", self.name()));
                let taken = self.send_calls(takeover, &takeover.ticket).await?;
                self.confirm(takeover, taken).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// Runs futures concurrently; returns their results in order. That of `futures-util` makes the binary 150 KB larger.
pub(crate) async fn join_all<F: Future>(work: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<_> = work.map(|work| (Box::pin(work), None)).collect();
    poll_fn(|context| {
        let mut pending = false;
        for (work, outcome) in running.iter_mut().filter(|(_, outcome)| outcome.is_none()) {
            match work.as_mut().poll(context) {
                Poll::Ready(ready) => *outcome = Some(ready),
                Poll::Pending => pending = true,
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    running.into_iter().filter_map(|(_, outcome)| outcome).collect()
}

/// Runs a best-effort query concurrently with the main call, and returns when the call is done.
pub(super) async fn with_side_query<T>(main: impl Future<Output = T>, side: impl Future<Output = ()>) -> T {
    tokio::pin!(main, side);
    let mut done = false;
    loop {
        tokio::select! {
            // Poll the query first, so that it is sent first and sees the holder before the call.
            biased;
            () = &mut side, if !done => done = true,
            value = &mut main => return value,
        }
    }
}
