//! Access keys: static ones, those in instance metadata, and those of assumed roles.
//!
//! Authentication only; permissions are in [`iam`](crate::iam).

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use eip::base::ids::InstanceId;
use eip::cloud::model::ACCOUNT;

use crate::world::CREDENTIAL_LIFETIME;

/// The role's credentials in instance metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CredState {
    /// Valid ones, renewed before they expire.
    #[default]
    Valid,
    /// Ones that expired an hour ago; EC2 and STS refuse them.
    Expired,
    /// None: the role's entry is absent (404), as without an instance profile.
    Missing404,
    /// A document that says that EC2 may not assume the role.
    Unauthorized,
    /// Valid ones, but different keys at each request; earlier ones stay valid.
    Rotate,
}

/// The caller that signed a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) arn: String,
    pub(crate) role: Option<String>,
    pub(crate) instance: Option<InstanceId>,
}

impl Principal {
    /// The account in its ARN.
    pub(crate) fn account(&self) -> Option<&str> {
        self.arn.split(':').nth(4)
    }

    /// The user that static keys belong to.
    fn user() -> Self {
        Self { arn: format!("arn:aws:iam::{ACCOUNT}:user/test"), role: None, instance: None }
    }
}

/// An access key and what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) session_token: Option<String>,
    /// When it was issued and when it expires, in seconds since 1970.
    pub(crate) issued: f64,
    pub(crate) expires: Option<f64>,
    pub(crate) principal: Principal,
}

/// Every key that was ever issued.
#[derive(Debug, Default)]
pub(crate) struct Keyring {
    keys: BTreeMap<String, Key>,
    /// The key that each instance's metadata shows now.
    shown: BTreeMap<InstanceId, String>,
}

impl Keyring {
    pub(crate) fn find(&self, id: &str) -> Option<&Key> {
        self.keys.get(id)
    }

    pub(crate) fn add_user(&mut self, id: &str, secret: &str) {
        let key = Key {
            id: id.to_owned(),
            secret: secret.to_owned(),
            session_token: None,
            issued: 0.0,
            expires: None,
            principal: Principal::user(),
        };
        self.keys.insert(key.id.clone(), key);
    }

    /// Creates the key of a session in `role`, valid from `issued` for `lifetime`.
    pub(crate) fn session(
        &mut self,
        rng: &mut fastrand::Rng,
        principal: Principal,
        issued: f64,
        lifetime: Duration,
    ) -> Key {
        let key = Key {
            id: format!("ASIA{}", random(rng, 16, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
            // It begins with a marker, like the token, by which tests find it in places where no secret may be.
            secret: format!("RoleSecret{}", random(rng, 30, TEXT)),
            session_token: Some(format!("IQoJb3JpZ2luX2Vj{}==", random(rng, 340, TEXT))),
            issued,
            expires: Some(issued + lifetime.as_secs_f64()),
            principal,
        };
        self.keys.insert(key.id.clone(), key.clone());
        key
    }

    /// The key that the metadata of `instance` shows at `now` if its credentials are in `state`.
    ///
    /// `None` if there is none to show. A valid key is replaced when a twelfth of its lifetime is left (half an hour of six hours), so
    /// that a client never gets one that is about to expire.
    pub(crate) fn shown_to(
        &mut self,
        rng: &mut fastrand::Rng,
        principal: &Principal,
        state: CredState,
        now: f64,
    ) -> Option<Key> {
        let (instance, lifetime) = (principal.instance.clone()?, CREDENTIAL_LIFETIME);
        match state {
            CredState::Missing404 | CredState::Unauthorized => None,
            CredState::Rotate => Some(self.session(rng, principal.clone(), now, lifetime)),
            CredState::Expired => {
                let then = now - 3600.0 - lifetime.as_secs_f64();
                Some(self.session(rng, principal.clone(), then, lifetime))
            }
            CredState::Valid => {
                let renew_at = now + lifetime.as_secs_f64() / 12.0;
                let shown = self.shown.get(&instance).and_then(|id| self.keys.get(id));
                if let Some(key) = shown.filter(|key| key.expires.is_some_and(|at| at > renew_at)) {
                    return Some(key.clone());
                }
                let key = self.session(rng, principal.clone(), now, lifetime);
                self.shown.insert(instance, key.id.clone());
                Some(key)
            }
        }
    }
}

const TEXT: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `length` random characters of `alphabet`.
pub(crate) fn random(rng: &mut fastrand::Rng, length: usize, alphabet: &[u8]) -> String {
    (0..length).filter_map(|_| rng.choice(alphabet).map(|b| char::from(*b))).collect()
}
