//! The holder of an address according to each source, side by side. Read-only; decides nothing.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;

use super::kind::{Holder, Kind, Location, Me, Op, Owner};
use super::{Report, World};
use crate::cloud::Imds as _;
use crate::resource::error::Error;

/// Longest wait for instance metadata: it answers in milliseconds unless this is no instance.
const METADATA: Duration = Duration::from_secs(3);

/// The answer of each source.
#[derive(Debug)]
pub struct Survey {
    /// Holder according to EC2, or why it is not known.
    pub by_ec2: Result<ShownHolder, Error>,
    /// According to instance metadata; `None` for a kind that it does not show.
    pub by_metadata: Option<Result<Report, Error>>,
}

/// The holder of an address according to EC2, for people and programs.
#[derive(Debug)]
pub struct ShownHolder {
    /// The address itself.
    pub address: IpAddr,
    /// Second name of the address: an allocation id.
    pub other_name: Option<String>,
    /// `ours`, `misplaced`, `elsewhere` or `nobody`.
    pub answer: &'static str,
    /// The same in a sentence.
    pub sentence: String,
    /// Label and text of each part, for an address that is held in several.
    pub parts: Vec<(String, String)>,
    /// The holder as JSON.
    pub holder: Option<Value>,
}

impl Survey {
    /// Whether the sources agree; `None` if one of them gave no answer.
    pub fn agree(&self) -> Option<bool> {
        match (&self.by_ec2, &self.by_metadata) {
            (Ok(shown), Some(Ok(seen))) => Some((shown.answer == "ours") == matches!(seen, Report::Done)),
            _ => None,
        }
    }
}

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    /// The holder according to one query of EC2, from the point of view of the node at this location, or of a machine that is none
    /// of the nodes; `None` if unassigned.
    ///
    /// # Errors
    /// Why EC2 did not answer.
    pub async fn held_by(&self, location: Option<&Location>) -> Result<Option<String>, Error> {
        let asked = self.deadline.bound(K::owner(self, location.map_or(Me::Outside, Me::At))).await;
        let owner = asked.map_err(|_| Error::OutOfTime(self.deadline.budget()))??;
        Ok(owner.held().map(Holder::carrier))
    }

    /// The address itself, and its location on this node, if known.
    ///
    /// # Errors
    /// Why EC2 does not know the address.
    pub async fn find(&self) -> Result<(IpAddr, Option<Location>), Error> {
        let brief = Op { deadline: self.deadline.within(METADATA), ..*self };
        let (address, location) = tokio::join!(K::address(self), brief.locate(false));
        Ok((address?.0, location.ok()))
    }

    /// What instance metadata of this node says alone; `None` for a kind that it does not show.
    pub async fn by_metadata(&self) -> Option<Result<Report, Error>> {
        match (K::METADATA_KNOWS, K::is_known(self)) {
            (false, _) => None,
            (true, false) => {
                Some(Err(Error::NotHere("the address of this allocation id is not known".to_owned())))
            }
            (true, true) => Some(self.look(&self.deadline.within(METADATA)).await.map_err(Error::Imds)),
        }
    }

    /// Queries every source for the holder.
    pub async fn survey(&self) -> Survey {
        let metadata = self.deadline.within(METADATA).bound(self.world.imds().instance_id()).await;
        let me = match metadata {
            Ok(Ok(_)) => Me::Known,
            _ if K::knows_itself(self) => Me::Recorded,
            _ => Me::Outside,
        };
        let by_ec2 = self.query_ec2(me, &self.deadline);
        let (address, owner, by_metadata) = tokio::join!(K::address(self), by_ec2, self.by_metadata());
        let by_ec2 = address.and_then(|address| Ok((address, owner?)));
        let by_ec2 = by_ec2.map(|((address, other_name), owner)| {
            let owner = K::whole(self, owner);
            let (answer, sentence) = match &owner {
                Owner::Ours(held) => ("ours", format!("ours: {}", held.described())),
                Owner::Misplaced(held) => {
                    ("misplaced", format!("on this node, but not on its target: {}", held.described()))
                }
                Owner::Elsewhere(held) => {
                    let how = if held.is_partly_here() { "only partly here" } else { "elsewhere" };
                    ("elsewhere", format!("{how}: {}", held.described()))
                }
                Owner::Unassigned => ("nobody", format!("unassigned: {}", K::absence(self, &owner))),
            };
            let held = owner.held();
            let (parts, holder) = (held.map(Holder::parts).unwrap_or_default(), held.map(Holder::document));
            ShownHolder { address, other_name, answer, sentence, parts, holder }
        });
        Survey { by_ec2, by_metadata }
    }
}
