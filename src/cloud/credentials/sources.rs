//! Orders the sources of credentials according to the settings.

use std::path::PathBuf;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, SharedCredentialsProvider};

use super::chain::{Chain, Source, credentials};
use super::instance_role::InstanceRole;
use super::plan::{CredentialsPlan, Role, Root};
use super::process::CredentialProcess;
use super::profiles;
use super::secret_file::SecretFile;
use super::token_file::WithTokenFile;
use crate::base::log::Log;
use crate::cloud::settings::{Keys, Settings};

/// Session name if none is configured.
const SESSION: &str = "eip";

/// What the sources are built from.
pub struct Sources<'a> {
    /// Parameters and environment variables.
    pub settings: &'a Settings,
    /// SDK configuration for calls to STS.
    pub sts: &'a SdkConfig,
    /// The same for the SDK's sources that call STS themselves.
    pub with_proxy: &'a ProviderConfig,
    /// For the container endpoint, which is on this host: no proxy may see its token.
    pub direct: &'a ProviderConfig,
    /// The instance metadata client, which holds the process's token.
    pub metadata: &'a imds::Client,
    /// Records which source was used.
    pub log: &'a Log,
}

impl Sources<'_> {
    /// Builds the credentials provider; with `last`, for a role that is assumed with what the others come to.
    ///
    /// # Errors
    /// A sentence about a profile or profile file that cannot be followed.
    pub async fn provider(&self, last: Option<&str>) -> Result<SharedCredentialsProvider, String> {
        let mut provider = self.in_order().await?.provider();
        let roles = [(self.settings.role_arn.as_deref(), "the role"), (last, "routing_table_role")];
        for (arn, name) in roles.into_iter().filter_map(|(arn, name)| Some((arn?, name))) {
            let role = Role { arn: arn.to_owned(), session_name: None, external_id: None, duration: None };
            provider = Chain::new(self.log).then(name, self.assume(role, provider).await).provider();
        }
        Ok(provider)
    }

    async fn in_order(&self) -> Result<Chain, String> {
        let settings = self.settings;
        let mut chain = Chain::new(self.log);
        if settings.instance_role_only {
            return Ok(self.then_instance_role(chain));
        }
        // A profile from the parameter comes first; if it has no credentials, the instance's are used, as botocore does.
        if settings.profile.is_none() {
            chain = chain.then_own("the environment", self.environment());
        }
        if let Some(profiles) = profiles::read(settings)? {
            let plan = CredentialsPlan::new(&profiles, profiles.selected_profile())?;
            chain = self.follow(chain, plan).await;
        }
        if settings.profile.is_none() {
            chain = chain.then_own(".awssecret", SecretFile::new(settings, self.log));
        }
        let source = WebIdentityTokenCredentialsProvider::builder().configure(self.with_proxy).build();
        let file = file_named_by("AWS_WEB_IDENTITY_TOKEN_FILE");
        chain = chain.then_own("web identity", WithTokenFile { source, file });
        chain = chain.then_own("the container", self.container());
        Ok(self.then_instance_role(chain))
    }

    fn then_instance_role(&self, chain: Chain) -> Chain {
        let off = self.settings.instance_role_off;
        let role = InstanceRole { metadata: self.metadata.clone(), off };
        let mut chain = chain.then_own("the instance role", role);
        if off {
            chain.hint = " (AWS_EC2_METADATA_DISABLED is true)";
        }
        chain
    }

    fn environment(&self) -> EnvironmentKeys {
        EnvironmentKeys { keys: self.settings.keys.clone(), missing: self.settings.missing_key }
    }

    fn container(&self) -> impl Source + 'static {
        let source = EcsCredentialsProvider::builder().configure(self.direct).build();
        WithTokenFile { source, file: file_named_by("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") }
    }

    /// Adds the sources that a profile configures.
    async fn follow(&self, chain: Chain, plan: CredentialsPlan) -> Chain {
        let CredentialsPlan { profile, root, roles } = plan;
        let Some(root) = root else {
            // Included so that the reason shows that it was consulted.
            return chain.then_own("the profile files", EnvironmentKeys { keys: None, missing: None });
        };
        let of = |what: &str| format!("{what} of profile {profile}");
        let first = Chain::new(self.log);
        let first = match root {
            Root::Keys(keys) => first.then(of("the keys"), credentials(keys, "profile")),
            Root::Process(command) => {
                let name = of("credential_process");
                first.then_own(name, CredentialProcess { profile: profile.clone(), command })
            }
            Root::WebIdentity { file, role } => {
                first.then_own(of("web identity"), self.web_identity(file, role))
            }
            Root::Environment => first.then_own(of("the environment, source"), self.environment()),
            Root::Container => first.then_own(of("the container, source"), self.container()),
            Root::InstanceRole => self.then_instance_role(first),
        };
        let mut provider = first.provider();
        for role in roles {
            let name = format!("role {}", role.arn.rsplit('/').next().unwrap_or_default());
            provider = Chain::new(self.log).then(name, self.assume(role, provider).await).provider();
        }
        chain.then("the profile files", provider)
    }

    fn web_identity(&self, file: String, role: Role) -> impl Source + 'static {
        let path = PathBuf::from(file);
        let source = WebIdentityTokenCredentialsProvider::builder()
            .configure(self.with_proxy)
            .static_configuration(StaticConfiguration {
                web_identity_token_file: path.clone(),
                role_arn: role.arn,
                session_name: role.session_name.unwrap_or_else(|| SESSION.to_owned()),
            })
            .build();
        WithTokenFile { source, file: Some(path) }
    }

    async fn assume(&self, role: Role, with: SharedCredentialsProvider) -> AssumeRoleProvider {
        let mut builder = AssumeRoleProvider::builder(role.arn)
            .session_name(role.session_name.unwrap_or_else(|| SESSION.to_owned()))
            .configure(self.sts);
        if let Some(id) = role.external_id {
            builder = builder.external_id(id);
        }
        if let Some(seconds) = role.duration {
            builder = builder.session_length(Duration::from_secs(seconds));
        }
        builder.build_from_provider(with).await
    }
}

fn file_named_by(variable: &str) -> Option<PathBuf> {
    std::env::var(variable).ok().map(PathBuf::from)
}

/// Keys from the environment. Not only that of the process: a face may have added those of a settings file.
#[derive(Debug)]
struct EnvironmentKeys {
    keys: Option<Keys>,
    missing: Option<&'static str>,
}

impl Source for EnvironmentKeys {
    async fn load(&self) -> provider::Result {
        match (&self.keys, self.missing) {
            (Some(keys), _) => Ok(credentials(keys.clone(), "environment")),
            (None, Some(name)) => Err(CredentialsError::invalid_configuration(format!("{name} is not set"))),
            (None, None) => Err(CredentialsError::not_loaded("no keys")),
        }
    }
}
