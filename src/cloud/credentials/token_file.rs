//! Sources of credentials that read a token from a file somebody has named. The SDK reads all of it, whatever it is: a FIFO for
//! ever, a device without end into memory.

use std::path::PathBuf;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::Env;

use super::profiles;
use crate::base::small_file;

/// The largest token that is read; those of Kubernetes are a kilobyte or two.
const LARGEST: u64 = 64 << 10;

/// Where the file is named.
#[derive(Debug)]
pub(super) enum Named {
    /// In a variable.
    Variable(&'static str),
    /// In profiles.
    Profiles(EnvConfigFiles),
}

/// A source that is asked only where its file can be read.
#[derive(Debug)]
pub(super) struct WithTokenFile<S> {
    source: S,
    named: Named,
}

impl<S: ProvideCredentials> WithTokenFile<S> {
    pub(super) fn new(source: S, named: Named) -> Self {
        Self { source, named }
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let files = match &self.named {
            Named::Variable(name) => Env::real().get(name).into_iter().map(PathBuf::from).collect(),
            Named::Profiles(files) => profiles::token_files(files).await,
        };
        for file in files {
            if let Some(reason) = small_file::refused(&file, LARGEST) {
                return Err(CredentialsError::provider_error(format!("{}: {reason}", file.display())));
            }
        }
        self.source.provide_credentials().await
    }
}

impl<S: ProvideCredentials> ProvideCredentials for WithTokenFile<S> {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
