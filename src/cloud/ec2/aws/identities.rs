//! Caches credentials until AWS rejects them: by then instance metadata may have newer ones.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// The SDK's own cache, replaced with an empty one on request. Clones are handles on the same one.
#[derive(Debug, Clone)]
pub(super) struct Identities(Arc<Mutex<CachedIdentities>>);

#[derive(Debug)]
struct CachedIdentities {
    current: SharedIdentityCache,
    /// Limit for the next load.
    limit: Duration,
    longest: Duration,
}

impl Identities {
    /// A cache that waits this long for credentials: at first, and at most after loads that timed out.
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        let cached = CachedIdentities { current: empty(longest), limit: first, longest };
        Self(Arc::new(Mutex::new(cached)))
    }

    /// Drops the cached credentials.
    pub(super) fn forget(&self) {
        let mut cached = self.lock();
        cached.current = empty(cached.longest);
    }

    fn lock(&self) -> MutexGuard<'_, CachedIdentities> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn empty(load_timeout: Duration) -> SharedIdentityCache {
    IdentityCache::lazy().load_timeout(load_timeout).build()
}

// The SDK's cache validates nothing but that the clients have a clock and timers, which ours have.
impl ResolveCachedIdentity for Identities {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async move {
            let (cache, limit) = {
                let cached = self.lock();
                (cached.current.clone(), cached.limit)
            };
            let loading = cache.resolve_cached_identity(resolver, components, config);
            tokio::time::timeout(limit, loading).await.unwrap_or_else(|_| {
                // Calls run concurrently, and each knows only the limit that it started with.
                let mut cached = self.lock();
                cached.limit = (limit * 2).min(cached.longest).max(cached.limit);
                Err(CredentialsError::provider_timed_out(limit).into())
            })
        })
    }
}
