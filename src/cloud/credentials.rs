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
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider, load};
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

use super::awssecret;
use super::settings::Settings;
use crate::error::chain_of;
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
    let named = settings.profile.as_ref().filter(|_| !settings.instance_role_only);
    let profile = profile_files(settings).filter(|_| !settings.instance_role_only).map(|files| {
        let builder = ProfileFileCredentialsProvider::builder().configure(config).profile_files(files);
        match named {
            Some(name) => builder.profile_name(name).build(),
            None => builder.build(),
        }
    });
    let web = WebIdentityTokenCredentialsProvider::builder().configure(config).build();
    let container = EcsCredentialsProvider::builder().configure(config).build();
    let instance = ImdsCredentialsProvider::builder().configure(config).imds_client(metadata.clone()).build();
    let mut chain = match (named, profile) {
        // The profile that is asked for comes first; what it does not hold may come from the instance, as with botocore.
        (Some(_), Some(profile)) => CredentialsProviderChain::first_try("Profile", profile),
        (_, profile) => {
            let environment = EnvironmentVariableCredentialsProvider::new();
            let mut chain = CredentialsProviderChain::first_try("Environment", environment);
            if let Some(profile) = profile {
                chain = chain.or_else("Profile", profile);
            }
            if !settings.instance_role_only {
                chain = chain.or_else("AwsSecret", SecretFile::new(settings, log));
            }
            chain
        }
    };
    chain = chain.or_else("WebIdentityToken", web);
    SharedCredentialsProvider::new(chain.or_else("Container", container).or_else("InstanceRole", instance))
}

/// Checks that the profile that is asked for is there, once, because a file does not heal while an action runs.
///
/// # Errors
/// A sentence that names the profile, or says where a profile file can't be read.
pub async fn check_profile(settings: &Settings) -> Result<(), String> {
    let Some(name) = settings.profile.clone().filter(|_| !settings.instance_role_only) else {
        return Ok(());
    };
    let Some(files) = profile_files(settings) else {
        return Err(format!("no profile {name}: there is no profile file"));
    };
    let loaded = load(&Fs::real(), &Env::real(), &files, Some(name.clone().into())).await;
    match loaded {
        Ok(profiles) if profiles.get_profile(&name).is_some() => Ok(()),
        Ok(_) => Err(format!("no profile {name} in the profile files")),
        Err(error) => Err(format!("profile files: {}", chain_of(&error))),
    }
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
