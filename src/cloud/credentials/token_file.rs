//! Sources of credentials that read a token from a configured file. The SDK reads such a file without a limit: a FIFO
//! forever, an endless device into memory.

use std::path::PathBuf;

use aws_credential_types::provider::{self, ProvideCredentials, error::CredentialsError};
use aws_types::os_shim_internal::Env;

use super::chain::Source;
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
    pub source: S,
    pub file: TokenFile,
}

impl<S: ProvideCredentials> Source for WithTokenFile<S> {
    async fn load(&self) -> provider::Result {
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
