//! Which interface has the address, as EC2 says.

use super::{Vip, VipWorld};
use crate::base::deadline::Deadline;
use crate::base::ids::InterfaceId;
use crate::cloud::{Ec2Error, Eni, PrivateIps as _};

/// What EC2 says about the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holding {
    /// The interface that was asked about has it.
    Ours(Eni),
    /// Another interface has it.
    Elsewhere(Eni),
    /// The interface that was asked about does not have it, and no other is known that does.
    NotOurs,
}

impl Holding {
    /// Returns who has the address, for a sentence like "held by ...".
    pub(super) fn holder(&self) -> String {
        match self {
            Self::Ours(eni) => format!("this node, {eni}"),
            Self::Elsewhere(eni) => eni.to_string(),
            Self::NotOurs => "nobody".to_owned(),
        }
    }
}

impl<W: VipWorld> Vip<'_, W> {
    /// Returns whether an interface has the address beside its own one.
    pub(super) fn has_it(&self, eni: &Eni) -> bool {
        eni.address(self.params.address).is_some_and(|address| !address.primary)
    }

    /// Asks EC2, once, for interfaces.
    pub(super) async fn describe(&self, ids: &[InterfaceId]) -> Result<Vec<Eni>, Ec2Error> {
        self.world.ec2().interfaces(ids).await
    }

    /// Asks EC2 who has the address, until `until`: an interface's own word on itself first, and only where that is "no", and
    /// without insisting, whose it is.
    pub(super) async fn holding(
        &self,
        interface: &InterfaceId,
        until: &Deadline,
    ) -> Result<Holding, Ec2Error> {
        let ids = std::slice::from_ref(interface);
        let found =
            self.call_ec2("DescribeNetworkInterfaces", until, async || self.describe(ids).await).await?;
        let Some(ours) = found.into_iter().find(|eni| eni.id == *interface) else {
            return Ok(Holding::NotOurs);
        };
        if self.has_it(&ours) {
            return Ok(Holding::Ours(ours));
        }
        let Some(subnet) = &ours.subnet else { return Ok(Holding::NotOurs) };
        match until.bound(self.world.ec2().holder(self.params.address, subnet)).await {
            Ok(Ok(Some(eni))) if eni.id != *interface => Ok(Holding::Elsewhere(eni)),
            _ => Ok(Holding::NotOurs),
        }
    }

    /// Returns why the address is not here, as the one line of a monitor.
    pub(super) fn absence(&self, holding: &Holding) -> String {
        let address = self.params.address;
        match holding {
            Holding::NotOurs => format!("{address} is assigned to no interface that is known"),
            other => format!("{address} is held by {}", other.holder()),
        }
    }
}
