//! Tries the sources of credentials in their order, which `sources.rs` determines, and distinguishes "no credentials" from "no answer".
//!
//! The SDK collapses all failures into one; we must retry unreachable sources but fail fast if there are none.

use std::borrow::Cow;

use aws_config::imds::client::error::ImdsError;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_types::error::metadata::ErrorMetadata;

use crate::base::log::Log;
use crate::base::{causes, find, innermost};
use crate::cloud::ec2::{Ec2Fault, fault_of};
use crate::cloud::settings::Keys;

/// A source of credentials of our own.
pub(super) trait Source: std::fmt::Debug + Send + Sync {
    /// As [`ProvideCredentials::provide_credentials`].
    fn load(&self) -> impl Future<Output = provider::Result> + Send;
}

/// Adapts a source of our own to the SDK's trait.
#[derive(Debug)]
struct SourceProvider<S>(S);

impl<S: Source> ProvideCredentials for SourceProvider<S> {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.0.load())
    }
}

/// Sources of credentials in the order in which they are tried.
#[derive(Debug)]
pub(super) struct Chain {
    sources: Vec<(Cow<'static, str>, SharedCredentialsProvider)>,
    /// Why a source that usually has credentials may have none.
    pub hint: &'static str,
    log: Log,
}

/// No source yielded credentials.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub(in crate::cloud) struct Missing {
    /// What that means for the agent: a source that did not respond may have some, one that is configured wrongly will not.
    pub fault: Ec2Fault,
    text: String,
}

impl Missing {
    /// The error of a source whose response is invalid; a retry may help.
    pub(super) fn garbled(what: &str) -> CredentialsError {
        let text = format!("no credentials: {what} is invalid");
        CredentialsError::provider_error(Self { fault: Ec2Fault::Silent, text })
    }

    /// The error of a source that has given its reason.
    pub(super) fn refused(text: String) -> CredentialsError {
        CredentialsError::provider_error(Self { fault: Ec2Fault::Credentials, text })
    }
}

impl Chain {
    pub(super) fn new(log: &Log) -> Self {
        Self { sources: Vec::new(), hint: "", log: log.clone() }
    }

    /// Appends a source, tried if those before it have no credentials.
    pub(super) fn then(
        mut self,
        name: impl Into<Cow<'static, str>>,
        source: impl ProvideCredentials + 'static,
    ) -> Self {
        self.sources.push((name.into(), SharedCredentialsProvider::new(source)));
        self
    }

    /// Appends a source of our own.
    pub(super) fn then_own(self, name: impl Into<Cow<'static, str>>, source: impl Source + 'static) -> Self {
        self.then(name, SourceProvider(source))
    }

    /// The chain for the SDK.
    pub(super) fn provider(self) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(SourceProvider(self))
    }
}

impl Source for Chain {
    async fn load(&self) -> provider::Result {
        let mut empty = Vec::new();
        for (name, source) in &self.sources {
            let error = match source.provide_credentials().await {
                Ok(credentials) if !is_sendable(&credentials) => {
                    let text = format!("no credentials from {name}: the key id or token is malformed");
                    return Err(Missing::refused(text));
                }
                Ok(credentials) => {
                    self.log.trace(format_args!("credentials come from {name}"));
                    self.log.keep_secret(credentials.secret_access_key());
                    self.log.keep_secret(credentials.session_token().unwrap_or_default());
                    return Ok(credentials);
                }
                Err(error) => error,
            };
            if let Some(missing) = find::<Missing>(&error) {
                return Err(CredentialsError::provider_error(missing.clone()));
            }
            let silent = is_silence(&error);
            if matches!(error, CredentialsError::CredentialsNotLoaded(_)) && !silent {
                empty.push(name.as_ref());
                continue;
            }
            // A source that exists and fails: the sources after it may belong to another identity, with other permissions.
            let fault = match error {
                _ if silent => Ec2Fault::Silent,
                CredentialsError::InvalidConfiguration(_) => Ec2Fault::NoProfile,
                _ => Ec2Fault::Credentials,
            };
            let text = format!("no credentials from {name}: {}", reason_of(&error));
            return Err(CredentialsError::provider_error(Missing { fault, text }));
        }
        let text = format!("no credentials{} in {}", self.hint, empty.join(", "));
        Err(Missing::refused(text))
    }
}

/// Whether a request header can carry the key id and the token; the SDK panics on others.
fn is_sendable(credentials: &Credentials) -> bool {
    let parts = [credentials.access_key_id(), credentials.session_token().unwrap_or_default()];
    parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// Whether a source failed because a service that it depends on gave no usable answer.
fn is_silence(error: &CredentialsError) -> bool {
    if matches!(error, CredentialsError::ProviderTimedOut(_)) {
        return true;
    }
    if let Some(error) = find::<ImdsError>(error) {
        return match error {
            ImdsError::ErrorResponse(context) => matches!(context.response().status().as_u16(), 429 | 500..),
            _ => true,
        };
    }
    if let Some(answer) = find::<ErrorMetadata>(error) {
        // A code without a meaning of its own is a refusal: the failures of STS itself have one.
        let fault = fault_of(answer.code(), 400, answer.message().unwrap_or_default());
        return matches!(fault, Ec2Fault::Throttled | Ec2Fault::Silent);
    }
    // The types of these have parameters that differ by operation, and some are private; the texts are the SDK's own.
    causes(error).any(|cause| {
        let text = cause.to_string();
        // "response error": what responded was not STS.
        ["dispatch failure", "request has timed out", "response error"].contains(&text.as_str())
            || text.starts_with("error parsing XML")
    })
}

/// The source's response; without one, the innermost cause.
fn reason_of(error: &CredentialsError) -> String {
    match find::<ErrorMetadata>(error) {
        Some(answer) => answer.code().unwrap_or("an unreadable answer").to_owned(),
        None => innermost(error),
    }
}

/// Keys for the SDK, with where they are from.
pub(super) fn credentials(keys: Keys, from: &'static str) -> Credentials {
    let Keys { id, secret, token } = keys;
    Credentials::new(id, secret, token, None, from)
}
