//! What went wrong with an EC2 call, and whether another attempt may help.

use std::error::Error;

use crate::base::retry::{Patience, Retryable};

/// An EC2 call that did not succeed: the operation, the object, what was answered.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {object}: {answer}")]
pub struct Ec2Error {
    /// The operation as EC2 names it.
    pub operation: &'static str,
    /// What it was asked of: an allocation, an association, an address.
    pub object: String,
    /// The code EC2 answered with, or what happened instead of an answer. Fit for an operator's single line.
    pub answer: String,
    /// What it means for the agent.
    pub fault: Fault,
    /// EC2's own sentence. It can hold an encoded authorisation message, so it goes to the log, not into a reason.
    pub message: Option<String>,
    /// AWS's id of the request, for a support case.
    pub request_id: Option<String>,
    /// What the client saw, where EC2 gave no answer.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// What a failed EC2 call means for the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The account has no such address or allocation.
    Unknown,
    /// The association, or the assignment, had ended before the call.
    AssociationGone,
    /// Somebody holds the address and the call was not to take it.
    AlreadyAssociated,
    /// The interface or private address cannot carry the address: absent, another subnet, no internet gateway, another border
    /// group; or the address is locked.
    Target,
    /// An AWS service uses the address: a NAT gateway, a load balancer.
    ServiceManaged,
    /// IAM denies it.
    Denied,
    /// There are no credentials, or AWS rejects them.
    Credentials,
    /// The profile that was asked for is not there.
    NoProfile,
    /// AWS asked us to slow down.
    Throttled,
    /// No usable answer: name lookup, connection, TLS, time-out, 5xx, an answer that cannot be read. The call may have taken
    /// effect.
    Silent,
    /// EC2 refuses for a reason that no retry changes.
    Refused,
    /// No request can be made from here as things are set up: no region, an unreadable CA bundle.
    Setup,
}

impl Ec2Error {
    /// An error without EC2's own sentence, request id or cause.
    #[must_use]
    pub fn new(
        operation: &'static str,
        object: &impl ToString,
        fault: Fault,
        answer: impl Into<String>,
    ) -> Self {
        let (object, answer) = (object.to_string(), answer.into());
        Self { operation, object, answer, fault, message: None, request_id: None, source: None }
    }

    /// The error of a call that the deadline cut off.
    #[must_use]
    pub fn cut_off(operation: &'static str, object: &impl ToString) -> Self {
        Self::new(operation, object, Fault::Silent, "no answer in time")
    }

    /// Returns this error with what EC2 answered to the attempt before, which says more than that the time ran out.
    #[must_use]
    pub fn after(mut self, before: Option<&Self>) -> Self {
        if let Some(before) = before {
            self.answer = format!("{}, {} before", self.answer, before.answer);
        }
        self
    }

    /// Returns whether EC2 gave no usable answer, so that nothing is known from it.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        match self.fault {
            Fault::Throttled | Fault::Silent | Fault::Setup => true,
            Fault::Unknown
            | Fault::AssociationGone
            | Fault::AlreadyAssociated
            | Fault::Target
            | Fault::ServiceManaged
            | Fault::Denied
            | Fault::Credentials
            | Fault::NoProfile
            | Fault::Refused => false,
        }
    }

    /// Returns whether AWS found the time of the request wrong: the clock of this host is off.
    #[must_use]
    pub fn blames_the_clock(&self) -> bool {
        matches!(self.answer.as_str(), "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture")
    }

    /// Returns whether the call may have taken effect all the same.
    #[must_use]
    pub fn may_have_worked(&self) -> bool {
        self.fault == Fault::Silent
    }
}

impl Retryable for Ec2Error {
    fn patience(&self) -> Patience {
        match self.fault {
            Fault::Throttled => Patience::Throttled,
            Fault::Silent => Patience::Lasting,
            // A fresh role needs some seconds; and where the clocks differ, the client has learnt by how much.
            Fault::Credentials => Patience::Brief,
            // Just created ids, and the address of another account that is being handed over, need a moment.
            // So does a policy that has just been attached.
            Fault::Unknown | Fault::Denied => Patience::Once,
            Fault::AssociationGone
            | Fault::AlreadyAssociated
            | Fault::Target
            | Fault::ServiceManaged
            | Fault::NoProfile
            | Fault::Refused
            | Fault::Setup => Patience::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// IAM needs a moment to spread a policy that has just been attached.
    #[test]
    fn a_denial_is_repeated_once_and_an_address_of_a_service_never() {
        let patience = |fault| Ec2Error::new("AssociateAddress", &"id", fault, "answer").patience();
        assert_eq!(patience(Fault::Denied), Patience::Once);
        assert_eq!(patience(Fault::ServiceManaged), Patience::Never);
    }
}
