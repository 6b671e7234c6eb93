//! Two quick looks that ask EC2 nothing while all is well, for a caller that repeats them every few seconds: could this node
//! take the address; and does the node that has it still have it.

use super::{Eip, Report, Seen, World};
use crate::cloud::Ec2 as _;
use crate::resource::error::Error;

impl<W: World> Eip<'_, W> {
    /// Returns whether this node could take the address, as far as can be told without EC2: the metadata service answers,
    /// the interface and the private address are there, and there are credentials.
    ///
    /// # Errors
    /// What is missing.
    pub(super) async fn is_ready(&self) -> Result<Report, Error> {
        let place = self.place(false).await?;
        self.refuse_shared_private_ip(&place, self.public_ip())?;
        let found = self.deadline.bound(self.world.ec2().prepare()).await;
        found.map_err(|_| Error::OutOfTime(self.deadline.budget()))??;
        Ok(Report::Done)
    }

    /// Returns whether the address is still here. EC2 is asked where the metadata service does not show it.
    ///
    /// # Errors
    /// When it is not known. Soon after a change the metadata may lag, so without EC2 it is not known then either.
    pub(super) async fn is_still_here(&self) -> Result<Report, Error> {
        let Some(public_ip) = self.public_ip() else {
            return self.monitor(0).await;
        };
        match self.deadline.bound(self.look_once(public_ip)).await {
            Ok(Ok(Seen::Here)) => Ok(Report::Done),
            Ok(Ok(Seen::NotHere(why))) => match self.holding(&self.deadline).await {
                Ok(holding) => Ok(self.report(&holding)),
                Err(error) if error.is_silence() && self.is_settling() => Err(error),
                Err(error) => Ok(Report::NotHere(format!("{why}; {error}"))),
            },
            Ok(Err(_)) | Err(_) => self.holding(&self.deadline).await.map(|holding| self.report(&holding)),
        }
    }
}
