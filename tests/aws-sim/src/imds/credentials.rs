//! The credentials of the instance's role: `iam/security-credentials/<role>`.

use eip::base::ids::InstanceId;
use eip::cloud::model::Instance;

use crate::{clock::iso8601, credentials::CredState, world::SimulatorState};

const PREFIX: &str = "/latest/meta-data/iam/security-credentials/";

/// The role that the metadata lists; `None` if it lists none.
pub(super) fn visible_role<'i>(world: &SimulatorState, instance: &'i Instance) -> Option<&'i str> {
    let state = world.metadata.get(&instance.id).map(|m| m.credentials).unwrap_or_default();
    instance.role.as_deref().filter(|_| state != CredState::Missing404)
}

/// The credentials document, if `path` is that of the instance's role.
pub(super) fn read(world: &mut SimulatorState, id: &InstanceId, path: &str) -> Option<String> {
    let role = path.strip_prefix(PREFIX)?;
    let principal = world.role_of(id)?;
    if principal.role.as_deref() != Some(role) {
        return None;
    }
    let state = world.metadata.get(id).map(|m| m.credentials).unwrap_or_default();
    if state == CredState::Unauthorized {
        let document = serde_json::json!({
            "Code": "AssumeRoleUnauthorizedAccess",
            "Message": format!("EC2 cannot assume the role {role}."),
            "LastUpdated": iso8601(world.aws_now()),
        });
        return Some(format!("{document:#}"));
    }
    let now = world.aws_now();
    let key = world.keys.shown_to(&mut world.rng, &principal, state, now)?;
    let document = serde_json::json!({
        "Code": "Success",
        "LastUpdated": iso8601(key.issued),
        "Type": "AWS-HMAC",
        "AccessKeyId": key.id,
        "SecretAccessKey": key.secret,
        "Token": key.session_token,
        "Expiration": iso8601(key.expires.unwrap_or_default()),
    });
    Some(format!("{document:#}"))
}
