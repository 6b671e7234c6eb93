//! What an examination finds, and how to fix it.

use std::fmt::Display;
use std::ops::ControlFlow::{self, Break, Continue};

use super::error::Error;
use crate::cloud::{Ec2Fault, ImdsError};

pub(super) const TAKING: &str = "permission to take";
pub(super) const RELEASING: &str = "permission to release";
pub(super) const INTERFACE: &str = "interface";

/// The result for one subject.
#[derive(Debug)]
pub enum Verdict {
    /// In order, with details.
    Good(String),
    /// Works now, but needs attention.
    Warning(String),
    /// Would keep this node from taking or releasing the address.
    Failure(Error),
    /// Cannot be checked until something else is fixed.
    Unknown(String),
}

/// The result of one check: a line of `eipctl check`.
#[derive(Debug)]
pub struct Finding {
    /// The subject, such as `credentials`.
    pub subject: &'static str,
    /// Whether it is in order, and why not.
    pub verdict: Verdict,
}

impl Finding {
    pub(super) fn good(subject: &'static str, text: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Good(text.into()) }
    }

    pub(super) fn warning(subject: &'static str, text: impl Into<String>) -> Self {
        Self { subject, verdict: Verdict::Warning(text.into()) }
    }

    pub(super) fn failure(subject: &'static str, error: impl Into<Error>) -> Self {
        Self { subject, verdict: Verdict::Failure(error.into()) }
    }

    pub(super) fn unknown(subject: &'static str, needs: &str) -> Self {
        Self { subject, verdict: Verdict::Unknown(format!("needs {needs}")) }
    }

    /// How to fix it; `None` if nothing is wrong or the error contains it.
    pub fn remedy(&self) -> Option<&'static str> {
        let Verdict::Failure(error) = &self.verdict else { return None };
        Some(match error {
            Error::Imds(ImdsError::Mute { .. }) | Error::NotEc2(ImdsError::Mute { .. }) => {
                "in a container its answers need 2 hops: aws ec2 modify-instance-metadata-options --instance-id INSTANCE \
                 --http-put-response-hop-limit 2"
            }
            Error::Imds(_) | Error::BothSilent { .. } => {
                "switch the metadata service on with IMDSv2 (aws ec2 modify-instance-metadata-options --http-endpoint enabled)"
            }
            Error::NotEc2(_) => "run it on an EC2 instance, with the metadata service switched on (IMDSv2)",
            Error::NoDevice(_) | Error::NoInterface(_) => {
                "name an interface of this instance: device name, MAC address, eni-... id or device index"
            }
            Error::NoPrivateIp { .. } => {
                "assign the private address to the interface, or name one that it has"
            }
            Error::SourceDestCheck(_) | Error::NoRoute { .. } => "standard error has the command",
            Error::BorderGroup { .. } => "allocate an address in the region's own border group",
            Error::Managed(..) => "use an address that no AWS service manages",
            Error::Ec2(error) => match error.fault {
                Ec2Fault::Unknown => "name one of this account and region",
                Ec2Fault::ServiceManaged => "use an address that no AWS service manages",
                Ec2Fault::Denied => "allow it in the policy of the role: eipctl policy prints one",
                Ec2Fault::Credentials => {
                    "attach a role to the instance, or give root valid credentials; check the clock"
                }
                Ec2Fault::NoProfile => "correct root's AWS configuration: an existing profile, both keys",
                Ec2Fault::Target => {
                    "give the VPC an internet gateway, and use an address of the same border group"
                }
                Ec2Fault::Throttled => "find out what calls EC2 so often in this account",
                Ec2Fault::Silent if error.is_about_credentials() => {
                    "have the source of the credentials answer: the metadata service, STS, or the endpoint that is configured"
                }
                Ec2Fault::Silent if error.lacks_region() => {
                    "name the region (--region, or the parameter), or switch the metadata service on"
                }
                // What stands between this node and EC2 gives no request id.
                Ec2Fault::Silent if error.request_id.is_some() => {
                    "wait and run it again: EC2 answers with an error of its own, see the AWS Health Dashboard"
                }
                Ec2Fault::Silent | Ec2Fault::Setup => {
                    "open the route to the EC2 API: security groups, routes, name servers, proxy, VPC endpoint, ca_bundle"
                }
                Ec2Fault::Oversized
                | Ec2Fault::AssociationGone
                | Ec2Fault::AlreadyAssociated
                | Ec2Fault::Refused => return None,
            },
            _ => return None,
        })
    }
}

/// An examination in progress.
pub struct Examination<'e> {
    pub(super) report: &'e mut dyn FnMut(Finding),
    /// Whether to examine everything; otherwise it ends at the first failure.
    pub(super) all: bool,
}

impl Examination<'_> {
    /// Reports a finding; breaks if the examination ends here.
    pub(super) fn add(&mut self, finding: Finding) -> ControlFlow<()> {
        let ends = !self.all && matches!(finding.verdict, Verdict::Failure(_));
        (self.report)(finding);
        if ends { Break(()) } else { Continue(()) }
    }

    /// Reports an outcome, good or failed.
    pub(super) fn outcome<T>(
        &mut self,
        subject: &'static str,
        outcome: Result<T, impl Into<Error>>,
        good: impl FnOnce(&T) -> String,
    ) -> ControlFlow<(), Option<T>> {
        match outcome {
            Ok(value) => {
                self.add(Finding::good(subject, good(&value)))?;
                Continue(Some(value))
            }
            Err(error) => {
                self.add(Finding::failure(subject, error))?;
                Continue(None)
            }
        }
    }

    /// Reports that these subjects cannot be checked without something else.
    pub(super) fn unknown(&mut self, subjects: &[&'static str], needs: &str) -> ControlFlow<()> {
        subjects.iter().try_for_each(|subject| self.add(Finding::unknown(subject, needs)))
    }

    /// Reports what the first answer of EC2 means for the credentials, and then the answer as [`Self::outcome`] does.
    pub(super) fn answer<T>(
        &mut self,
        subject: &'static str,
        answer: Result<T, Error>,
        good: impl FnOnce(&T) -> String,
    ) -> ControlFlow<(), Option<T>> {
        const SUBJECT: &str = "credentials";
        let failed = match &answer {
            Err(Error::Ec2(error)) => Some((error.is_about_credentials(), error.is_after_authentication())),
            _ => None,
        };
        match (failed, answer) {
            (Some((true, _)), Err(error)) => {
                self.add(Finding::failure(SUBJECT, error))?;
                self.add(Finding::unknown(subject, SUBJECT))?;
                Continue(None)
            }
            (failed, answer) => {
                self.add(if failed.is_none_or(|(_, accepted)| accepted) {
                    Finding::good(SUBJECT, "accepted by EC2")
                } else {
                    Finding::unknown(SUBJECT, "an answer from EC2")
                })?;
                self.outcome(subject, answer, good)
            }
        }
    }
}

/// The finding about a permission.
pub(super) fn judged(subject: &'static str, call: impl Display, asked: Result<(), Error>) -> Finding {
    match asked {
        Ok(()) => Finding::good(subject, format!("{call} is allowed (dry run)")),
        Err(error) => Finding::failure(subject, error),
    }
}
