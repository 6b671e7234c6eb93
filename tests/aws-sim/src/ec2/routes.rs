//! `DescribeRouteTables`, `ReplaceRoute`, `CreateRoute` and `DeleteRoute`: the tables that the caller's account owns, and the calls that
//! change their routes.

use std::net::IpAddr;

use eip::base::ids::{InterfaceId, RouteTableId};
use eip::cloud::Route;
use eip::cloud::ec2::routes::destination;
use eip::cloud::model::{ApiError, Operation, RouteChange, ShownTable};
use serde::Serialize;

use super::filters;
use super::xml::{ItemSet, Yes};
use super::{OperationCall, OperationResult, id, interface_id};

/// The filters of `DescribeRouteTables` that the simulator has, beside `tag:KEY`.
const FILTERS: &[&str] = &[
    "owner-id",
    "route-table-id",
    "route.destination-cidr-block",
    "route.destination-ipv6-cidr-block",
    "route.origin",
    "route.state",
    "vpc-id",
];
/// The largest page.
const LARGEST_PAGE: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TableSet {
    route_table_set: ItemSet<TableItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TableItem {
    route_table_id: String,
    vpc_id: String,
    owner_id: String,
    route_set: ItemSet<RouteItem>,
    tag_set: ItemSet<TagItem>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RouteItem {
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_cidr_block: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_ipv6_cidr_block: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_interface_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_owner_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway_id: Option<String>,
    state: &'static str,
    origin: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TagItem {
    key: String,
    value: String,
}

/// Answers `DescribeRouteTables`.
pub(super) fn tables(call: &OperationCall<'_>) -> OperationResult {
    let named = call.params.list("RouteTableId").into_iter().map(table_id);
    let named: Vec<RouteTableId> = named.collect::<Result<_, _>>()?;
    let size = call.params.count("MaxResults")?;
    if size.is_some_and(|size| size > LARGEST_PAGE) {
        return Err(ApiError::value("Value for parameter maxResults is invalid. Expecting at most 100."));
    }
    if size.is_some() && !named.is_empty() {
        let message = "The parameter routeTableIdSet cannot be used with the parameter maxResults";
        return Err(ApiError::client("InvalidParameterCombination", message));
    }
    let wishes = call.params.filters();
    let plain: Vec<_> = wishes.iter().filter(|wish| !wish.name.starts_with("tag:")).cloned().collect();
    filters::check(&plain, FILTERS)?;
    call.permit("*")?;
    let shown = call.world.account.described_tables(call.who.instance.as_ref(), call.who.account());
    if let Some(missing) = named.iter().find(|id| !shown.iter().any(|table| table.id == **id)) {
        let message = format!("The routeTable ID '{missing}' does not exist");
        return Err(ApiError::client("InvalidRouteTableID.NotFound", message));
    }
    let meant = shown.iter().filter(|table| named.is_empty() || named.contains(&table.id));
    let meant = meant.filter(|table| filters::keep(&wishes, |name| field(table, name)));
    let items = meant.map(|table| item(call, table)).collect();
    let (page, next_token) = filters::page(items, size, call.params.get("NextToken"))?;
    Ok(call.done(&TableSet { route_table_set: page.into_iter().collect(), next_token }))
}

fn item(call: &OperationCall<'_>, table: &ShownTable) -> TableItem {
    let routes = table.routes.iter().map(|(address, route)| route_item(call, &table.owner, *address, route));
    let tags = table.tags.iter().map(|(key, value)| TagItem { key: key.clone(), value: value.clone() });
    TableItem {
        route_table_id: table.id.to_string(),
        vpc_id: table.vpc.to_string(),
        owner_id: table.owner.clone(),
        route_set: routes.collect(),
        tag_set: tags.collect(),
    }
}

/// Instance and owner are shown within the account alone.
fn route_item(call: &OperationCall<'_>, owner: &str, address: IpAddr, route: &Route) -> RouteItem {
    let account = &call.world.config.account;
    let eni = route.interface.as_ref();
    let instance = eni.filter(|_| owner == account).and_then(|eni| call.world.account.instance_with(eni));
    let to = Some(destination(address));
    RouteItem {
        destination_cidr_block: to.clone().filter(|_| address.is_ipv4()),
        destination_ipv6_cidr_block: to.filter(|_| address.is_ipv6()),
        network_interface_id: eni.map(ToString::to_string),
        instance_owner_id: instance.as_ref().map(|_| account.clone()),
        instance_id: instance.map(|id| id.to_string()),
        gateway_id: Some(route.target.clone()).filter(|_| eni.is_none()),
        state: state(route),
        origin: route.origin.clone(),
    }
}

fn state(route: &Route) -> &'static str {
    if route.blackhole { "blackhole" } else { "active" }
}

fn field(table: &ShownTable, name: &str) -> Vec<String> {
    let destinations = |v4: bool| {
        let routes = table.routes.iter().filter(|(address, _)| address.is_ipv4() == v4);
        routes.map(|(address, _)| destination(*address)).collect()
    };
    match name.strip_prefix("tag:") {
        Some(key) => table.tags.get(key).cloned().into_iter().collect(),
        None => match name {
            "owner-id" => vec![table.owner.clone()],
            "route-table-id" => vec![table.id.to_string()],
            "route.destination-cidr-block" => destinations(true),
            "route.destination-ipv6-cidr-block" => destinations(false),
            "route.origin" => table.routes.iter().map(|(_, route)| route.origin.clone()).collect(),
            "route.state" => table.routes.iter().map(|(_, route)| state(route).to_owned()).collect(),
            _ => vec![table.vpc.to_string()],
        },
    }
}

/// Leads a route to another interface.
pub(super) fn replace(call: &OperationCall<'_>) -> OperationResult {
    change(call, RouteChange::Replace(target(call)?))
}

/// Makes a route to an interface.
pub(super) fn create(call: &OperationCall<'_>) -> OperationResult {
    change(call, RouteChange::Create(target(call)?))
}

/// Takes a route out of its table.
pub(super) fn delete(call: &OperationCall<'_>) -> OperationResult {
    change(call, RouteChange::Delete)
}

fn target(call: &OperationCall<'_>) -> Result<InterfaceId, ApiError> {
    interface_id(call.params.need("NetworkInterfaceId")?)
}

fn change(call: &OperationCall<'_>, change: RouteChange) -> OperationResult {
    let table = table_id(call.params.need("RouteTableId")?)?;
    let given = ["DestinationCidrBlock", "DestinationIpv6CidrBlock"];
    let destination = given.into_iter().find_map(|name| call.params.get(name));
    let address = destination.and_then(single).ok_or_else(|| {
        ApiError::value("The simulator has routes to single addresses alone, such as 192.168.10.1/32")
    })?;
    let account = call.who.account().map(str::to_owned);
    super::change::operate(call, &Operation::Route { table, address, change, account })?;
    Ok(call.done(&Yes::ANSWER))
}

/// Reads a range of one address.
fn single(text: &str) -> Option<IpAddr> {
    let (address, _) = text.rsplit_once('/')?;
    let address = address.parse().ok()?;
    (destination(address) == text).then_some(address)
}

fn table_id(text: &str) -> Result<RouteTableId, ApiError> {
    id("InvalidRouteTableId.Malformed", "rtb-", text)
}
