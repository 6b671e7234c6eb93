//! Saying whether the parameters are right; from level 10 on, whether this node could act on them at this moment.

use super::examine::Extent;
use super::finding::Verdict;
use super::{Eip, Report, World};
use crate::resource::error::Error;

/// From this level on the host, the metadata service and EC2 are looked at.
const LOOK_AROUND_LEVEL: u32 = 10;

impl<W: World> Eip<'_, W> {
    /// Checks the parameters. Their form was checked when the request was made, which is all of level 0: the tools may run
    /// it on a node that never hosts the resource.
    ///
    /// # Errors
    /// The first thing that would keep this node from taking the address or letting it go.
    pub(super) async fn validate(&self, level: u32) -> Result<Report, Error> {
        if level < LOOK_AROUND_LEVEL {
            return Ok(Report::Done);
        }
        let mut failure = None;
        self.examine(Extent::FirstFailure, &mut |finding| match finding.verdict {
            Verdict::Failure(error) => failure = failure.take().or(Some(error)),
            Verdict::Warning(text) => self.world.log().warn(text),
            Verdict::Good(_) | Verdict::Unknown(_) => {}
        })
        .await;
        failure.map_or(Ok(Report::Done), Err)
    }
}
