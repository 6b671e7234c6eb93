//! `.awssecret` as a source of credentials.

use std::path::PathBuf;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{self, error::CredentialsError};

use super::awssecret;
use super::chain::Source;
use crate::base::log::Log;
use crate::cloud::settings::Settings;

/// `.awssecret` of older setups: access key id on line 1, secret access key on line 2.
#[derive(Debug)]
pub(super) struct SecretFile {
    candidates: Vec<PathBuf>,
    log: Log,
}

impl SecretFile {
    pub(super) fn new(settings: &Settings, log: &Log) -> Self {
        let mut candidates: Vec<PathBuf> = settings.home.iter().map(|home| home.join(".awssecret")).collect();
        let root = PathBuf::from("/root/.awssecret");
        if !candidates.contains(&root) {
            candidates.push(root);
        }
        Self { candidates, log: log.clone() }
    }
}

impl Source for SecretFile {
    async fn load(&self) -> provider::Result {
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
