//! [`Routes`] on the AWS SDK.

use std::net::IpAddr;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::replace_route::builders::ReplaceRouteFluentBuilder;
use aws_sdk_ec2::types::{self, Filter};

use super::{AnswerFlaw, AwsEc2, UNREADABLE, filter, parsed, permitted};
use crate::base::ids::{InterfaceId, RouteTableId, VpcId};
use crate::cloud::ec2::routes::{Route, RouteTable, Routes, destination};
use crate::cloud::ec2::{Ec2Error, Ec2Fault};
use crate::params::Tables;

pub(super) const DESCRIBE: &str = "DescribeRouteTables";
const REPLACE: &str = "ReplaceRoute";
/// Tables per page: the fewest that EC2 takes. EC2 returns all routes of each, of up to 400 bytes: with the largest quota, 1000 routes per table,
/// a page is 2 MB of the 2 MiB that a response may have.
///
/// # Source
/// Amazon VPC quotas: 500 routes per route table, adjustable up to 1000.
const PAGE: i32 = 5;

impl Routes for AwsEc2 {
    /// By filter, never by id: one id that does not exist would fail the query for all others.
    async fn route_tables(
        &self,
        which: &Tables,
        vpc: Option<&VpcId>,
        address: IpAddr,
    ) -> Result<Vec<RouteTable>, Ec2Error> {
        if let Some(listing) = &self.listing {
            return listing.route_tables(which, vpc, address);
        }
        let mut filters = Vec::new();
        match which {
            Tables::Ids(ids) => filters.push(filter("route-table-id", ids.iter().map(RouteTableId::as_str))),
            Tables::Tagged { key, value } => filters.push(filter(&format!("tag:{key}"), [value.as_str()])),
            Tables::Routing => {
                let name = if address.is_ipv4() {
                    "route.destination-cidr-block"
                } else {
                    "route.destination-ipv6-cidr-block"
                };
                filters.push(filter(name, [destination(address).as_str()]));
            }
        }
        if let (Some(vpc), false) = (vpc, matches!(which, Tables::Ids(_))) {
            filters.push(filter("vpc-id", [vpc.as_str()]));
        }
        let object = which.to_string();
        let shown = self.tables_with(&object, filters).await?;
        all_of(shown.iter(), &object, address)
    }

    async fn replace_route(
        &self,
        table: &RouteTableId,
        address: IpAddr,
        to: &InterfaceId,
    ) -> Result<(), Ec2Error> {
        let call = self.call(self.routing(), REPLACE, table, async |client| {
            replacing(client, table, address, to).send().await
        });
        self.guard.mutate(call).await.map(drop)
    }

    async fn may_replace_route(
        &self,
        table: &RouteTableId,
        address: IpAddr,
        to: &InterfaceId,
    ) -> Result<(), Ec2Error> {
        permitted(
            self.call(self.routing(), REPLACE, table, async |client| {
                replacing(client, table, address, to).dry_run(true).send().await
            })
            .await,
        )
    }

    async fn checks_source_and_destination(&self, interface: &InterfaceId) -> Result<bool, Ec2Error> {
        const OPERATION: &str = "DescribeNetworkInterfaces";
        let output = self
            .call(&self.general, OPERATION, interface, async |client| {
                client.describe_network_interfaces().network_interface_ids(interface.as_str()).send().await
            })
            .await?;
        let shown = output.network_interfaces().iter();
        let mut shown = shown.filter(|eni| eni.network_interface_id() == Some(interface.as_str()));
        shown.next().and_then(types::NetworkInterface::source_dest_check).ok_or_else(|| {
            Ec2Error::new(OPERATION, interface, Ec2Fault::Silent, "an answer without source/dest check")
        })
    }
}

impl AwsEc2 {
    /// All route tables that match these filters, each with its routes for single addresses only: of all others, one page at a time
    /// is in memory.
    pub(super) async fn tables_with(
        &self,
        object: &str,
        filters: Vec<Filter>,
    ) -> Result<Vec<types::RouteTable>, Ec2Error> {
        self.call(self.routing(), DESCRIBE, &object, async |client| {
            let filters = Some(filters).filter(|filters| !filters.is_empty());
            let request = client.describe_route_tables().set_filters(filters).max_results(PAGE);
            let mut tables = request.into_paginator().items().send();
            let mut found = Vec::new();
            while let Some(table) = tables.try_next().await? {
                found.push(with_single_addresses_only(table));
            }
            Ok(found)
        })
        .await
    }
}

fn with_single_addresses_only(mut table: types::RouteTable) -> types::RouteTable {
    let is_single =
        |route: &types::Route| range(route).is_some_and(|range| range == ipnet::IpNet::from(range.addr()));
    let routes = table.routes.take().unwrap_or_default();
    table.routes = Some(routes.into_iter().filter(is_single).collect());
    table
}

/// The destination of a route; `None` if it is a prefix list.
fn range(route: &types::Route) -> Option<ipnet::IpNet> {
    let to = route.destination_cidr_block().or(route.destination_ipv6_cidr_block());
    to.and_then(|to| to.parse().ok())
}

/// These tables in our own type, each with its route for exactly this address.
pub(super) fn all_of<'t>(
    shown: impl Iterator<Item = &'t types::RouteTable>,
    object: &str,
    address: IpAddr,
) -> Result<Vec<RouteTable>, Ec2Error> {
    let found: Result<_, _> = shown.map(|shown| table(shown, address)).collect();
    found.map_err(|(fault, answer)| Ec2Error::new(DESCRIBE, &object, fault, answer))
}

fn replacing(
    client: &Client,
    table: &RouteTableId,
    address: IpAddr,
    to: &InterfaceId,
) -> ReplaceRouteFluentBuilder {
    let request = client.replace_route().route_table_id(table.as_str()).network_interface_id(to.as_str());
    if address.is_ipv4() {
        request.destination_cidr_block(destination(address))
    } else {
        request.destination_ipv6_cidr_block(destination(address))
    }
}

/// Converts a table to our own type, with its route for exactly this address.
fn table(table: &types::RouteTable, address: IpAddr) -> Result<RouteTable, AnswerFlaw> {
    // EC2 may write an IPv6 address in another form than it was given in.
    let meant = table.routes().iter().filter(|route| range(route) == Some(address.into()));
    let mut meant = meant.map(route).collect::<Result<Vec<_>, _>>()?;
    // A created route takes priority over a propagated one.
    meant.sort_by_key(|route| !route.is_replaceable());
    Ok(RouteTable {
        id: parsed(table.route_table_id())?.ok_or(UNREADABLE)?,
        vpc: parsed(table.vpc_id())?,
        route: meant.into_iter().next(),
    })
}

fn route(route: &types::Route) -> Result<Route, AnswerFlaw> {
    let targets = [
        route.network_interface_id(),
        route.gateway_id(),
        route.transit_gateway_id(),
        route.nat_gateway_id(),
        route.vpc_peering_connection_id(),
        route.instance_id(),
        route.local_gateway_id(),
        route.carrier_gateway_id(),
        route.core_network_arn(),
    ];
    let target = targets.into_iter().flatten().find(|id| !id.is_empty());
    let blackhole = matches!(route.state(), Some(types::RouteState::Blackhole));
    Ok(Route {
        interface: parsed(route.network_interface_id())?,
        instance: parsed(route.instance_id())?,
        target: target.unwrap_or("an unnamed target").to_owned(),
        blackhole,
        origin: route.origin().map(|origin| origin.as_str().to_owned()).unwrap_or_default(),
    })
}
