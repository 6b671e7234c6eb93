//! Endpoints of EC2 and instance metadata, and the identity for EC2.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::ParamError;
use super::value::Values;

/// Access to the services as configured for a resource; unset values come from the environment or the SDK.
///
/// Nothing in it is secret: it may be kept on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiSettings {
    /// Region; if unset, that of instance metadata.
    pub region: Option<String>,
    /// Profile in root's AWS configuration; ignored with `instance_role_only`.
    pub profile: Option<String>,
    /// ARN of the role to assume with the credentials found.
    pub role_arn: Option<String>,
    /// ARN of the role to assume, with the credentials of all other calls, for calls about route tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_table_role: Option<String>,
    /// URL of the EC2 API.
    pub endpoint_url: Option<String>,
    /// URL of instance metadata.
    pub imds_endpoint: Option<String>,
    /// PEM file with the only certificate authorities to trust, replacing the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Whether only the instance role provides credentials (`auth_type=role`).
    pub instance_role_only: bool,
}

impl ApiSettings {
    /// These settings, with unset values taken from `others`.
    #[must_use]
    pub fn or(self, others: &Self) -> Self {
        let instance_role_only = self.instance_role_only || others.instance_role_only;
        Self {
            region: self.region.or_else(|| others.region.clone()),
            profile: self.profile.or_else(|| others.profile.clone()).filter(|_| !instance_role_only),
            role_arn: self.role_arn.or_else(|| others.role_arn.clone()),
            routing_table_role: self.routing_table_role.or_else(|| others.routing_table_role.clone()),
            endpoint_url: self.endpoint_url.or_else(|| others.endpoint_url.clone()),
            imds_endpoint: self.imds_endpoint.or_else(|| others.imds_endpoint.clone()),
            ca_bundle: self.ca_bundle.or_else(|| others.ca_bundle.clone()),
            instance_role_only,
        }
    }

    /// Parses the parameters; `auth_type=role` makes `profile` count as unset, as in `awseip`.
    pub(super) fn parse(values: &Values<'_>) -> Result<Self, ParamError> {
        let auth_type =
            values.checked("auth_type", |value| matches!(value, "key" | "role"), "key or role")?;
        let instance_role_only = auth_type == Some("role");
        let profile = values.checked(
            "profile",
            |value| !value.contains(char::is_control),
            "a profile name without control characters",
        )?;
        let owned = |value: Option<&str>| value.map(str::to_owned);
        Ok(Self {
            region: owned(region(values)?),
            profile: owned(profile.filter(|_| !instance_role_only)),
            role_arn: owned(values.checked("role_arn", is_role, "arn:aws:iam::ACCOUNT:role/NAME")?),
            routing_table_role: None,
            endpoint_url: owned(values.checked("endpoint_url", is_endpoint, ENDPOINT)?),
            imds_endpoint: owned(values.checked("imds_endpoint", is_endpoint, ENDPOINT)?),
            ca_bundle: values.checked("ca_bundle", is_file, "an absolute path")?.map(PathBuf::from),
            instance_role_only,
        })
    }
}

pub(crate) const ENDPOINT: &str = "http(s)://HOST[:PORT][/PATH], no user or query";

/// Parses `region`. The value becomes part of host names, so only the characters of one are accepted.
fn region<'a>(values: &Values<'a>) -> Result<Option<&'a str>, ParamError> {
    let region = values.checked("region", is_region, "a region such as eu-west-1")?;
    match region {
        Some(zone) if is_zone(zone) => {
            Err(ParamError::invalid("region", zone, "a region such as eu-west-1, not a zone"))
        }
        region => Ok(region),
    }
}

/// Whether the text can be a label of a host name.
fn is_region(value: &str) -> bool {
    let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    value.len() <= 63 && value.bytes().all(allowed) && !value.starts_with('-') && !value.ends_with('-')
}

/// Whether this is a zone, such as `eu-west-1a`: a frequent mistake that would result in an unknown host name.
fn is_zone(value: &str) -> bool {
    let Some((_, last)) = value.rsplit_once('-') else {
        return false;
    };
    let digits = last.trim_end_matches(|character: char| character.is_ascii_lowercase());
    last.len() == digits.len() + 1 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether this is the ARN of an IAM role, in any partition.
///
/// # Source
/// IAM User Guide, "IAM identifiers": characters of names and paths, twelve digits of the account.
pub(crate) fn is_role(value: &str) -> bool {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts.as_slice() else {
        return false;
    };
    let lower = |byte| matches!(byte, b'a'..=b'z' | b'-');
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&byte);
    *arn == "arn"
        && partition.starts_with("aws")
        && partition.bytes().all(lower)
        && *service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty() && name.bytes().all(named))
}

/// Whether requests can be sent to this URL. User names and passwords do not belong in a cluster's configuration, and a
/// query would collide with the request's own.
pub(crate) fn is_endpoint(value: &str) -> bool {
    let Ok(uri) = value.parse::<http::Uri>() else {
        return false;
    };
    let host = uri.authority().is_some_and(|authority| {
        let named = authority.host().bytes().any(|byte| byte.is_ascii_alphanumeric());
        // `Uri` accepts any text as the port until the number is read.
        let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        let numbered = port.is_empty() || authority.port_u16().is_some_and(|number| number > 0);
        named && numbered && !authority.as_str().contains('@')
    });
    host && matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.query().is_none()
        && !value.contains('#')
}

fn is_file(value: &str) -> bool {
    Path::new(value).is_absolute() && !value.contains(char::is_control)
}
