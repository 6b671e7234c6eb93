//! Caches credentials until AWS rejects them: by then instance metadata may have newer ones.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;

/// The SDK's own cache, replaced with an empty one on request.
#[derive(Debug)]
pub(super) struct Identities {
    load_timeout: Duration,
    current: Mutex<SharedIdentityCache>,
}

impl Identities {
    /// A cache that waits at most this long for credentials.
    pub(super) fn new(load_timeout: Duration) -> Self {
        Self { load_timeout, current: Mutex::new(empty(load_timeout)) }
    }

    /// Drops the cached credentials.
    pub(super) fn forget(&self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = empty(self.load_timeout);
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
        let cache = self.0.current();
        IdentityFuture::new(async move { cache.resolve_cached_identity(resolver, components, config).await })
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
