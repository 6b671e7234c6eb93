//! `DescribeNetworkInterfaces`, and the interface as other answers show it.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::{Call, Outcome, filters, interface_id, no_such_interface, xml::Set};
use crate::{
    clock::iso8601_millis,
    fleet::{Fleet, Instance, Interface, VPC},
};

const FILTERS: &[&str] = &[
    "addresses.association.public-ip",
    "addresses.private-ip-address",
    "association.allocation-id",
    "association.association-id",
    "association.public-ip",
    "attachment.instance-id",
    "availability-zone",
    "mac-address",
    "network-interface-id",
    "owner-id",
    "private-ip-address",
    "status",
    "subnet-id",
    "vpc-id",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    network_interface_set: Set<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// An interface in an answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) network_interface_id: String,
    pub(super) subnet_id: String,
    pub(super) vpc_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) availability_zone: Option<String>,
    pub(super) description: &'static str,
    pub(super) owner_id: String,
    pub(super) status: &'static str,
    pub(super) mac_address: String,
    pub(super) private_ip_address: String,
    pub(super) source_dest_check: bool,
    pub(super) attachment: Attachment,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) association: Option<Association>,
    pub(super) private_ip_addresses_set: Set<PrivateIp>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attachment {
    attachment_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instance_owner_id: Option<String>,
    device_index: usize,
    status: &'static str,
    attach_time: String,
    delete_on_termination: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Association {
    public_ip: String,
    ip_owner_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    allocation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    association_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PrivateIp {
    private_ip_address: String,
    primary: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    association: Option<Association>,
}

/// Answers with the interfaces named and matching.
pub(super) fn run(call: &Call<'_>) -> Outcome {
    let named = call
        .params
        .list("NetworkInterfaceId")
        .into_iter()
        .map(interface_id)
        .collect::<Result<Vec<_>, _>>()?;
    let wishes = call.params.filters();
    filters::check(&wishes, FILTERS)?;
    call.permit("*")?;
    let fleet = call.world.described();
    if let Some(missing) = named.iter().find(|eni| fleet.interface(eni).is_none()) {
        return Err(no_such_interface(missing));
    }
    let account = &call.world.config.account;
    let matching = fleet
        .instances
        .iter()
        .flat_map(|instance| instance.interfaces.iter().map(move |interface| (instance, interface)))
        .filter(|(_, interface)| named.is_empty() || named.contains(&interface.eni))
        .map(|(instance, interface)| item(&fleet, account, instance, interface))
        .filter(|item| filters::keep(&wishes, |name| field(item, name)))
        .collect();
    let size = call.params.count("MaxResults")?;
    let (page, next_token) = filters::page(matching, size, call.params.get("NextToken"))?;
    Ok(call.done(&Answer { network_interface_set: page.into_iter().collect(), next_token }))
}

/// Returns the interface as `DescribeNetworkInterfaces` shows it.
pub(super) fn item(fleet: &Fleet, account: &str, instance: &Instance, interface: &Interface) -> Item {
    let association = |ip: Ipv4Addr| association(fleet, account, interface, ip);
    let primary = interface.private_ips.first();
    Item {
        network_interface_id: interface.eni.to_string(),
        subnet_id: instance.subnet.to_string(),
        vpc_id: VPC,
        availability_zone: Some(instance.zone.clone()),
        description: "",
        owner_id: account.to_owned(),
        status: "in-use",
        mac_address: interface.mac.clone(),
        private_ip_address: primary.map(Ipv4Addr::to_string).unwrap_or_default(),
        source_dest_check: true,
        attachment: Attachment {
            attachment_id: interface.eni.replace("eni-", "eni-attach-"),
            instance_id: Some(instance.id.to_string()),
            instance_owner_id: Some(account.to_owned()),
            device_index: interface.device_index,
            status: "attached",
            attach_time: iso8601_millis(instance.launched),
            delete_on_termination: true,
        },
        association: primary.and_then(|ip| association(*ip)),
        private_ip_addresses_set: interface
            .private_ips
            .iter()
            .map(|ip| PrivateIp {
                private_ip_address: ip.to_string(),
                primary: Some(ip) == primary,
                association: association(*ip),
            })
            .collect(),
    }
}

fn association(fleet: &Fleet, account: &str, interface: &Interface, ip: Ipv4Addr) -> Option<Association> {
    let public_ip = fleet.public_ip_of(interface, ip)?;
    let elastic = fleet.address_on(&interface.eni, ip);
    Some(Association {
        public_ip: public_ip.to_string(),
        ip_owner_id: if elastic.is_some() { account.to_owned() } else { "amazon".to_owned() },
        allocation_id: elastic.map(|a| a.allocation_id.to_string()),
        association_id: elastic.and_then(|a| a.association.as_ref()).map(|s| s.id.to_string()),
    })
}

fn field(item: &Item, name: &str) -> Vec<String> {
    let all = item.private_ip_addresses_set.iter();
    let associations = || item.private_ip_addresses_set.iter().filter_map(|ip| ip.association.as_ref());
    match name {
        "addresses.association.public-ip" | "association.public-ip" => {
            associations().map(|a| a.public_ip.clone()).collect()
        }
        "addresses.private-ip-address" => all.map(|ip| ip.private_ip_address.clone()).collect(),
        "association.allocation-id" => associations().filter_map(|a| a.allocation_id.clone()).collect(),
        "association.association-id" => associations().filter_map(|a| a.association_id.clone()).collect(),
        "attachment.instance-id" => item.attachment.instance_id.iter().cloned().collect(),
        "availability-zone" => item.availability_zone.iter().cloned().collect(),
        "mac-address" => vec![item.mac_address.clone()],
        "network-interface-id" => vec![item.network_interface_id.clone()],
        "owner-id" => vec![item.owner_id.clone()],
        "private-ip-address" => vec![item.private_ip_address.clone()],
        "status" => vec![item.status.to_owned()],
        "subnet-id" => vec![item.subnet_id.clone()],
        "vpc-id" => vec![item.vpc_id.to_owned()],
        // Interfaces have no tags here.
        _ => Vec::new(),
    }
}
