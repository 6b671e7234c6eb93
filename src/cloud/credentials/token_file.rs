//! Sources of credentials that read a token from a configured file. The SDK reads such a file without a limit: a FIFO
//! forever, an endless device into memory.

use std::path::PathBuf;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_types::os_shim_internal::Env;

use crate::base::small_file;

/// Largest accepted token; those of Kubernetes are one or two kilobytes.
const LARGEST: u64 = 64 << 10;

/// How the file is named.
#[derive(Debug)]
pub(super) enum TokenFile {
    /// By this environment variable, if set.
    Variable(&'static str),
    /// By path.
    Path(PathBuf),
}

/// A source that is tried only if its file is readable.
#[derive(Debug)]
pub(super) struct WithTokenFile<S> {
    source: S,
    file: TokenFile,
}

impl<S: ProvideCredentials> WithTokenFile<S> {
    pub(super) fn new(source: S, file: TokenFile) -> Self {
        Self { source, file }
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let file = match &self.file {
            TokenFile::Variable(name) => Env::real().get(name).ok().map(PathBuf::from),
            TokenFile::Path(path) => Some(path.clone()),
        };
        if let Some(file) = file
            && let Some(reason) = small_file::refused(&file, LARGEST)
        {
            return Err(CredentialsError::provider_error(format!("{}: {reason}", file.display())));
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
