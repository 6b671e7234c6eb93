//! Orders the sources of credentials according to the settings.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider};

use super::chain::{Chain, Source, SourceProvider};
use super::instance_role::InstanceRole;
use super::plan::{CredentialsPlan, Role, Root};
use super::process::CredentialProcess;
use super::profiles;
use super::secret_file::SecretFile;
use super::token_file::{TokenFile, WithTokenFile};
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
        let mut provider = SharedCredentialsProvider::new(SourceProvider(self.in_order().await?));
        let roles = [(self.settings.role_arn.as_deref(), "the role"), (last, "routing_table_role")];
        for (arn, name) in roles.into_iter().filter_map(|(arn, name)| Some((arn?, name))) {
            let role = Role { arn: arn.to_owned(), session_name: None, external_id: None, duration: None };
            let assumed = self.assume(role, provider).await;
            provider = SharedCredentialsProvider::new(SourceProvider(self.chain().then(name, assumed)));
        }
        Ok(provider)
    }

    fn chain(&self) -> Chain {
        Chain::new(self.log)
    }

    async fn in_order(&self) -> Result<Chain, String> {
        let settings = self.settings;
        let mut chain = self.chain();
        if settings.instance_role_only {
            return Ok(self.then_instance_role(chain));
        }
        // A profile from the parameter comes first; if it has no credentials, the instance's are used, as botocore does.
        if settings.profile.is_none() {
            chain = chain.then("the environment", self.environment());
        }
        if let Some(profiles) = profiles::read(settings)? {
            let plan = CredentialsPlan::new(&profiles, profiles.selected_profile())?;
            chain = self.follow(chain, plan).await;
        }
        if settings.profile.is_none() {
            chain = chain.then(".awssecret", SourceProvider(SecretFile::new(settings, self.log)));
        }
        let web_identity = WebIdentityTokenCredentialsProvider::builder().configure(self.with_proxy).build();
        let file = TokenFile::Variable("AWS_WEB_IDENTITY_TOKEN_FILE");
        chain = chain.then("web identity", SourceProvider(WithTokenFile { source: web_identity, file }));
        chain = chain.then("the container", self.container());
        Ok(self.then_instance_role(chain))
    }

    fn then_instance_role(&self, chain: Chain) -> Chain {
        let off = self.settings.instance_role_off;
        let chain = chain.then("the instance role", SourceProvider(InstanceRole::new(self.metadata, off)));
        if off { chain.hinting(" (AWS_EC2_METADATA_DISABLED is true)") } else { chain }
    }

    fn environment(&self) -> SourceProvider<EnvironmentKeys> {
        SourceProvider(EnvironmentKeys {
            keys: self.settings.keys.clone(),
            missing: self.settings.missing_key,
        })
    }

    fn container(&self) -> impl ProvideCredentials + 'static {
        let source = EcsCredentialsProvider::builder().configure(self.direct).build();
        SourceProvider(WithTokenFile {
            source,
            file: TokenFile::Variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        })
    }

    /// Adds the sources that a profile configures.
    async fn follow(&self, chain: Chain, plan: CredentialsPlan) -> Chain {
        let CredentialsPlan { profile, root, roles } = plan;
        let Some(root) = root else {
            // Included so that the reason shows that it was consulted.
            return chain
                .then("the profile files", SourceProvider(EnvironmentKeys { keys: None, missing: None }));
        };
        let of = |what: &str| format!("{what} of profile {profile}");
        let first = self.chain();
        let mut provider = SharedCredentialsProvider::new(SourceProvider(match root {
            Root::Keys(keys) => first.then(of("the keys"), credentials(keys, "profile")),
            Root::Process(command) => first
                .then(of("credential_process"), SourceProvider(CredentialProcess::new(&profile, command))),
            Root::WebIdentity { file, role } => first.then(of("web identity"), self.web_identity(file, role)),
            Root::Environment => first.then(of("the environment, source"), self.environment()),
            Root::Container => first.then(of("the container, source"), self.container()),
            Root::InstanceRole => self.then_instance_role(first),
        }));
        for role in roles {
            let name = format!("role {}", role.arn.rsplit('/').next().unwrap_or_default());
            let assumed = self.assume(role, provider).await;
            provider = SharedCredentialsProvider::new(SourceProvider(self.chain().then(name, assumed)));
        }
        chain.then("the profile files", provider)
    }

    fn web_identity(&self, file: String, role: Role) -> impl ProvideCredentials + 'static {
        let path = std::path::PathBuf::from(file);
        let source = WebIdentityTokenCredentialsProvider::builder()
            .configure(self.with_proxy)
            .static_configuration(StaticConfiguration {
                web_identity_token_file: path.clone(),
                role_arn: role.arn,
                session_name: role.session_name.unwrap_or_else(|| SESSION.to_owned()),
            })
            .build();
        SourceProvider(WithTokenFile { source, file: TokenFile::Path(path) })
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

fn credentials(keys: Keys, from: &'static str) -> Credentials {
    let Keys { id, secret, token } = keys;
    Credentials::new(id, secret, token, None, from)
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
