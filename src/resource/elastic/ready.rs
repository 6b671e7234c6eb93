//! Whether this node could take the address: for a caller that repeats the question every few seconds, so EC2 is not asked.

use super::{Elastic, Op, Report, World};
use crate::cloud::Ec2 as _;
use crate::resource::error::Error;

impl<W: World> Op<'_, Elastic, W> {
    /// Whether this node could take the address, as far as can be told without EC2: instance metadata answers, the interface and
    /// the private address are there, and there are credentials.
    ///
    /// # Errors
    /// What is missing.
    pub(super) async fn is_ready(&self) -> Result<Report, Error> {
        let location = self.locate(false).await?;
        self.refuse_shared_target(&location, self.public_ip())?;
        let found = self.deadline.bound(self.world.ec2().prepare()).await;
        found.map_err(|_| Error::OutOfTime(self.deadline.budget()))??;
        Ok(Report::Done)
    }
}
