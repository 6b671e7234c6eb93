//! Holding the address: nothing is written where it is in place already; else it is taken.

use std::net::Ipv4Addr;

use super::holding::Holding;
use super::place::Place;
use super::takeover::Known;
use super::{Eip, Report, World};
use crate::cloud::{Address, Association};
use crate::host::Host as _;
use crate::resource::error::Error;
use crate::state::{Phase, Records as _};

impl<W: World> Eip<'_, W> {
    /// Makes this node the holder, and returns when EC2 shows it.
    ///
    /// # Errors
    /// When it could not be taken, may not be taken, or EC2 never showed it here.
    pub(super) async fn start(&self, action: &'static str) -> Result<Report, Error> {
        let place = self.place(true).await?;
        let public_ip = self.public_ip();
        self.refuse_shared_private_ip(&place, public_ip)?;
        let in_sight = public_ip.is_some_and(|ip| place.shows(ip));
        let pair = self.checked_pair(&self.world.records().durable());
        if let Some(pair) = pair.filter(|_| !self.may_be_in_place(in_sight)) {
            // What a takeover waits for is one round trip: the order goes out beside the look at who held the address.
            return self.take(action, &place, Known::OnRecord(pair)).await;
        }
        match self.ask_ec2(&self.deadline).await {
            Ok(address) => {
                if let Some(service) = &address.managed_by {
                    return Err(Error::Managed(address.public_ip, service.clone()));
                }
                match place.identity.judge(address.association.as_ref()) {
                    Holding::Ours(association) => {
                        self.adopt(&place, &association, &address);
                        Ok(Report::Done)
                    }
                    _ => self.take(action, &place, Known::ByEc2(address)).await,
                }
            }
            // An outage of the API never takes down an address that works.
            Err(Error::Ec2(error)) if error.is_silence() && in_sight => {
                self.world.log().warn(format_args!("started by the metadata service alone: {error}"));
                self.record_started(&place, None);
                Ok(Report::Done)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns whether the address may be in place already, so that an order would be one too many (AWS may charge for it).
    fn may_be_in_place(&self, in_sight: bool) -> bool {
        match self.last_done().and_then(|record| record.phase) {
            // This node let it go and nothing was started since: what the metadata still shows is old.
            Some(Phase::Stopped | Phase::Stopping) if self.is_settling() => false,
            Some(Phase::Started | Phase::Starting) if self.is_settling() => true,
            _ => in_sight,
        }
    }

    /// Refuses a private address that another resource of this node uses: the two would push each other off for ever.
    pub(super) fn refuse_shared_private_ip(
        &self,
        place: &Place,
        ours: Option<Ipv4Addr>,
    ) -> Result<(), Error> {
        let boot = self.world.host().boot_id();
        for (resource, record) in self.world.records().others() {
            let same_place = record.interface.as_ref() == Some(&place.target.interface)
                && record.private_ip == Some(place.target.private_ip);
            let same_address = record.elastic_ip.is_some() && record.elastic_ip == ours;
            // What was taken from it long ago is not there any more; what it has just taken may not show yet.
            let window = self.params.timing.settle_window;
            let there = record.is_settling(&boot, self.world.host().uptime(), window)
                || place.carried.is_none()
                || record.elastic_ip.is_none_or(|ip| place.shows(ip));
            if record.is_running(&boot) && same_place && !same_address && there {
                return Err(Error::Shared {
                    private_ip: place.target.private_ip,
                    address: record.elastic_ip.map_or_else(|| "the address".to_owned(), |ip| ip.to_string()),
                    resource,
                });
            }
        }
        Ok(())
    }

    fn adopt(&self, place: &Place, association: &Association, address: &Address) {
        self.world.log().info(format_args!("{} is here already ({})", address.public_ip, association.id));
        self.record_started(place, Some(association));
    }

    /// Records that this node holds the address.
    pub(super) fn record_started(&self, place: &Place, association: Option<&Association>) {
        self.record(Phase::Started, |record| {
            record.instance.clone_from(&place.identity.instance);
            record.interface = Some(place.target.interface.clone());
            record.mac = place.mac;
            record.private_ip = Some(place.target.private_ip);
            record.association = association.map(|association| association.id.clone());
        });
    }
}

impl Place {
    /// Returns whether the metadata service shows this address in its place.
    pub(super) fn shows(&self, public_ip: Ipv4Addr) -> bool {
        self.carried
            .iter()
            .flatten()
            .any(|(public, private)| *public == public_ip && private.contains(&self.target.private_ip))
    }
}
