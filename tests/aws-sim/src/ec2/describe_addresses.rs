//! `DescribeAddresses`.

use serde::Serialize;

use super::{
    Call, Outcome, allocation_id, filters, find_address, public_ip,
    xml::{Set, Tag, tag_set},
};
use crate::fleet::{Address, AddressRef, Fleet};

/// The filters EC2 documents for this operation, `tag:<key>` aside.
const FILTERS: &[&str] = &[
    "allocation-id",
    "association-id",
    "domain",
    "instance-id",
    "network-border-group",
    "network-interface-id",
    "network-interface-owner-id",
    "private-ip-address",
    "public-ip",
    "tag-key",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    addresses_set: Set<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_set: Option<Set<Tag>>,
    public_ipv4_pool: &'static str,
    network_border_group: String,
}

/// Answers with the addresses named and matching, as a lagging reader sees them.
pub(super) fn run(call: &Call<'_>) -> Outcome {
    let mut wanted: Vec<AddressRef> = Vec::new();
    for id in call.params.list("AllocationId") {
        wanted.push(AddressRef::Allocation(allocation_id(id)?));
    }
    for ip in call.params.list("PublicIp") {
        wanted.push(AddressRef::Public(public_ip(ip)?));
    }
    let wishes = call.params.filters();
    filters::check(&wishes, FILTERS)?;
    call.permit("*")?;

    let fleet = call.world.described();
    let named: Vec<&Address> = if wanted.is_empty() {
        fleet.addresses.iter().collect()
    } else {
        wanted.iter().map(|which| find_address(&fleet, which)).collect::<Result<_, _>>()?
    };
    let account = &call.world.config.account;
    let matching =
        named.into_iter().filter(|a| filters::keep(&wishes, |name| field(&fleet, account, a, name)));
    let answer = Answer { addresses_set: matching.map(|a| item(&fleet, account, a)).collect() };
    Ok(call.done(&answer))
}

fn item(fleet: &Fleet, account: &str, address: &Address) -> Item {
    let holder = fleet.holder(address);
    let of_holder = |text: fn(&crate::fleet::Holder) -> String| holder.as_ref().map(text);
    Item {
        public_ip: address.public_ip.to_string(),
        allocation_id: address.allocation_id.to_string(),
        domain: "vpc",
        instance_id: of_holder(|h| h.instance.to_string()),
        association_id: of_holder(|h| h.association_id.to_string()),
        network_interface_id: of_holder(|h| h.eni.to_string()),
        network_interface_owner_id: holder.is_some().then(|| account.to_owned()),
        private_ip_address: of_holder(|h| h.private_ip.to_string()),
        tag_set: tag_set(&address.tags),
        public_ipv4_pool: "amazon",
        network_border_group: address.border_group.clone(),
    }
}

fn field(fleet: &Fleet, account: &str, address: &Address, name: &str) -> Vec<String> {
    let Item {
        public_ip,
        allocation_id,
        domain,
        instance_id,
        association_id,
        network_interface_id,
        network_interface_owner_id,
        private_ip_address,
        network_border_group,
        ..
    } = item(fleet, account, address);
    match name {
        "allocation-id" => vec![allocation_id],
        "association-id" => association_id.into_iter().collect(),
        "domain" => vec![domain.to_owned()],
        "instance-id" => instance_id.into_iter().collect(),
        "network-border-group" => vec![network_border_group],
        "network-interface-id" => network_interface_id.into_iter().collect(),
        "network-interface-owner-id" => network_interface_owner_id.into_iter().collect(),
        "private-ip-address" => private_ip_address.into_iter().collect(),
        "public-ip" => vec![public_ip],
        "tag-key" => address.tags.keys().cloned().collect(),
        _ => name.strip_prefix("tag:").and_then(|key| address.tags.get(key)).cloned().into_iter().collect(),
    }
}
