//! The sources of credentials, put in order for these settings.

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::credentials::EnvironmentVariableCredentialsProvider;
use aws_config::imds;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::chain::Chain;
use super::instance_role::InstanceRole;
use super::profiles;
use super::secret_file::SecretFile;
use super::token_file::{Named, WithTokenFile};
use crate::base::log::Log;
use crate::cloud::settings::{Keys, Settings};

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
    let sources = in_order(settings, config, metadata, log);
    let Some(arn) = &settings.role_arn else {
        return SharedCredentialsProvider::new(sources);
    };
    let role = AssumeRoleProvider::builder(arn).session_name("eip").configure(base);
    let role = role.build_from_provider(sources).await;
    SharedCredentialsProvider::new(Chain::new(log).then("the role", role))
}

fn in_order(settings: &Settings, config: &ProviderConfig, metadata: &imds::Client, log: &Log) -> Chain {
    let mut chain = Chain::new(log);
    let instance_role = ("the instance role", InstanceRole::new(metadata, config));
    if settings.instance_role_only {
        return chain.then(instance_role.0, instance_role.1);
    }
    let named = settings.profile.as_ref();
    // A profile that is asked for comes first; what it does not hold may come from the instance, as with botocore.
    if named.is_none() {
        // Not only the process's own: a face may have added what a settings file says.
        if let Some(Keys { id, secret, token }) = settings.keys.clone() {
            chain = chain.then("the environment", Credentials::new(id, secret, token, None, "environment"));
        }
        chain = chain.then("the environment", EnvironmentVariableCredentialsProvider::new());
    }
    for (path, reason) in profiles::unusable(settings) {
        log.warn(format_args!("{} not used: {reason}", path.display()));
    }
    if let Some(files) = profiles::files(settings) {
        let mut profile =
            ProfileFileCredentialsProvider::builder().configure(config).profile_files(files.clone());
        if let Some(name) = named {
            profile = profile.profile_name(name);
        }
        chain = chain.then("the profile files", WithTokenFile::new(profile.build(), Named::Profiles(files)));
    }
    if named.is_none() {
        chain = chain.then(".awssecret", SecretFile::new(settings, log));
    }
    let web_identity = WebIdentityTokenCredentialsProvider::builder().configure(config).build();
    let container = EcsCredentialsProvider::builder().configure(config).build();
    chain
        .then(
            "web identity",
            WithTokenFile::new(web_identity, Named::Variable("AWS_WEB_IDENTITY_TOKEN_FILE")),
        )
        .then(
            "the container",
            WithTokenFile::new(container, Named::Variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")),
        )
        .then(instance_role.0, instance_role.1)
}
