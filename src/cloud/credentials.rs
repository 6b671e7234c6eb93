//! Where credentials come from, in the order of the behaviour document: what a parameter names; the environment; `~/.aws`;
//! `.awssecret`; web identity; container; instance role.
//!
//! Nothing here is read before the first EC2 call.

use std::path::PathBuf;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::credentials::EnvironmentVariableCredentialsProvider;
use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use super::awssecret;
use super::settings::Settings;
use crate::ocf::log::Log;

/// Returns the provider of credentials for these settings.
///
/// `base` is the configuration for calls to STS; `metadata` is the client that already holds the process's token.
pub async fn provider(
    settings: &Settings,
    base: &SdkConfig,
    config: &ProviderConfig,
    metadata: &imds::Client,
    log: &Log,
) -> SharedCredentialsProvider {
    let source = Discreet { inner: source(settings, config, metadata, log), log: log.clone() };
    let Some(role) = &settings.role_arn else {
        return SharedCredentialsProvider::new(source);
    };
    let role = AssumeRoleProvider::builder(role).session_name("eip").configure(base);
    let role = SharedCredentialsProvider::new(role.build_from_provider(source).await);
    SharedCredentialsProvider::new(Discreet { inner: role, log: log.clone() })
}

/// Hands on credentials, and sees to it that no log line shows their secret parts.
#[derive(Debug)]
struct Discreet {
    inner: SharedCredentialsProvider,
    log: Log,
}

impl ProvideCredentials for Discreet {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let credentials = self.inner.provide_credentials().await?;
            self.log.keep_secret(credentials.secret_access_key());
            if let Some(token) = credentials.session_token() {
                self.log.keep_secret(token);
            }
            Ok(credentials)
        })
    }
}

fn source(
    settings: &Settings,
    config: &ProviderConfig,
    metadata: &imds::Client,
    log: &Log,
) -> SharedCredentialsProvider {
    let files = profile_files(settings);
    if let Some(name) = settings.profile.as_ref().filter(|_| !settings.instance_role_only) {
        let named = ProfileFileCredentialsProvider::builder().configure(config).profile_name(name);
        let named = match files {
            Some(files) => named.profile_files(files),
            None => named,
        };
        return SharedCredentialsProvider::new(named.build());
    }
    let mut chain =
        CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new());
    if !settings.instance_role_only {
        if let Some(files) = files {
            let profile = ProfileFileCredentialsProvider::builder().configure(config).profile_files(files);
            chain = chain.or_else("Profile", profile.build());
        }
        chain = chain.or_else("AwsSecret", SecretFile::new(settings, log));
    }
    let web = WebIdentityTokenCredentialsProvider::builder().configure(config).build();
    let container = EcsCredentialsProvider::builder().configure(config).build();
    let instance = ImdsCredentialsProvider::builder().configure(config).imds_client(metadata.clone()).build();
    SharedCredentialsProvider::new(
        chain
            .or_else("WebIdentityToken", web)
            .or_else("Container", container)
            .or_else("InstanceRole", instance),
    )
}

/// Returns the region that the profile files name, if they do.
pub async fn profile_region(settings: &Settings, config: &ProviderConfig) -> Option<Region> {
    if settings.instance_role_only {
        return None;
    }
    let mut builder = ProfileFileRegionProvider::builder().configure(config);
    builder = builder.profile_files(profile_files(settings)?);
    if let Some(name) = &settings.profile {
        builder = builder.profile_name(name);
    }
    builder.build().region().await
}

/// Returns the profile files that exist. Their paths are given in full, because without `HOME` the SDK finds none.
fn profile_files(settings: &Settings) -> Option<EnvConfigFiles> {
    let files = [
        (EnvConfigFileKind::Config, &settings.config_file),
        (EnvConfigFileKind::Credentials, &settings.credentials_file),
    ];
    let mut builder = EnvConfigFiles::builder();
    let mut any = false;
    for (kind, path) in files {
        if let Some(path) = path.as_ref().filter(|path| path.is_file()) {
            builder = builder.with_file(kind, path.clone());
            any = true;
        }
    }
    // An empty set panics in the SDK.
    any.then(|| builder.build())
}

/// `.awssecret` of the older set-ups: access key id on line 1, secret access key on line 2.
#[derive(Debug)]
struct SecretFile {
    candidates: Vec<PathBuf>,
    log: Log,
}

impl SecretFile {
    fn new(settings: &Settings, log: &Log) -> Self {
        let mut candidates: Vec<PathBuf> = settings.home.iter().map(|home| home.join(".awssecret")).collect();
        let root = PathBuf::from("/root/.awssecret");
        if !candidates.contains(&root) {
            candidates.push(root);
        }
        Self { candidates, log: log.clone() }
    }

    fn load(&self) -> Result<Credentials, CredentialsError> {
        for path in &self.candidates {
            match awssecret::read(path) {
                Ok(Some((id, secret))) => return Ok(Credentials::new(id, secret, None, None, "awssecret")),
                Ok(None) => {}
                Err(reason) => self.log.warn(format_args!("{} not used: {reason}", path.display())),
            }
        }
        Err(CredentialsError::not_loaded("no .awssecret"))
    }
}

impl ProvideCredentials for SecretFile {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(self.load())
    }
}
