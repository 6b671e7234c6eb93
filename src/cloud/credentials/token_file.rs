//! Sources of credentials that read a token from a configured file. The SDK reads such a file without a limit: a FIFO
//! forever, an endless device into memory.

use std::path::PathBuf;

use aws_credential_types::provider::{self, ProvideCredentials, error::CredentialsError};

use super::chain::Source;
use crate::base::small_file;

/// Largest accepted token; those of Kubernetes are one or two kilobytes.
const LARGEST: u64 = 64 << 10;

/// A source that is tried only if its file is readable.
#[derive(Debug)]
pub(super) struct WithTokenFile<S> {
    pub source: S,
    pub file: Option<PathBuf>,
}

impl<S: ProvideCredentials> Source for WithTokenFile<S> {
    async fn load(&self) -> provider::Result {
        if let Some(file) = &self.file
            && let Some(reason) = small_file::refused(file, LARGEST)
        {
            return Err(CredentialsError::provider_error(format!("{}: {reason}", file.display())));
        }
        self.source.provide_credentials().await
    }
}
