//! Checks whether this node could take the address and release it, without changing anything, and how to fix what is wrong.
//!
//! `validate-all` stops at the first failure, and each check may use the whole deadline. A person wants all failures, so no check
//! may use up the time of the others.

use std::ops::ControlFlow::{self, Continue};
use std::time::Duration;

use super::finding::{Examination, Finding, INTERFACE, TAKING, Verdict, judged};
use super::kind::{Kind, Location, Me, Op};
use super::surroundings::Surroundings;
use super::{Report, World};
use crate::base::deadline::Deadline;
use crate::cloud::{Ec2 as _, Imds as _};
use crate::resource::error::Error;

/// Each check of a full examination gets this fraction of its time.
const SHARES: u32 = 4;
/// Time limit for calls on which nothing else depends.
const ONE_CALL: Duration = Duration::from_secs(5);

const METADATA: &str = "metadata service";
const REGION: &str = "region";

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
            Ok(Err(Error::Ec2(error))) if error.is_about_credentials() => {
                Finding::unknown(SUBJECT, "credentials")
            }
            Ok(Err(Error::Ec2(error))) if !error.is_after_authentication() => {
                Finding::unknown(SUBJECT, "an answer from EC2")
            }
            Ok(Ok(_) | Err(Error::Ec2(_))) => Finding::good(SUBJECT, "AWS accepts the time of this host"),
            Ok(Err(_)) | Err(_) => Finding::unknown(SUBJECT, "an answer from EC2"),
        }
    }

    /// Dry run of the taking call.
    pub(super) async fn examine_taking(&self, ticket: &K::Ticket, place: &Location) -> Finding {
        judged(TAKING, K::WORDS.taking, K::may_be_taken(self, ticket, place).await)
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
