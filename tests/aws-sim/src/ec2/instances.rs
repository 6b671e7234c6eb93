//! `DescribeInstances`, which the agents never call: `fence_aws` and `awseip` do, on the clusters of the examples. One reservation
//! per instance.

use eip::base::ids::InstanceId;
use eip::cloud::model::{ApiError, Instance, InstanceState};
use serde::Serialize;

use super::describe::{InterfaceItem, interface_item};
use super::filters;
use super::xml::ItemSet;
use super::{OperationCall, OperationResult, id};

const INSTANCE_FILTERS: &[&str] = &["instance-id", "instance-state-name"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reservations {
    reservation_set: ItemSet<ReservationItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReservationItem {
    reservation_id: String,
    owner_id: String,
    instances_set: ItemSet<InstanceItem>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InstanceItem {
    instance_id: String,
    instance_state: StateItem,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_ip_address: Option<String>,
    network_interface_set: ItemSet<InterfaceItem>,
}

#[derive(Serialize)]
struct StateItem {
    code: u8,
    name: &'static str,
}

/// Answers `DescribeInstances`.
pub(super) fn describe(call: &OperationCall<'_>) -> OperationResult {
    let named = call.params.list("InstanceId").into_iter();
    let named = named.map(|text| id::<InstanceId>("InvalidInstanceID.Malformed", "i-", text));
    let named = named.collect::<Result<Vec<_>, _>>()?;
    let wishes = call.params.filters();
    filters::check(&wishes, INSTANCE_FILTERS)?;
    call.permit("*")?;
    let all = call.world.account.instances();
    if let Some(missing) = named.iter().find(|id| !all.iter().any(|instance| instance.id == **id)) {
        let message = format!("The instance ID '{missing}' does not exist");
        return Err(ApiError::client("InvalidInstanceID.NotFound", message));
    }
    let wanted = |instance: &&Instance| named.is_empty() || named.contains(&instance.id);
    let matching = all.iter().filter(wanted).filter(|instance| {
        filters::keep(&wishes, |name| match name {
            "instance-id" => vec![instance.id.to_string()],
            _ => vec![state_of(instance).name.to_owned()],
        })
    });
    let items = matching.map(|instance| item(call, instance)).collect();
    let size = call.params.count("MaxResults")?;
    let (page, next_token) = filters::page(items, size, call.params.get("NextToken"))?;
    Ok(call.done(&Reservations { reservation_set: page.into_iter().collect(), next_token }))
}

fn item(call: &OperationCall<'_>, instance: &Instance) -> ReservationItem {
    let primary = instance.interfaces.first().and_then(|interface| interface.private_ips.first());
    let interfaces = call.world.account.described_interfaces(call.who.instance.as_ref());
    let own = interfaces.iter().filter(|eni| eni.instance.as_ref() == Some(&instance.id));
    let item = InstanceItem {
        instance_id: instance.id.to_string(),
        instance_state: state_of(instance),
        private_ip_address: primary.map(ToString::to_string),
        network_interface_set: own.map(|eni| interface_item(call, eni)).collect(),
    };
    ReservationItem {
        reservation_id: instance.id.as_str().replace("i-", "r-"),
        owner_id: call.world.config.account.clone(),
        instances_set: std::iter::once(item).collect(),
    }
}

/// # Source
/// API Reference, `InstanceState`: the low byte of the code.
fn state_of(instance: &Instance) -> StateItem {
    let (code, name) = match instance.state {
        InstanceState::Pending => (0, "pending"),
        InstanceState::Running => (16, "running"),
        InstanceState::Terminated => (48, "terminated"),
        InstanceState::Stopped => (80, "stopped"),
    };
    StateItem { code, name }
}
