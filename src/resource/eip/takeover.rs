//! Taking the address: order, confirmation, and what is kept so that a process killed between any two steps does no harm.

use std::cell::OnceCell;
use std::time::Duration;

use tokio::time::Instant;

use super::holding::Holding;
use super::journal::Made;
use super::place::Place;
use super::{Eip, Report, Seen, World};
use crate::base::ids::{AllocationId, AssociationId};
use crate::base::retry::{Backoff, Patience, Retryable as _, Series};
use crate::cloud::{Address, Association, Ec2 as _, Ec2Error, Ec2Fault, Selector};
use crate::resource::beside::beside;
use crate::resource::error::Error;
use crate::resource::evidence::Evidence as _;
use crate::state::{Pair, Phase};

/// What is known of the address when it is to be taken.
pub(super) enum Known {
    /// EC2 has just been asked.
    ByEc2(Address),
    /// Address and allocation belong together; who holds it is asked beside the order.
    OnRecord(Pair),
}

impl Known {
    fn allocation(&self) -> &AllocationId {
        match self {
            Self::ByEc2(address) => &address.allocation,
            Self::OnRecord(pair) => &pair.allocation,
        }
    }
}

impl<W: World> Eip<'_, W> {
    /// Takes the address and returns when EC2 shows it here.
    pub(super) async fn take(
        &self,
        action: &'static str,
        place: &Place,
        known: Known,
    ) -> Result<Report, Error> {
        let began = Instant::now();
        // Before the record says what is starting now: it still says which address was ours before.
        self.remember_displaced(place);
        self.record(Phase::Starting, |record| {
            record.instance.clone_from(&place.identity.instance);
            record.interface = Some(place.target.interface.clone());
            record.mac = place.mac;
            record.private_ip = Some(place.target.private_ip);
            record.association = None;
        });
        // Again, now that this start is on record: two that begin at the same instant see each other.
        self.refuse_shared_private_ip(place, self.public_ip())?;
        let misplaced = match &known {
            Known::ByEc2(address) => {
                matches!(place.identity.judge(address.association.as_ref()), Holding::Misplaced(_))
            }
            Known::OnRecord(_) => false,
        };
        // From another place on this node it is not taken from anybody.
        let reassociate = self.params.allow_reassociation || misplaced;
        let before = OnceCell::new();
        let order = self.order_and_confirm(place, known.allocation(), reassociate, &before);
        let outcome = match &known {
            Known::ByEc2(address) => {
                let _ = before.set(address.association.clone());
                order.await
            }
            Known::OnRecord(pair) => {
                let selector = Selector::Allocation(pair.allocation.clone());
                let look = async {
                    if let Ok(address) = self.world.ec2().describe(&selector).await {
                        let _ = before.set(address.association);
                    }
                };
                beside(order, look).await.0
            }
        };
        let before = before.into_inner().map(|association| place.identity.judge(association.as_ref()));
        let Taken { association, ordered, confirmed } = match outcome {
            Ok(taken) => taken,
            Err(Error::Ec2(error)) if error.is_silence() && self.has_arrived(place).await => {
                self.world
                    .log()
                    .warn(format_args!("{} is here by the metadata service; {error}", self.name()));
                self.record_started(place, None);
                return Ok(Report::Done);
            }
            Err(error) => return self.take_again(action, place, &known, error).await,
        };
        self.record_started(place, Some(&association));
        let from = match &before {
            // The look came too late: it shows what the order did.
            Some(Holding::Ours(_)) | None => "an unknown holder".to_owned(),
            Some(holding) => holding.holder(),
        };
        self.made(Made {
            action,
            from,
            to: format!("{association} on {}", place.target.interface),
            association: Some(association.id),
            phases: vec![
                ("looking", self.deadline.elapsed().saturating_sub(began.elapsed())),
                ("associate", ordered),
                ("confirm", confirmed),
            ],
        });
        Ok(Report::Done)
    }

    /// Returns whether the metadata service shows the address here now that did not before: the order took effect, though
    /// its answer was lost.
    async fn has_arrived(&self, place: &Place) -> bool {
        let Some(public_ip) = self.public_ip().filter(|ip| !place.shows(*ip)) else {
            return false;
        };
        matches!(self.known(public_ip).last_look().await, Some(Seen::Here))
    }

    /// Looks an allocation on record up again that EC2 does not know any more, and takes the address by the new one.
    async fn take_again(
        &self,
        action: &'static str,
        place: &Place,
        known: &Known,
        error: Error,
    ) -> Result<Report, Error> {
        let unknown = matches!(&error, Error::Ec2(cause) if cause.fault == Ec2Fault::Unknown);
        let by_record = matches!(known, Known::OnRecord(_)) && self.params.allocation_id.is_none();
        if !(unknown && by_record) {
            return Err(error);
        }
        self.forget_pair();
        let address = self.ask_ec2(&self.deadline).await?;
        Box::pin(self.take(action, place, Known::ByEc2(address))).await
    }

    /// Orders the association until EC2 takes the order, then waits until EC2 shows it.
    async fn order_and_confirm(
        &self,
        place: &Place,
        allocation: &AllocationId,
        reassociate: bool,
        before: &Before,
    ) -> Result<Taken, Error> {
        let began = Instant::now();
        let ordered = self.order(place, allocation, reassociate, before).await?;
        let took = began.elapsed();
        let (association, confirmed) = match ordered {
            // A look after an order whose answer was lost has shown the address here.
            Ordered::Shown(association) => (association, Duration::ZERO),
            Ordered::Accepted(id) => {
                let confirming = Instant::now();
                (self.confirm(place, allocation, id).await?, confirming.elapsed())
            }
        };
        Ok(Taken { association, ordered: took, confirmed })
    }

    async fn order(
        &self,
        place: &Place,
        allocation: &AllocationId,
        reassociate: bool,
        before: &Before,
    ) -> Result<Ordered, Error> {
        let mut series = Series::new(&self.deadline, self.params.timing.max_backoff);
        let mut last: Option<Ec2Error> = None;
        loop {
            let order = self.world.ec2().associate(allocation, &place.target, reassociate);
            let error = match self.deadline.bound(order).await {
                Ok(Ok(id)) => return Ok(Ordered::Accepted(id)),
                Ok(Err(error)) => error,
                Err(_) => Ec2Error::cut_off("AssociateAddress", allocation).after(last.as_ref()),
            };
            let mut patience = error.patience();
            let worth_a_look = error.may_have_worked() || error.fault == Ec2Fault::AlreadyAssociated;
            if worth_a_look
                && let Some(association) = self.look_after_order(place, allocation, &error, before).await?
            {
                return Ok(Ordered::Shown(association));
            }
            if error.fault == Ec2Fault::AlreadyAssociated {
                // EC2 could not show by whom: it may be by an order of ours whose answer was lost.
                patience = Patience::Lasting;
            }
            if !series.again(patience).await {
                return Err(Error::Ec2(error));
            }
            last = Some(error);
        }
    }

    /// Looks whether an order whose answer was lost, or that was refused because somebody holds the address, left it here.
    ///
    /// Where the answer was lost, the look is repeated while half of the time lasts: an order that is simply sent again could
    /// take the address back from a node that was told to take it later.
    async fn look_after_order(
        &self,
        place: &Place,
        allocation: &AllocationId,
        error: &Ec2Error,
        before: &Before,
    ) -> Result<Option<Association>, Error> {
        let selector = Selector::Allocation(allocation.clone());
        let half = self.deadline.fraction(2);
        let look = if error.may_have_worked() && !half.is_over() {
            self.describe(&selector, &half).await.ok()
        } else {
            self.deadline.bound(self.world.ec2().describe(&selector)).await.ok().and_then(Result::ok)
        };
        let Some(address) = look else {
            return Ok(None);
        };
        let held = |holding: &Holding| (address.public_ip.to_string(), holding.holder());
        match place.identity.judge(address.association.as_ref()) {
            Holding::Ours(association) => Ok(Some(association)),
            holding if error.fault == Ec2Fault::AlreadyAssociated && holding != Holding::Nobody => {
                let (address, holder) = held(&holding);
                Err(Error::Held { address, holder, parameter: "allow_reassociation" })
            }
            Holding::Elsewhere(now)
                if before.get().is_some_and(|before| is_another(before.as_ref(), &now)) =>
            {
                let (address, holder) = held(&Holding::Elsewhere(now));
                Err(Error::TakenMeanwhile { address, holder })
            }
            _ => {
                // Where the look before the order was lost, this is the first that is known.
                let _ = before.set(address.association);
                Ok(None)
            }
        }
    }

    /// Waits until EC2 shows the association, without a sleep before the first look.
    async fn confirm(
        &self,
        place: &Place,
        allocation: &AllocationId,
        id: AssociationId,
    ) -> Result<Association, Error> {
        let began = Instant::now();
        let selector = Selector::Allocation(allocation.clone());
        let mut backoff = Backoff::new(self.params.timing.max_backoff);
        let mut shown = "nothing".to_owned();
        loop {
            let patience = match self.deadline.bound(self.world.ec2().describe(&selector)).await {
                Ok(Ok(address)) => {
                    self.remember_pair(&address).await;
                    match place.identity.judge(address.association.as_ref()) {
                        Holding::Ours(association) => return Ok(association),
                        holding => shown = holding.holder(),
                    }
                    Patience::Lasting
                }
                // The order was taken, so "not found" and "rejected" are an answer from a place that is behind.
                Ok(Err(error)) if error.is_silence() || error.patience() != Patience::Never => {
                    shown = error.to_string();
                    error.patience()
                }
                Ok(Err(error)) => return Err(Error::Ec2(error)),
                Err(_) => break,
            };
            if !backoff.pause(&self.deadline, patience).await {
                break;
            }
        }
        // EC2 took the order and then fell silent. The metadata may know.
        let Some(public_ip) = self.public_ip() else {
            return Err(self.unconfirmed(place, shown, began));
        };
        match self.known(public_ip).last_look().await {
            Some(Seen::Here) => {
                self.world
                    .log()
                    .warn(format_args!("{public_ip} is here by the metadata service; EC2 shows {shown}"));
                Ok(Association {
                    id,
                    instance: place.identity.instance.clone(),
                    interface: Some(place.target.interface.clone()),
                    private_ip: Some(place.target.private_ip),
                })
            }
            Some(Seen::NotHere(_)) | None => Err(self.unconfirmed(place, shown, began)),
        }
    }

    fn unconfirmed(&self, place: &Place, shown: String, began: Instant) -> Error {
        let what = format!("{} on {}", self.name(), place.target);
        Error::Unconfirmed { what, shown, waited: began.elapsed() }
    }
}

/// Where the address was when it was to be taken, as soon as EC2 has said it.
type Before = OnceCell<Option<Association>>;

/// Returns whether the address has been associated anew since `before`.
fn is_another(before: Option<&Association>, now: &Association) -> bool {
    before.is_none_or(|before| before.id != now.id)
}

/// What became of an order.
enum Ordered {
    /// EC2 took it.
    Accepted(AssociationId),
    /// Its answer was lost, but EC2 shows the address here.
    Shown(Association),
}

/// An address that was taken.
struct Taken {
    association: Association,
    ordered: Duration,
    confirmed: Duration,
}
