//! Saying whether the parameters are right; from level 10 on, whether this node could act on them at this moment.

use super::{Eip, Report, World};
use crate::cloud::{Association, Ec2 as _, Ec2Error, Ec2Fault, Imds as _};
use crate::error::Error;
use crate::ids::AssociationId;
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
        let place = self.place(false).await?;
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
        self.validate_disassociate(address.association.as_ref()).await?;
        Ok(Report::Done)
    }

    /// Asks for the permission to let the address go. Where nobody holds it there is no association to ask it of; then an
    /// invented one shows at least a plain denial, which a policy limited to one address may cause without need.
    async fn validate_disassociate(&self, association: Option<&Association>) -> Result<(), Error> {
        let invented = AssociationId::parse("eipassoc-00000000000000000").ok();
        let Some(id) = association.map(|association| &association.id).or(invented.as_ref()) else {
            return Ok(());
        };
        let asked = retry::until(
            &self.deadline,
            self.params.timing.max_backoff,
            || Ec2Error::cut_off("DisassociateAddress", id),
            async || self.world.ec2().may_disassociate(id).await,
        )
        .await;
        match asked {
            Ok(()) => Ok(()),
            // It moved between the two looks, or is invented; that the question was answered shows the permission.
            Err(error) if error.fault == Ec2Fault::AssociationGone => Ok(()),
            Err(error) if association.is_none() && error.fault == Ec2Fault::Denied => {
                let name = self.name();
                self.world.log().warn(format_args!("it is not certain that {name} could be let go: {error}"));
                Ok(())
            }
            Err(error) => Err(Error::Ec2(error)),
        }
    }
}
