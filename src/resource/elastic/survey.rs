//! Who holds the address, by every source there is, side by side. Nothing is decided and nothing is changed.

use super::super::kind::Owner;
use super::{Elastic, Op, Seen, World};
use crate::cloud::{Address, Association};
use crate::resource::error::Error;

/// The longest that the metadata service is waited for: it answers in milliseconds, or this is no instance.
const METADATA: std::time::Duration = std::time::Duration::from_secs(3);

/// What each source says.
#[derive(Debug)]
pub struct Survey {
    /// EC2: the address, and what that means for this node.
    pub by_ec2: Result<(Address, Owner<Association>), Error>,
    /// The metadata service of this node.
    pub by_metadata: Result<Seen, Error>,
}

impl Survey {
    /// Returns whether both sources say the same; nothing where one of them says nothing.
    #[must_use]
    pub fn agree(&self) -> Option<bool> {
        match (&self.by_ec2, &self.by_metadata) {
            (Ok((_, holding)), Ok(seen)) => {
                Some(matches!(holding, Owner::Ours(_)) == matches!(seen, Seen::Here))
            }
            _ => None,
        }
    }
}

impl<W: World> Op<'_, Elastic, W> {
    /// Asks every source.
    pub(super) async fn survey(&self) -> Survey {
        let brief = self.deadline.within(METADATA);
        let (by_ec2, me) = tokio::join!(self.ask_ec2(&self.deadline), brief.bound(self.identity_once()));
        let me = match me {
            Ok(Ok(me)) => me,
            Ok(Err(_)) | Err(_) => self.identity_without_imds(),
        };
        let by_metadata = if self.public_ip().is_some() {
            self.look(&self.deadline.within(METADATA)).await.map_err(Error::Imds)
        } else {
            Err(Error::NotHere("the address is known to EC2 alone".to_owned()))
        };
        let by_ec2 = by_ec2.map(|address| {
            let holding = me.judge(address.association.as_ref());
            (address, holding)
        });
        Survey { by_ec2, by_metadata }
    }
}
