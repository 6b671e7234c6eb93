//! The Security Token Service: `AssumeRole`.
//!
//! Every role of the account, and of one that owns a route table, can be assumed unless `AssumeRole` is denied. A call of the session
//! counts as one of the instance whose credentials assumed it.

use std::time::Duration;

use eip::cloud::model::{ACCOUNT, ApiError};

use crate::{
    clock::iso8601,
    credentials::Principal,
    ec2::{Content, QueryParams, document},
    http::Reply,
    world::{CREDENTIAL_LIFETIME, SimulatorState},
};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Runs `action` for the authenticated caller `who`.
pub(crate) fn run(
    world: &mut SimulatorState,
    who: Principal,
    action: &str,
    params: &QueryParams,
    request_id: &str,
) -> Reply {
    let outcome = if action == "AssumeRole" {
        assume_role(world, who, params)
    } else {
        let message = format!("Could not find operation {action} for version 2011-06-15");
        Err(ApiError::client("InvalidAction", message))
    };
    match outcome {
        Ok(result) => {
            let metadata = Content::default().text("RequestId", request_id);
            let result = result.with("ResponseMetadata", metadata);
            reply(200, document(&format!("{action}Response"), Some(NAMESPACE), &result), request_id)
        }
        Err(error) => refuse(&error, request_id),
    }
}

fn assume_role(
    world: &mut SimulatorState,
    who: Principal,
    params: &QueryParams,
) -> Result<Content, ApiError> {
    let (arn, session) = (params.need("RoleArn")?, params.need("RoleSessionName")?);
    let role = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"));
    // A role of another account has to trust this one: only those of accounts that share a route table do.
    let role = role.filter(|(account, path)| {
        let own = *account == ACCOUNT;
        !path.is_empty() && (own || world.account.has_tables_of(account))
    });
    let Some((account, role)) =
        role.map(|(account, path)| (account, path.rsplit_once('/').map_or(path, |(_, name)| name)))
    else {
        let message =
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}", who.arn);
        return Err(ApiError::new(403, "AccessDenied", message));
    };
    world.iam.check(&who, "AssumeRole", arn)?;
    let asked = params.count("DurationSeconds")?.and_then(|s| u64::try_from(s).ok()).map(Duration::from_secs);
    let lifetime = asked.unwrap_or(Duration::from_hours(1)).min(CREDENTIAL_LIFETIME);
    let principal = Principal {
        arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"),
        role: Some(role.to_owned()),
        instance: who.instance,
    };
    let user = Content::default()
        .text("AssumedRoleId", format!("AROA3XFRBF535PLBIFPI4:{session}"))
        .text("Arn", &principal.arn);
    let now = world.aws_now();
    let key = world.keys.session(&mut world.rng, principal, now, lifetime);
    let credentials = Content::default()
        .text("AccessKeyId", key.id)
        .text("SecretAccessKey", key.secret)
        .text("SessionToken", key.session_token.unwrap_or_default())
        .text("Expiration", iso8601(key.expires.unwrap_or_default()));
    let result = Content::default().with("AssumedRoleUser", user).with("Credentials", credentials);
    Ok(Content::default().with("AssumeRoleResult", result))
}

/// An error in STS's format.
pub(crate) fn refuse(error: &ApiError, request_id: &str) -> Reply {
    let own = Content::default()
        .text("Type", if error.status < 500 { "Sender" } else { "Receiver" })
        .text("Code", &error.code)
        .text("Message", &error.message);
    let body = Content::default().with("Error", own).text("RequestId", request_id);
    let xml = document("ErrorResponse", Some(NAMESPACE), &body);
    let code = Some(error.code.clone());
    Reply { code, ..reply(error.status, xml, request_id) }
}

fn reply(status: u16, xml: String, request_id: &str) -> Reply {
    Reply {
        status,
        content_type: "text/xml",
        server: "",
        headers: vec![("x-amzn-requestid", request_id.to_owned())],
        body: xml.into_bytes(),
        ..Reply::default()
    }
}
