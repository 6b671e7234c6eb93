//! A planned move: the target re-associates the address in one call, so it is never without a holder.

use super::{Eip, Report, World};
use crate::resource::error::Error;

impl<W: World> Eip<'_, W> {
    /// Checks that the address is here, and lets nothing go: the target takes it, and the stop that follows on this node
    /// finds it there.
    ///
    /// # Errors
    /// [`Error::NotHeld`] when it is not here.
    pub(super) async fn migrate_to(&self) -> Result<Report, Error> {
        match self.monitor(0).await? {
            Report::Done => Ok(Report::Done),
            Report::NotHere(why) => Err(Error::NotHeld(why)),
        }
    }
}
