//! Releases the address, from exactly the holder just seen here, so that a newer one on a peer cannot be removed.
//!
//! If EC2 stays silent, `on_stop` decides. A failed stop makes Pacemaker fence the node or block the resource; but a fenced
//! instance keeps its addresses, so fencing frees nothing, and the next start takes the address over anyway.

use std::cell::Cell;

use super::kind::{Holder as _, Kind, Me, Op, Owner};
use super::{Report, World};
use crate::base::ids::AssociationId;
use crate::base::retry::{self, Backoff, Patience};
use crate::cloud::{Ec2Error, Ec2Fault, Imds as _};
use crate::params::OnStop;
use crate::resource::error::Error;
use crate::state::{Change, Phase, PhaseTime};

/// State of a stop's search for the address.
struct Search {
    /// Whether this node changed the address recently.
    settling: bool,
    /// Holders that do not exist according to EC2.
    not_found: Vec<String>,
    /// Whether any answer showed the address here.
    shown_here: bool,
    recorded: Recorded,
}

/// State of the recorded association.
#[derive(PartialEq, Eq)]
enum Recorded {
    NotTried,
    Tried,
    /// A start of this node had confirmed it, but EC2 no longer knows it.
    Gone,
}

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    /// Releases the address if this node holds it, as far as `on_stop` requires.
    ///
    /// # Errors
    /// If the host or EC2 refuses, or EC2 is silent with `on_stop=strict`.
    pub(super) async fn stop(&self) -> Result<Report, Error> {
        self.drop_foreign_record(None);
        self.take_over_claims();
        // If the host fails, still release the address in EC2.
        let host = K::before_stop(self).await;
        let on_stop = self.common().on_stop;
        if on_stop == OnStop::Leave {
            self.record(Phase::Left, |_| ());
            self.log().info(format_args!("{} {}", self.name(), K::WORDS.left));
            return host.map(|()| Report::Done);
        }
        // Before the record changes: a stop starts a new settling window.
        let settling = self.is_settling();
        let mut search =
            Search { settling, not_found: Vec::new(), shown_here: false, recorded: Recorded::NotTried };
        match self.release(&mut search).await {
            Ok(ended) => {
                self.record(Phase::Stopped, |record| {
                    record.set_association(None);
                    record.marks = ended.into_iter().collect();
                });
                K::released(self).await;
            }
            Err(error) if !error.is_silence() => return Err(error),
            Err(error) if self.is_off_ec2() && !self.has_metadata().await => {
                self.log().warn(format_args!("not an EC2 instance, nothing to release: {error}"));
            }
            Err(error) if on_stop == OnStop::Strict => return Err(error),
            Err(error) => {
                let (name, held) = (self.name(), K::WORDS.held);
                self.log().error(format_args!("{name} may still be {held} this node: {error}"));
                // Not "stopped": the next start has to check whether the address is still here.
                self.record(Phase::Left, |_| ());
            }
        }
        host.map(|()| Report::Done)
    }

    /// Releases the address if it is here, and returns the mark of the holder that it had.
    async fn release(&self, search: &mut Search) -> Result<Option<String>, Error> {
        loop {
            let Some(held) = self.find_held(search).await? else { return Ok(None) };
            let mark = held.mark();
            let _lock = self.lock(K::place_of(self, &held), &self.deadline).await?;
            self.record(Phase::Stopping, |_| ());
            K::before_release(self, &held);
            let (answer_lost, shown_gone) = (Cell::new(false), Cell::new(false));
            let released = self
                // Safe to resend after a lost response: it names the same holder.
                .call(K::WORDS.releasing, &mark, &self.deadline, async || {
                    let outcome = K::release(self, &held).await;
                    if outcome.as_ref().is_err_and(Ec2Error::may_have_worked) {
                        answer_lost.set(true);
                        shown_gone.set(self.is_shown_gone(&mark).await);
                        // Soon after a change this answer may predate it, so resend the call.
                        if shown_gone.get() && !search.settling {
                            return Ok(());
                        }
                    }
                    outcome
                })
                .await;
            match released {
                Ok(()) => self.confirm_gone(&mark).await,
                Err(error) if error.fault == Ec2Fault::AssociationGone && answer_lost.get() => {}
                Err(error) if error.is_silence() && shown_gone.get() => {}
                Err(error) if error.fault == Ec2Fault::AssociationGone => {
                    // Either answer may be stale: query EC2 again.
                    self.log().info(format_args!("{mark} had already ended"));
                    search.not_found.push(mark);
                    continue;
                }
                // Losing the address can cut this node off from EC2, before the response arrives.
                Err(error)
                    if error.is_silence()
                        && self.trusts_metadata(search)
                        && self.metadata_shows_nothing().await => {}
                Err(error) => return Err(Error::Ec2(error)),
            }
            self.made_unassigned(Owner::Ours(held.clone()).holder(), held.association());
            return Ok(Some(mark));
        }
    }

    /// The holder on this instance; `None` if the address is not here.
    async fn find_held(&self, search: &mut Search) -> Result<Option<K::Held>, Error> {
        let max_backoff = self.common().timing.max_backoff;
        let half = self.deadline.fraction(2);
        let brief = half.within(retry::BRIEF);
        let mut backoff = Backoff::new(max_backoff);
        let mut until = self.deadline.fraction(4);
        loop {
            let error = match self.query_ec2(Me::Known, &until).await {
                // An address that the account does not have cannot be held.
                Err(error) if error.is_ec2(Ec2Fault::Unknown) => return Ok(None),
                Err(error) => error,
                Ok(owner) => {
                    // Two queries, and the call itself between them, all say that it is gone.
                    let agreed = search.recorded == Recorded::Gone;
                    let suspect = match &owner {
                        Owner::Ours(held) | Owner::Misplaced(held) => {
                            search.shown_here = true;
                            if !search.not_found.contains(&held.mark()) {
                                return Ok(Some(held.clone()));
                            }
                            true
                        }
                        Owner::Elsewhere(_) | Owner::Unassigned => self.contradicts(&owner),
                    };
                    if suspect && self.release_recorded(search).await {
                        return Ok(None);
                    }
                    // A monitor that reported the address gone has already waited for replicas that are behind.
                    let reported_gone = self.last_done().is_some_and(|record| record.lost);
                    let waits = suspect && (search.shown_here || !(agreed || reported_gone));
                    if waits && backoff.pause(&half, Patience::Lasting).await {
                        until = half;
                        continue;
                    }
                    let strict = self.common().on_stop == OnStop::Strict;
                    if suspect && strict && search.shown_here {
                        let what = format!("release of {}", self.name());
                        let waited = self.deadline.elapsed();
                        return Err(Error::Unconfirmed { what, shown: owner.holder(), waited });
                    }
                    return Ok(None);
                }
            };
            let not_here = |error: &Error| {
                let name = self.name();
                self.log().warn(format_args!("{name} is not here according to instance metadata; {error}"));
                Ok(None)
            };
            match &error {
                Error::Ec2(cause) if cause.is_silence() => {
                    if self.trusts_metadata(search) && self.metadata_shows_nothing().await {
                        return not_here(&error);
                    }
                    // Meanwhile a peer may take the address over, and instance metadata will show it.
                    if cause.fault == Ec2Fault::Setup
                        || !backoff.pause(&self.deadline, Patience::Lasting).await
                    {
                        return Err(error);
                    }
                    until = self.deadline.within(self.deadline.budget() / 8);
                }
                // Right after a change instance metadata may be stale. EC2 did answer: it refused.
                Error::Ec2(_) if !search.settling && self.metadata_shows_nothing().await => {
                    return not_here(&error);
                }
                // A new role needs some seconds before its credentials are accepted.
                Error::Ec2(cause) if cause.fault == Ec2Fault::Credentials && !brief.is_over() => {
                    if !backoff.pause(&brief, Patience::Brief).await {
                        return Err(error);
                    }
                }
                Error::Imds(_) if backoff.pause(&self.deadline, Patience::Lasting).await => {
                    until = self.deadline.within(self.deadline.budget() / 8);
                }
                _ => return Err(error),
            }
        }
    }

    /// Releases what our own start recorded, if that call is compare-and-swap; a query that does not show it may be stale. True
    /// if it was here. [stale-6]
    async fn release_recorded(&self, search: &mut Search) -> bool {
        if search.recorded != Recorded::NotTried {
            return false;
        }
        search.recorded = Recorded::Tried;
        let Some(record) = self.last_done() else { return false };
        let Some(released) = K::release_recorded(self, &record).await else { return false };
        if let Err(error) = released {
            if error.fault == Ec2Fault::AssociationGone && record.phase == Some(Phase::Started) {
                search.recorded = Recorded::Gone;
            }
            return false;
        }
        self.made_unassigned("this node".to_owned(), record.association().cloned());
        true
    }

    /// Reports that this stop has released the address.
    fn made_unassigned(&self, from: String, association: Option<AssociationId>) {
        let (action, to) = ("stop".to_owned(), "unassigned".to_owned());
        let phases = vec![PhaseTime::new("in all", self.deadline.elapsed())];
        self.made(Change { action, from, to, association, phases, ..Change::default() });
    }

    /// Whether EC2, queried once after the response to the releasing call was lost, no longer shows this holder. [time-5]
    async fn is_shown_gone(&self, mark: &str) -> bool {
        let owner = self.deadline.within(self.deadline.budget() / 4).bound(K::owner(self, Me::Known)).await;
        matches!(owner, Ok(Ok(owner)) if owner.held().is_none_or(|held| held.mark() != mark))
    }

    /// Waits until EC2 no longer shows the released holder. EC2 has accepted the call, so silence is no failure.
    async fn confirm_gone(&self, mark: &str) {
        let until = self.deadline.within(self.deadline.budget() / 4);
        let mut backoff = Backoff::new(self.common().timing.max_backoff);
        let shown = loop {
            let shown = match self.query_ec2(Me::Known, &until).await {
                Ok(owner) if owner.held().is_none_or(|held| held.mark() != mark) => return,
                Ok(_) => format!("EC2 still shows {mark}"),
                Err(error) => error.to_string(),
            };
            if !backoff.pause(&until, Patience::Lasting).await {
                break shown;
            }
        };
        self.log().warn(format_args!("{} released, but not confirmed: {shown}", self.name()));
    }

    /// Whether it is enough that instance metadata does not show the address.
    fn trusts_metadata(&self, search: &Search) -> bool {
        self.common().on_stop != OnStop::Strict || !search.settling
    }

    /// Whether instance metadata shows the address on no interface of this instance. Queried even if time is up.
    async fn metadata_shows_nothing(&self) -> bool {
        K::is_known(self)
            && matches!(self.deadline.for_last_query().bound(K::is_nowhere(self)).await, Ok(Ok(true)))
    }

    /// Whether instance metadata responds. Queried even if time is up.
    async fn has_metadata(&self) -> bool {
        let query = self.world.imds().instance_id();
        matches!(self.deadline.for_last_query().bound(query).await, Ok(Ok(_)))
    }

    /// One more query of instance metadata, even if time is up.
    pub(super) async fn last_query(&self) -> Option<Report> {
        self.deadline.for_last_query().bound(K::look(self)).await.ok()?.ok()
    }
}
