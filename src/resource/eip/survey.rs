//! Who holds the address, by every source there is, side by side. Nothing is decided and nothing is changed.

use super::holding::Holding;
use super::{Eip, Seen, World};
use crate::cloud::Address;
use crate::resource::error::Error;
use crate::resource::evidence::Evidence as _;

/// The longest that the metadata service is waited for: it answers in milliseconds, or this is no instance.
const METADATA: std::time::Duration = std::time::Duration::from_secs(3);

/// What each source says.
#[derive(Debug)]
pub struct Survey {
    /// EC2: the address, and what that means for this node.
    pub by_ec2: Result<(Address, Holding), Error>,
    /// The metadata service of this node.
    pub by_metadata: Result<Seen, Error>,
}

impl Survey {
    /// Returns whether both sources say the same; nothing where one of them says nothing.
    #[must_use]
    pub fn agree(&self) -> Option<bool> {
        match (&self.by_ec2, &self.by_metadata) {
            (Ok((_, holding)), Ok(seen)) => {
                Some(matches!(holding, Holding::Ours(_)) == matches!(seen, Seen::Here))
            }
            _ => None,
        }
    }
}

impl<W: World> Eip<'_, W> {
    /// Asks every source.
    pub(super) async fn survey(&self) -> Survey {
        let brief = self.deadline.within(METADATA);
        let (by_ec2, me) = tokio::join!(self.ask_ec2(&self.deadline), brief.bound(self.identity_once()));
        let me = match me {
            Ok(Ok(me)) => me,
            Ok(Err(_)) | Err(_) => self.identity_without_imds(),
        };
        let public_ip = by_ec2.as_ref().ok().map(|address| address.public_ip).or_else(|| self.public_ip());
        let by_metadata = match public_ip {
            Some(public_ip) => {
                self.known(public_ip).look(&self.deadline.within(METADATA)).await.map_err(Error::Imds)
            }
            None => Err(Error::NotHere("the address is known to EC2 alone".to_owned())),
        };
        let by_ec2 = by_ec2.map(|address| {
            let holding = me.judge(address.association.as_ref());
            (address, holding)
        });
        Survey { by_ec2, by_metadata }
    }
}
