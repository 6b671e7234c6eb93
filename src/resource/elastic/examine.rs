//! Checks for Elastic IPs only: the address, its border group, the permissions, other resources on the same place.

use std::ops::ControlFlow;

use super::{Elastic, Location, Op, World};
use crate::base::ids::AssociationId;
use crate::cloud::{Address, Association, Ec2 as _, Ec2Fault};
use crate::resource::error::Error;
use crate::resource::finding::{Examination, Finding, RELEASING, TAKING, judged};

impl<W: World> Op<'_, Elastic, W> {
    pub(super) async fn examine_address(
        &self,
        place: Option<&Location>,
        examination: &mut Examination<'_>,
    ) -> ControlFlow<()> {
        let op = self.sharing(examination);
        let address = op.describe_until(&op.deadline).await;
        let address = examination.answer("address", address, |address| {
            let holder = address.association.as_ref();
            let held = holder.map_or_else(|| "unassigned".to_owned(), |holder| format!("held by {holder}"));
            format!("{} is {}, {held}", address.public_ip, address.allocation)
        })?;
        match address {
            Some(address) => self.examine_permissions(&address, place, examination).await?,
            None => examination.unknown(&[TAKING, RELEASING], "the address")?,
        }
        if examination.all {
            examination.add(self.examine_neighbours(place))?;
        }
        ControlFlow::Continue(())
    }

    async fn examine_permissions(
        &self,
        address: &Address,
        place: Option<&Location>,
        examination: &mut Examination<'_>,
    ) -> ControlFlow<()> {
        examination.add(self.sharing(examination).examine_border_group(address).await)?;
        match place {
            Some(place) => {
                let op = self.sharing(examination);
                examination.add(op.examine_taking(&address.allocation, place).await)?;
            }
            None => examination.unknown(&[TAKING], "the interface")?,
        }
        examination.add(self.sharing(examination).examine_releasing(address.association.as_ref()).await)
    }

    /// Compares the zones that the address can be used in with the region.
    async fn examine_border_group(&self, address: &Address) -> Finding {
        const SUBJECT: &str = "border group";
        let Some(group) = &address.border_group else {
            return Finding::good(SUBJECT, "none: the address can be used in all zones");
        };
        match self.region().await {
            // The region's ordinary zones form one group, named like the region.
            Some(region) if *group != region => {
                let group = group.clone();
                Finding::failure(SUBJECT, Error::BorderGroup { address: address.public_ip, group, region })
            }
            Some(_) => Finding::good(SUBJECT, format!("{group}, the region's own")),
            None => Finding::unknown(SUBJECT, "the metadata service, or --region"),
        }
    }

    /// Dry run of the call that ends an association.
    pub(super) async fn may_disassociate(&self, id: &AssociationId) -> Result<(), Error> {
        let query = async || match self.world.ec2().may_disassociate(id).await {
            // It moved meanwhile, or does not exist; EC2 got as far as looking it up, so the call is permitted.
            Err(error) if error.fault == Ec2Fault::AssociationGone => Ok(()),
            other => other,
        };
        self.call("DisassociateAddress", id, &self.deadline, query).await.map_err(Error::Ec2)
    }

    /// Dry run of the releasing call. An unassociated address has no association to name; a made-up id at least shows a plain
    /// denial, which a policy limited to one address may cause without need.
    async fn examine_releasing(&self, association: Option<&Association>) -> Finding {
        let made_up = AssociationId::parse("eipassoc-00000000000000000").ok();
        let Some(id) = association.map(|association| &association.id).or(made_up.as_ref()) else {
            return Finding::unknown(RELEASING, "an association");
        };
        match self.may_disassociate(id).await {
            Err(error) if association.is_none() && error.is_ec2(Ec2Fault::Denied) => {
                let name = self.name();
                Finding::warning(RELEASING, format!("not certain that {name} could be released: {error}"))
            }
            answer => judged(RELEASING, "DisassociateAddress", answer),
        }
    }

    /// Finds other resources of this node that use the same private address.
    fn examine_neighbours(&self, place: Option<&Location>) -> Finding {
        const SUBJECT: &str = "other resources";
        let Some(place) = place else {
            return Finding::unknown(SUBJECT, "the interface");
        };
        let shown = place.private_ip.map(|ip| ip.to_string()).unwrap_or_default();
        match self.refuse_shared_target(place) {
            Ok(()) => Finding::good(SUBJECT, format!("none on record uses {shown}")),
            Err(error) => Finding::failure(SUBJECT, error),
        }
    }
}
