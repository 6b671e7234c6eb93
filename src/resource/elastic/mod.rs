//! Elastic IPs: the association with an interface, how it is made and ended, and which addresses that displaces.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::{Value, json};

use super::kind::{BY_METADATA, Common, Holder, Kind, LEFT, Location, Me, Op, Owner, Words};
use super::{Report, World};
use crate::base::deadline::Deadline;
use crate::base::ids::{AllocationId, AssociationId};
use crate::base::retry;
use crate::cloud::{
    Address, Association, Ec2 as _, Ec2Error, Ec2Fault, Imds as _, ImdsError, Selector, Target, Wanted,
};
use crate::ocf::agent::{self, Agent};
use crate::params::{ParamError, Params};
use crate::resource::error::Error;
use crate::resource::finding::Examination;
use crate::resource::location::seen;
use crate::state::{Pair, Records as _, Remembered, Volatile};

mod displaced;
mod examine;
mod identity;
mod locate;
mod restore;
#[cfg(all(test, feature = "paused-time"))]
mod tests;

pub use restore::{Known, restore};

use self::identity::Identity;

/// Time limit for filling an empty record, which never changes the result of a probe.
const FILLING: Duration = Duration::from_secs(2);

/// The kind of address of the agent `eip`.
#[derive(Debug)]
pub enum Elastic {}

impl Holder for Association {
    fn mark(&self) -> String {
        self.id.to_string()
    }

    fn place(&self) -> String {
        let interface = self.interface.as_ref().map(ToString::to_string).unwrap_or_default();
        let private_ip = self.private_ip.map(|ip| format!(" ({ip})")).unwrap_or_default();
        format!("{interface}{private_ip}")
    }

    fn association(&self) -> Option<AssociationId> {
        Some(self.id.clone())
    }

    fn document(&self) -> Value {
        json!({
            "association": self.id,
            "instance": self.instance,
            "interface": self.interface,
            "private_ip": self.private_ip,
        })
    }
}

impl<W: World> Kind<W> for Elastic {
    type Params = Params;
    type Held = Association;
    type Ticket = AllocationId;
    type Prepared = ();

    const AGENT: &'static Agent = &agent::EIP;
    const WORDS: Words = Words {
        querying: "DescribeAddresses",
        phase: "associate",
        taking: "AssociateAddress",
        releasing: "DisassociateAddress",
        may_take: "allow_reassociation",
        held: "associated with",
        witness: BY_METADATA,
        left: LEFT,
    };
    const AWAITS_METADATA: bool = false;

    fn parse(raw: &BTreeMap<String, String>) -> Result<Params, ParamError> {
        Params::parse(raw)
    }

    fn common(params: &Params) -> Common<'_> {
        Common {
            api: &params.api,
            timing: &params.timing,
            interface: &params.interface,
            may_take: params.allow_reassociation,
            on_stop: params.on_stop,
            add_to_device: false,
            device: None,
            label: None,
        }
    }

    fn wanted(params: &Params) -> Option<Wanted> {
        let by_ip = params.elastic_ip.map(Selector::PublicIp);
        by_ip.or_else(|| params.allocation_id.clone().map(Selector::Allocation)).map(Wanted::Elastic)
    }

    fn name(op: &Op<'_, Self, W>) -> String {
        match (op.public_ip(), &op.params.allocation_id) {
            (Some(ip), _) => ip.to_string(),
            (None, Some(id)) => id.to_string(),
            (None, None) => "the address".to_owned(),
        }
    }

    async fn address(op: &Op<'_, Self, W>) -> Result<(IpAddr, Option<String>), Error> {
        let address = op.describe_until(&op.deadline).await?;
        Ok((address.public_ip.into(), Some(address.allocation.to_string())))
    }

    fn public_ip(op: &Op<'_, Self, W>) -> Option<Ipv4Addr> {
        op.public_ip()
    }

    fn is_about(_: &Op<'_, Self, W>, record: &Volatile) -> bool {
        matches!(record.kind, Remembered::Elastic(_))
    }

    fn place(_: &Op<'_, Self, W>, location: &Location) -> Option<Ipv4Addr> {
        location.private_ip
    }

    fn place_of(_: &Op<'_, Self, W>, held: &Association) -> Option<Ipv4Addr> {
        held.private_ip
    }

    fn is_call_in_flight(op: &Op<'_, Self, W>, location: &Location) -> bool {
        op.is_restore_in_flight(location)
    }

    async fn locate(op: &Op<'_, Self, W>) -> Result<Location, Error> {
        op.locate_once().await
    }

    fn recall(op: &Op<'_, Self, W>) -> Option<Location> {
        let (place, record) = op.recorded_place()?;
        let private_ip = record.private_ip()?;
        let fits = op.wanted_ip().ok()?.is_none_or(|wanted| wanted == private_ip);
        fits.then_some(Location { private_ip: Some(private_ip), ..place })
    }

    fn note(op: &Op<'_, Self, W>, location: Option<&Location>, record: &mut Volatile) {
        let mut elastic = record.elastic().cloned().unwrap_or_default();
        elastic.elastic_ip = op.public_ip().or(elastic.elastic_ip);
        if let Some(location) = location {
            elastic.private_ip = location.private_ip;
        }
        record.kind = Remembered::Elastic(elastic);
    }

    fn is_known(op: &Op<'_, Self, W>) -> bool {
        op.public_ip().is_some()
    }

    fn knows_itself(op: &Op<'_, Self, W>) -> bool {
        op.identity_without_imds().is_known()
    }

    async fn look(op: &Op<'_, Self, W>) -> Result<Report, ImdsError> {
        match op.public_ip() {
            Some(public_ip) => seen(op.look_once(public_ip).await),
            None => Ok(Report::NotHere("the address of this allocation id is not known".to_owned())),
        }
    }

    async fn is_nowhere(op: &Op<'_, Self, W>) -> Result<bool, ImdsError> {
        let Some(public_ip) = op.public_ip() else { return Ok(false) };
        for mac in op.world.imds().macs().await? {
            if !op.world.imds().association(mac, public_ip).await?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn owner(op: &Op<'_, Self, W>, me: Me<'_>) -> Result<Owner<Association>, Error> {
        let identity = async {
            let Me::Known = me else { return None };
            let limit = op.metadata_limit(op.identity_without_imds().is_known());
            Some(limit.bound(op.identity_once()).await)
        };
        let (address, identity) = tokio::join!(op.describe_once(), identity);
        let address = address?;
        let me = match (me, identity) {
            (Me::At(location), _) => Identity::at(location),
            (Me::Outside, _) => Identity::default(),
            (_, Some(Ok(Ok(me)))) => me,
            (_, failed) => {
                let me = op.identity_without_imds();
                if !me.is_known() && address.association.is_some() {
                    // It is held, and only instance metadata can say whether by this node.
                    let error = failed.and_then(Result::ok).and_then(Result::err);
                    return Err(error.unwrap_or_else(|| ImdsError::cut_off("instance-id")).into());
                }
                me
            }
        };
        Ok(me.judge(address.association.as_ref()))
    }

    fn absence(op: &Op<'_, Self, W>, owner: &Owner<Association>) -> String {
        match owner {
            Owner::Unassigned => format!("{} is not associated with anything", op.name()),
            other => format!("{} is held by {}", op.name(), other.holder()),
        }
    }

    fn ticket(op: &Op<'_, Self, W>) -> Option<AllocationId> {
        op.checked_pair().map(|pair| pair.allocation)
    }

    async fn learn(
        op: &Op<'_, Self, W>,
        location: &Location,
    ) -> Result<(AllocationId, Owner<Association>), Error> {
        let address = op.describe_until(&op.deadline).await?;
        let owner = Identity::at(location).judge(address.association.as_ref());
        Ok((address.allocation, owner))
    }

    fn forget(op: &Op<'_, Self, W>) -> bool {
        op.forget_pair();
        op.params.allocation_id.is_none()
    }

    async fn take(
        op: &Op<'_, Self, W>,
        allocation: &AllocationId,
        location: &Location,
        may_take: bool,
    ) -> Result<Option<Association>, Ec2Error> {
        let target = target(allocation, location)?;
        let id = op.world.ec2().associate(allocation, &target, may_take).await?;
        Ok(Some(Association {
            id,
            instance: location.instance.clone(),
            interface: Some(target.interface),
            private_ip: Some(target.private_ip),
        }))
    }

    async fn release(op: &Op<'_, Self, W>, held: &Association) -> Result<(), Ec2Error> {
        op.world.ec2().disassociate(&held.id).await
    }

    async fn release_recorded(op: &Op<'_, Self, W>, record: &Volatile) -> Option<Result<(), Ec2Error>> {
        let id = record.association()?;
        let _lock = op.lock(record.private_ip(), &op.deadline).await.ok();
        let cut_off = || Ec2Error::cut_off("DisassociateAddress", id);
        let ended = op.deadline.bound(op.world.ec2().disassociate(id)).await;
        Some(ended.unwrap_or_else(|_| Err(cut_off())))
    }

    async fn prepare(op: &Op<'_, Self, W>, location: &Location) -> Result<(), Error> {
        op.refuse_shared_target(location)
    }

    fn before_taking(op: &Op<'_, Self, W>, location: &Location) -> Result<(), Error> {
        // Checked again under the lock: of two resources that start at the same instant, one sees the other.
        op.refuse_shared_target(location)?;
        op.remember_displaced(location);
        Ok(())
    }

    async fn released(op: &Op<'_, Self, W>) {
        op.restore_displaced().await;
    }

    /// Queries EC2 once for the allocation if none is on record, so that a later takeover needs no query first, and a standby
    /// that could not take over reports it long before it has to. [probe-2]
    async fn probed_absent(op: &Op<'_, Self, W>, _: &str) {
        if Self::ticket(op).is_none()
            && let Err(error) = op.describe_until(&op.deadline.within(FILLING)).await
        {
            let name = op.name();
            op.log().warn(format_args!("this node could not take over {name} at present: {error}"));
        }
    }

    async fn may_be_taken(
        op: &Op<'_, Self, W>,
        allocation: &AllocationId,
        location: &Location,
    ) -> Result<(), Error> {
        let target = target(allocation, location)?;
        let query = async || op.world.ec2().may_associate(allocation, &target).await;
        op.call("AssociateAddress", allocation, &op.deadline, query).await.map_err(Error::Ec2)
    }

    async fn may_be_released(op: &Op<'_, Self, W>, held: &Association) -> Result<(), Error> {
        op.may_disassociate(&held.id).await
    }

    async fn examine(
        op: &Op<'_, Self, W>,
        place: Option<&Location>,
        examination: &mut Examination<'_>,
    ) -> ControlFlow<()> {
        op.examine_address(place, examination).await
    }
}

/// The target that the calls name.
fn target(allocation: &AllocationId, location: &Location) -> Result<Target, Ec2Error> {
    let missing = || {
        Ec2Error::new("AssociateAddress", allocation, Ec2Fault::Target, "no private address on the interface")
    };
    location.target().ok_or_else(missing)
}

impl<W: World> Op<'_, Elastic, W> {
    /// Address and allocation that EC2 once returned together, if they match the configuration.
    ///
    /// Only such a pair may be associated before EC2 is queried: a wrong `allocation_id` would take another address.
    fn checked_pair(&self) -> Option<Pair> {
        let pair = self.records().durable().pair?;
        let same_address = self.params.elastic_ip.is_none_or(|ip| ip == pair.public_ip);
        let same_allocation = self.params.allocation_id.as_ref().is_none_or(|id| *id == pair.allocation);
        (same_address && same_allocation).then_some(pair)
    }

    /// The address itself, if known without querying EC2.
    fn public_ip(&self) -> Option<Ipv4Addr> {
        self.params.elastic_ip.or_else(|| self.checked_pair().map(|pair| pair.public_ip))
    }

    /// The address as named to EC2: by its allocation if that is known.
    fn selector(&self) -> Option<Selector> {
        let recorded = || self.checked_pair().map(|pair| pair.allocation);
        let allocation = self.params.allocation_id.clone().or_else(recorded).map(Selector::Allocation);
        allocation.or(self.params.elastic_ip.map(Selector::PublicIp))
    }

    /// Queries EC2 for the address, retrying until `until` while there is no answer.
    async fn describe_until(&self, until: &Deadline) -> Result<Address, Error> {
        let cut_off = || Error::Ec2(Ec2Error::cut_off("DescribeAddresses", &self.name()));
        let max_backoff = self.params.timing.max_backoff;
        retry::until(until, max_backoff, cut_off, async || self.describe_once().await).await
    }

    /// Queries EC2 once for the address.
    ///
    /// A recorded allocation that EC2 no longer knows is dropped, and the query is repeated by address.
    async fn describe_once(&self) -> Result<Address, Error> {
        let Some(selector) = self.selector() else {
            return Err(Error::NotHere("neither elastic_ip nor allocation_id is set".to_owned()));
        };
        let mut answer = self.world.ec2().describe(&selector).await;
        let by_record = matches!(selector, Selector::Allocation(_)) && self.params.allocation_id.is_none();
        if let (Err(error), Some(ip), true) = (&answer, self.params.elastic_ip, by_record)
            && error.fault == Ec2Fault::Unknown
        {
            self.log().warn(format_args!("EC2 no longer knows {selector}, querying {ip} again"));
            self.forget_pair();
            answer = self.world.ec2().describe(&Selector::PublicIp(ip)).await;
        }
        let address = answer?;
        if let (Some(wanted), Some(allocation)) = (self.params.elastic_ip, &self.params.allocation_id)
            && address.public_ip != wanted
        {
            let actual = address.public_ip;
            return Err(Error::Mismatch { allocation: allocation.clone(), wanted, actual });
        }
        if let Some(service) = &address.managed_by {
            return Err(Error::Managed(address.public_ip, service.clone()));
        }
        self.remember_pair(&address).await;
        Ok(address)
    }

    /// Stores address and allocation as EC2 returned them together, and the region for when instance metadata is silent.
    async fn remember_pair(&self, address: &Address) {
        let is_same =
            |pair: &Pair| pair.public_ip == address.public_ip && pair.allocation == address.allocation;
        let known = self.records().durable().pair.filter(is_same);
        let region = match &known {
            Some(pair) if self.params.api.region.is_none() && pair.region.is_some() => pair.region.clone(),
            _ => self.region().await,
        };
        let pair = Pair { public_ip: address.public_ip, allocation: address.allocation.clone(), region };
        if known.as_ref() != Some(&pair) {
            self.update_durable(|durable| durable.pair = Some(pair));
        }
    }

    fn forget_pair(&self) {
        if self.records().durable().pair.is_some() {
            self.update_durable(|durable| durable.pair = None);
        }
    }

    /// Refuses a private address that another resource of this node uses: the two would displace each other forever. An address claimed by
    /// hand is displaced like any that was there.
    fn refuse_shared_target(&self, location: &Location) -> Result<(), Error> {
        let Some(private_ip) = location.private_ip else { return Ok(()) };
        for (resource, other) in self.resources_beside() {
            let record = other.volatile();
            let other_ip = record.elastic_ip();
            let same_place = record.interface.as_ref() == Some(&location.interface)
                && record.private_ip() == Some(private_ip);
            let same_address = other_ip.is_some() && other_ip == self.public_ip();
            // The other resource may have lost the address long ago, or have taken it so recently that it does not show yet.
            let there = self.settles(&record)
                || location.carried.is_none()
                || other_ip.is_none_or(|ip| location.shows(ip));
            if self.runs(&record) && same_place && !same_address && there {
                let address = other_ip.map_or_else(|| "the address".to_owned(), |ip| ip.to_string());
                return Err(Error::Shared { private_ip, address, resource });
            }
        }
        Ok(())
    }
}
