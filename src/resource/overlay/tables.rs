//! The route tables of an address: which they are, and where they lead according to EC2.

use std::time::Duration;

use super::{Overlay, OverlayWorld, Paths};
use crate::base::ids::{RouteTableId, VpcId};
use crate::base::retry::{Backoff, Patience};
use crate::cloud::{Ec2Error, RouteTable, Routes as _};
use crate::params::Tables;
use crate::resource::error::Error;
use crate::resource::kind::{Holder as _, Location, Op, Owner};
use crate::state::{KnownTables, Records as _};

/// How long a route to this node may show as a blackhole, or no table at all be shown, before that is believed: EC2 updates the state of a
/// route late, and a replica may be behind.
const LATE_STATE: Duration = Duration::from_secs(2);

impl<W: OverlayWorld> Op<'_, Overlay, W> {
    /// The tables on record for these parameters.
    pub(super) fn known_tables(&self) -> Option<Vec<RouteTableId>> {
        let known = self.records().durable().tables?;
        let same =
            known.overlay_ip == self.params.address && known.routing_table == self.params.tables.to_string();
        same.then_some(known.ids)
    }

    pub(super) fn remember_tables(&self, ids: &[RouteTableId]) {
        if self.known_tables().as_deref() != Some(ids) {
            let known = KnownTables {
                overlay_ip: self.params.address,
                routing_table: self.params.tables.to_string(),
                ids: ids.to_vec(),
            };
            self.update_durable(|durable| durable.tables = Some(known));
        }
    }

    /// Queries EC2 once for tables; sorted by id.
    pub(super) async fn describe(
        &self,
        which: &Tables,
        vpc: Option<&VpcId>,
    ) -> Result<Vec<RouteTable>, Ec2Error> {
        let mut found = self.world.ec2().route_tables(which, vpc, self.params.address).await?;
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Queries EC2 once for the configured tables. A route to this node that shows as a blackhole is queried again for a moment;
    /// then it counts as leading here, with a warning, because this node runs. So is an answer without any table.
    async fn shown(&self, place: &Location) -> Result<Vec<RouteTable>, Ec2Error> {
        // A monitor waits for the answer for a quarter of its budget.
        let patience = self.deadline.within(LATE_STATE.min(self.deadline.budget() / 8));
        let mut backoff = Backoff::new(self.params.timing.max_backoff);
        loop {
            let found = self.describe(&self.params.tables, place.vpc.as_ref().map(|vpc| &vpc.id)).await?;
            let doubtful = found.iter().find(|table| {
                table.route.as_ref().is_some_and(|route| {
                    route.blackhole && route.interface.as_ref() == Some(&place.interface)
                })
            });
            if doubtful.is_none() && !found.is_empty() {
                return Ok(found);
            }
            if !backoff.pause(&patience, Patience::Lasting).await {
                if let Some(doubtful) = doubtful {
                    self.log().warn(format_args!(
                        "EC2 shows the route of {} to {} as a blackhole, though this node is running",
                        doubtful.id, place.interface
                    ));
                }
                return Ok(found);
            }
        }
    }

    /// The configured tables, each with a route that can be replaced.
    ///
    /// # Errors
    /// What an operator has to fix in them; [`Error::Ec2`] if there was no answer by the deadline.
    pub(super) async fn usable_tables(&self, place: &Location) -> Result<Vec<RouteTable>, Error> {
        let which = &self.params.tables;
        let vpc = place.vpc.as_ref().map(|vpc| &vpc.id);
        let query = async || self.describe(which, vpc).await;
        let found = self.call("DescribeRouteTables", which, &self.deadline, query).await?;
        let unseen = unseen(self.configured_ids(), &found).into_iter();
        let no_table = |id: RouteTableId| Error::NoTable {
            table: id.to_string(),
            place: "this account and region".to_owned(),
        };
        let mut errors: Vec<Error> = unseen.map(no_table).collect();
        if found.is_empty() && errors.is_empty() {
            errors.push(self.no_table(place));
        }
        errors.extend(found.iter().filter_map(|table| self.fault_of(table, place)));
        self.worst(errors).map_or(Ok(found), Err)
    }

    /// There is no table for the tag, or with a route for the address.
    fn no_table(&self, place: &Location) -> Error {
        let vpc = place.vpc.as_ref().map(|vpc| vpc.id.to_string());
        let place = vpc.unwrap_or_else(|| "this account".to_owned());
        Error::NoTable { table: self.params.tables.to_string(), place }
    }

    /// Where each of these tables leads, for a log line.
    pub(super) fn describe_tables(&self, found: &[RouteTable]) -> String {
        let leads = |table: &RouteTable| {
            let route = table.route.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{} leads {} to {route}", table.id, self.destination())
        };
        found.iter().map(leads).collect::<Vec<_>>().join("; ")
    }

    /// The problem with a table, if there is one.
    fn fault_of(&self, table: &RouteTable, place: &Location) -> Option<Error> {
        let (id, destination) = (table.id.clone(), self.destination());
        match (&table.vpc, &place.vpc, &table.route) {
            (Some(vpc), Some(ours), _) if *vpc != ours.id => {
                Some(Error::OtherVpc { table: id, vpc: vpc.clone() })
            }
            (_, _, None) => {
                let family = if self.params.address.is_ipv4() { "cidr" } else { "ipv6-cidr" };
                self.log().error(format_args!(
                    "{id} needs a route, once: aws ec2 create-route --route-table-id {id} --destination-{family}-block \
                     {destination} --network-interface-id {}",
                    place.interface
                ));
                Some(Error::NoRoute { table: id, destination })
            }
            (_, _, Some(route)) if !route.is_replaceable() => {
                Some(Error::NotReplaceable { table: id, destination, origin: route.origin.clone() })
            }
            _ => None,
        }
    }

    /// Refuses an interface with source/destination check on, for which EC2 drops the traffic. Only a warning if that cannot be
    /// found out.
    ///
    /// # Errors
    /// [`Error::SourceDestCheck`]
    pub(super) async fn refuse_checked_interface(&self, place: &Location) -> Result<(), Error> {
        if let Some(warning) = self.source_dest_check(place).await? {
            self.log().warn(warning);
        }
        Ok(())
    }

    /// Queries the source/destination check; returns the reason if that is not possible.
    ///
    /// # Errors
    /// [`Error::SourceDestCheck`] if it is on.
    pub(super) async fn source_dest_check(&self, place: &Location) -> Result<Option<String>, Error> {
        let eni = &place.interface;
        // From now on: what came before may have taken longer.
        let quarter = self.deadline.within(self.deadline.budget() / 4);
        let answer = quarter.bound(self.world.ec2().checks_source_and_destination(eni)).await;
        let error = match answer {
            Ok(Ok(false)) => return Ok(None),
            Ok(Ok(true)) => {
                self.log().error(format_args!(
                    "{eni} needs this, once: aws ec2 modify-network-interface-attribute --network-interface-id {eni} \
                     --no-source-dest-check"
                ));
                return Err(Error::SourceDestCheck(eni.clone()));
            }
            Ok(Err(error)) => error,
            Err(_) => Ec2Error::cut_off("DescribeNetworkInterfaces", eni),
        };
        Ok(Some(format!("source/dest check of {eni} unknown: {error}")))
    }

    /// The tables that are configured by their ids.
    pub(super) fn configured_ids(&self) -> &[RouteTableId] {
        match &self.params.tables {
            Tables::Ids(ids) => ids,
            Tables::Tagged { .. } | Tables::Routing => &[],
        }
    }

    /// The holder for a start: every table that exists now has to lead here. A table missing from the record counts too if its
    /// route can be replaced; a recorded table that the parameters no longer select does not.
    ///
    /// # Errors
    /// [`Error::NoTable`] if the parameters no longer select any; those on record are forgotten.
    pub(super) async fn taken(&self, place: &Location) -> Result<Owner<Paths>, Error> {
        let mut found = self.shown(place).await?;
        if found.is_empty() && self.configured_ids().is_empty() {
            self.update_durable(|durable| durable.tables = None);
            return Err(self.no_table(place));
        }
        if let Some(known) = self.known_tables().filter(|_| !matches!(self.params.tables, Tables::Ids(_))) {
            found.retain(|table| known.contains(&table.id) || self.fault_of(table, place).is_none());
        }
        let paths = Paths::of(&found, Some(&place.interface)).with_missing(self.configured_ids());
        self.note_check();
        let owner = paths.owner();
        if let Owner::Ours(_) = owner {
            let ids: Vec<RouteTableId> = found.into_iter().map(|table| table.id).collect();
            self.remember_tables(&ids);
        }
        Ok(owner)
    }

    /// The holder for a monitor: the tables of the last start, except those that no start could fix, which are logged as errors.
    pub(super) async fn still_held(&self) -> Result<Owner<Paths>, Error> {
        let place = self.own_place().await?;
        let mut found = self.shown(&place).await?;
        let known = self.known_tables();
        if let Some(known) = &known {
            for table in found.iter().filter(|table| !known.contains(&table.id)) {
                self.log().warn(format_args!(
                    "{} is now one of {}: the next start of {} will manage it too",
                    table.id, self.params.tables, self.params.address
                ));
            }
            found.retain(|table| known.contains(&table.id));
            found.extend(self.untagged(unseen(known, &found)).await?);
        }
        let counting = known.as_deref().unwrap_or(self.configured_ids());
        let paths = Paths::of(&found, Some(&place.interface)).with_missing(counting);
        for (table, route) in paths.incurable() {
            let (destination, table) = (self.destination(), table.clone());
            match route {
                Some(route) => {
                    let origin = route.origin.clone();
                    self.log().error(Error::NotReplaceable { table, destination, origin });
                }
                None => self.log().error(format_args!(
                    "{table} does not lead {} anywhere: it has no route {destination}, or is gone",
                    self.params.address
                )),
            }
        }
        self.note_check();
        let curable = paths.clone().curable();
        if known.is_some() && curable.is_empty() {
            return Ok(Owner::Ours(paths));
        }
        if curable.is_partly_here() {
            self.adopt_found(&place, &curable).await?;
        }
        match curable.owner() {
            Owner::Ours(_) => {
                if known.is_none() && paths.incurable().next().is_none() {
                    let ids: Vec<RouteTableId> = found.into_iter().map(|table| table.id).collect();
                    self.remember_tables(&ids);
                }
                Ok(Owner::Ours(paths))
            }
            other => Ok(other),
        }
    }

    /// Those of these tables that exist but no longer have the tag.
    async fn untagged(&self, unseen: Vec<RouteTableId>) -> Result<Vec<RouteTable>, Ec2Error> {
        if unseen.is_empty() || !matches!(self.params.tables, Tables::Tagged { .. }) {
            return Ok(Vec::new());
        }
        let found = self.describe(&Tables::Ids(unseen), None).await?;
        for table in &found {
            self.log().warn(format_args!(
                "{} is no longer one of {}, but counts until the next start",
                table.id, self.params.tables
            ));
        }
        Ok(found)
    }
}

/// Those of these ids that are not among the tables found.
fn unseen(ids: &[RouteTableId], found: &[RouteTable]) -> Vec<RouteTableId> {
    ids.iter().filter(|id| !found.iter().any(|table| table.id == **id)).cloned().collect()
}
