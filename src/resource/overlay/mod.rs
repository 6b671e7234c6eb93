//! Overlay addresses: the interface that the route tables point to, how routes are replaced, and the address on a network device.
//!
//! The holder is a set of routes, one in each table. EC2 replaces them one call each, without a precondition: the last caller
//! wins. So a start replaces all routes at once and fails if one does not lead here; and a stop, which may come late, leaves them
//! alone. Instance metadata does not know routes. A monitor checks the network device first, and queries EC2 when a check is due.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::ControlFlow::{self, Continue};
use std::time::Duration;

use super::device::device_name;
use super::kind::{Common, Kind, Location, Me, Op, Owner, Words};
use super::start::join_all;
use super::{Report, World, location};
use crate::base::deadline::millis;
use crate::base::ids::RouteTableId;
use crate::cloud::ec2::routes::{destination, host_prefix};
use crate::cloud::{Ec2Error, Imds as _, ImdsError, Routes, Vpc, Wanted};
use crate::host::Host as _;
use crate::network::{Device, Network};
use crate::ocf::agent::{self, Agent};
use crate::params::{OnStop, OverlayParams, ParamError, Tables};
use crate::resource::error::Error;
use crate::resource::finding::{Examination, Finding, TAKING};
use crate::state::{OverlayRecord, Records as _, Remembered, Volatile};

mod device;
mod paths;
mod tables;
#[cfg(all(test, feature = "paused-time"))]
mod tests;

pub use paths::Paths;

/// Time limit for a standby's probe to find the route tables.
const FILLING: Duration = Duration::from_secs(2);

/// The kind of address of the agent `overlay-ip`.
#[derive(Debug)]
pub enum Overlay {}

/// The services that this kind needs.
pub trait OverlayWorld: World<Ec2: Routes, Host: Network> {}

impl<W: World<Ec2: Routes, Host: Network>> OverlayWorld for W {}

impl<W: OverlayWorld> Kind<W> for Overlay {
    type Params = OverlayParams;
    type Held = Paths;
    /// The tables whose routes are to be replaced.
    type Ticket = Vec<RouteTableId>;
    type Prepared = Option<Device>;

    const AGENT: &'static Agent = &agent::OVERLAY_IP;
    const WORDS: Words = Words {
        querying: "DescribeRouteTables",
        phase: "replace",
        taking: "ReplaceRoute",
        releasing: "none",
        may_take: "none",
        held: "routed to",
        witness: "on a device of this node",
        left: "stopped on this node; its routes stay until another node replaces them",
    };
    const AWAITS_METADATA: bool = false;
    const METADATA_KNOWS: bool = false;

    fn parse(raw: &BTreeMap<String, String>) -> Result<OverlayParams, ParamError> {
        OverlayParams::parse(raw)
    }

    fn common(params: &OverlayParams) -> Common<'_> {
        Common {
            api: &params.api,
            timing: &params.timing,
            interface: &params.interface,
            may_take: true,
            on_stop: OnStop::Leave,
            add_to_device: params.add_to_device,
            device: params.device.as_deref(),
            label: params.label.as_deref(),
        }
    }

    fn wanted(params: &OverlayParams) -> Option<Wanted> {
        Some(Wanted::Overlay(params.tables.clone()))
    }

    fn name(op: &Op<'_, Self, W>) -> String {
        op.params.address.to_string()
    }

    async fn address(op: &Op<'_, Self, W>) -> Result<(IpAddr, Option<String>), Error> {
        Ok((op.params.address, None))
    }

    fn is_about(op: &Op<'_, Self, W>, record: &Volatile) -> bool {
        record.overlay().is_some_and(|overlay| overlay.overlay_ip == op.params.address)
    }

    async fn locate(op: &Op<'_, Self, W>) -> Result<Location, Error> {
        let location = op.whereabouts().await?;
        let ranges = location.vpc.iter().flat_map(|vpc| &vpc.ranges);
        // Before anything is recorded: a stop trusts the record that the address is no interface's own.
        match ranges.clone().find(|range| range.contains(&op.params.address)) {
            Some(range) => Err(Error::InsideVpc { address: op.params.address, range: *range }),
            None => Ok(location),
        }
    }

    fn recall(op: &Op<'_, Self, W>) -> Option<Location> {
        let (place, record) = op.recorded_place()?;
        let vpc = record.overlay().and_then(|overlay| overlay.vpc.clone());
        Some(Location { vpc: vpc.map(|id| Vpc { id, ranges: Vec::new() }), ..place })
    }

    fn note(op: &Op<'_, Self, W>, location: Option<&Location>, record: &mut Volatile) {
        if !Self::is_about(op, record) {
            let overlay_ip = op.params.address;
            let added = Some(false);
            record.kind = Remembered::Overlay(OverlayRecord {
                overlay_ip,
                vpc: None,
                checked_ms: None,
                added,
                device: None,
            });
        }
        if let (Some(location), Remembered::Overlay(overlay)) = (location, &mut record.kind) {
            overlay.vpc = location.vpc.as_ref().map(|vpc| vpc.id.clone());
        }
    }

    fn knows_itself(op: &Op<'_, Self, W>) -> bool {
        Self::recall(op).is_some()
    }

    /// Instance metadata does not know routes, so it never contradicts.
    async fn look(_: &Op<'_, Self, W>) -> Result<Report, ImdsError> {
        Ok(Report::Done)
    }

    async fn is_nowhere(_: &Op<'_, Self, W>) -> Result<bool, ImdsError> {
        Ok(false)
    }

    /// A start needs every table that exists now; a monitor, those of the last start.
    async fn owner(op: &Op<'_, Self, W>, me: Me<'_>) -> Result<Owner<Paths>, Error> {
        match me {
            Me::At(location) => op.taken(location).await,
            Me::Known | Me::Recorded => op.still_held().await,
            Me::Outside => {
                let found = op.describe(&op.params.tables, None).await?;
                Ok(Paths::of(&found, None).with_missing(op.configured_ids()).owner())
            }
        }
    }

    /// A table without a route is no reason to move, but it is shown.
    fn whole(op: &Op<'_, Self, W>, owner: Owner<Paths>) -> Owner<Paths> {
        let Some(held) = owner.held() else { return owner };
        let known = op.known_tables().filter(|_| !matches!(op.params.tables, Tables::Ids(_)));
        let wanted = known.as_deref().unwrap_or(op.configured_ids());
        held.clone().with_missing(wanted).owner()
    }

    /// Always while the record does not say that the address is here.
    fn is_due(op: &Op<'_, Self, W>) -> bool {
        let trusted = op.last_done().filter(|record| op.runs(record) && !record.lost);
        let checked = trusted.and_then(|record| record.overlay()?.checked_ms);
        let since = checked.and_then(|at| op.world.host().uptime().checked_sub(Duration::from_millis(at)));
        since.is_none_or(|since| since >= op.params.check_interval)
    }

    fn absence(op: &Op<'_, Self, W>, owner: &Owner<Paths>) -> String {
        match owner.held() {
            Some(held) => format!("{} is routed to {}", op.name(), held.elsewhere()),
            None => format!("no route table leads {} anywhere", op.name()),
        }
    }

    fn ticket(op: &Op<'_, Self, W>) -> Option<Vec<RouteTableId>> {
        op.known_tables().filter(|ids| !ids.is_empty())
    }

    async fn learn(
        op: &Op<'_, Self, W>,
        location: &Location,
    ) -> Result<(Vec<RouteTableId>, Owner<Paths>), Error> {
        let (found, check) = tokio::join!(op.usable_tables(location), op.refuse_checked_interface(location));
        let (found, ()) = (found?, check?);
        let paths = Paths::of(&found, Some(&location.interface));
        let ids: Vec<RouteTableId> = found.into_iter().map(|table| table.id).collect();
        op.remember_tables(&ids);
        Ok((ids, paths.owner()))
    }

    fn forget(op: &Op<'_, Self, W>) -> bool {
        let known = op.records().durable().tables.is_some();
        if known {
            op.update_durable(|durable| durable.tables = None);
        }
        known
    }

    fn calls(_: &Op<'_, Self, W>, tables: &Vec<RouteTableId>) -> Vec<Vec<RouteTableId>> {
        tables.iter().map(|table| vec![table.clone()]).collect()
    }

    fn part_of(owner: Owner<Paths>, tables: &Vec<RouteTableId>) -> Owner<Paths> {
        owner.held().map_or(Owner::Unassigned, |held| held.only(tables).owner())
    }

    fn overlooked(
        _: &Op<'_, Self, W>,
        tables: &Vec<RouteTableId>,
        owner: &Owner<Paths>,
    ) -> Option<Vec<RouteTableId>> {
        let away = owner.held().map(Paths::away).unwrap_or_default();
        let more: Vec<RouteTableId> = away.into_iter().filter(|id| !tables.contains(id)).collect();
        (!more.is_empty()).then_some(more)
    }

    async fn take(
        op: &Op<'_, Self, W>,
        tables: &Vec<RouteTableId>,
        location: &Location,
        _: bool,
    ) -> Result<Option<Paths>, Ec2Error> {
        for table in tables {
            op.world.ec2().replace_route(table, op.params.address, &location.interface).await?;
        }
        Ok(None)
    }

    /// Neither `ReplaceRoute` nor `DeleteRoute` has a precondition, so a late stop would take the address from the peer.
    /// [overlay-3]
    async fn release(_: &Op<'_, Self, W>, _: &Paths) -> Result<(), Ec2Error> {
        Ok(())
    }

    async fn prepare(op: &Op<'_, Self, W>, location: &Location) -> Result<Option<Device>, Error> {
        op.device_for(location).await
    }

    async fn while_taking(op: &Op<'_, Self, W>, location: &Location) {
        if let Err(error) = op.refuse_checked_interface(location).await {
            op.log().error(error);
        }
    }

    async fn accepted(op: &Op<'_, Self, W>, _: &Location, device: &Option<Device>) -> Result<(), Error> {
        let Some(device) = device else { return Ok(()) };
        let (ip, index) = (op.params.address, device.index);
        let note = || op.update_record(|record| (record.added, record.device) = (Some(true), Some(index)));
        op.put_on(device, ip, Some(host_prefix(ip)), note).await
    }

    async fn not_taken(op: &Op<'_, Self, W>) {
        if let Err(error) = op.take_off_devices().await {
            op.log().error(error);
        }
    }

    async fn settled(
        op: &Op<'_, Self, W>,
        _: &Location,
        _: &Option<Device>,
        _: Option<&Owner<Paths>>,
        _: bool,
    ) {
        op.remember_region().await;
    }

    async fn before_stop(op: &Op<'_, Self, W>) -> Result<(), Error> {
        op.take_off_devices().await
    }

    async fn on_host(op: &Op<'_, Self, W>) -> Result<Report, Error> {
        op.on_device().await
    }

    async fn probed_absent(op: &Op<'_, Self, W>, why: &str) {
        if op.params.add_to_device {
            let devices = op.devices_with(op.params.address).await.unwrap_or_default();
            op.report_leftovers(&devices, why, |device| op.removes_from(device));
        }
        op.fill_record().await;
    }

    async fn may_be_taken(
        op: &Op<'_, Self, W>,
        tables: &Vec<RouteTableId>,
        location: &Location,
    ) -> Result<(), Error> {
        let dry_runs = tables.iter().map(|table| async move {
            let attempt = async || {
                op.world.ec2().may_replace_route(table, op.params.address, &location.interface).await
            };
            op.call("ReplaceRoute", table, &op.deadline, attempt).await.map_err(Error::Ec2)
        });
        let outcomes = join_all(dry_runs).await;
        op.worst(outcomes.into_iter().filter_map(Result::err).collect()).map_or(Ok(()), Err)
    }

    async fn examine(
        op: &Op<'_, Self, W>,
        place: Option<&Location>,
        examination: &mut Examination<'_>,
    ) -> ControlFlow<()> {
        const SUBJECTS: [&str; 5] = ["device", "credentials", TABLES, CHECK, TAKING];
        let Some(place) = place else { return examination.unknown(&SUBJECTS, "the interface") };
        examination.outcome("device", op.device_for(place).await, device_name)?;
        let found = op.sharing(examination).usable_tables(place).await;
        let found = examination.answer(TABLES, found, |found| op.describe_tables(found))?;
        let checked = op.sharing(examination).source_dest_check(place).await;
        examination.add(match checked {
            Ok(None) => Finding::good(CHECK, format!("off on {}", place.interface)),
            Ok(Some(unknown)) => Finding::warning(CHECK, unknown),
            Err(error) => Finding::failure(CHECK, error),
        })?;
        let Some(found) = found else {
            return examination.unknown(&[TAKING], TABLES);
        };
        let ids: Vec<RouteTableId> = found.into_iter().map(|table| table.id).collect();
        for id in op.known_tables().into_iter().flatten().filter(|id| !ids.contains(id)) {
            let tables = &op.params.tables;
            let text = format!("{id} is on record and no longer one of {tables}: the next start drops it");
            examination.add(Finding::warning(TABLES, text))?;
        }
        if let Some(role) = &op.params.api.routing_table_role {
            examination.add(Finding::good("role", format!("{role} is assumed for route tables")))?;
        }
        examination.add(op.sharing(examination).examine_taking(&ids, place).await)?;
        if op.params.add_to_device
            && let Some(daemon) = op.world.host().address_remover()
        {
            let ip = op.params.address;
            let text =
                format!("{daemon} may remove {ip} from its device: exclude the device, or disable {daemon}");
            examination.add(Finding::warning("device", text))?;
        }
        Continue(())
    }
}

/// Subjects of an examination.
const TABLES: &str = "route tables";
const CHECK: &str = "source/dest check";

impl<W: OverlayWorld> Op<'_, Overlay, W> {
    /// The configured interface and its VPC according to instance metadata.
    async fn whereabouts(&self) -> Result<Location, Error> {
        let imds = self.world.imds();
        let mac = location::find_mac(self.world, &self.params.interface).await?;
        let (instance, interface, vpc) = tokio::join!(imds.instance_id(), imds.interface(mac), imds.vpc(mac));
        let interface = self.attached(mac, interface)?;
        Ok(Location {
            instance: Some(instance?),
            private_ip: interface.private_ips.first().copied(),
            mac: Some(mac),
            vpc: Some(vpc?),
            ..Location::on(interface.id)
        })
    }

    /// This node's place, from the record or instance metadata.
    async fn own_place(&self) -> Result<Location, Error> {
        match <Overlay as Kind<W>>::recall(self) {
            Some(location) => Ok(location),
            None => self.query(&self.deadline, async || self.whereabouts().await).await,
        }
    }

    /// Records that EC2 has just shown where the routes lead.
    fn note_check(&self) {
        let now = millis(self.world.host().uptime());
        if self.last_done().is_some() {
            self.update_record(|record| record.checked_ms = Some(now));
        }
    }

    fn update_record(&self, change: impl FnOnce(&mut OverlayRecord)) {
        self.records().update_volatile(|record| {
            if let Remembered::Overlay(overlay) = &mut record.kind {
                change(overlay);
            }
        });
    }

    /// The destination of the routes.
    fn destination(&self) -> String {
        destination(self.params.address)
    }

    /// Finds the route tables if none is on record, so that a standby that could not take over reports it long before it has to,
    /// and one that can needs no query first. [probe-2]
    async fn fill_record(&self) {
        if self.known_tables().is_some() {
            return;
        }
        let filling = async {
            let location = self.whereabouts().await?;
            <Overlay as Kind<W>>::learn(self, &location).await
        };
        let outcome = self.deadline.within(FILLING).bound(filling).await;
        let error = match outcome {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => error,
            Err(_) => Error::Ec2(Ec2Error::cut_off("DescribeRouteTables", &self.params.tables)),
        };
        let name = self.name();
        self.log().warn(format_args!("this node could not take over {name} at present: {error}"));
    }
}
