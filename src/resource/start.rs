//! Holding the address: if it is here already nothing is written; otherwise it is taken. What is recorded on the way is enough
//! that a process killed between any two steps does no harm.

use std::cell::{Cell, OnceCell, RefCell};
use std::cmp::Reverse;
use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::journal::Made;
use super::kind::{Holder as _, Kind, Location, Me, Op, Owner, Seen};
use super::{Report, World};
use crate::base::retry::{Backoff, Patience, Retryable as _, Series};
use crate::cloud::{Ec2Error, Ec2Fault};
use crate::ocf::exit::ExitCode;
use crate::resource::error::{Attempt, Error, exit_code};
use crate::state::Phase;

/// How long a start waits for instance metadata to show what EC2 shows: it can be minutes behind, and what is started after
/// this address would wait for nothing.
const METADATA_PATIENCE: Duration = Duration::from_secs(5);
/// Pause before an address is looked at once more because another call for its place may still take effect.
const LATE_CALL: Duration = Duration::from_secs(1);

/// One takeover.
struct Takeover<'t, K: Kind<W>, W: World> {
    location: &'t Location,
    prepared: &'t K::Prepared,
    ticket: K::Ticket,
    /// Who had the address before the taking call, as soon as EC2 has said it.
    before: OnceCell<Owner<K::Held>>,
    /// Why no call can succeed, if the query beside it has shown that.
    hopeless: RefCell<Option<Error>>,
    /// Whether EC2 has accepted a call.
    accepted: Cell<bool>,
    sight: Sight<K::Held>,
}

/// What was seen before the taking call.
struct Sight<H> {
    /// Whether instance metadata that shows the address afterwards proves that the call took effect.
    metadata_counts: bool,
    /// The last answer of EC2.
    shown: Option<Owner<H>>,
}

/// What became of a taking call.
enum Taken<H> {
    /// EC2 accepted it.
    Accepted(Option<H>),
    /// Its answer was lost, but EC2 shows the address here.
    Shown(H),
}

/// What a query after a failed call says about the next one.
enum Next {
    Again,
    /// The address is on this node, so it is taken from nobody.
    MayTake,
}

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    /// Makes this node the holder, and returns when EC2 shows it.
    ///
    /// # Errors
    /// When it could not be taken, may not be taken, or EC2 never showed it here.
    pub(super) async fn start(&self, action: &'static str) -> Result<Report, Error> {
        self.drop_foreign_record(None);
        let location = self.locate(true).await?;
        self.drop_foreign_record(location.instance.as_ref());
        self.take_over_claims();
        let prepared = K::prepare(self, &location).await?;
        let _lock = match K::place(self, &location) {
            Some(place) => Some(self.lock(place, &self.deadline).await?),
            None => None,
        };
        let mut sight = Sight { metadata_counts: self.metadata_counts(&location), shown: None };
        if self.may_be_here(&location) {
            match self.adopt(&location, &prepared).await? {
                Ok(report) => return Ok(report),
                Err(shown) => sight.shown = shown,
            }
            // What EC2 has contradicted is no proof when it is shown again.
            sight.metadata_counts &= location.shown != Some(true);
        }
        if let Some(ticket) = K::ticket(self) {
            // One round trip decides a takeover: the query for the holder runs beside the call.
            return self.take(action, &location, &prepared, ticket, None, sight).await;
        }
        match K::learn(self, &location).await {
            Ok((ticket, owner)) => self.take(action, &location, &prepared, ticket, Some(owner), sight).await,
            Err(error) if error.is_silence() && self.is_still_shown(&location).await => {
                self.started_by_metadata(&location, &prepared, &error).await
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the record of this boot allows to believe that the address is here already. [stale-5]
    fn may_be_here(&self, location: &Location) -> bool {
        let started = |record: crate::state::Volatile| {
            record.phase == Some(Phase::Started) && !record.lost && !record.denied
        };
        let is_likely = location.shown == Some(true) || self.is_settling() || !K::METADATA_KNOWS;
        self.last_done().is_some_and(started) && is_likely
    }

    /// Whether instance metadata that shows the address after the taking call proves that the call took effect.
    fn metadata_counts(&self, location: &Location) -> bool {
        let released =
            self.last_done().is_some_and(|r| matches!(r.phase, Some(Phase::Stopped | Phase::Stopping)));
        location.shown == Some(false) || !(released && self.is_settling())
    }

    /// Answers a start that finds the address here; if it is not, says who has it, as far as EC2 has shown that.
    async fn adopt(
        &self,
        location: &Location,
        prepared: &K::Prepared,
    ) -> Result<Result<Report, Option<Owner<K::Held>>>, Error> {
        let half = self.deadline.fraction(2);
        let mut backoff = Backoff::new(self.common().timing.max_backoff);
        let mut shown = None;
        loop {
            // What was contradicted is worth no more than half of the time: the other half is for taking the address.
            let until = if shown.is_some() { &half } else { &self.deadline };
            match self.ask(Me::At(location), until).await {
                Ok(owner @ Owner::Ours(_)) => {
                    self.world.log().info(format_args!("{} is here already", self.name()));
                    let was_on_host = matches!(K::on_host(self).await, Ok(Report::Done));
                    K::accepted(self, location, prepared).await?;
                    let association = owner.held().and_then(K::Held::association);
                    let marks = self.last_done().map(|record| record.marks).unwrap_or_default();
                    self.record_at(Phase::Started, location, |record| {
                        record.marks = marks;
                        record.set_association(association);
                    });
                    K::settled(self, location, prepared, Some(&owner), !was_on_host).await;
                    return Ok(Ok(Report::Done));
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

    /// Whether instance metadata shows the address here, at the beginning and now.
    async fn is_still_shown(&self, location: &Location) -> bool {
        location.shown == Some(true) && self.last_look().await == Some(Seen::Here)
    }

    /// An outage of the API takes down no working address. [start-6]
    async fn started_by_metadata(
        &self,
        location: &Location,
        prepared: &K::Prepared,
        error: &Error,
    ) -> Result<Report, Error> {
        self.world
            .log()
            .warn(format_args!("{} is here according to instance metadata alone: {error}", self.name()));
        let was_on_host = matches!(K::on_host(self).await, Ok(Report::Done));
        K::accepted(self, location, prepared).await?;
        self.record_at(Phase::Started, location, |_| ());
        K::settled(self, location, prepared, None, !was_on_host).await;
        Ok(Report::Done)
    }

    /// Takes the address and returns when EC2 shows it here.
    async fn take(
        &self,
        action: &'static str,
        location: &Location,
        prepared: &K::Prepared,
        ticket: K::Ticket,
        known: Option<Owner<K::Held>>,
        sight: Sight<K::Held>,
    ) -> Result<Report, Error> {
        let began = Instant::now();
        let by_record = known.is_none();
        // Before the record says what is starting now: it still says which address was ours before.
        K::before_taking(self, location)?;
        self.record_at(Phase::Starting, location, |record| record.set_association(None));
        let before = known.map(OnceCell::from).unwrap_or_default();
        let (hopeless, accepted) = (RefCell::default(), Cell::new(false));
        let takeover = Takeover { location, prepared, ticket, before, hopeless, accepted, sight };
        let taking = async {
            let taken = self.order(&takeover, &takeover.ticket).await?;
            let ordered = began.elapsed();
            Ok::<_, Error>((self.confirm(&takeover, taken).await?, ordered))
        };
        let outcome = if by_record {
            let query = async {
                let before = async {
                    match K::owner(self, Me::At(location)).await {
                        Ok(owner) => drop(takeover.before.set(owner)),
                        Err(error @ (Error::Managed(..) | Error::Mismatch { .. })) => {
                            takeover.hopeless.replace(Some(error));
                        }
                        Err(_) => {}
                    }
                };
                tokio::join!(before, K::beside_taking(self, location));
            };
            beside(taking, query).await
        } else {
            taking.await
        };
        let (held, ordered) = match outcome {
            Ok(taken) => taken,
            Err(error) if error.is_silence() && self.has_arrived(&takeover).await => {
                return self.started_by_metadata(location, prepared, &error).await;
            }
            Err(error) if error.is_ec2(Ec2Fault::Unknown) && by_record && K::forget(self) => {
                let (ticket, owner) = K::learn(self, location).await?;
                let taking = self.take(action, location, prepared, ticket, Some(owner), takeover.sight);
                return Box::pin(taking).await;
            }
            Err(error) => {
                if !takeover.accepted.get() && !error.is_silence() {
                    K::not_taken(self).await;
                }
                return Err(error);
            }
        };
        self.outlast_late_call(&takeover).await?;
        let before = takeover.before.into_inner();
        let association = held.as_ref().and_then(K::Held::association);
        // What the call itself did is no holder from before.
        let before = before.filter(|owner| !matches!(owner, Owner::Ours(_)));
        self.record_at(Phase::Started, location, |record| {
            record.marks = before
                .iter()
                .flat_map(|owner| owner.held().map_or(vec![String::new()], K::Held::marks))
                .collect();
            record.set_association(association.clone());
        });
        let to = match (&held, &location.instance) {
            (Some(held), _) => format!("{held} on {}", location.interface),
            (None, Some(instance)) => format!("{instance} ({})", location.interface),
            (None, None) => location.interface.to_string(),
        };
        self.made(Made {
            action,
            from: before.as_ref().map_or_else(|| "an unknown holder".to_owned(), Owner::holder),
            to,
            association,
            phases: vec![
                ("looking", self.deadline.elapsed().saturating_sub(began.elapsed())),
                (K::WORDS.phase, ordered),
                ("confirm", began.elapsed().saturating_sub(ordered)),
            ],
        });
        K::settled(self, location, prepared, before.as_ref(), true).await;
        Ok(Report::Done)
    }

    /// Sends the taking calls, all at once, until EC2 accepts each, shows its effect, or never will.
    ///
    /// # Errors
    /// Of several failures the one that nothing but an operator ends.
    async fn order(
        &self,
        takeover: &Takeover<'_, K, W>,
        ticket: &K::Ticket,
    ) -> Result<Taken<K::Held>, Error> {
        let calls = K::calls(self, ticket);
        let orders = calls.iter().map(|call| async move {
            let taken = self.order_one(takeover, call).await?;
            // Before the confirmation: EC2 has accepted a call, and from whenever it routes here somebody answers.
            if !takeover.accepted.replace(true) {
                K::accepted(self, takeover.location, takeover.prepared).await?;
            }
            Ok::<_, Error>(taken)
        });
        let mut outcomes = together(orders).await;
        if outcomes.len() < 2 {
            return outcomes.pop().unwrap_or(Ok(Taken::Accepted(None)));
        }
        let errors = outcomes.into_iter().filter_map(Result::err).collect();
        self.worst(errors).map_or(Ok(Taken::Accepted(None)), Err)
    }

    /// Of several failures the one that an operator has to mend first; all of them are logged, if there are several.
    pub(super) fn worst(&self, mut errors: Vec<Error>) -> Option<Error> {
        errors.sort_by_key(|error| Reverse(permanence(error)));
        if errors.len() > 1 {
            for error in &errors {
                self.world.log().error(error);
            }
        }
        errors.into_iter().next()
    }

    /// Sends one taking call until EC2 accepts it, shows its effect, or never will.
    async fn order_one(
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
            if let Some(error) = takeover.hopeless.take() {
                return Err(error);
            }
            let mut patience = error.patience();
            let refused = error.fault == Ec2Fault::AlreadyAssociated;
            if error.may_have_worked() || refused {
                match self.look_after(takeover, ticket, &error).await? {
                    Ok(held) => return Ok(Taken::Shown(held)),
                    Err(Next::MayTake) => may_take = true,
                    Err(Next::Again) => {}
                }
            }
            if refused {
                // EC2 could not show by whom: it may be by a call of ours whose answer was lost.
                patience = Patience::Lasting;
            }
            if !series.again(patience).await {
                return Err(Error::Ec2(error));
            }
            last = Some(error);
        }
    }

    /// Queries EC2 after a taking call whose answer was lost, or that was refused because the address is taken.
    ///
    /// After a lost answer the query is repeated for up to half of the budget: a call that is simply sent again could take the
    /// address back from a node that was told to take it later.
    async fn look_after(
        &self,
        takeover: &Takeover<'_, K, W>,
        ticket: &K::Ticket,
        error: &Ec2Error,
    ) -> Result<Result<K::Held, Next>, Error> {
        let half = self.deadline.fraction(2);
        let me = Me::At(takeover.location);
        let owner = if half.is_over() {
            self.deadline.bound(K::owner(self, me)).await.ok().and_then(Result::ok)
        } else {
            self.ask(me, &half).await.ok()
        };
        let Some(shown) = owner else { return Ok(Err(Next::Again)) };
        let owner = K::part_of(shown.clone(), ticket);
        let refused = error.fault == Ec2Fault::AlreadyAssociated;
        // If the query beside the call was lost, what an earlier one showed is known, or else what this one shows.
        let before = match &owner {
            Owner::Ours(held) => return Ok(Ok(held.clone())),
            _ => takeover.before.get_or_init(|| takeover.sight.shown.clone().unwrap_or(shown)),
        };
        let before = K::part_of(before.clone(), ticket);
        match &owner {
            Owner::Misplaced(_) if refused => return Ok(Err(Next::MayTake)),
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
                return Err(Error::TakenMeanwhile { address: self.name(), holder: owner.holder() });
            }
            Owner::Ours(_) | Owner::Elsewhere(_) | Owner::Misplaced(_) | Owner::Unassigned => {}
        }
        Ok(Err(Next::Again))
    }

    /// Waits until EC2 shows the address here, without a sleep before the first query.
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
                            self.order(takeover, &more).await?;
                            overlooked = Some(more);
                            continue;
                        }
                    }
                    // The call was accepted, so "not found" and "rejected" come from a place that is behind. A denial does not.
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
                    || matches!(self.deadline.bound(K::look(self)).await, Ok(Ok(Seen::Here)))
                {
                    return Ok(confirmed);
                }
                if metadata.is_over() {
                    self.world.log().info(format_args!(
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
        if K::is_known(self) && self.has_arrived(takeover).await {
            self.world.log().warn(format_args!(
                "{} is here according to instance metadata; EC2 shows {shown}",
                self.name()
            ));
            return Ok(accepted);
        }
        let what = match takeover.location.target() {
            Some(target) => format!("{} on {target}", self.name()),
            None => format!("{} on {}", self.name(), takeover.location.interface),
        };
        Err(Error::Unconfirmed { what, shown, waited: began.elapsed() })
    }

    /// Whether instance metadata shows that the call took effect, though EC2 does not say so.
    async fn has_arrived(&self, takeover: &Takeover<'_, K, W>) -> bool {
        let counts = K::METADATA_KNOWS && takeover.sight.metadata_counts && K::is_known(self);
        counts && self.last_look().await == Some(Seen::Here)
    }

    /// Looks once more if another call for this place was sent lately whose answer was lost: if it took effect after ours, the
    /// address is taken again. [target-5]
    async fn outlast_late_call(&self, takeover: &Takeover<'_, K, W>) -> Result<(), Error> {
        if !K::is_call_in_flight(self, takeover.location) || !self.deadline.pause(LATE_CALL).await {
            return Ok(());
        }
        match self.deadline.bound(K::owner(self, Me::At(takeover.location))).await {
            Ok(Ok(Owner::Unassigned)) => {
                self.world
                    .log()
                    .warn(format_args!("{} was displaced by a late call: taking it again", self.name()));
                let taken = self.order(takeover, &takeover.ticket).await?;
                self.confirm(takeover, taken).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// How little a later attempt can change a failure, by its exit code: parameters, permissions, this node, anything else.
fn permanence(error: &Error) -> u8 {
    match exit_code(error, Attempt::Start) {
        ExitCode::Configured => 3,
        ExitCode::Permission => 2,
        ExitCode::Args => 1,
        _ => 0,
    }
}

/// Runs several pieces of work concurrently, and returns what came of each in their order.
pub(crate) async fn together<F: Future>(work: impl Iterator<Item = F>) -> Vec<F::Output> {
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
pub(super) async fn beside<T>(main: impl Future<Output = T>, side: impl Future<Output = ()>) -> T {
    tokio::pin!(main, side);
    let mut done = false;
    loop {
        tokio::select! {
            // The query is sent first, by a hair, so that it sees who held the address before the call.
            biased;
            () = &mut side, if !done => done = true,
            value = &mut main => return value,
        }
    }
}
