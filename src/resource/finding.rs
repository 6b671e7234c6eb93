//! Results of an examination, and how to fix what is wrong.

use crate::cloud::{Ec2Fault, ImdsError};
use crate::resource::error::Error;

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

/// One finding.
#[derive(Debug)]
pub struct Finding {
    /// What was examined.
    pub subject: &'static str,
    /// The result.
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
        match &self.verdict {
            Verdict::Failure(error) => remedy_for(error),
            Verdict::Good(_) | Verdict::Warning(_) | Verdict::Unknown(_) => None,
        }
    }
}

fn remedy_for(error: &Error) -> Option<&'static str> {
    match error {
        Error::Imds(ImdsError::Mute { .. }) | Error::NotEc2(ImdsError::Mute { .. }) => Some(
            "in a container its answers need 2 hops: aws ec2 modify-instance-metadata-options --instance-id INSTANCE \
             --http-put-response-hop-limit 2",
        ),
        Error::Imds(_) | Error::BothSilent { .. } => Some(
            "switch the metadata service on with IMDSv2 (aws ec2 modify-instance-metadata-options --http-endpoint enabled)",
        ),
        Error::NotEc2(_) => Some("run it on an EC2 instance, with the metadata service switched on (IMDSv2)"),
        Error::NoDevice(_) | Error::NoInterface(_) => {
            Some("name an interface of this instance: device name, MAC address, eni-... id or device index")
        }
        Error::NoPrivateIp { .. } => {
            Some("assign the private address to the interface, or name one that it has")
        }
        Error::SourceDestCheck(_) | Error::NoRoute { .. } => Some("standard error has the command"),
        Error::BorderGroup { .. } => Some("allocate an address in the region's own border group"),
        Error::Managed(..) => Some("use an address that no AWS service manages"),
        Error::Ec2(error) => match error.fault {
            Ec2Fault::Unknown => Some("name one of this account and region"),
            Ec2Fault::ServiceManaged => Some("use an address that no AWS service manages"),
            Ec2Fault::Denied => Some("allow it in the policy of the role: eipctl policy prints one"),
            Ec2Fault::Credentials => {
                Some("attach a role to the instance, or give root valid credentials; check the clock")
            }
            Ec2Fault::NoProfile => Some("correct root's AWS configuration: an existing profile, both keys"),
            Ec2Fault::Target => {
                Some("give the VPC an internet gateway, and use an address of the same border group")
            }
            Ec2Fault::Throttled => Some("find out what calls EC2 so often in this account"),
            Ec2Fault::Silent | Ec2Fault::Setup => Some(
                "open the route to the EC2 API: security groups, routes, name servers, proxy, VPC endpoint, ca_bundle",
            ),
            Ec2Fault::Oversized
            | Ec2Fault::AssociationGone
            | Ec2Fault::AlreadyAssociated
            | Ec2Fault::Refused => None,
        },
        _ => None,
    }
}
