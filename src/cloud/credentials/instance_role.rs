//! The credentials of the instance's role. The SDK's source makes a path of whatever the metadata service says the role is, and
//! ends the process where that is no path; so the name is looked at first.

use aws_config::imds;
use aws_config::imds::client::error::ImdsError;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use super::chain::Missing;

const FOLDER: &str = "/latest/meta-data/iam/security-credentials/";
/// IAM allows no longer names.
const LONGEST_NAME: usize = 64;

/// The instance role as a source of credentials.
#[derive(Debug)]
pub(super) struct InstanceRole {
    metadata: imds::Client,
    config: ProviderConfig,
}

impl InstanceRole {
    pub(super) fn new(metadata: &imds::Client, config: &ProviderConfig) -> Self {
        Self { metadata: metadata.clone(), config: config.clone() }
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let role = match self.metadata.get(FOLDER).await {
            Ok(text) => text.as_ref().trim().to_owned(),
            Err(ImdsError::ErrorResponse(context)) if context.response().status().as_u16() == 404 => {
                return Err(CredentialsError::not_loaded("this instance has no role"));
            }
            Err(error) => return Err(CredentialsError::provider_error(error)),
        };
        if !is_role(&role) {
            return Err(CredentialsError::provider_error(Missing::garbled("the name of the instance role")));
        }
        let builder = ImdsCredentialsProvider::builder().configure(&self.config);
        let source = builder.imds_client(self.metadata.clone()).profile(role).build();
        match source.provide_credentials().await {
            // What it can't read; its error would quote the document.
            Err(CredentialsError::Unhandled(_)) => {
                Err(CredentialsError::provider_error(Missing::garbled("the document of the instance role")))
            }
            other => other,
        }
    }
}

impl ProvideCredentials for InstanceRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

/// Returns whether a text can be the name of a role.
///
/// # Source
/// IAM API Reference, `CreateRole`: upper and lower case letters, digits, and any of `_+=,.@-`; at most 64.
fn is_role(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    !text.is_empty() && text.len() <= LONGEST_NAME && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_roles_are_told_from_pages_and_garbage() {
        for name in ["node", "eip-mover_1", "a+b=c,d.e@f"] {
            assert!(is_role(name), "{name}");
        }
        for text in ["", "<html>", "two words", "a\nb", &"x".repeat(65), "\u{fc}"] {
            assert!(!is_role(text), "{text}");
        }
    }
}
