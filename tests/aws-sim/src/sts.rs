//! The Security Token Service: `AssumeRole` and `GetCallerIdentity`.
//!
//! Every role of the account, and of one that owns a route table, can be assumed unless `AssumeRole` is denied; the session counts as a call of the
//! instance whose credentials assumed it.

use std::time::Duration;

use serde::Serialize;

use eip::cloud::model::ApiError;

use crate::{
    clock::iso8601,
    credentials::Principal,
    ec2::{QueryParams, document},
    http::Reply,
    world::SimulatorState,
};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRoleResponse {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    assume_role_result: AssumeRoleResult,
    response_metadata: ResponseMetadata,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRoleResult {
    assumed_role_user: AssumedRoleUser,
    credentials: Credentials,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    assumed_role_id: String,
    arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetCallerIdentityResponse {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    get_caller_identity_result: CallerIdentity,
    response_metadata: ResponseMetadata,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CallerIdentity {
    arn: String,
    user_id: String,
    account: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResponseMetadata {
    request_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorResponse<'a> {
    #[serde(rename = "@xmlns")]
    namespace: &'static str,
    error: StsErrorElement<'a>,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StsErrorElement<'a> {
    r#type: &'static str,
    code: &'a str,
    message: &'a str,
}

/// Runs `action` for `who`, who has been identified.
pub(crate) fn run(
    world: &mut SimulatorState,
    who: Principal,
    action: &str,
    params: &QueryParams,
    request_id: &str,
) -> Reply {
    let metadata = ResponseMetadata { request_id: request_id.to_owned() };
    let outcome = match action {
        "GetCallerIdentity" => Ok(document(
            "GetCallerIdentityResponse",
            &GetCallerIdentityResponse {
                namespace: NAMESPACE,
                get_caller_identity_result: CallerIdentity {
                    arn: who.arn,
                    user_id: who.user_id,
                    account: world.config.account.clone(),
                },
                response_metadata: metadata,
            },
        )),
        "AssumeRole" => assume_role(world, who, params, metadata),
        _ => {
            let message = format!("Could not find operation {action} for version 2011-06-15");
            Err(ApiError::client("InvalidAction", message))
        }
    };
    match outcome {
        Ok(xml) => reply(200, xml, request_id),
        Err(error) => refuse(&error, request_id),
    }
}

fn assume_role(
    world: &mut SimulatorState,
    who: Principal,
    params: &QueryParams,
    metadata: ResponseMetadata,
) -> Result<String, ApiError> {
    let missing = |name: &str| {
        let message =
            format!("1 validation error detected: Value null at '{name}' failed to satisfy constraint");
        ApiError::client("ValidationError", message)
    };
    let arn = params.get("RoleArn").ok_or_else(|| missing("roleArn"))?;
    let session = params.get("RoleSessionName").ok_or_else(|| missing("roleSessionName"))?;
    let role = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"));
    // A role of another account has to trust this one: only those of accounts that share a route table do.
    let role = role.filter(|(account, path)| {
        let own = *account == world.config.account;
        !path.is_empty() && (own || world.account.has_tables_of(account))
    });
    let Some((account, role)) =
        role.map(|(account, path)| (account, path.rsplit_once('/').map_or(path, |(_, name)| name)))
    else {
        let message =
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}", who.arn);
        return Err(ApiError::new(403, "AccessDenied", message));
    };
    world.authorize(&who, "AssumeRole", arn)?;
    let asked = params.count("DurationSeconds")?.and_then(|s| u64::try_from(s).ok()).map(Duration::from_secs);
    let lifetime = asked.unwrap_or(Duration::from_hours(1)).min(world.config.credential_lifetime);
    let principal = Principal {
        arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"),
        user_id: format!("AROA3XFRBF535PLBIFPI4:{session}"),
        role: Some(role.to_owned()),
        instance: who.instance,
    };
    let user = AssumedRoleUser { assumed_role_id: principal.user_id.clone(), arn: principal.arn.clone() };
    let now = world.aws_now();
    let key = world.keys.session(&mut world.rng, principal, now, lifetime);
    let credentials = Credentials {
        access_key_id: key.id,
        secret_access_key: key.secret,
        session_token: key.session_token.unwrap_or_default(),
        expiration: iso8601(key.expires.unwrap_or_default()),
    };
    Ok(document(
        "AssumeRoleResponse",
        &AssumeRoleResponse {
            namespace: NAMESPACE,
            assume_role_result: AssumeRoleResult { assumed_role_user: user, credentials },
            response_metadata: metadata,
        },
    ))
}

/// Returns `error` as STS words it.
pub(crate) fn refuse(error: &ApiError, request_id: &str) -> Reply {
    let body = ErrorResponse {
        namespace: NAMESPACE,
        error: StsErrorElement {
            r#type: if error.status < 500 { "Sender" } else { "Receiver" },
            code: &error.code,
            message: &error.message,
        },
        request_id,
    };
    let code = Some(error.code.clone());
    Reply { code, ..reply(error.status, document("ErrorResponse", &body), request_id) }
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
