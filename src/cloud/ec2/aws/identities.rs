//! Caches credentials until AWS rejects them: by then instance metadata may have newer ones.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;

/// The SDK's own cache, replaced with an empty one on request.
#[derive(Debug)]
pub(super) struct Identities {
    current: Mutex<SharedIdentityCache>,
    /// Limit for the next load.
    limit: Mutex<Duration>,
    longest: Duration,
}

impl Identities {
    /// A cache that waits this long for credentials: at first, and at most after loads that timed out.
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { current: Mutex::new(empty(longest)), limit: Mutex::new(first), longest }
    }

    /// Drops the cached credentials.
    pub(super) fn forget(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = empty(self.longest);
    }

    fn limit(&self) -> Duration {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Doubles the limit. Calls run concurrently, and each knows only the limit that it started with.
    fn timed_out(&self, limit: Duration) {
        let mut next = self.limit.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (limit * 2).min(self.longest).max(*next);
    }

    fn current(&self) -> SharedIdentityCache {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn empty(load_timeout: Duration) -> SharedIdentityCache {
    IdentityCache::lazy().load_timeout(load_timeout).build()
}

/// Shared by all clients that are built with it.
#[derive(Debug, Clone)]
pub(super) struct SharedIdentities(pub(super) std::sync::Arc<Identities>);

impl ResolveCachedIdentity for SharedIdentities {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async move {
            let (cache, limit) = (self.0.current(), self.0.limit());
            let loading = cache.resolve_cached_identity(resolver, components, config);
            tokio::time::timeout(limit, loading).await.unwrap_or_else(|_| {
                self.0.timed_out(limit);
                Err(CredentialsError::provider_timed_out(limit).into())
            })
        })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        ResolveCachedIdentity::validate_base_client_config(&self.0.current(), components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        ResolveCachedIdentity::validate_final_config(&self.0.current(), components, config)
    }
}
