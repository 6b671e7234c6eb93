//! `DescribeSubnets`.

use serde::Serialize;

use super::{Call, Outcome, filters, xml::Set};
use crate::{
    error::ApiError,
    fleet::{Subnet, VPC},
};

const FILTERS: &[&str] = &["availability-zone", "cidr-block", "subnet-id", "vpc-id"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    subnet_set: Set<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    subnet_id: String,
    state: &'static str,
    vpc_id: &'static str,
    cidr_block: String,
    availability_zone: String,
    owner_id: String,
}

/// Answers with the subnets named and matching.
pub(super) fn run(call: &Call<'_>) -> Outcome {
    let named = call.params.list("SubnetId");
    let wishes = call.params.filters();
    filters::check(&wishes, FILTERS)?;
    call.permit("*")?;
    let fleet = call.world.described();
    if let Some(id) = named.iter().find(|id| !fleet.subnets.iter().any(|s| s.id == **id)) {
        let message = format!("The subnet ID '{id}' does not exist");
        return Err(ApiError::client("InvalidSubnetID.NotFound", message));
    }
    let matching = fleet
        .subnets
        .iter()
        .filter(|s| named.is_empty() || named.iter().any(|id| s.id == **id))
        .filter(|s| filters::keep(&wishes, |name| field(s, name)))
        .map(|s| Item {
            subnet_id: s.id.to_string(),
            state: "available",
            vpc_id: VPC,
            cidr_block: s.cidr.to_string(),
            availability_zone: s.zone.clone(),
            owner_id: call.world.config.account.clone(),
        });
    Ok(call.done(&Answer { subnet_set: matching.collect() }))
}

fn field(subnet: &Subnet, name: &str) -> Vec<String> {
    match name {
        "availability-zone" => vec![subnet.zone.clone()],
        "cidr-block" => vec![subnet.cidr.to_string()],
        "subnet-id" => vec![subnet.id.to_string()],
        "vpc-id" => vec![VPC.to_owned()],
        _ => Vec::new(),
    }
}
