//! Denied permissions, by caller. Initially everything is allowed.

use std::collections::BTreeSet;

use serde::Serialize;

use eip::cloud::model::ApiError;

use crate::credentials::Principal;

/// The actions denied, each to everyone or to one role.
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
    /// `UnauthorizedOperation` as EC2 answers, or `AccessDenied` as STS does for its own actions.
    pub(crate) fn check(&self, principal: &Principal, action: &str, resource: &str) -> Result<(), ApiError> {
        let denied = self.denied.iter().any(|(role, denied)| {
            denied == action && role.as_ref().is_none_or(|role| Some(role) == principal.role.as_ref())
        });
        if !denied {
            return Ok(());
        }
        if action == "AssumeRole" {
            let message = format!(
                "User: {} is not authorized to perform: sts:{action} on resource: {resource}",
                principal.arn
            );
            return Err(ApiError::new(403, "AccessDenied", message));
        }
        let mut message = format!(
            "You are not authorized to perform this operation. User: {} is not authorized to perform: ec2:{action}",
            principal.arn
        );
        if action.starts_with("Describe") {
            message.push_str(" because no identity-based policy allows the ec2:");
            message.push_str(action);
            message.push_str(" action");
        } else {
            let blob = "rYhRbCfDmUvTzqB1xQ9kW4nEo7sGjLpA".repeat(16);
            message.push_str(" on resource: ");
            message.push_str(resource);
            message.push_str(" because no identity-based policy allows the ec2:");
            message.push_str(action);
            message.push_str(" action. Encoded authorization failure message: ");
            message.push_str(&blob);
        }
        Err(ApiError::new(403, "UnauthorizedOperation", message))
    }
}
