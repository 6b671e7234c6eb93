//! Taking the address: the order, the device, the confirmation, and what is kept so that a process killed between any two
//! steps does no harm.

use std::cell::OnceCell;
use std::time::Duration;

use tokio::time::Instant;

use super::holding::Holding;
use super::place::Place;
use super::{Report, Vip, VipWorld};
use crate::base::ids::InterfaceId;
use crate::base::retry::{Backoff, Patience, Retryable as _, Series};
use crate::cloud::{Ec2Error, Ec2Fault, PrivateIps as _};
use crate::network::Device;
use crate::resource::beside::beside;
use crate::resource::error::Error;
use crate::resource::evidence::{Evidence as _, Seen};
use crate::state::Phase;

/// How long the metadata service may be behind EC2 before EC2's word is enough: it can be behind for minutes, in which what
/// is started after this address would wait for nothing.
const METADATA_PATIENCE: Duration = Duration::from_secs(5);

/// Which interface had the address when it was to be taken, as soon as EC2 has said it.
type Before = OnceCell<Option<InterfaceId>>;

impl<W: VipWorld> Vip<'_, W> {
    /// Takes the address and returns when it is shown here.
    pub(super) async fn take(
        &self,
        action: &'static str,
        place: &Place,
        device: Option<&Device>,
        known: Option<Holding>,
    ) -> Result<Report, Error> {
        let began = Instant::now();
        self.record(Phase::Starting, |record| place.note(record));
        let holder: Before = OnceCell::new();
        let order = async { self.order(place, &holder).await.map(|()| began.elapsed()) };
        let (outcome, before) = if let Some(known) = known {
            if let Holding::Elsewhere(eni) = &known {
                let _ = holder.set(Some(eni.id.clone()));
            }
            (order.await, Some(known))
        } else {
            let (outcome, look) = beside(order, self.look_at_holder(place, &holder)).await;
            (outcome, look.flatten())
        };
        let ordered = match outcome {
            Ok(ordered) => ordered,
            Err(Error::Ec2(error)) if error.is_silence() && self.has_arrived(place).await => {
                let ip = self.params.address;
                self.world.log().warn(format_args!("{ip} is here by the metadata service; {error}"));
                began.elapsed()
            }
            Err(error) => return Err(error),
        };
        // Before the confirmation: EC2 has taken the order, and from whenever it routes here somebody listens.
        self.put_on_device(place, device).await?;
        self.confirm(place).await?;
        let confirmed = began.elapsed().saturating_sub(ordered);
        self.announce(device);
        self.record(Phase::Started, |record| place.note(record));
        let from = match &before {
            // The look came too late: it shows what the order did.
            Some(Holding::Ours(_)) | None => "an unknown holder".to_owned(),
            Some(holding) => holding.holder(),
        };
        let to = match &place.instance {
            Some(instance) => format!("{instance} ({})", place.interface),
            None => place.interface.to_string(),
        };
        let looking = self.deadline.elapsed().saturating_sub(began.elapsed());
        self.made(action, from, to, &[("looking", looking), ("assign", ordered), ("confirm", confirmed)]);
        self.remember_region().await;
        let (Some(Holding::Elsewhere(eni) | Holding::Ours(eni)), ip) = (&before, self.params.address) else {
            self.tell_travellers(place, None).await;
            return Ok(Report::Done);
        };
        self.tell_travellers(place, eni.address(ip).and_then(|address| address.public_ip)).await;
        Ok(Report::Done)
    }

    /// Looks once who has the address, beside an order.
    async fn look_at_holder(&self, place: &Place, before: &Before) -> Option<Holding> {
        let holder = self.world.ec2().holder(self.params.address, &place.subnet.as_ref()?.id).await.ok()?;
        let _ = before.set(holder.as_ref().map(|eni| eni.id.clone()));
        Some(match holder {
            Some(eni) if eni.id == place.interface => Holding::Ours(eni),
            Some(eni) => Holding::Elsewhere(eni),
            None => Holding::NotOurs,
        })
    }

    /// Asks EC2 to assign the address until it does, has done so, or never will.
    async fn order(&self, place: &Place, before: &Before) -> Result<(), Error> {
        let mut series = Series::new(&self.deadline, self.params.timing.max_backoff);
        let mut last: Option<Ec2Error> = None;
        let ip = self.params.address;
        loop {
            let order = self.world.ec2().assign(&place.interface, ip, self.params.allow_reassignment);
            let error = match self.deadline.bound(order).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error,
                Err(_) => Ec2Error::cut_off("AssignPrivateIpAddresses", &ip).after(last.as_ref()),
            };
            let mut patience = error.patience();
            match error.fault {
                Ec2Fault::AlreadyAssociated => match self.refused_by_holder(place).await {
                    Ok(()) => return Ok(()),
                    Err(Some(error)) => return Err(error),
                    // EC2 could not show by whom: it may be by an order of ours whose answer was lost.
                    Err(None) => patience = Patience::Lasting,
                },
                _ if error.may_have_worked() && self.look_after_order(place, before).await? => return Ok(()),
                _ => {}
            }
            if !series.again(patience).await {
                return Err(Error::Ec2(error));
            }
            last = Some(error);
        }
    }

    /// Looks whether an order whose answer was lost put the address here.
    ///
    /// The look is repeated while half of the time lasts: an order that is simply sent again could take the address back from
    /// a node that was told to take it later. Where the node that had it before took it again, EC2 shows what it showed before.
    async fn look_after_order(&self, place: &Place, before: &Before) -> Result<bool, Error> {
        let half = self.deadline.fraction(2);
        let look = if half.is_over() {
            self.deadline.bound(self.look_at_holder(place, before)).await.ok().flatten()
        } else {
            self.holding(&place.interface, &half).await.ok()
        };
        match look {
            Some(Holding::Ours(_)) => Ok(true),
            Some(Holding::Elsewhere(now)) => {
                // Where the look before the order was lost, this is the first that is known.
                if before.get_or_init(|| Some(now.id.clone())).as_ref() == Some(&now.id) {
                    return Ok(false);
                }
                let address = self.params.address.to_string();
                Err(Error::TakenMeanwhile { address, holder: now.to_string() })
            }
            Some(Holding::NotOurs) | None => Ok(false),
        }
    }

    /// Returns whether the metadata service shows the address here now that did not before: the order took effect, though
    /// its answer was lost.
    async fn has_arrived(&self, place: &Place) -> bool {
        place.shown == Some(false) && self.last_look().await == Some(Seen::Here)
    }

    /// Finds out why EC2 says that the address is taken: fine where it is here, an error where that will not change, nothing
    /// where EC2 does not show it.
    async fn refused_by_holder(&self, place: &Place) -> Result<(), Option<Error>> {
        let address = self.params.address;
        match self.holding(&place.interface, &self.deadline.fraction(2)).await {
            Ok(Holding::Ours(_)) => Ok(()),
            Ok(Holding::Elsewhere(eni)) if eni.address(address).is_some_and(|address| address.primary) => {
                Err(Some(Error::Primary { address, of: eni.to_string() }))
            }
            Ok(Holding::Elsewhere(eni)) if !self.params.allow_reassignment => Err(Some(Error::Held {
                address: address.to_string(),
                holder: eni.to_string(),
                parameter: "allow_reassignment",
            })),
            Ok(Holding::Elsewhere(_) | Holding::NotOurs) | Err(_) => Err(None),
        }
    }

    /// Waits until the metadata service shows the address, as AWS advises because the move is not done when the order is
    /// taken; for a service that is far behind, EC2's own word is enough.
    ///
    /// # Source
    /// EC2 API Reference, `AssignPrivateIpAddresses`: "Remapping an IP address is an asynchronous operation", and that
    /// `network/interfaces/macs/MAC/local-ipv4s` confirms it.
    async fn confirm(&self, place: &Place) -> Result<(), Error> {
        let began = Instant::now();
        let ids = std::slice::from_ref(&place.interface);
        let patience = self.deadline.within(METADATA_PATIENCE);
        // What it showed before the order is no sign that the order was carried out.
        let metadata_tell = place.shown == Some(false);
        let mut backoff = Backoff::new(self.params.timing.max_backoff);
        let mut by_ec2 = false;
        let mut shown = "nothing".to_owned();
        loop {
            let seen = self.deadline.bound(self.look_once()).await;
            if matches!(seen, Ok(Ok(Seen::Here))) && (metadata_tell || by_ec2) {
                return Ok(());
            }
            if !by_ec2 {
                match self.deadline.bound(self.describe(ids)).await {
                    Ok(Ok(found)) if found.iter().any(|eni| self.has_it(eni)) => {
                        by_ec2 = true;
                        if matches!(seen, Ok(Ok(Seen::Here))) {
                            return Ok(());
                        }
                    }
                    Ok(Ok(_)) => shown = format!("it not on {}", place.interface),
                    Ok(Err(error)) => shown = error.to_string(),
                    Err(_) => {}
                }
            }
            if by_ec2 && patience.is_over() {
                let ip = self.params.address;
                self.world.log().info(format_args!("{ip} is here by EC2; the metadata do not show it yet"));
                return Ok(());
            }
            if !backoff.pause(&self.deadline, Patience::Lasting).await {
                break;
            }
        }
        if by_ec2 || self.has_arrived(place).await {
            return Ok(());
        }
        let what = format!("{} on {}", self.params.address, place.interface);
        Err(Error::Unconfirmed { what, shown, waited: began.elapsed() })
    }
}
