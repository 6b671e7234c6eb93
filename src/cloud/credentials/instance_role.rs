//! Credentials of the instance role. The SDK's own source aborts the process if the role's name makes no valid path,
//! and only logs the reason in a document without credentials.

use aws_config::imds;
use aws_config::imds::client::error::ImdsError;
use aws_credential_types::provider::{self, error::CredentialsError};

use super::chain::{Missing, Source, credentials};
use super::document::{CredentialsDocument, CredentialsDocumentError, is_role};

const FOLDER: &str = "/latest/meta-data/iam/security-credentials/";

/// The instance role as a source of credentials.
#[derive(Debug)]
pub(super) struct InstanceRole {
    pub metadata: imds::Client,
    /// Whether `AWS_EC2_METADATA_DISABLED` is true: then this source has no credentials.
    pub off: bool,
}

impl Source for InstanceRole {
    async fn load(&self) -> provider::Result {
        if self.off {
            return Err(CredentialsError::not_loaded("disabled"));
        }
        let role = match self.metadata.get(FOLDER).await {
            Ok(text) => text.as_ref().trim().to_owned(),
            Err(ImdsError::ErrorResponse(context)) if context.response().status().as_u16() == 404 => {
                return Err(CredentialsError::not_loaded("this instance has no role"));
            }
            Err(error) => return Err(CredentialsError::provider_error(error)),
        };
        if !is_role(&role) {
            return Err(Missing::garbled("the name of the instance role"));
        }
        let document = self.metadata.get(format!("{FOLDER}{role}")).await;
        let document = document.map_err(CredentialsError::provider_error)?;
        match CredentialsDocument::of_role(document.as_ref()) {
            Ok(keys) => Ok(credentials(keys, "instance role")),
            Err(CredentialsDocumentError::Garbled) => {
                Err(Missing::garbled("the document of the instance role"))
            }
            Err(CredentialsDocumentError::Refused(words)) => {
                Err(Missing::refused(format!("no credentials from the instance role: {words}")))
            }
        }
    }
}
