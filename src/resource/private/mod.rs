//! Secondary private addresses: the assignment to an interface, how it is made and ended, and the address on a network device.
//!
//! EC2 assigns the address to one interface of a subnet at a time, and routes accordingly; the node's network device must have it
//! too, or the node drops the traffic. The order of the two matters:
//!
//! - A start changes EC2 first and the device second: a node never answers for an address that EC2 has not assigned to it.
//! - A stop changes the device first and EC2 second. If the node is killed in between or cut off from EC2, it drops the traffic
//!   until the next start on any node. In the other order it would keep an address that its peer has by then: its own clients
//!   would reach only itself, and EC2 would drop its answers.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::{Value, json};

use super::device::device_name;
use super::kind::{BY_METADATA, Common, Holder, Kind, LEFT, Location, Me, Op, Owner, Words};
use super::{Report, World, location};
use crate::base::ids::InterfaceId;
use crate::cloud::{Ec2Error, Ec2Fault, Eni, Imds as _, ImdsError, PrivateIps, Subnet, Wanted};
use crate::network::{Device, Network};
use crate::ocf::agent::{self, Agent};
use crate::params::{ParamError, VipParams};
use crate::resource::error::Error;
use crate::resource::finding::{Examination, RELEASING, TAKING, judged};
use crate::resource::location::seen;
use crate::state::{PrivateRecord, Remembered, Volatile};

mod assign;
mod device;
#[cfg(all(test, feature = "paused-time"))]
mod tests;

pub use assign::Assigned;

/// Time limit for a query made only for a log line.
const FOR_THE_LOG: Duration = Duration::from_secs(1);
/// Two documentation addresses, in case the subnet contains the first.
const FOR_DOCUMENTATION: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(198, 51, 100, 1)];

/// The kind of address of the agent `vip`.
#[derive(Debug)]
pub enum Private {}

/// The services that this kind needs.
pub trait PrivateWorld: World<Ec2: PrivateIps, Host: Network> {}

impl<W: World<Ec2: PrivateIps, Host: Network>> PrivateWorld for W {}

impl Holder for Eni {
    fn mark(&self) -> String {
        self.id.to_string()
    }

    fn document(&self) -> Value {
        json!({ "instance": self.instance, "interface": self.id })
    }
}

impl<W: PrivateWorld> Kind<W> for Private {
    type Params = VipParams;
    type Held = Eni;
    type Ticket = ();
    type Prepared = Option<Device>;

    const AGENT: &'static Agent = &agent::VIP;
    const WORDS: Words = Words {
        querying: "DescribeNetworkInterfaces",
        phase: "assign",
        taking: "AssignPrivateIpAddresses",
        releasing: "UnassignPrivateIpAddresses",
        may_take: "allow_reassignment",
        held: "assigned to",
        witness: BY_METADATA,
        left: LEFT,
    };
    const AWAITS_METADATA: bool = true;

    fn parse(raw: &BTreeMap<String, String>) -> Result<VipParams, ParamError> {
        VipParams::parse(raw)
    }

    fn common(params: &VipParams) -> Common<'_> {
        Common {
            api: &params.api,
            timing: &params.timing,
            interface: &params.interface,
            may_take: params.allow_reassignment,
            on_stop: params.on_stop,
            add_to_device: params.add_to_device,
            device: None,
            label: params.label.as_deref(),
        }
    }

    fn wanted(params: &VipParams) -> Option<Wanted> {
        Some(Wanted::Private(params.address))
    }

    fn name(op: &Op<'_, Self, W>) -> String {
        op.params.address.to_string()
    }

    async fn address(op: &Op<'_, Self, W>) -> Result<(IpAddr, Option<String>), Error> {
        Ok((op.params.address.into(), None))
    }

    fn is_about(op: &Op<'_, Self, W>, record: &Volatile) -> bool {
        record.secondary_private_ip() == Some(op.params.address)
    }

    fn place(op: &Op<'_, Self, W>, _: &Location) -> Option<Ipv4Addr> {
        Some(op.params.address)
    }

    fn place_of(op: &Op<'_, Self, W>, _: &Eni) -> Option<Ipv4Addr> {
        Some(op.params.address)
    }

    async fn locate(op: &Op<'_, Self, W>) -> Result<Location, Error> {
        let address = op.params.address;
        let location = op.whereabouts().await?;
        if let Some(subnet) = location.subnet.as_ref().filter(|subnet| !subnet.cidr.contains(&address)) {
            let subnet = format!("this node's subnet {}", subnet.cidr);
            return Err(Error::OtherSubnet { address, subnet });
        }
        let of_its_own = match location.shown {
            _ if location.private_ip == Some(address) => Some(location.interface.clone()),
            Some(true) => None,
            _ => op.interface_of_its_own().await?,
        };
        // Checked before anything is recorded: for a stop, the record proves that the address is no interface's primary one.
        if let Some(interface) = of_its_own {
            return Err(Error::Primary { address, of: format!("this node's {interface}") });
        }
        Ok(location)
    }

    fn recall(op: &Op<'_, Self, W>) -> Option<Location> {
        let (place, record) = op.recorded_place()?;
        let Remembered::Private(private) = record.kind else { return None };
        let subnet = private.subnet.zip(private.cidr);
        let subnet = subnet.and_then(|(id, cidr)| Some(Subnet { id, cidr: cidr.parse().ok()? }));
        Some(Location { private_ip: private.private_ip_of_interface, subnet, ..place })
    }

    fn note(op: &Op<'_, Self, W>, location: Option<&Location>, record: &mut Volatile) {
        if location.is_some() || !Self::is_about(op, record) {
            let subnet = location.and_then(|location| location.subnet.as_ref());
            record.kind = Remembered::Private(PrivateRecord {
                secondary_private_ip: op.params.address,
                private_ip_of_interface: location.and_then(|location| location.private_ip),
                subnet: subnet.map(|subnet| subnet.id.clone()),
                cidr: subnet.map(|subnet| subnet.cidr.to_string()),
            });
        }
    }

    fn knows_itself(op: &Op<'_, Self, W>) -> bool {
        Self::recall(op).is_some_and(|location| location.subnet.is_some())
    }

    async fn look(op: &Op<'_, Self, W>) -> Result<Report, ImdsError> {
        seen(op.look_once().await)
    }

    /// A primary address does not count: it never was this resource's.
    async fn is_nowhere(op: &Op<'_, Self, W>) -> Result<bool, ImdsError> {
        let interfaces = location::of_each_interface(op.world.imds(), W::Imds::interface).await?;
        let mut secondary = interfaces.iter().flat_map(|interface| interface.private_ips.iter().skip(1));
        Ok(secondary.all(|ip| *ip != op.params.address))
    }

    async fn owner(op: &Op<'_, Self, W>, me: Me<'_>) -> Result<Owner<Eni>, Error> {
        let silent = || Error::Imds(ImdsError::cut_off("meta-data"));
        let found = match me {
            Me::At(location) => Ok(location.clone()),
            Me::Recorded | Me::Outside => Self::recall(op).ok_or_else(silent),
            Me::Known => {
                let recalled = Self::recall(op);
                match op.metadata_limit(recalled.is_some()).bound(op.whereabouts()).await {
                    Ok(Ok(location)) => Ok(location),
                    Ok(Err(error)) => recalled.ok_or(error),
                    Err(_) => recalled.ok_or_else(silent),
                }
            }
        };
        let ip = op.params.address;
        let (interface, instance, subnet) = match found {
            Ok(Location { interface, instance, subnet: Some(subnet), .. }) => {
                (interface, instance, subnet.id)
            }
            // Location unknown: any interface of this instance that has the address.
            Ok(_) | Err(Error::Imds(_) | Error::NoDevice(_) | Error::NoInterface(_)) => {
                let instance = op.own_instance().await?;
                let found = op.world.ec2().interfaces_of(&instance).await?;
                let here = found.into_iter().find(|eni| is_secondary(eni, ip));
                return Ok(here.map_or(Owner::Unassigned, Owner::Misplaced));
            }
            Err(error) => return Err(error),
        };
        let Some(eni) = op.world.ec2().holder(ip, &subnet).await? else { return Ok(Owner::Unassigned) };
        Ok(match is_secondary(&eni, ip) {
            true if eni.id == interface => Owner::Ours(eni),
            true if instance.is_some() && eni.instance == instance => Owner::Misplaced(eni),
            _ => Owner::Elsewhere(eni),
        })
    }

    fn absence(op: &Op<'_, Self, W>, owner: &Owner<Eni>) -> String {
        match owner {
            Owner::Unassigned => format!("{} is not assigned to any known interface", op.name()),
            other => format!("{} is held by {}", op.name(), other.holder()),
        }
    }

    fn ticket(_: &Op<'_, Self, W>) -> Option<()> {
        Some(())
    }

    async fn learn(op: &Op<'_, Self, W>, location: &Location) -> Result<((), Owner<Eni>), Error> {
        Ok(((), op.query_ec2(Me::At(location), &op.deadline).await?))
    }

    async fn take(
        op: &Op<'_, Self, W>,
        (): &(),
        location: &Location,
        may_take: bool,
    ) -> Result<Option<Eni>, Ec2Error> {
        op.world.ec2().assign(&location.interface, op.params.address, may_take).await?;
        Ok(None)
    }

    fn refusal(op: &Op<'_, Self, W>, owner: &Owner<Eni>) -> Option<Error> {
        let address = op.params.address;
        let eni = owner.held().filter(|eni| eni.address(address).is_some_and(|found| found.primary))?;
        Some(Error::Primary { address, of: eni.to_string() })
    }

    /// Not compare-and-swap, so there is no `release_recorded`.
    async fn release(op: &Op<'_, Self, W>, held: &Eni) -> Result<(), Ec2Error> {
        op.world.ec2().unassign(&held.id, op.params.address).await
    }

    async fn prepare(op: &Op<'_, Self, W>, location: &Location) -> Result<Option<Device>, Error> {
        op.find_device(location).await
    }

    async fn accepted(
        op: &Op<'_, Self, W>,
        location: &Location,
        device: &Option<Device>,
    ) -> Result<(), Error> {
        let Some(device) = device else { return Ok(()) };
        let prefix = location.subnet.as_ref().map(|subnet| subnet.cidr.prefix_len());
        op.put_on(device, op.params.address.into(), prefix, || ()).await
    }

    async fn settled(
        op: &Op<'_, Self, W>,
        location: &Location,
        device: &Option<Device>,
        before: Option<&Owner<Eni>>,
        announce: bool,
    ) {
        // Best effort: EC2 routes without it.
        if announce
            && let Some(device) = device
            && let Err(error) = op.world.host().announce(device, op.params.address)
        {
            op.log().warn(error);
        }
        op.remember_region().await;
        let address = before.and_then(Owner::held).and_then(|eni| eni.address(op.params.address));
        op.report_moved_elastic_ips(location, address.and_then(|address| address.public_ip)).await;
    }

    async fn before_stop(op: &Op<'_, Self, W>) -> Result<(), Error> {
        op.take_off_devices().await
    }

    fn before_release(op: &Op<'_, Self, W>, held: &Eni) {
        let address = op.params.address;
        if let Some(public_ip) = held.address(address).and_then(|address| address.public_ip) {
            op.log().warn(format_args!(
                "this disassociates Elastic IP {public_ip} from {address}; on_stop=leave or a live move keeps it"
            ));
        }
    }

    async fn on_host(op: &Op<'_, Self, W>) -> Result<Report, Error> {
        op.on_device().await
    }

    async fn probed_absent(op: &Op<'_, Self, W>, why: &str) {
        if op.params.add_to_device {
            op.report_leftovers(&op.devices_with_it().await.unwrap_or_default(), why, |_| true);
        }
    }

    async fn may_be_taken(op: &Op<'_, Self, W>, (): &(), location: &Location) -> Result<(), Error> {
        let Some(own_ip) = location.private_ip else { return Ok(()) };
        let query = async || allowed(op.world.ec2().assign(&location.interface, own_ip, false).await);
        op.call("AssignPrivateIpAddresses", &op.params.address, &op.deadline, query).await.map_err(Error::Ec2)
    }

    async fn may_be_released(op: &Op<'_, Self, W>, held: &Eni) -> Result<(), Error> {
        op.may_unassign(&held.id, |ip| held.address(ip).is_some()).await
    }

    async fn examine(
        op: &Op<'_, Self, W>,
        place: Option<&Location>,
        examination: &mut Examination<'_>,
    ) -> ControlFlow<()> {
        const SUBJECTS: [&str; 5] = ["device", "credentials", "address", TAKING, RELEASING];
        let Some(place) = place else { return examination.unknown(&SUBJECTS, "the interface") };
        examination.outcome("device", op.find_device(place).await, device_name)?;
        let sharing = op.sharing(examination);
        let owner = sharing.query_ec2(Me::At(place), &sharing.deadline).await;
        let owner = owner.and_then(|owner| Self::refusal(op, &owner).map_or(Ok(owner), Err));
        let found = examination.answer("address", owner, |owner| match owner {
            Owner::Unassigned => Self::absence(op, owner),
            owner => format!("{} is held by {}", op.name(), owner.holder()),
        })?;
        if found.is_none() {
            return examination.unknown(&[TAKING, RELEASING], "the address");
        }
        examination.add(op.sharing(examination).examine_taking(&(), place).await)?;
        let subnet = place.subnet.as_ref().map(|subnet| subnet.cidr);
        let inside = |ip| subnet.is_none_or(|cidr| cidr.contains(&ip));
        let outcome = op.sharing(examination).may_unassign(&place.interface, inside).await;
        examination.add(judged(RELEASING, "UnassignPrivateIpAddresses", outcome))
    }
}

/// Whether an interface has this as a secondary address.
fn is_secondary(eni: &Eni, ip: Ipv4Addr) -> bool {
    eni.address(ip).is_some_and(|address| !address.primary)
}

/// Treats a call refused because of its object as permitted: the caller was not refused.
fn allowed(outcome: Result<(), Ec2Error>) -> Result<(), Ec2Error> {
    use Ec2Fault::{AlreadyAssociated, AssociationGone, Refused, Target};
    match outcome {
        Err(Ec2Error { fault: AssociationGone | AlreadyAssociated | Target | Refused, .. }) => Ok(()),
        outcome => outcome,
    }
}

impl<W: PrivateWorld> Op<'_, Private, W> {
    /// Checks whether the releasing call is permitted. It has no dry run in EC2, and neither has the taking call. So both are
    /// made in a form that changes nothing: assign to an interface the primary address it already has, and unassign from it an
    /// address that it does not have.
    async fn may_unassign(
        &self,
        interface: &InterfaceId,
        may_have: impl Fn(Ipv4Addr) -> bool,
    ) -> Result<(), Error> {
        let Some(absent) = FOR_DOCUMENTATION.into_iter().find(|ip| !may_have(*ip)) else { return Ok(()) };
        let query = async || allowed(self.world.ec2().unassign(interface, absent).await);
        let address = &self.params.address;
        self.call("UnassignPrivateIpAddresses", address, &self.deadline, query).await.map_err(Error::Ec2)
    }

    /// The configured interface and its subnet according to instance metadata, without checking that the address fits there.
    async fn whereabouts(&self) -> Result<Location, Error> {
        let imds = self.world.imds();
        let mac = location::find_mac(self.world, &self.params.interface).await?;
        let (instance, interface, subnet) =
            tokio::join!(self.own_instance(), imds.interface(mac), imds.subnet(mac));
        let interface = self.attached(mac, interface)?;
        Ok(Location {
            instance: Some(instance?),
            shown: Some(interface.private_ips.contains(&self.params.address)),
            mac: Some(mac),
            private_ip: interface.private_ips.first().copied(),
            subnet: Some(subnet?),
            ..Location::on(interface.id)
        })
    }

    /// Whether the address is on its interface according to one query of instance metadata.
    async fn look_once(&self) -> Result<Report, Error> {
        let address = self.params.address;
        let mac = location::find_mac(self.world, &self.params.interface).await?;
        let interface = self.attached(mac, self.world.imds().interface(mac).await)?;
        Ok(match interface.private_ips.iter().position(|ip| *ip == address) {
            Some(0) => Report::NotHere(format!("{address} is the primary address of {}", interface.id)),
            Some(_) => Report::Done,
            None => Report::NotHere(format!("{address} is not on {} of this node", interface.id)),
        })
    }

    /// Logs which Elastic IP moves with the address: according to EC2, otherwise according to instance metadata.
    async fn report_moved_elastic_ips(&self, location: &Location, by_ec2: Option<Ipv4Addr>) {
        let address = self.params.address;
        let found = match (by_ec2, location.mac) {
            (Some(public_ip), _) => vec![public_ip],
            (None, Some(mac)) => {
                let query = self.world.imds().associations(mac);
                let answer = self.deadline.within(FOR_THE_LOG).bound(query).await;
                let carried = answer.ok().and_then(Result::ok).unwrap_or_default();
                let here = |(_, private): &(Ipv4Addr, Vec<Ipv4Addr>)| private.contains(&address);
                carried.into_iter().filter(here).map(|(public_ip, _)| public_ip).collect()
            }
            (None, None) => Vec::new(),
        };
        for public_ip in found {
            self.log().info(format_args!("Elastic IP {public_ip} moves with {address}"));
        }
    }
}
