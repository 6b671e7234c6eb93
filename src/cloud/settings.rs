//! How AWS is reached: the parameters first, then the SDK's usual environment variables.
//!
//! The variables come from the map that `main` read. An invalid value is a warning, never a failure.

use std::path::PathBuf;
use std::time::Duration;

use crate::ocf::environment::Environment;
use crate::params::{ApiSettings, ENDPOINT, Timing, is_endpoint, shown};

// Each comes from an independent variable or parameter.
#[allow(clippy::struct_excessive_bools)]
/// Everything the adapters need to build their clients.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The configured region. If unset, the region of instance metadata, then [`Settings::region_hint`].
    pub region: Option<String>,
    /// The region recorded by the last action, for when instance metadata is silent.
    pub region_hint: Option<String>,
    /// Overrides the URL of EC2.
    pub ec2_endpoint: Option<String>,
    /// Overrides the URL of STS.
    pub sts_endpoint: Option<String>,
    /// Overrides the URL of instance metadata.
    pub imds_endpoint: Option<String>,
    /// Whether to reach instance metadata over IPv6; `None` if not configured.
    pub imds_over_ipv6: Option<bool>,
    /// `AWS_EC2_METADATA_DISABLED`: the instance role is no source of credentials.
    pub instance_role_off: bool,
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`: only the parameters name endpoints.
    pub ignore_configured_endpoints: bool,
    /// The only certificate authorities to trust, replacing the system's.
    pub ca_bundle: Option<PathBuf>,
    /// The profile from the parameter; it takes precedence over everything else.
    pub profile: Option<String>,
    /// The profile from `AWS_PROFILE`; keys in the environment take precedence over it.
    pub profile_variable: Option<String>,
    /// The role to assume with the credentials found.
    pub role_arn: Option<String>,
    /// The role to assume, with the credentials of all other calls, for calls about route tables.
    pub routing_table_role: Option<String>,
    /// `auth_type=role`: no other source of credentials is consulted, and no profile file.
    pub instance_role_only: bool,
    /// Home folder of the user that the agent runs as. Pacemaker sets no `HOME`.
    pub home: Option<PathBuf>,
    /// Key id, secret key and session token from the environment.
    pub keys: Option<Keys>,
    /// The variable that is missing if the environment has only half a pair of keys.
    pub missing_key: Option<&'static str>,
    /// `AWS_CONFIG_FILE`, or `~/.aws/config`.
    pub config_file: Option<PathBuf>,
    /// `AWS_SHARED_CREDENTIALS_FILE`, or `~/.aws/credentials`.
    pub credentials_file: Option<PathBuf>,
    /// Whether to use the FIPS endpoints; `None` if not configured.
    pub fips: Option<bool>,
    /// Whether to use the dual-stack endpoints; `None` if not configured.
    pub dual_stack: Option<bool>,
    /// Limit for one connection to EC2.
    pub connect_timeout: Duration,
    /// Limit for one attempt of one EC2 call, including credentials.
    pub attempt_timeout: Duration,
    /// Initial limit for one response of instance metadata; it grows after each attempt that timed out.
    pub imds_first: Duration,
    /// Upper bound of that limit.
    pub imds_longest: Duration,
    /// Upper bound of the limit for a load of credentials, which starts as `attempt_timeout` and grows in the same way.
    pub credentials_longest: Duration,
}

/// Credentials as a pair of keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// Access key id, as in `AWS_ACCESS_KEY_ID`.
    pub id: String,
    /// Secret access key, as in `AWS_SECRET_ACCESS_KEY`; never logged.
    pub secret: String,
    /// For temporary keys, such as `AWS_SESSION_TOKEN`.
    pub token: Option<String>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The variables that [`Settings::new`] reads from the environment passed to it. The SDK reads others itself, such as
/// those for web identity, from the environment of the process.
pub const VARIABLES: [&str; 19] = [
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
    "AWS_EC2_METADATA_DISABLED",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
];

/// Attempts that must fit into the budget of an action, so that one that hangs does not use it up.
const ATTEMPTS_PER_BUDGET: u32 = 4;
/// Lower bound for an attempt: a round trip between regions with a TLS handshake has to fit.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(400);
/// Instance metadata is on the same host and answers in a millisecond, unless it is busy.
const IMDS_FIRST: Duration = Duration::from_secs(1);

/// Proxy variables of the client for EC2 and STS, in the order in which it reads them.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// The schemes of a proxy that it takes; it ignores a proxy with another one.
const PROXY_SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

impl Settings {
    /// The settings for an action with this budget, and warnings about variables with invalid values.
    pub fn new(
        api: &ApiSettings,
        timing: &Timing,
        environment: &Environment,
        budget: Duration,
    ) -> (Self, Vec<String>) {
        let get = |_: Option<&str>, name: &str| environment.get(name).map(str::to_owned);
        let mut reader = SettingsReader { of: "", get: &get, warnings: Vec::new() };
        let home = reader.text("HOME").map(PathBuf::from).or_else(std::env::home_dir);
        let file = |name, usual| {
            let named = environment.get(name).map(PathBuf::from);
            named.or_else(|| home.as_ref().map(|home| home.join(".aws").join(usual)))
        };
        let ignored = reader.switch("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").unwrap_or_default();
        let mut endpoint = |name| reader.url(name).filter(|_| !ignored);
        let any_endpoint = endpoint("AWS_ENDPOINT_URL");
        let ec2_endpoint = endpoint("AWS_ENDPOINT_URL_EC2");
        let sts_endpoint = endpoint("AWS_ENDPOINT_URL_STS");
        let attempt_timeout = timing.attempt_timeout.min(budget / ATTEMPTS_PER_BUDGET).max(SHORTEST_ATTEMPT);
        let (keys, missing_key) = reader.keys();
        reader.check_proxies();
        let settings = Self {
            region: api
                .region
                .clone()
                .or_else(|| reader.region("AWS_REGION"))
                .or_else(|| reader.region("AWS_DEFAULT_REGION")),
            region_hint: None,
            ec2_endpoint: api.endpoint_url.clone().or(ec2_endpoint).or_else(|| any_endpoint.clone()),
            sts_endpoint: sts_endpoint.or(any_endpoint),
            ignore_configured_endpoints: ignored,
            imds_endpoint: api
                .imds_endpoint
                .clone()
                .or_else(|| reader.url("AWS_EC2_METADATA_SERVICE_ENDPOINT")),
            imds_over_ipv6: reader.mode("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"),
            instance_role_off: reader.switch("AWS_EC2_METADATA_DISABLED").unwrap_or_default(),
            ca_bundle: api.ca_bundle.clone().or_else(|| reader.text("AWS_CA_BUNDLE").map(PathBuf::from)),
            profile: api.profile.clone(),
            profile_variable: reader.text("AWS_PROFILE").or_else(|| reader.text("AWS_DEFAULT_PROFILE")),
            role_arn: api.role_arn.clone(),
            routing_table_role: api.routing_table_role.clone(),
            instance_role_only: api.instance_role_only,
            keys,
            missing_key,
            config_file: file("AWS_CONFIG_FILE", "config"),
            credentials_file: file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            fips: reader.switch("AWS_USE_FIPS_ENDPOINT"),
            dual_stack: reader.switch("AWS_USE_DUALSTACK_ENDPOINT"),
            connect_timeout: timing.connect_timeout.min(attempt_timeout),
            attempt_timeout,
            // With little time left, EC2 still has to be queried afterwards.
            imds_first: IMDS_FIRST.min(budget / 2),
            imds_longest: budget / 2,
            credentials_longest: (budget / 2).max(attempt_timeout),
            home,
        };
        (settings, reader.warnings)
    }
}

/// Reads variables or the settings of a profile, and collects warnings about them.
struct SettingsReader<'a> {
    /// Begins each warning: `profile: `, or nothing for the environment.
    of: &'static str,
    /// The value of a setting: a general one, or that of a service.
    get: &'a dyn Fn(Option<&str>, &str) -> Option<String>,
    warnings: Vec<String>,
}

impl SettingsReader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.get)(None, name)
    }

    /// The keys, and the name of the missing variable if only half the pair is set.
    fn keys(&self) -> (Option<Keys>, Option<&'static str>) {
        let (id_name, secret_name) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
        match (self.text(id_name), self.text(secret_name)) {
            (Some(id), Some(secret)) => {
                (Some(Keys { id, secret, token: self.text("AWS_SESSION_TOKEN") }), None)
            }
            (Some(_), None) => (None, Some(secret_name)),
            (None, Some(_)) => (None, Some(id_name)),
            (None, None) => (None, None),
        }
    }

    /// Warns of proxy variables that the client ignores because they are not URLs, or of a scheme that it does not know.
    fn check_proxies(&mut self) {
        for name in PROXIES {
            let Some(value) = self.text(name).filter(|value| !value.trim().is_empty()) else { continue };
            let usable = |uri: http::Uri| {
                uri.authority().is_some() && uri.scheme_str().is_none_or(|it| PROXY_SCHEMES.contains(&it))
            };
            if !value.parse().is_ok_and(usable) {
                self.warnings.push(format!("{name}={} ignored: http://HOST:PORT expected", shown(&value)));
            }
        }
    }

    fn checked(
        &mut self,
        service: Option<&str>,
        name: &str,
        valid: impl Fn(&str) -> bool,
        wanted: &str,
    ) -> Option<String> {
        let value = (self.get)(service, name)?;
        if valid(&value) {
            return Some(value);
        }
        self.warnings.push(format!("{}{name}={} ignored: {wanted} expected", self.of, shown(&value)));
        None
    }

    fn url(&mut self, name: &str) -> Option<String> {
        self.checked(None, name, is_endpoint, ENDPOINT)
    }

    fn region(&mut self, name: &str) -> Option<String> {
        let valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        self.checked(None, name, |value| value.bytes().all(valid), "a region such as eu-west-1")
    }

    fn switch(&mut self, name: &str) -> Option<bool> {
        self.is_second(name, ["false", "true"], "true or false")
    }

    /// Whether instance metadata is to be reached over IPv6.
    fn mode(&mut self, name: &str) -> Option<bool> {
        self.is_second(name, ["ipv4", "ipv6"], "ipv4 or ipv6")
    }

    /// Whether the value is the second of two words, ignoring case.
    fn is_second(&mut self, name: &str, [first, second]: [&str; 2], wanted: &str) -> Option<bool> {
        let is = |value: &str, word| value.eq_ignore_ascii_case(word);
        let value = self.checked(None, name, |value| is(value, first) || is(value, second), wanted)?;
        Some(is(&value, second))
    }
}

#[cfg(any(feature = "sdk", test))]
impl Settings {
    /// The name of the requested profile, from the parameter or the variable.
    #[cfg(feature = "sdk")]
    pub(super) fn named_profile(&self) -> Option<&str> {
        self.profile.as_deref().or(self.profile_variable.as_deref())
    }

    /// Fills in from a profile what neither a parameter nor a variable sets, as the aws command does. `get` returns a general setting,
    /// or one of a service in the `services` section that the profile refers to. Returns warnings about invalid values.
    ///
    /// # Source
    /// AWS SDKs and Tools Reference Guide, "Service-specific endpoints": variables come before profiles, and in each of the two
    /// the service's own endpoint before the general one.
    pub(super) fn complete(&mut self, get: impl Fn(Option<&str>, &str) -> Option<String>) -> Vec<String> {
        let mut profile = SettingsReader { of: "profile: ", get: &get, warnings: Vec::new() };
        self.fips = self.fips.or_else(|| profile.switch("use_fips_endpoint"));
        self.dual_stack = self.dual_stack.or_else(|| profile.switch("use_dualstack_endpoint"));
        let mode = "ec2_metadata_service_endpoint_mode";
        self.imds_over_ipv6 = self.imds_over_ipv6.or_else(|| profile.mode(mode));
        let ignored = profile.switch("ignore_configured_endpoint_urls");
        self.region = self.region.take().or_else(|| profile.region("region"));
        let imds = self.imds_endpoint.take();
        self.imds_endpoint = imds.or_else(|| profile.url("ec2_metadata_service_endpoint"));
        if !self.ignore_configured_endpoints && ignored != Some(true) {
            let name = "endpoint_url";
            let general = profile.url(name);
            for (service, endpoint) in [("ec2", &mut self.ec2_endpoint), ("sts", &mut self.sts_endpoint)] {
                if endpoint.is_none() {
                    let own = profile.checked(Some(service), name, is_endpoint, ENDPOINT);
                    *endpoint = own.or_else(|| general.clone());
                }
            }
        }
        self.ca_bundle = self.ca_bundle.take().or_else(|| profile.text("ca_bundle").map(PathBuf::from));
        profile.warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)], budget: u64) -> (Settings, Vec<String>) {
        let environment = Environment::new(variables.iter().map(|(n, v)| ((*n).into(), (*v).into())));
        let values = std::collections::BTreeMap::new();
        let params = crate::params::Params::parse(&with_address(values)).unwrap();
        Settings::new(&params.api, &params.timing, &environment, Duration::from_secs(budget))
    }

    fn with_address(
        mut values: std::collections::BTreeMap<String, String>,
    ) -> std::collections::BTreeMap<String, String> {
        values.insert("elastic_ip".to_owned(), "203.0.113.10".to_owned());
        values
    }

    /// Completes from `KEY` or `SERVICE.KEY` and their values.
    fn profile(settings: &mut Settings, lines: &[(&str, &str)]) -> Vec<String> {
        settings.complete(|service, key| {
            let wanted = service.map_or(key.to_owned(), |service| format!("{service}.{key}"));
            lines.iter().find(|(setting, _)| *setting == wanted).map(|(_, value)| (*value).to_owned())
        })
    }

    /// Users of `awseip` configured a VPC endpoint this way.
    #[test]
    fn settings_of_a_profile_are_honoured_after_parameters_and_variables() {
        let lines = [
            ("region", "eu-west-3"),
            ("endpoint_url", "https://general.example"),
            ("ec2.endpoint_url", "https://ec2.example"),
            ("use_fips_endpoint", "true"),
            ("use_dualstack_endpoint", "True"),
            ("ca_bundle", "/etc/ca.pem"),
            ("ec2_metadata_service_endpoint", "http://127.0.0.1:1338"),
            ("ec2_metadata_service_endpoint_mode", "IPv6"),
        ];
        let (mut all, _) = settings(&[], 20);
        assert_eq!(profile(&mut all, &lines), Vec::<String>::new());
        assert_eq!(all.region.as_deref(), Some("eu-west-3"));
        assert_eq!(all.ec2_endpoint.as_deref(), Some("https://ec2.example"));
        assert_eq!(all.sts_endpoint.as_deref(), Some("https://general.example"));
        assert_eq!((all.fips, all.dual_stack, all.imds_over_ipv6), (Some(true), Some(true), Some(true)));
        assert_eq!(all.ca_bundle, Some(PathBuf::from("/etc/ca.pem")));
        assert_eq!(all.imds_endpoint.as_deref(), Some("http://127.0.0.1:1338"));

        let variables = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", "https://variable.example"),
            ("AWS_USE_FIPS_ENDPOINT", "false"),
            ("AWS_CA_BUNDLE", "/etc/other.pem"),
        ];
        let (mut some, _) = settings(&variables, 20);
        profile(&mut some, &lines);
        assert_eq!(some.region.as_deref(), Some("eu-west-1"));
        assert_eq!(some.ec2_endpoint.as_deref(), Some("https://variable.example"));
        assert_eq!(some.fips, Some(false));
        assert_eq!(some.ca_bundle, Some(PathBuf::from("/etc/other.pem")));

        let (mut none, _) = settings(&[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")], 20);
        profile(&mut none, &lines);
        assert_eq!((none.ec2_endpoint, none.sts_endpoint), (None, None));
    }

    #[test]
    fn an_invalid_setting_in_a_profile_is_a_warning() {
        let (mut settings, _) = settings(&[], 20);
        let lines = [("region", "eu west"), ("use_fips_endpoint", "yes")];
        let warnings = profile(&mut settings, &lines);
        assert_eq!(
            warnings,
            [
                "profile: use_fips_endpoint=yes ignored: true or false expected",
                "profile: region=eu west ignored: a region such as eu-west-1 expected",
            ]
        );
        assert_eq!((settings.region, settings.fips), (None, None));
    }

    #[test]
    fn half_a_pair_of_keys_is_remembered_as_that() {
        let (half, _) = settings(&[("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")], 20);
        assert!(half.keys.is_none());
        assert_eq!(half.missing_key, Some("AWS_SECRET_ACCESS_KEY"));
        let pair = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        assert_eq!(settings(&pair, 20).0.missing_key, None);
        assert_eq!(settings(&[], 20).0.missing_key, None);
    }

    #[test]
    fn a_quoted_proxy_is_a_warning_without_its_password_and_a_blank_one_is_none() {
        let proxies = [
            ("HTTPS_PROXY", "\"http://proxy:3128\""),
            ("https_proxy", "http://proxy:3128"),
            ("ALL_PROXY", " "),
            ("HTTP_PROXY", "proxy:3128"),
        ];
        let (_, warnings) = settings(&proxies, 20);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].starts_with("HTTPS_PROXY=") && warnings[0].ends_with("http://HOST:PORT expected")
        );
        let (_, warnings) = settings(&[("HTTPS_PROXY", "htpp://proxy:3128")], 20);
        assert_eq!(warnings.len(), 1, "the client ignores it");
        let (_, warnings) = settings(&[("HTTPS_PROXY", "'http://user:hidden@proxy:3128'")], 20);
        assert!(!warnings[0].contains("hidden"), "{warnings:?}");
    }

    /// With a budget of one second, an attempt of a second would leave no time to query EC2.
    #[test]
    fn a_short_action_gives_instance_metadata_a_part_of_its_time() {
        for (budget, first, longest) in [(19, 1000, 9500), (1, 500, 500)] {
            let (settings, _) = settings(&[], budget);
            let limits = (settings.imds_first.as_millis(), settings.imds_longest.as_millis());
            assert_eq!(limits, (first, longest), "{budget}");
        }
    }
}
