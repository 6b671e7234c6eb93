//! `DescribeInstances`: one reservation per instance.

use serde::Serialize;

use super::{Call, Outcome, describe_interfaces, filters, xml::Set};
use crate::{
    clock::iso8601_millis,
    error::ApiError,
    fleet::{Fleet, Instance, VPC},
    ids::{InstanceId, well_formed},
};

const FILTERS: &[&str] = &[
    "availability-zone",
    "instance-id",
    "instance-state-code",
    "instance-state-name",
    "ip-address",
    "network-interface.addresses.private-ip-address",
    "network-interface.network-interface-id",
    "network-interface.addresses.association.public-ip",
    "private-ip-address",
    "subnet-id",
    "vpc-id",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    reservation_set: Set<Reservation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reservation {
    reservation_id: String,
    owner_id: String,
    instances_set: Set<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    instance_id: String,
    image_id: &'static str,
    instance_state: State,
    private_dns_name: String,
    instance_type: &'static str,
    launch_time: String,
    placement: Placement,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<String>,
    subnet_id: String,
    vpc_id: &'static str,
    network_interface_set: Set<describe_interfaces::Item>,
}

#[derive(Serialize)]
struct State {
    code: u8,
    name: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Placement {
    availability_zone: String,
    tenancy: &'static str,
}

/// Answers with the instances named and matching.
pub(super) fn run(call: &Call<'_>) -> Outcome {
    let named = call.params.list("InstanceId");
    if let Some(id) = named.iter().find(|id| !well_formed(InstanceId::PREFIX, id)) {
        return Err(ApiError::client("InvalidInstanceID.Malformed", format!("Invalid id: \"{id}\"")));
    }
    let wishes = call.params.filters();
    filters::check(&wishes, FILTERS)?;
    call.permit("*")?;
    let fleet = call.world.described();
    if let Some(id) = named.iter().find(|id| fleet.instance(id).is_none()) {
        let message = format!("The instance ID '{id}' does not exist");
        return Err(ApiError::client("InvalidInstanceID.NotFound", message));
    }
    let account = &call.world.config.account;
    let matching = fleet
        .instances
        .iter()
        .filter(|i| named.is_empty() || named.iter().any(|id| i.id == **id))
        .filter(|i| filters::keep(&wishes, |name| field(&fleet, i, name)))
        .map(|i| Reservation {
            reservation_id: i.id.replace("i-", "r-"),
            owner_id: account.clone(),
            instances_set: std::iter::once(item(&fleet, account, i)).collect(),
        })
        .collect();
    let size = call.params.count("MaxResults")?;
    let (page, next_token) = filters::page(matching, size, call.params.get("NextToken"))?;
    Ok(call.done(&Answer { reservation_set: page.into_iter().collect(), next_token }))
}

fn item(fleet: &Fleet, account: &str, instance: &Instance) -> Item {
    let (name, code) = instance.state.name_and_code();
    let one = |name| field(fleet, instance, name).into_iter().next();
    Item {
        instance_id: instance.id.to_string(),
        image_id: "ami-0123456789abcdef0",
        instance_state: State { code, name },
        private_dns_name: one("private-ip-address")
            .map_or_else(String::new, |ip| format!("ip-{}.ec2.internal", ip.replace('.', "-"))),
        instance_type: "m5.large",
        launch_time: iso8601_millis(instance.launched),
        placement: Placement { availability_zone: instance.zone.clone(), tenancy: "default" },
        private_ip_address: one("private-ip-address"),
        ip_address: one("ip-address"),
        subnet_id: instance.subnet.to_string(),
        vpc_id: VPC,
        network_interface_set: instance
            .interfaces
            .iter()
            .map(|interface| {
                let mut item = describe_interfaces::item(fleet, account, instance, interface);
                // Known from around it, so EC2 leaves these out here.
                item.availability_zone = None;
                item.attachment.instance_id = None;
                item.attachment.instance_owner_id = None;
                item
            })
            .collect(),
    }
}

fn field(fleet: &Fleet, instance: &Instance, name: &str) -> Vec<String> {
    let interfaces = || instance.interfaces.iter();
    let private = || interfaces().flat_map(|n| n.private_ips.iter().map(move |ip| (n, *ip)));
    let (state, code) = instance.state.name_and_code();
    match name {
        "availability-zone" => vec![instance.zone.clone()],
        "instance-id" => vec![instance.id.to_string()],
        "instance-state-code" => vec![code.to_string()],
        "instance-state-name" => vec![state.to_owned()],
        "ip-address" => private()
            .next()
            .and_then(|(n, ip)| fleet.public_ip_of(n, ip))
            .map(|ip| ip.to_string())
            .into_iter()
            .collect(),
        "network-interface.addresses.private-ip-address" => private().map(|(_, ip)| ip.to_string()).collect(),
        "network-interface.addresses.association.public-ip" => {
            private().filter_map(|(n, ip)| fleet.public_ip_of(n, ip)).map(|ip| ip.to_string()).collect()
        }
        "network-interface.network-interface-id" => interfaces().map(|n| n.eni.to_string()).collect(),
        "private-ip-address" => private().next().map(|(_, ip)| ip.to_string()).into_iter().collect(),
        "subnet-id" => vec![instance.subnet.to_string()],
        "vpc-id" => vec![VPC.to_owned()],
        // Instances have no tags here.
        _ => Vec::new(),
    }
}
