//! `DescribeInstances`, which the agents never call: `fence_aws` and `awseip` do, on the clusters of the examples. One reservation
//! per instance.

use eip::base::ids::InstanceId;
use eip::cloud::model::{ACCOUNT, ApiError, Instance, InstanceState};

use super::describe::interface_item;
use super::filters::{self, FilterPaths};
use super::xml::Content;
use super::{OperationCall, OperationResult, id};

const INSTANCE_FILTERS: FilterPaths = &[
    ("instance-id", "instancesSet/item/instanceId"),
    ("instance-state-name", "instancesSet/item/instanceState/name"),
];

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
    let wanted = all.iter().filter(|instance| named.is_empty() || named.contains(&instance.id));
    let items = wanted.map(|instance| item(call, instance));
    let items = items.filter(|item| filters::keep(&wishes, INSTANCE_FILTERS, item)).collect();
    call.page("reservationSet", items)
}

fn item(call: &OperationCall<'_>, instance: &Instance) -> Content {
    let primary = instance.interfaces.first().and_then(|interface| interface.private_ips.first());
    let interfaces = call.world.account.described_interfaces(call.who.instance.as_ref());
    let own = interfaces.iter().filter(|eni| eni.instance.as_ref() == Some(&instance.id));
    let (code, name) = state_of(instance);
    let item = Content::default()
        .text("instanceId", &instance.id)
        .with("instanceState", Content::default().text("code", code).text("name", name))
        .maybe("privateIpAddress", primary)
        .list("networkInterfaceSet", own.map(|eni| interface_item(call, eni)));
    Content::default()
        .text("reservationId", instance.id.as_str().replace("i-", "r-"))
        .text("ownerId", ACCOUNT)
        .list("instancesSet", [item])
}

/// # Source
/// API Reference, `InstanceState`: the low byte of the code.
fn state_of(instance: &Instance) -> (u8, &'static str) {
    match instance.state {
        InstanceState::Pending => (0, "pending"),
        InstanceState::Running => (16, "running"),
        InstanceState::Terminated => (48, "terminated"),
        InstanceState::Stopped => (80, "stopped"),
    }
}
