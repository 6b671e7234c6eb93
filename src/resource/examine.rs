//! Checks whether this node could take the address and release it, without changing anything, and how to fix what is wrong.
//!
//! `validate-all` stops at the first failure, and each check may use the whole deadline. A person wants all failures, so no check
//! may use up the time of the others.

use std::fmt::Display;
use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use super::kind::{Kind, Location, Me, Op};
use super::surroundings::Surroundings;
use super::{Report, World};
use crate::base::deadline::Deadline;
use crate::cloud::{Ec2 as _, Ec2Fault, Imds as _, ImdsError};
use crate::resource::error::Error;

/// Each check of a full examination gets this fraction of its time.
const SHARES: u32 = 4;
/// Time limit for calls on which nothing else depends.
const ONE_CALL: Duration = Duration::from_secs(5);

pub(super) const TAKING: &str = "permission to take";
pub(super) const RELEASING: &str = "permission to release";
pub(super) const INTERFACE: &str = "interface";
const METADATA: &str = "metadata service";
const REGION: &str = "region";

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
    report: &'e mut dyn FnMut(Finding),
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
        let fault = match &answer {
            Err(Error::Ec2(error)) => Some(error.fault),
            _ => None,
        };
        match (fault, answer) {
            (Some(Ec2Fault::Credentials | Ec2Fault::NoProfile), Err(error)) => {
                self.add(Finding::failure(SUBJECT, error))?;
                self.add(Finding::unknown(subject, SUBJECT))?;
                Continue(None)
            }
            (fault, answer) => {
                let answered = fault.is_none_or(|it| matches!(it, Ec2Fault::Denied | Ec2Fault::Unknown));
                self.add(if answered {
                    Finding::good(SUBJECT, "accepted by EC2")
                } else {
                    Finding::unknown(SUBJECT, "an answer from EC2")
                })?;
                self.outcome(subject, answer, good)
            }
        }
    }
}

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    /// Examines everything that a takeover by this node needs, reporting each finding at once.
    pub async fn examine_all(&self, surroundings: &Surroundings, report: &mut dyn FnMut(Finding)) {
        // Only a failure breaks, and not if everything is examined.
        let _ = self.examine(Some(surroundings), &mut Examination { report, all: true }).await;
    }

    /// Whether this node could take the address, as far as known without EC2: instance metadata answers, the place for the address
    /// exists, and there are credentials. For a caller that checks every few seconds.
    ///
    /// # Errors
    /// What is missing.
    pub async fn is_ready(&self) -> Result<Report, Error> {
        let location = self.locate(false).await?;
        K::prepare(self, &location).await?;
        let found = self.deadline.bound(self.world.ec2().prepare()).await;
        found.map_err(|_| Error::OutOfTime(self.deadline.budget()))??;
        Ok(Report::Done)
    }

    /// `validate-all` from level 10 on: the first thing that would keep this node from taking or releasing the address.
    pub(super) async fn validate(&self) -> Result<Report, Error> {
        let mut failure = None;
        let mut report = |finding: Finding| match finding.verdict {
            Verdict::Failure(error) => failure = Some(error),
            Verdict::Warning(text) => self.log().warn(text),
            Verdict::Good(_) | Verdict::Unknown(_) => {}
        };
        let _ = self.examine(None, &mut Examination { report: &mut report, all: false }).await;
        failure.map_or(Ok(Report::Done), Err)
    }

    /// The same operation with the time limit of one check.
    pub(super) fn sharing(&self, examination: &Examination<'_>) -> Self {
        let share = || self.deadline.within(self.deadline.budget() / SHARES);
        Self { deadline: if examination.all { share() } else { self.deadline }, ..*self }
    }

    async fn examine(
        &self,
        surroundings: Option<&Surroundings>,
        examination: &mut Examination<'_>,
    ) -> ControlFlow<()> {
        let place = self.sharing(examination).examine_place(examination).await?;
        let place = place.as_ref();
        if let Some(surroundings) = surroundings {
            let region = self.common().api.region.as_ref().or(surroundings.region.as_ref());
            examination.add(examine_region(self.world, &self.deadline, region).await)?;
            examination.add(self.examine_clock(place).await)?;
        }
        K::examine(self, place, examination).await?;
        surroundings
            .into_iter()
            .flat_map(|seen| seen.findings(K::public_ip(self), place))
            .try_for_each(|finding| examination.add(finding))
    }

    /// Finds the place on this node, which requires instance metadata.
    async fn examine_place(&self, examination: &mut Examination<'_>) -> ControlFlow<(), Option<Location>> {
        let place = self.locate(false).await;
        if let Err(error @ (Error::Imds(_) | Error::NotEc2(_))) = place {
            examination.add(Finding::failure(METADATA, error))?;
            examination.unknown(&[INTERFACE], "the metadata service")?;
            return Continue(None);
        }
        examination.add(Finding::good(METADATA, "answers (IMDSv2)"))?;
        examination.outcome(INTERFACE, place, Location::to_string)
    }

    /// Queries EC2 only once: from the second answer on, the client has corrected the time by itself.
    async fn examine_clock(&self, place: Option<&Location>) -> Finding {
        const SUBJECT: &str = "clock";
        let me = place.map_or(Me::Outside, Me::At);
        match self.deadline.within(ONE_CALL).bound(K::owner(self, me)).await {
            Ok(Err(Error::Ec2(error))) if error.blames_the_clock() => Finding::warning(
                SUBJECT,
                format!(
                    "the clock of this host is off by more than AWS accepts ({}): run chronyd",
                    error.answer
                ),
            ),
            // A refusal for another reason may come before AWS checks the time.
            Ok(Ok(_)) => Finding::good(SUBJECT, "AWS accepts the time of this host"),
            Ok(Err(_)) | Err(_) => Finding::unknown(SUBJECT, "an answer from EC2"),
        }
    }

    /// Dry run of the taking call.
    pub(super) async fn examine_taking(&self, ticket: &K::Ticket, place: &Location) -> Finding {
        judged(TAKING, K::WORDS.taking, K::may_be_taken(self, ticket, place).await)
    }
}

/// The finding about a permission.
pub(super) fn judged(subject: &'static str, call: impl Display, asked: Result<(), Error>) -> Finding {
    match asked {
        Ok(()) => Finding::good(subject, format!("{call} is allowed (dry run)")),
        Err(error) => Finding::failure(subject, error),
    }
}

/// Compares the region of EC2 calls with that of this instance.
async fn examine_region<W: World>(world: &W, deadline: &Deadline, named: Option<&String>) -> Finding {
    let here = deadline.within(ONE_CALL).bound(world.imds().region()).await.ok().and_then(Result::ok);
    match (named, here) {
        (Some(named), Some(here)) if *named != here => {
            let text = format!(
                "EC2 is called in {named}, but this instance is in {here} and cannot hold an address of another region"
            );
            Finding::failure(REGION, Error::NotHere(text))
        }
        (_, Some(here)) => Finding::good(REGION, here),
        (Some(named), None) => Finding::good(REGION, named),
        (None, None) => Finding::unknown(REGION, "the metadata service, or --region"),
    }
}
