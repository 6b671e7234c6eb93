//! `DescribeAddresses` and `DescribeNetworkInterfaces`: what matches, as of a time that may lag.

use std::net::Ipv4Addr;

use eip::base::ids::InterfaceId;
use eip::cloud::model::{ACCOUNT, ApiError, VPC};
use eip::cloud::{Address, Eni, Selector};

use super::filters::{self, Filter, FilterPaths};
use super::xml::Content;
use super::{OperationCall, OperationResult, allocation_id, interface_id, public_ip};

/// The filters of `DescribeAddresses` that the simulator supports.
const ADDRESS_FILTERS: FilterPaths = &[
    ("allocation-id", "allocationId"),
    ("association-id", "associationId"),
    ("instance-id", "instanceId"),
    ("network-border-group", "networkBorderGroup"),
    ("network-interface-id", "networkInterfaceId"),
    ("private-ip-address", "privateIpAddress"),
    ("public-ip", "publicIp"),
];

/// The filters of `DescribeNetworkInterfaces` that the simulator supports.
const INTERFACE_FILTERS: FilterPaths = &[
    ("addresses.association.public-ip", "privateIpAddressesSet/item/association/publicIp"),
    ("addresses.private-ip-address", "privateIpAddressesSet/item/privateIpAddress"),
    ("attachment.instance-id", "attachment/instanceId"),
    ("network-interface-id", "networkInterfaceId"),
    ("private-ip-address", "privateIpAddress"),
    ("subnet-id", "subnetId"),
    ("vpc-id", "vpcId"),
];

/// Answers `DescribeAddresses`.
pub(super) fn addresses(call: &OperationCall<'_>) -> OperationResult {
    let mut wanted: Vec<Selector> = Vec::new();
    for id in call.params.list("AllocationId") {
        wanted.push(Selector::Allocation(allocation_id(id)?));
    }
    for ip in call.params.list("PublicIp") {
        wanted.push(Selector::PublicIp(public_ip(ip)?));
    }
    let wishes = wishes(call, ADDRESS_FILTERS)?;
    call.permit("*")?;
    let account = &call.world.account;
    wanted.iter().try_for_each(|which| account.find_address(which).map(drop))?;
    let named = |address: &Address| {
        wanted.is_empty()
            || wanted.contains(&(&address.allocation).into())
            || wanted.contains(&address.public_ip.into())
    };
    let matching = account.described_addresses(call.who.instance.as_ref()).into_iter().filter(named);
    let items = matching.map(|address| address_item(&address));
    let items = items.filter(|item| filters::keep(&wishes, ADDRESS_FILTERS, item));
    Ok(call.done(Content::default().list("addressesSet", items)))
}

fn address_item(address: &Address) -> Content {
    let held = address.association.as_ref();
    Content::default()
        .text("publicIp", address.public_ip)
        .text("allocationId", &address.allocation)
        .text("domain", "vpc")
        .maybe("instanceId", held.and_then(|held| held.instance.as_ref()))
        .maybe("associationId", held.map(|held| &held.id))
        .maybe("networkInterfaceId", held.and_then(|held| held.interface.as_ref()))
        .maybe("networkInterfaceOwnerId", held.map(|_| ACCOUNT))
        .maybe("privateIpAddress", held.and_then(|held| held.private_ip))
        .text("publicIpv4Pool", "amazon")
        .maybe("networkBorderGroup", address.border_group.as_ref())
        .maybe("serviceManaged", address.managed_by.as_ref())
}

/// Answers `DescribeNetworkInterfaces`.
pub(super) fn interfaces(call: &OperationCall<'_>) -> OperationResult {
    let named = call.params.list("NetworkInterfaceId").into_iter().map(interface_id);
    let named: Vec<InterfaceId> = named.collect::<Result<_, _>>()?;
    let wishes = wishes(call, INTERFACE_FILTERS)?;
    call.permit("*")?;
    let shown = call.world.account.described_interfaces(call.who.instance.as_ref());
    if let Some(missing) = named.iter().find(|id| !shown.iter().any(|eni| eni.id == **id)) {
        let message = format!("The networkInterface ID '{missing}' does not exist");
        return Err(ApiError::client("InvalidNetworkInterfaceID.NotFound", message));
    }
    let items = shown.iter().filter(|eni| named.is_empty() || named.contains(&eni.id));
    let items = items.map(|eni| interface_item(call, eni));
    let items = items.filter(|item| filters::keep(&wishes, INTERFACE_FILTERS, item)).collect();
    call.page("networkInterfaceSet", items)
}

pub(super) fn interface_item(call: &OperationCall<'_>, eni: &Eni) -> Content {
    let account = &call.world.account;
    let carrying = |item: Content, ip: Option<Ipv4Addr>| match ip {
        Some(ip) => {
            let owner = if account.knows(ip) { ACCOUNT } else { "amazon" };
            item.with("association", Content::default().text("publicIp", ip).text("ipOwnerId", owner))
        }
        None => item,
    };
    let private = eni.addresses.iter().map(|address| {
        let item = Content::default().text("privateIpAddress", address.ip).text("primary", address.primary);
        carrying(item, address.public_ip)
    });
    let own = eni.addresses.iter().find(|address| address.primary);
    let mut item = Content::default()
        .text("networkInterfaceId", &eni.id)
        .text("subnetId", eni.subnet.as_ref().map(ToString::to_string).unwrap_or_default())
        .text("vpcId", VPC)
        .text("ownerId", ACCOUNT)
        .text("status", if eni.instance.is_some() { "in-use" } else { "available" })
        .text("sourceDestCheck", account.source_dest_check(&eni.id))
        .maybe("macAddress", account.mac_of(&eni.id))
        .maybe("privateIpAddress", own.map(|address| address.ip));
    if let Some(instance) = &eni.instance {
        let place = eni.attachment.as_ref();
        let attachment = Content::default()
            .text("attachmentId", eni.id.as_str().replace("eni-", "eni-attach-"))
            .text("instanceId", instance)
            .text("instanceOwnerId", ACCOUNT)
            .text("deviceIndex", place.map_or(0, |place| place.device_index))
            .text("networkCardIndex", place.map_or(0, |place| place.network_card))
            .text("status", "attached");
        item = item.with("attachment", attachment);
    }
    carrying(item, own.and_then(|address| address.public_ip)).list("privateIpAddressesSet", private)
}

fn wishes(call: &OperationCall<'_>, known: FilterPaths) -> Result<Vec<Filter>, ApiError> {
    let wishes = call.params.filters();
    filters::check(&wishes, known)?;
    Ok(wishes)
}
