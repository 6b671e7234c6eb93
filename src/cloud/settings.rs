//! How AWS is reached: what the parameters say, then what the SDK's usual environment variables say.
//!
//! The variables are taken from the map that `main` read, and nonsense in one of them is a warning, never a failure.

use std::path::PathBuf;
use std::time::Duration;

use crate::ocf::environment::Environment;
use crate::params::{ApiSettings, ENDPOINT, Shown, Timing, is_endpoint};

// They come from as many independent variables and parameters.
#[allow(clippy::struct_excessive_bools)]
/// Everything the adapters need to know to build their clients.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The region, where it is configured. Else the profile's, the metadata's, then [`Settings::region_hint`].
    pub region: Option<String>,
    /// The region that was right the last time, for when the metadata service is silent.
    pub region_hint: Option<String>,
    /// Where EC2 answers, if not at AWS's own name for it.
    pub ec2_endpoint: Option<String>,
    /// Where STS answers, if not at AWS's own name for it.
    pub sts_endpoint: Option<String>,
    /// Where the metadata service answers, if not at 169.254.169.254.
    pub imds_endpoint: Option<String>,
    /// Whether the metadata service is to be asked over IPv6.
    pub imds_over_ipv6: bool,
    /// The only certificate authorities to trust, instead of the system's.
    pub ca_bundle: Option<PathBuf>,
    /// The profile that was asked for by parameter; it comes first.
    pub profile: Option<String>,
    /// The role to assume with whatever credentials there are.
    pub role_arn: Option<String>,
    /// `auth_type=role`: no other source of credentials is looked at, and no profile file.
    pub instance_role_only: bool,
    /// Home folder of the user the agent runs as. Pacemaker sets no `HOME`.
    pub home: Option<PathBuf>,
    /// Key id, secret key and session token of the environment, where id and secret are there.
    pub keys: Option<Keys>,
    /// `AWS_CONFIG_FILE`, else `~/.aws/config`.
    pub config_file: Option<PathBuf>,
    /// `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
    pub credentials_file: Option<PathBuf>,
    /// Use the FIPS endpoints.
    pub fips: bool,
    /// Use the dual-stack endpoints.
    pub dual_stack: bool,
    /// Limit for one connection to EC2.
    pub connect_timeout: Duration,
    /// Limit for one attempt of one EC2 call, credentials included.
    pub attempt_timeout: Duration,
}

/// Credentials in variables.
#[derive(Clone)]
pub struct Keys {
    /// `AWS_ACCESS_KEY_ID`.
    pub id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret: String,
    /// `AWS_SESSION_TOKEN`, for keys that expire.
    pub token: Option<String>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The variables that [`Settings::new`] takes from the environment it is given. Others of the AWS tools, such as those for web
/// identity, the SDK looks up in the environment of the process.
pub const VARIABLES: [&str; 15] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_STS",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
];

/// Attempts that the budget of an action has to hold, so that one that hangs does not use it up.
const ATTEMPTS_PER_BUDGET: u32 = 4;
/// No attempt is cut shorter than this: a round trip between regions with a TLS handshake has to fit.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(400);

impl Settings {
    /// Returns the settings for an action with this budget, and warnings about variables that make no sense.
    #[must_use]
    pub fn new(
        api: &ApiSettings,
        timing: &Timing,
        environment: &Environment,
        budget: Duration,
    ) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let mut reader = Reader { environment, warnings: &mut warnings };
        let home = reader.text("HOME").map(PathBuf::from).or_else(std::env::home_dir);
        let dot_aws = |file| home.as_ref().map(|home| home.join(".aws").join(file));
        let any_endpoint = reader.url("AWS_ENDPOINT_URL");
        let attempt_timeout = timing.attempt_timeout.min(budget / ATTEMPTS_PER_BUDGET).max(SHORTEST_ATTEMPT);
        let settings = Self {
            region: api
                .region
                .clone()
                .or_else(|| reader.region("AWS_REGION"))
                .or_else(|| reader.region("AWS_DEFAULT_REGION")),
            region_hint: None,
            ec2_endpoint: api
                .endpoint_url
                .clone()
                .or_else(|| reader.url("AWS_ENDPOINT_URL_EC2"))
                .or_else(|| any_endpoint.clone()),
            sts_endpoint: reader.url("AWS_ENDPOINT_URL_STS").or(any_endpoint),
            imds_endpoint: api
                .imds_endpoint
                .clone()
                .or_else(|| reader.url("AWS_EC2_METADATA_SERVICE_ENDPOINT")),
            imds_over_ipv6: reader.imds_mode(),
            ca_bundle: api.ca_bundle.clone().or_else(|| reader.text("AWS_CA_BUNDLE").map(PathBuf::from)),
            profile: api.profile.clone(),
            role_arn: api.role_arn.clone(),
            instance_role_only: api.instance_role_only,
            keys: reader.keys(),
            config_file: reader.text("AWS_CONFIG_FILE").map(PathBuf::from).or_else(|| dot_aws("config")),
            credentials_file: reader
                .text("AWS_SHARED_CREDENTIALS_FILE")
                .map(PathBuf::from)
                .or_else(|| dot_aws("credentials")),
            fips: reader.switch("AWS_USE_FIPS_ENDPOINT"),
            dual_stack: reader.switch("AWS_USE_DUALSTACK_ENDPOINT"),
            connect_timeout: timing.connect_timeout.min(attempt_timeout),
            attempt_timeout,
            home,
        };
        (settings, warnings)
    }
}

/// Reads variables and remembers what was wrong with them.
struct Reader<'a> {
    environment: &'a Environment,
    warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn text(&mut self, name: &str) -> Option<String> {
        self.environment.get(name).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    fn keys(&mut self) -> Option<Keys> {
        let (id, secret) = (self.text("AWS_ACCESS_KEY_ID")?, self.text("AWS_SECRET_ACCESS_KEY")?);
        Some(Keys { id, secret, token: self.text("AWS_SESSION_TOKEN") })
    }

    fn checked(&mut self, name: &str, valid: impl Fn(&str) -> bool, wanted: &str) -> Option<String> {
        let value = self.text(name)?;
        if valid(&value) {
            return Some(value);
        }
        self.warnings.push(format!("{name}={} ignored: {wanted} expected", Shown::new(&value)));
        None
    }

    fn url(&mut self, name: &str) -> Option<String> {
        self.checked(name, is_endpoint, ENDPOINT)
    }

    fn region(&mut self, name: &str) -> Option<String> {
        let valid =
            |value: &str| value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        self.checked(name, valid, "a region such as eu-west-1")
    }

    fn switch(&mut self, name: &str) -> bool {
        let valid = |value: &str| value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false");
        self.checked(name, valid, "true or false").is_some_and(|v| v.eq_ignore_ascii_case("true"))
    }

    fn imds_mode(&mut self) -> bool {
        let valid = |value: &str| value.eq_ignore_ascii_case("ipv4") || value.eq_ignore_ascii_case("ipv6");
        self.checked("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", valid, "ipv4 or ipv6")
            .is_some_and(|value| value.eq_ignore_ascii_case("ipv6"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_list_has_the_variables_that_are_read_and_no_others() {
        let code = include_str!("settings.rs").split("impl Settings {").nth(1).unwrap_or_default();
        let code = code.split("#[cfg(test)]").next().unwrap_or_default();
        let read: BTreeSet<&str> =
            code.split('"').skip(1).step_by(2).filter(|text| text.starts_with("AWS_")).collect();
        assert_eq!(read, BTreeSet::from(VARIABLES));
    }
}
