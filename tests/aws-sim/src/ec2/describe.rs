//! `DescribeAddresses` and `DescribeNetworkInterfaces`: what matches, as shown to a reader that may lag.

use std::net::Ipv4Addr;

use eip::base::ids::InterfaceId;
use eip::cloud::model::{AddressRef, ApiError, VPC};
use eip::cloud::{Address, Eni};
use serde::Serialize;

use super::filters::{self, Filter};
use super::xml::ItemSet;
use super::{OperationCall, OperationResult, allocation_id, interface_id, public_ip};

/// The filters of `DescribeAddresses` that the simulator has.
const ADDRESS_FILTERS: &[&str] = &[
    "allocation-id",
    "association-id",
    "instance-id",
    "network-border-group",
    "network-interface-id",
    "private-ip-address",
    "public-ip",
];

/// The filters of `DescribeNetworkInterfaces` that the simulator has.
const INTERFACE_FILTERS: &[&str] = &[
    "addresses.association.public-ip",
    "addresses.private-ip-address",
    "attachment.instance-id",
    "network-interface-id",
    "private-ip-address",
    "subnet-id",
    "vpc-id",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Addresses {
    addresses_set: ItemSet<AddressItem>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AddressItem {
    public_ip: String,
    allocation_id: String,
    domain: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    association_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_interface_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_interface_owner_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_ip_address: Option<String>,
    public_ipv4_pool: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_border_group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_managed: Option<String>,
}

/// Answers `DescribeAddresses`.
pub(super) fn addresses(call: &OperationCall<'_>) -> OperationResult {
    let mut wanted: Vec<AddressRef> = Vec::new();
    for id in call.params.list("AllocationId") {
        wanted.push(AddressRef::Allocation(allocation_id(id)?));
    }
    for ip in call.params.list("PublicIp") {
        wanted.push(AddressRef::Public(public_ip(ip)?));
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
    let items = matching.map(|address| address_item(&call.world.config.account, &address));
    let items = items.filter(|item| filters::keep(&wishes, |name| address_field(item, name)));
    Ok(call.done(&Addresses { addresses_set: items.collect() }))
}

fn address_item(account: &str, address: &Address) -> AddressItem {
    let held = address.association.as_ref();
    AddressItem {
        public_ip: address.public_ip.to_string(),
        allocation_id: address.allocation.to_string(),
        domain: "vpc",
        instance_id: held.and_then(|held| held.instance.as_ref()).map(ToString::to_string),
        association_id: held.map(|held| held.id.to_string()),
        network_interface_id: held.and_then(|held| held.interface.as_ref()).map(ToString::to_string),
        network_interface_owner_id: held.map(|_| account.to_owned()),
        private_ip_address: held.and_then(|held| held.private_ip).map(|ip| ip.to_string()),
        public_ipv4_pool: "amazon",
        network_border_group: address.border_group.clone(),
        service_managed: address.managed_by.clone(),
    }
}

fn address_field(item: &AddressItem, name: &str) -> Vec<String> {
    let some = |text: &Option<String>| text.iter().cloned().collect();
    match name {
        "allocation-id" => vec![item.allocation_id.clone()],
        "association-id" => some(&item.association_id),
        "instance-id" => some(&item.instance_id),
        "network-border-group" => some(&item.network_border_group),
        "network-interface-id" => some(&item.network_interface_id),
        "private-ip-address" => some(&item.private_ip_address),
        _ => vec![item.public_ip.clone()],
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Interfaces {
    network_interface_set: ItemSet<InterfaceItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InterfaceItem {
    network_interface_id: String,
    subnet_id: String,
    vpc_id: &'static str,
    owner_id: String,
    status: &'static str,
    source_dest_check: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment: Option<AttachmentItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    association: Option<PublicIp>,
    private_ip_addresses_set: ItemSet<PrivateIpItem>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttachmentItem {
    attachment_id: String,
    instance_id: String,
    instance_owner_id: String,
    device_index: u32,
    network_card_index: u32,
    status: &'static str,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct PublicIp {
    public_ip: String,
    ip_owner_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PrivateIpItem {
    private_ip_address: String,
    primary: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    association: Option<PublicIp>,
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
    let items = items.filter(|item| filters::keep(&wishes, |name| interface_field(item, name))).collect();
    let size = call.params.count("MaxResults")?;
    let (page, next_token) = filters::page(items, size, call.params.get("NextToken"))?;
    Ok(call.done(&Interfaces { network_interface_set: page.into_iter().collect(), next_token }))
}

pub(super) fn interface_item(call: &OperationCall<'_>, eni: &Eni) -> InterfaceItem {
    let (account, owner) = (&call.world.account, &call.world.config.account);
    let public = |ip: Ipv4Addr| {
        let elastic = account.knows(ip);
        let ip_owner_id = if elastic { owner.clone() } else { "amazon".to_owned() };
        PublicIp { public_ip: ip.to_string(), ip_owner_id }
    };
    let private = eni.addresses.iter().map(|address| PrivateIpItem {
        private_ip_address: address.ip.to_string(),
        primary: address.primary,
        association: address.public_ip.map(public),
    });
    let own = eni.addresses.iter().find(|address| address.primary);
    InterfaceItem {
        network_interface_id: eni.id.to_string(),
        subnet_id: eni.subnet.as_ref().map(ToString::to_string).unwrap_or_default(),
        vpc_id: VPC,
        owner_id: owner.clone(),
        status: if eni.instance.is_some() { "in-use" } else { "available" },
        source_dest_check: account.source_dest_check(&eni.id),
        mac_address: account.mac_of(&eni.id).map(|mac| mac.to_string()),
        private_ip_address: own.map(|address| address.ip.to_string()),
        attachment: eni.instance.as_ref().map(|instance| AttachmentItem {
            attachment_id: eni.id.as_str().replace("eni-", "eni-attach-"),
            instance_id: instance.to_string(),
            instance_owner_id: owner.clone(),
            device_index: eni.attachment.map_or(0, |attachment| attachment.device_index),
            network_card_index: eni.attachment.map_or(0, |attachment| attachment.network_card),
            status: "attached",
        }),
        association: own.and_then(|address| address.public_ip).map(public),
        private_ip_addresses_set: private.collect(),
    }
}

fn interface_field(item: &InterfaceItem, name: &str) -> Vec<String> {
    let addresses = item.private_ip_addresses_set.iter();
    match name {
        "addresses.association.public-ip" => addresses
            .filter_map(|ip| ip.association.as_ref())
            .map(|public| public.public_ip.clone())
            .collect(),
        "addresses.private-ip-address" => addresses.map(|ip| ip.private_ip_address.clone()).collect(),
        "attachment.instance-id" => item.attachment.iter().map(|to| to.instance_id.clone()).collect(),
        "network-interface-id" => vec![item.network_interface_id.clone()],
        "private-ip-address" => item.private_ip_address.iter().cloned().collect(),
        "subnet-id" => vec![item.subnet_id.clone()],
        _ => vec![item.vpc_id.to_owned()],
    }
}

fn wishes(call: &OperationCall<'_>, known: &[&str]) -> Result<Vec<Filter>, ApiError> {
    let wishes = call.params.filters();
    filters::check(&wishes, known)?;
    Ok(wishes)
}
