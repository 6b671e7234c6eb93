//! Saying whether the parameters are right; from level 10 on, whether this node could act on them at this moment.

use super::{Eip, Report, World};
use crate::cloud::{Ec2 as _, Ec2Error, Ec2Fault, Imds as _};
use crate::error::Error;
use crate::retry;

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
        let place = self.place().await?;
        let address = self.ask_ec2(&self.deadline).await?;
        if let Some(service) = &address.managed_by {
            return Err(Error::Managed(address.public_ip, service.clone()));
        }
        if let Some(group) = &address.border_group {
            let region = match &self.params.api.region {
                Some(region) => Some(region.clone()),
                None => self.world.imds().region().await.ok(),
            };
            // The region's ordinary zones form one group, named like the region.
            if let Some(region) = region.filter(|region| region != group) {
                return Err(Error::BorderGroup { address: address.public_ip, group: group.clone(), region });
            }
        }
        let longest = self.params.timing.max_backoff;
        retry::until(
            &self.deadline,
            longest,
            || Ec2Error::cut_off("AssociateAddress", &address.allocation),
            async || self.world.ec2().may_associate(&address.allocation, &place.target).await,
        )
        .await?;
        if let Some(association) = &address.association {
            let asked = retry::until(
                &self.deadline,
                longest,
                || Ec2Error::cut_off("DisassociateAddress", &association.id),
                async || self.world.ec2().may_disassociate(&association.id).await,
            )
            .await;
            match asked {
                // It moved between the two looks; that the question was answered shows the permission.
                Err(error) if error.fault == Ec2Fault::AssociationGone => {}
                other => other?,
            }
        }
        Ok(Report::Done)
    }
}
