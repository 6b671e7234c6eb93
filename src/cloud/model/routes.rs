//! Route tables: which exist, where each leads an overlay address, and the call that changes it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::Ipv4Net;

use super::account::{ACCOUNT, Account, PrivateIpChange, parsed};
use super::client::ModelClient;
use super::error::ApiError;
use super::history::{Caller, History, Version};
use super::operations::{Operation, VPC};
use super::state::{InstanceState, Objects};
use crate::base::ids::{InstanceId, InterfaceId, RouteTableId, VpcId};
use crate::cloud::ec2::Ec2Error;
use crate::cloud::ec2::routes::{Route, RouteTable, Routes, destination};
use crate::params::Tables;

/// Specification of a route table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTableSpec {
    /// `rtb-...`.
    pub id: RouteTableId,
    /// VPC to which the table belongs.
    pub vpc: VpcId,
    /// The account that owns it; the model's own if absent.
    pub owner: Option<String>,
    /// Tags of the table, by key.
    pub tags: BTreeMap<String, String>,
}

impl RouteTableSpec {
    /// A table of the model's own VPC and account, whose id is derived from this number.
    pub fn numbered(number: u32) -> Self {
        let id = parsed(format!("rtb-{number:017x}"));
        Self { id, vpc: parsed(VPC), owner: None, tags: BTreeMap::new() }
    }
}

/// Stored form of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StoredRoute {
    /// The id of what it leads to.
    target: String,
    origin: String,
    /// Whether EC2 shows it as a blackhole whatever its target does: AWS is late with the state.
    late: bool,
}

/// Stored form of a route table.
#[derive(Clone, Debug)]
pub(super) struct StoredTable {
    vpc: VpcId,
    owner: String,
    tags: BTreeMap<String, String>,
    routes: BTreeMap<IpAddr, History<Option<StoredRoute>>>,
    /// Propagated routes, each beside the created route with the same destination, and shown before it.
    beside: BTreeMap<IpAddr, Route>,
}

/// A route table as a reader sees it, with all that the wire form shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownTable {
    /// `rtb-...`.
    pub id: RouteTableId,
    /// VPC to which the table belongs.
    pub vpc: VpcId,
    /// The account that owns it.
    pub owner: String,
    /// Tags of the table, by key.
    pub tags: BTreeMap<String, String>,
    /// Its routes to single addresses.
    pub routes: Vec<(IpAddr, Route)>,
}

impl Objects {
    fn table_at(&self, id: &RouteTableId, table: &StoredTable, moment: Duration) -> ShownTable {
        let shown = |(address, history): (&IpAddr, &History<Option<StoredRoute>>)| {
            let route = history.at(moment).as_ref()?;
            let interface =
                Some(&route.target).filter(|id| id.starts_with("eni-")).map(parsed::<InterfaceId>);
            let usable = interface.as_ref().is_none_or(|eni| self.takes_traffic(eni, moment));
            let blackhole = route.late || !usable || history.age(moment) < self.late_routes;
            let (target, origin) = (route.target.clone(), route.origin.clone());
            let attached = interface.as_ref().and_then(|eni| self.attached_at(eni, moment));
            let instance = attached.map(|(id, _)| id);
            Some((*address, Route { interface, instance, target, blackhole, origin }))
        };
        let beside = table.beside.iter().map(|(address, route)| (*address, route.clone()));
        let routes = beside.chain(table.routes.iter().filter_map(shown)).collect();
        let (vpc, owner, tags) = (table.vpc.clone(), table.owner.clone(), table.tags.clone());
        ShownTable { id: id.clone(), vpc, owner, tags, routes }
    }

    /// Whether an interface is attached to a running instance.
    fn takes_traffic(&self, eni: &InterfaceId, moment: Duration) -> bool {
        let instance = self.attached_at(eni, moment).and_then(|(id, _)| self.instances.get(&id));
        instance.is_some_and(|instance| *instance.state.at(moment) == InstanceState::Running)
    }

    /// The tables of an account at a moment.
    pub(super) fn tables_at(&self, account: &str, moment: Duration) -> Vec<ShownTable> {
        let own = self.tables.iter().filter(|(_, table)| table.owner == account);
        own.map(|(id, table)| self.table_at(id, table, moment)).collect()
    }

    /// Checks that a route may lead to this interface.
    ///
    /// # Errors
    /// EC2's: no such table, interface or route, or one that the call cannot change.
    pub(super) fn check_route(
        &self,
        id: &RouteTableId,
        address: IpAddr,
        eni: &InterfaceId,
        account: &str,
    ) -> Result<(), ApiError> {
        let Some(table) = self.tables.get(id).filter(|table| table.owner == account) else {
            let message = format!("The routeTable ID '{id}' does not exist");
            return Err(ApiError::client("InvalidRouteTableID.NotFound", message));
        };
        self.find_interface(eni)?;
        let to = destination(address);
        match table.routes.get(&address).and_then(|history| history.now().as_ref()) {
            None => Err(ApiError::value(format!(
                "There is no route defined for '{to}' in the route table. Use CreateRoute instead."
            ))),
            Some(route) if route.origin != "CreateRoute" => {
                Err(ApiError::value(format!("The route '{to}' was not created by CreateRoute")))
            }
            Some(_) => Ok(()),
        }
    }

    /// Leads a route to another interface.
    pub(super) fn replace_route(
        &mut self,
        at: Duration,
        by: &Caller,
        table: &RouteTableId,
        address: IpAddr,
        eni: &InterfaceId,
    ) {
        let routes = self.tables.get_mut(table).map(|table| &mut table.routes);
        let Some(history) = routes.and_then(|routes| routes.get_mut(&address)) else { return };
        let route = history.now().clone().map(|route| StoredRoute { target: eni.to_string(), ..route });
        history.set(at, by, route);
    }
}

impl Account {
    /// Adds a route table without routes.
    pub fn add_route_table(&self, spec: RouteTableSpec) -> RouteTableId {
        self.with(|state| {
            let owner = spec.owner.unwrap_or_else(|| ACCOUNT.to_owned());
            let (routes, beside) = (BTreeMap::new(), BTreeMap::new());
            let table = StoredTable { vpc: spec.vpc, owner, tags: spec.tags, routes, beside };
            state.objects.tables.insert(spec.id.clone(), table);
        });
        spec.id
    }

    /// Deletes a route table.
    pub fn delete_route_table(&self, table: &RouteTableId) {
        self.with(|state| state.objects.tables.remove(table));
    }

    /// Whether another account owns a route table of the VPC.
    pub fn has_tables_of(&self, account: &str) -> bool {
        self.with(|state| state.objects.tables.values().any(|table| table.owner == account))
    }

    /// Sets the tags of a route table.
    pub fn tag_route_table(&self, table: &RouteTableId, tags: &[(&str, &str)]) {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.with(|state| {
            if let Some(table) = state.objects.tables.get_mut(table) {
                table.tags = tags;
            }
        });
    }

    /// Creates the route for an address, or makes it lead to this target (`eni-...`, `tgw-...`), as an administrator.
    pub fn route(&self, table: &RouteTableId, address: IpAddr, target: &str) {
        self.set_route(table, address, Some((target, "CreateRoute", false)));
    }

    /// Makes a virtual private gateway propagate a route for the address.
    pub fn propagate_route(&self, table: &RouteTableId, address: IpAddr, gateway: &str) {
        self.set_route(table, address, Some((gateway, "EnableVgwRoutePropagation", false)));
    }

    /// Makes a virtual private gateway propagate a route for the address beside the created one, which takes priority.
    pub fn propagate_beside(&self, table: &RouteTableId, address: IpAddr, gateway: &str) {
        let (target, origin) = (gateway.to_owned(), "EnableVgwRoutePropagation".to_owned());
        let route = Route { interface: None, instance: None, target, blackhole: false, origin };
        self.with(|state| {
            if let Some(table) = state.objects.tables.get_mut(table) {
                table.beside.insert(address, route);
            }
        });
    }

    /// Creates the route for an address, and shows it as a blackhole until it is created anew.
    pub fn route_shown_as_blackhole(&self, table: &RouteTableId, address: IpAddr, target: &str) {
        self.set_route(table, address, Some((target, "CreateRoute", true)));
    }

    /// Shows every route that was changed less than this ago as a blackhole: AWS is late with the state.
    pub fn set_late_routes(&self, late: Duration) {
        self.with(|state| state.objects.late_routes = late);
    }

    /// Deletes the route for an address.
    pub fn delete_route(&self, table: &RouteTableId, address: IpAddr) {
        self.set_route(table, address, None);
    }

    fn set_route(&self, table: &RouteTableId, address: IpAddr, to: Option<(&str, &str, bool)>) {
        let route = to.map(|(target, origin, late)| StoredRoute {
            target: target.to_owned(),
            origin: origin.to_owned(),
            late,
        });
        self.with(|state| {
            let at = state.stamp();
            if let Some(table) = state.objects.tables.get_mut(table) {
                let history = table.routes.entry(address).or_insert_with(|| History::new(at, None));
                history.set(at, &Caller::default(), route);
            }
        });
    }

    /// Switches the source/destination check of an interface.
    pub fn set_source_dest_check(&self, eni: &InterfaceId, on: bool) {
        self.with(|state| {
            if let Some(interface) = state.objects.interfaces.get_mut(eni) {
                interface.source_dest_check = on;
            }
        });
    }

    /// Whether the source/destination check of an interface is on; false if there is no such interface.
    pub fn source_dest_check(&self, eni: &InterfaceId) -> bool {
        self.with(|state| state.objects.interfaces.get(eni).is_some_and(|eni| eni.source_dest_check))
    }

    /// The ranges of the VPC: the /16 networks that its subnets are in.
    pub fn vpc_ranges(&self) -> Vec<Ipv4Net> {
        let sixteen = |net: Ipv4Net| Ipv4Net::new(net.network(), 16.min(net.prefix_len())).ok();
        let mut ranges: Vec<Ipv4Net> = self.with(|state| {
            let cidrs = state.objects.subnets.iter().map(|subnet| subnet.cidr);
            cidrs.filter_map(sixteen).map(|net| net.trunc()).collect()
        });
        ranges.sort_unstable();
        ranges.dedup();
        ranges
    }

    /// The target of the present route for an address.
    pub fn route_of(&self, table: &RouteTableId, address: IpAddr) -> Option<String> {
        self.with(|state| {
            let route = state.objects.tables.get(table)?.routes.get(&address)?.now().as_ref()?;
            Some(route.target.clone())
        })
    }

    /// The instance and interface to which every table leads an address; `None` if they differ, or lead elsewhere.
    pub fn overlay_holder(&self, address: IpAddr) -> Option<(InstanceId, InterfaceId)> {
        let eni = self.overlay_changes(address).pop()?.value?;
        Some((self.instance_with(&eni)?, eni))
    }

    /// The instance that an interface is attached to.
    pub fn instance_with(&self, eni: &InterfaceId) -> Option<InstanceId> {
        self.with(|state| state.objects.attached_at(eni, Duration::MAX)).map(|(instance, _)| instance)
    }

    /// The interface to which every table led an address, with the caller that made it so, oldest first; a mixture is `None`.
    pub fn overlay_changes(&self, address: IpAddr) -> Vec<Version<Option<InterfaceId>>> {
        self.with(|state| {
            let tables = state.objects.tables.values();
            let histories: Vec<_> = tables.filter_map(|table| table.routes.get(&address)).collect();
            let mut times: Vec<(Duration, Caller)> = histories
                .iter()
                .flat_map(|history| history.changes().map(|change| (change.at, change.by.clone())))
                .collect();
            times.sort_by_key(|(at, _)| *at);
            let at = |moment: Duration| {
                let mut targets = histories
                    .iter()
                    .map(|history| history.at(moment).as_ref().map(|route| route.target.clone()));
                let first = targets.next().flatten().filter(|target| target.starts_with("eni-"))?;
                targets.all(|target| target.as_ref() == Some(&first)).then(|| parsed(&first))
            };
            let mut changes: Vec<Version<Option<InterfaceId>>> = Vec::new();
            for (moment, by) in times {
                let value = at(moment);
                if changes.last().is_none_or(|last| last.value != value) {
                    changes.push(Version { at: moment, by, value });
                }
            }
            changes
        })
    }

    /// Every instance to which all tables led an address, oldest first; a mixture is `None`.
    pub fn overlay_history(&self, address: IpAddr) -> Vec<PrivateIpChange> {
        self.instances_of(self.overlay_changes(address))
    }

    /// The tables of an account, or of the model's own, as shown to the next Describe of this instance.
    pub fn described_tables(&self, caller: Option<&InstanceId>, account: Option<&str>) -> Vec<ShownTable> {
        self.with(|state| {
            let moment = state.described_moment(caller);
            state.objects.tables_at(account.unwrap_or(ACCOUNT), moment)
        })
    }
}

impl Routes for ModelClient {
    async fn route_tables(
        &self,
        which: &Tables,
        vpc: Option<&VpcId>,
        address: IpAddr,
    ) -> Result<Vec<RouteTable>, Ec2Error> {
        let object = format!("{which} for {address}");
        let (which, vpc) = (which.clone(), vpc.cloned());
        let account = self.routing_account.clone().unwrap_or_else(|| ACCOUNT.to_owned());
        self.described("DescribeRouteTables", object, move |objects, moment| {
            let tables = objects.tables_at(&account, moment).into_iter();
            let with_route = tables.map(|table| {
                let routes = table.routes.iter().filter(|(to, _)| *to == address);
                let route =
                    routes.min_by_key(|(_, route)| !route.is_replaceable()).map(|(_, route)| route.clone());
                (table, route)
            });
            let in_vpc = |table: &ShownTable| vpc.as_ref().is_none_or(|vpc| table.vpc == *vpc);
            let meant = with_route.filter(|(table, route)| match &which {
                Tables::Ids(ids) => ids.contains(&table.id),
                Tables::Tagged { key, value } => in_vpc(table) && table.tags.get(key) == Some(value),
                Tables::Routing => in_vpc(table) && route.is_some(),
            });
            Ok(meant.map(|(table, route)| RouteTable { id: table.id, vpc: Some(table.vpc), route }).collect())
        })
        .await
    }

    async fn replace_route(
        &self,
        table: &RouteTableId,
        address: IpAddr,
        to: &InterfaceId,
    ) -> Result<(), Ec2Error> {
        let operation = self.replacing(table, address, to);
        self.change("ReplaceRoute", table.to_string(), operation).await.map(drop)
    }

    async fn may_replace_route(
        &self,
        table: &RouteTableId,
        address: IpAddr,
        to: &InterfaceId,
    ) -> Result<(), Ec2Error> {
        let operation = self.replacing(table, address, to);
        self.may("ReplaceRoute (dry run)", table.to_string(), operation).await
    }

    async fn checks_source_and_destination(&self, interface: &InterfaceId) -> Result<bool, Ec2Error> {
        let id = interface.clone();
        self.described("DescribeNetworkInterfaces", interface.to_string(), move |objects, _| {
            Ok(objects.find_interface(&id)?.source_dest_check)
        })
        .await
    }
}

impl ModelClient {
    fn replacing(&self, table: &RouteTableId, address: IpAddr, to: &InterfaceId) -> Operation {
        Operation::Route {
            table: table.clone(),
            address,
            eni: to.clone(),
            account: self.routing_account.clone(),
        }
    }
}
