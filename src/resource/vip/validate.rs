//! Saying whether the parameters are right; from level 10 on, whether this node could act on them at this moment.

use std::net::Ipv4Addr;

use super::holding::Holding;
use super::{Report, Vip, VipWorld};
use crate::cloud::{Ec2Error, Ec2Fault, PrivateIps as _};
use crate::resource::error::Error;

/// From this level on the host, the metadata service and EC2 are looked at.
const LOOK_AROUND_LEVEL: u32 = 10;
/// Two addresses that are for documentation alone, in case the one is used by somebody after all.
const FOR_DOCUMENTATION: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(198, 51, 100, 1)];

impl<W: VipWorld> Vip<'_, W> {
    /// Checks the parameters. Their form was checked when the request was made, which is all of level 0: the tools may run
    /// it on a node that never hosts the resource.
    ///
    /// The two orders have no dry run in EC2. So they are given in a form that changes nothing wherever they are allowed: to
    /// assign to the interface the address that is its own already, and to take an address off that it does not have.
    ///
    /// # Errors
    /// The first thing that would keep this node from taking the address or letting it go.
    pub(super) async fn validate(&self, level: u32) -> Result<Report, Error> {
        if level < LOOK_AROUND_LEVEL {
            return Ok(Report::Done);
        }
        let place = self.place(false).await?;
        self.device_for(&place).await?;
        let address = self.params.address;
        if let Holding::Elsewhere(eni) = self.holding(&place.interface, &self.deadline).await?
            && eni.address(address).is_some_and(|address| address.primary)
        {
            return Err(Error::Primary { address, of: eni.to_string() });
        }
        if let Some(own_ip) = place.own_ip {
            let asked = self
                .call_ec2("AssignPrivateIpAddresses", &self.deadline, async || {
                    allowed(self.world.ec2().assign(&place.interface, own_ip, false).await)
                })
                .await;
            asked?;
        }
        let subnet = place.subnet.as_ref().map(|subnet| subnet.cidr);
        let absent = FOR_DOCUMENTATION.into_iter().find(|ip| subnet.is_some_and(|cidr| !cidr.contains(ip)));
        if let Some(absent) = absent {
            let asked = self
                .call_ec2("UnassignPrivateIpAddresses", &self.deadline, async || {
                    allowed(self.world.ec2().unassign(&place.interface, absent).await)
                })
                .await;
            asked?;
        }
        Ok(Report::Done)
    }
}

/// An order that was refused for what it is about was not refused for who gave it.
fn allowed(outcome: Result<(), Ec2Error>) -> Result<(), Ec2Error> {
    match outcome {
        Err(error) => match error.fault {
            Ec2Fault::AssociationGone
            | Ec2Fault::AlreadyAssociated
            | Ec2Fault::Target
            | Ec2Fault::Refused => Ok(()),
            _ => Err(error),
        },
        Ok(()) => Ok(()),
    }
}
