//! `DescribeRouteTables` and `ReplaceRoute`: the tables of the caller's account, and the call that changes their routes.

use std::net::IpAddr;

use eip::base::ids::RouteTableId;
use eip::cloud::Route;
use eip::cloud::ec2::routes::destination;
use eip::cloud::model::{ACCOUNT, ApiError, Operation, ShownTable};

use super::filters::{self, FilterPaths};
use super::xml::Content;
use super::{OperationCall, OperationResult, id, interface_id};

/// The filters of `DescribeRouteTables` that the simulator supports, besides `tag:KEY`.
const FILTERS: FilterPaths = &[
    ("owner-id", "ownerId"),
    ("route-table-id", "routeTableId"),
    ("route.destination-cidr-block", "routeSet/item/destinationCidrBlock"),
    ("route.destination-ipv6-cidr-block", "routeSet/item/destinationIpv6CidrBlock"),
    ("route.origin", "routeSet/item/origin"),
    ("route.state", "routeSet/item/state"),
    ("vpc-id", "vpcId"),
];
/// Maximum of `MaxResults`.
const LARGEST_PAGE: usize = 100;

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
    let (tags, plain): (Vec<_>, Vec<_>) =
        call.params.filters().into_iter().partition(|wish| wish.name.starts_with("tag:"));
    filters::check(&plain, FILTERS)?;
    call.permit("*")?;
    let shown = call.world.account.described_tables(call.who.instance.as_ref(), call.who.account());
    if let Some(missing) = named.iter().find(|id| !shown.iter().any(|table| table.id == **id)) {
        let message = format!("The routeTable ID '{missing}' does not exist");
        return Err(ApiError::client("InvalidRouteTableID.NotFound", message));
    }
    let meant = shown.iter().filter(|table| named.is_empty() || named.contains(&table.id));
    let tagged = |table: &&ShownTable| {
        tags.iter().all(|wish| {
            let value = wish.name.strip_prefix("tag:").and_then(|key| table.tags.get(key));
            wish.allows(value.map(std::slice::from_ref).unwrap_or_default())
        })
    };
    let items = meant.filter(tagged).map(|table| item(call, table));
    call.page("routeTableSet", items.filter(|item| filters::keep(&plain, FILTERS, item)).collect())
}

fn item(call: &OperationCall<'_>, table: &ShownTable) -> Content {
    let routes = table.routes.iter().map(|(address, route)| route_item(call, &table.owner, *address, route));
    let tags = table.tags.iter().map(|(key, value)| Content::default().text("key", key).text("value", value));
    Content::default()
        .text("routeTableId", &table.id)
        .text("vpcId", &table.vpc)
        .text("ownerId", &table.owner)
        .list("routeSet", routes)
        .list("tagSet", tags)
}

/// A route in a response. Instance and owner are shown only within the account.
fn route_item(call: &OperationCall<'_>, owner: &str, address: IpAddr, route: &Route) -> Content {
    let eni = route.interface.as_ref();
    let instance = eni.filter(|_| owner == ACCOUNT).and_then(|eni| call.world.account.instance_with(eni));
    let to = if address.is_ipv4() { "destinationCidrBlock" } else { "destinationIpv6CidrBlock" };
    Content::default()
        .text(to, destination(address))
        .maybe("networkInterfaceId", eni)
        .maybe("instanceId", instance.as_ref())
        .maybe("instanceOwnerId", instance.as_ref().map(|_| ACCOUNT))
        .maybe("gatewayId", Some(&route.target).filter(|_| eni.is_none()))
        .text("state", if route.blackhole { "blackhole" } else { "active" })
        .text("origin", &route.origin)
}

/// Changes a route's target to another interface.
pub(super) fn replace(call: &OperationCall<'_>) -> OperationResult {
    let eni = interface_id(call.params.need("NetworkInterfaceId")?)?;
    let table = table_id(call.params.need("RouteTableId")?)?;
    let given = ["DestinationCidrBlock", "DestinationIpv6CidrBlock"];
    let destination = given.into_iter().find_map(|name| call.params.get(name));
    let address = destination.and_then(single).ok_or_else(|| {
        ApiError::value("The simulator has routes to single addresses alone, such as 192.168.10.1/32")
    })?;
    let account = call.who.account().map(str::to_owned);
    super::change::operate(call, &Operation::Route { table, address, eni, account })?;
    Ok(call.yes())
}

/// Parses a range of one address.
fn single(text: &str) -> Option<IpAddr> {
    let (address, _) = text.rsplit_once('/')?;
    let address = address.parse().ok()?;
    (destination(address) == text).then_some(address)
}

fn table_id(text: &str) -> Result<RouteTableId, ApiError> {
    id("InvalidRouteTableId.Malformed", "rtb-", text)
}
