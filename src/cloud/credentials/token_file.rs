//! Sources of credentials that read a token from a file somebody has named. The SDK reads all of it, whatever it is: a FIFO for
//! ever, a device without end into memory.

use std::path::PathBuf;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_types::os_shim_internal::Env;

use crate::base::small_file;

/// The largest token that is read; those of Kubernetes are a kilobyte or two.
const LARGEST: u64 = 64 << 10;

/// Which file it is.
#[derive(Debug)]
pub(super) enum TokenFile {
    /// The one that a variable names, if it does.
    Variable(&'static str),
    /// This one.
    Path(PathBuf),
}

/// A source that is asked only if its file can be read.
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
