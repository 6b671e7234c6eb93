//! Denied permissions, by caller. Initially everything is allowed.

use std::collections::BTreeSet;

use serde::Serialize;

use eip::cloud::model::ApiError;

use crate::credentials::Principal;

/// Denied actions, each for every caller or for one role.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Iam {
    denied: BTreeSet<(Option<String>, String)>,
}

impl Iam {
    pub(crate) fn deny(&mut self, role: Option<&str>, action: &str) {
        self.denied.insert((role.map(str::to_owned), action.to_owned()));
    }

    pub(crate) fn allow(&mut self, role: Option<&str>, action: &str) {
        self.denied.remove(&(role.map(str::to_owned), action.to_owned()));
    }

    /// Checks that `principal` may do `action` on `resource`.
    ///
    /// # Errors
    /// `UnauthorizedOperation` as in EC2, or `AccessDenied` as in STS for its own actions.
    pub(crate) fn check(&self, principal: &Principal, action: &str, resource: &str) -> Result<(), ApiError> {
        let denied = self.denied.iter().any(|(role, denied)| {
            denied == action && role.as_ref().is_none_or(|role| Some(role) == principal.role.as_ref())
        });
        if !denied {
            return Ok(());
        }
        let who = format!("User: {} is not authorized to perform", principal.arn);
        if action == "AssumeRole" {
            let message = format!("{who}: sts:{action} on resource: {resource}");
            return Err(ApiError::new(403, "AccessDenied", message));
        }
        let who = format!("You are not authorized to perform this operation. {who}: ec2:{action}");
        let why = format!("because no identity-based policy allows the ec2:{action} action");
        let message = if action.starts_with("Describe") {
            format!("{who} {why}")
        } else {
            let blob = "rYhRbCfDmUvTzqB1xQ9kW4nEo7sGjLpA".repeat(16);
            format!("{who} on resource: {resource} {why}. Encoded authorization failure message: {blob}")
        };
        Err(ApiError::new(403, "UnauthorizedOperation", message))
    }
}
