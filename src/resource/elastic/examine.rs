//! Looking at everything that a takeover by this node would need, without changing anything.
//!
//! `validate-all` stops at the first failure and has the whole deadline for each question; a person wants to hear of all of
//! them, so no question may use up the time of the others.

use std::time::Duration;

use super::Location;
use super::finding::{Finding, Verdict};
use super::surroundings::Surroundings;
use super::{Elastic, Op, World};
use crate::base::ids::AssociationId;
use crate::cloud::{Address, Association, Ec2 as _, Ec2Fault, Imds as _};
use crate::resource::error::Error;

/// How far an examination goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent<'a> {
    /// Up to the first failure.
    FirstFailure,
    /// Through everything, with what was seen around.
    All(&'a Surroundings),
}

const REGION: &str = "region";
const TAKING: &str = "permission to take";
const LETTING_GO: &str = "permission to release";

/// Questions that may each use a share of the time of a full examination: place, address, two permissions.
const SHARES: u32 = 4;

/// Time limit for calls on which nothing else depends.
const ONE_CALL: Duration = Duration::from_secs(5);

impl<W: World> Op<'_, Elastic, W> {
    /// Tells what is found, one after the other.
    pub(super) async fn examine(&self, extent: Extent<'_>, tell: &mut impl FnMut(Finding)) {
        let all = matches!(extent, Extent::All(_));
        let place = self.sharing(extent).examine_place(tell).await;
        if place.is_none() && !all {
            return;
        }
        if let Extent::All(surroundings) = extent {
            self.examine_region(surroundings, tell).await;
            self.examine_clock(tell).await;
        }
        match self.sharing(extent).examine_address(tell).await {
            Some(address) => self.examine_permissions(&address, place.as_ref(), extent, tell).await,
            None if all => {
                for subject in [TAKING, LETTING_GO] {
                    tell(Finding::unknown(subject, "the address"));
                }
            }
            None => return,
        }
        if let Extent::All(surroundings) = extent {
            tell(self.examine_neighbours(place.as_ref()));
            surroundings.findings(self.public_ip(), place.as_ref()).into_iter().for_each(tell);
        }
    }

    /// The first thing that would keep this node from taking the address or releasing it.
    pub(super) async fn first_failure(&self) -> Option<Error> {
        let mut failure = None;
        self.examine(Extent::FirstFailure, &mut |finding| match finding.verdict {
            Verdict::Failure(error) => failure = failure.take().or(Some(error)),
            Verdict::Warning(text) => self.world.log().warn(text),
            Verdict::Good(_) | Verdict::Unknown(_) => {}
        })
        .await;
        failure
    }

    /// Returns this examination with a share of the time, where all questions are to have theirs.
    fn sharing(&self, extent: Extent<'_>) -> Self {
        let deadline = match extent {
            Extent::FirstFailure => self.deadline,
            Extent::All(_) => self.deadline.within(self.deadline.budget() / SHARES),
        };
        Self { deadline, ..*self }
    }

    /// Looks for the place on this node, which takes the metadata service.
    async fn examine_place(&self, tell: &mut impl FnMut(Finding)) -> Option<Location> {
        let (metadata, interface) = ("metadata service", "interface");
        let good = || Finding::good(metadata, "answers (IMDSv2)");
        match self.locate(false).await {
            Ok(place) => {
                tell(good());
                tell(Finding::good(
                    interface,
                    place.target().map(|target| target.to_string()).unwrap_or_default(),
                ));
                return Some(place);
            }
            Err(error @ (Error::Imds(_) | Error::NotEc2(_))) => {
                tell(Finding::failure(metadata, error));
                tell(Finding::unknown(interface, "the metadata service"));
            }
            Err(error) => {
                tell(good());
                tell(Finding::failure(interface, error));
            }
        }
        None
    }

    /// Asks EC2 once, because from the second answer on the client has corrected the time by itself.
    async fn examine_clock(&self, tell: &mut impl FnMut(Finding)) {
        let Some(selector) = self.selector() else { return };
        let asked = self.deadline.within(ONE_CALL).bound(self.world.ec2().describe(&selector)).await;
        match asked {
            Ok(Err(error)) if error.blames_the_clock() => tell(Finding::warning(
                "clock",
                format!(
                    "the clock of this host is off by more than AWS accepts ({}): run chronyd",
                    error.answer
                ),
            )),
            // A refusal for another reason may come before the time is looked at.
            Ok(Ok(_)) => tell(Finding::good("clock", "AWS accepts the time of this host")),
            Ok(Err(_)) | Err(_) => tell(Finding::unknown("clock", "an answer of EC2")),
        }
    }

    /// Asks EC2 for the address, which takes credentials and a permission.
    async fn examine_address(&self, tell: &mut impl FnMut(Finding)) -> Option<Address> {
        let address = match self.ask_ec2(&self.deadline).await {
            Ok(address) => address,
            Err(error) => {
                if let Error::Ec2(cause) = &error {
                    match cause.fault {
                        Ec2Fault::Credentials | Ec2Fault::NoProfile => {
                            tell(Finding::failure("credentials", error));
                            tell(Finding::unknown("address", "credentials"));
                            return None;
                        }
                        Ec2Fault::Denied | Ec2Fault::Unknown => {
                            tell(Finding::good("credentials", "accepted by EC2"));
                        }
                        _ => tell(Finding::unknown("credentials", "an answer of EC2")),
                    }
                } else if matches!(error, Error::Managed(..)) {
                    tell(Finding::good("credentials", "accepted by EC2"));
                }
                tell(Finding::failure("address", error));
                return None;
            }
        };
        tell(Finding::good("credentials", "accepted by EC2"));
        let holder = address.association.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
        let text = format!("{} is {}, held by {holder}", address.public_ip, address.allocation);
        tell(Finding::good("address", text));
        Some(address)
    }

    /// Asks whether the address could be taken to this place and let go again.
    async fn examine_permissions(
        &self,
        address: &Address,
        place: Option<&Location>,
        extent: Extent<'_>,
        tell: &mut impl FnMut(Finding),
    ) {
        let all = matches!(extent, Extent::All(_));
        let group = self.sharing(extent).examine_border_group(address).await;
        let failed = matches!(group.verdict, Verdict::Failure(_));
        tell(group);
        if failed && !all {
            return;
        }
        let taking = match place {
            Some(place) => self.sharing(extent).examine_taking(address, place).await,
            None => Finding::unknown(TAKING, "the interface"),
        };
        let failed = matches!(taking.verdict, Verdict::Failure(_));
        tell(taking);
        if failed && !all {
            return;
        }
        tell(self.sharing(extent).examine_letting_go(address.association.as_ref()).await);
    }

    /// Asks for the permission to take the address, which also shows whether the place can carry it.
    async fn examine_taking(&self, address: &Address, place: &Location) -> Finding {
        let Some(target) = place.target() else { return Finding::unknown(TAKING, "the private address") };
        let ask = async || self.world.ec2().may_associate(&address.allocation, &target).await;
        match self.call("AssociateAddress", &address.allocation, &self.deadline, ask).await {
            Ok(()) => Finding::good(TAKING, "AssociateAddress is allowed (dry run)"),
            Err(error) => Finding::failure(TAKING, error),
        }
    }

    /// Compares the region that EC2 is asked in with that of this instance.
    async fn examine_region(&self, surroundings: &Surroundings, tell: &mut impl FnMut(Finding)) {
        let named = self.params.api.region.as_ref().or(surroundings.region.as_ref());
        let here =
            self.deadline.within(ONE_CALL).bound(self.world.imds().region()).await.ok().and_then(Result::ok);
        tell(match (named, here) {
            (Some(named), Some(here)) if *named != here => {
                let text = format!(
                    "EC2 is called in {named}, but this instance is in {here} and cannot hold an address of another region"
                );
                Finding::failure(REGION, Error::NotHere(text))
            }
            (_, Some(here)) => Finding::good(REGION, here),
            (Some(named), None) => Finding::good(REGION, named),
            (None, None) => Finding::unknown(REGION, "the metadata service, or --region"),
        });
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

    /// Asks for the permission to let the address go. Where nobody holds it there is no association to ask it of; then an
    /// invented one shows at least a plain denial, which a policy limited to one address may cause without need.
    async fn examine_letting_go(&self, association: Option<&Association>) -> Finding {
        let allowed = || Finding::good(LETTING_GO, "DisassociateAddress is allowed (dry run)");
        let invented = AssociationId::parse("eipassoc-00000000000000000").ok();
        let Some(id) = association.map(|association| &association.id).or(invented.as_ref()) else {
            return Finding::unknown(LETTING_GO, "an association");
        };
        let ask = async || self.world.ec2().may_disassociate(id).await;
        match self.call("DisassociateAddress", id, &self.deadline, ask).await {
            Ok(()) => allowed(),
            // It moved between the two looks, or is invented; that the question was answered shows the permission.
            Err(error) if error.fault == Ec2Fault::AssociationGone => allowed(),
            Err(error) if association.is_none() && error.fault == Ec2Fault::Denied => {
                let name = self.name();
                Finding::warning(
                    LETTING_GO,
                    format!("it is not certain that {name} could be released: {error}"),
                )
            }
            Err(error) => Finding::failure(LETTING_GO, error),
        }
    }

    /// Looks for other resources of this node that use the same private address.
    fn examine_neighbours(&self, place: Option<&Location>) -> Finding {
        const SUBJECT: &str = "other resources";
        let Some(place) = place else {
            return Finding::unknown(SUBJECT, "the interface");
        };
        let shown = place.private_ip.map(|ip| ip.to_string()).unwrap_or_default();
        match self.refuse_shared_target(place, self.public_ip()) {
            Ok(()) => Finding::good(SUBJECT, format!("none on record uses {shown}")),
            Err(error) => Finding::failure(SUBJECT, error),
        }
    }
}
