//! Why an EC2 call failed, and whether another attempt may help.

use std::error::Error;

use crate::base::retry::{Patience, Retryable};

/// How the answer begins if the region is not known.
pub(super) const REGION_UNKNOWN: &str = "region unknown";

/// A failed EC2 call: operation, object and answer.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {object}: {answer}")]
pub struct Ec2Error {
    /// Name of the operation in the EC2 API.
    pub operation: &'static str,
    /// The subject of the call: an allocation, an association, an address.
    pub object: String,
    /// EC2's error code, or what happened instead of an answer. Fits an operator's single line.
    pub answer: String,
    /// The meaning for the agent.
    pub fault: Ec2Fault,
    /// EC2's message. It can contain an encoded authorisation message, so it goes to the log, not into an exit reason.
    pub message: Option<String>,
    /// AWS request id, for a support case.
    pub request_id: Option<String>,
    /// The client's error if EC2 gave no answer.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a failed EC2 call means for the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ec2Fault {
    /// The account has no such address or allocation.
    Unknown,
    /// The association or assignment had already ended.
    AssociationGone,
    /// The address is held elsewhere, and the call was not to take it.
    AlreadyAssociated,
    /// The interface or private address cannot carry the address: absent, another subnet, no internet gateway, another
    /// border group; or the address is locked.
    Target,
    /// An AWS service uses the address: a NAT gateway, a load balancer.
    ServiceManaged,
    /// IAM denies the call.
    Denied,
    /// There are no credentials, or AWS rejects them.
    Credentials,
    /// A source of credentials is configured by name and cannot be used: no such profile, half a pair of keys.
    NoProfile,
    /// AWS throttles the client.
    Throttled,
    /// No usable answer: name lookup, connection, TLS, time-out, 5xx, an unreadable response. The call may have taken effect.
    Silent,
    /// The answer was too large to be read. The call may have taken effect.
    Oversized,
    /// EC2 refuses for a reason that no retry changes.
    Refused,
    /// The setup on this host allows no request: no region, an unreadable CA bundle.
    Setup,
}

impl Ec2Error {
    /// An error without EC2's message, request id or cause.
    pub fn new(
        operation: &'static str,
        object: &impl ToString,
        fault: Ec2Fault,
        answer: impl Into<String>,
    ) -> Self {
        let (object, answer) = (object.to_string(), answer.into());
        Self { operation, object, answer, fault, message: None, request_id: None, source: None }
    }

    /// The error of a call that the deadline cut off.
    pub fn cut_off(operation: &'static str, object: &impl ToString) -> Self {
        Self::new(operation, object, Ec2Fault::Silent, "no answer in time")
    }

    /// Adds EC2's answer to the previous attempt, which says more than that time ran out.
    #[must_use]
    pub fn after(mut self, before: Option<&Self>) -> Self {
        if let Some(before) = before {
            self.answer = format!("{}, {} before", self.answer, before.answer);
        }
        self
    }

    /// Whether EC2 gave no usable answer, so that nothing can be concluded.
    pub fn is_silence(&self) -> bool {
        matches!(self.fault, Ec2Fault::Throttled | Ec2Fault::Silent | Ec2Fault::Oversized | Ec2Fault::Setup)
    }

    /// Whether AWS rejected the time of the request: the clock of this host is off.
    pub fn blames_the_clock(&self) -> bool {
        matches!(self.answer.as_str(), "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture")
    }

    /// Whether the fault is in the credentials: EC2 rejected them, or was not called, because their source gave none.
    pub fn is_about_credentials(&self) -> bool {
        match self.fault {
            Ec2Fault::Credentials | Ec2Fault::NoProfile => true,
            Ec2Fault::Silent => self.answer.contains("no credentials"),
            _ => false,
        }
    }

    /// Whether EC2 was not called, because its region is not known.
    pub fn lacks_region(&self) -> bool {
        self.fault == Ec2Fault::Silent && self.answer.starts_with(REGION_UNKNOWN)
    }

    /// Whether EC2 has accepted the signature of the request, and with it the clock of this host.
    pub fn is_after_authentication(&self) -> bool {
        matches!(self.fault, Ec2Fault::Denied | Ec2Fault::Unknown)
    }

    /// Whether the call may have taken effect despite the error.
    pub fn may_have_worked(&self) -> bool {
        matches!(self.fault, Ec2Fault::Silent | Ec2Fault::Oversized)
    }
}

impl Retryable for Ec2Error {
    fn patience(&self) -> Patience {
        match self.fault {
            Ec2Fault::Throttled => Patience::Throttled,
            Ec2Fault::Silent => Patience::Lasting,
            // A new role needs some seconds; and after clock skew, the client has learnt the difference.
            Ec2Fault::Credentials => Patience::Brief,
            // Ids that have just been created, an address in transfer from another account and a policy that has just
            // been attached take a moment to propagate.
            // The next answer is as large as one that was too large, unless that was not from EC2.
            Ec2Fault::Unknown | Ec2Fault::Denied | Ec2Fault::Oversized => Patience::Once,
            Ec2Fault::AssociationGone
            | Ec2Fault::AlreadyAssociated
            | Ec2Fault::Target
            | Ec2Fault::ServiceManaged
            | Ec2Fault::NoProfile
            | Ec2Fault::Refused
            | Ec2Fault::Setup => Patience::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// IAM needs a moment to propagate a policy that has just been attached.
    #[test]
    fn a_denial_is_repeated_once_and_an_address_of_a_service_never() {
        let patience = |fault| Ec2Error::new("AssociateAddress", &"id", fault, "answer").patience();
        assert_eq!(patience(Ec2Fault::Denied), Patience::Once);
        assert_eq!(patience(Ec2Fault::ServiceManaged), Patience::Never);
    }
}
