//! What one kind of address supplies to the actions that are written once for all kinds.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::ControlFlow;

use serde_json::Value;

use super::{Report, World};
use crate::base::deadline::Deadline;
use crate::base::ids::{AssociationId, InstanceId, InterfaceId, MacAddress};
use crate::base::retry::{self, Retryable};
use crate::cloud::{Ec2Error, Imds as _, ImdsError, Subnet, Target, Vpc, Wanted};
use crate::host::Host as _;
use crate::ocf::agent::Agent;
use crate::params::{ApiSettings, InterfaceSelector, OnStop, ParamError, Timing};
use crate::resource::error::Error;
use crate::resource::examine::Examination;
use crate::state::{Records as _, Volatile};

/// Where on this node an address belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// This instance.
    pub instance: Option<InstanceId>,
    /// The interface that gets the address.
    pub interface: InterfaceId,
    /// Its hardware address.
    pub mac: Option<MacAddress>,
    /// The private address on it: an Elastic IP's target, or the interface's own.
    pub private_ip: Option<Ipv4Addr>,
    /// Its subnet, as far as the kind needs it.
    pub subnet: Option<Subnet>,
    /// Its VPC, as far as the kind needs it; without its ranges if it is from a record.
    pub vpc: Option<Vpc>,
    /// Public addresses that instance metadata shows on it, each with its private addresses; `None` if it was not asked.
    pub carried: Option<Vec<(Ipv4Addr, Vec<Ipv4Addr>)>>,
    /// Whether instance metadata shows the address here; `None` if it was not asked.
    pub shown: Option<bool>,
}

impl Location {
    /// The place that a call to EC2 names; `None` while the private address is not known.
    #[must_use]
    pub fn target(&self) -> Option<Target> {
        let private_ip = self.private_ip?;
        Some(Target { interface: self.interface.clone(), private_ip })
    }

    /// Whether instance metadata shows this public address in this place.
    #[must_use]
    pub fn shows(&self, public_ip: Ipv4Addr) -> bool {
        let here = |private: &[Ipv4Addr]| self.private_ip.is_some_and(|ip| private.contains(&ip));
        self.carried.iter().flatten().any(|(public, private)| *public == public_ip && here(private))
    }
}

/// What EC2 says of an address, for this node. The fourth answer, unknown, is an error that says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner<H> {
    /// It is where it belongs on this node.
    Ours(H),
    /// It is on this instance, but on another interface or private address than it belongs on.
    Misplaced(H),
    /// Another instance or interface has it, or part of it: see [`Holder::is_partly_here`].
    Elsewhere(H),
    /// It is on no interface.
    Unassigned,
}

impl<H: Holder> Owner<H> {
    /// What has the address, if something has.
    #[must_use]
    pub fn held(&self) -> Option<&H> {
        match self {
            Self::Ours(held) | Self::Misplaced(held) | Self::Elsewhere(held) => Some(held),
            Self::Unassigned => None,
        }
    }

    /// What has it, for a sentence like "held by ...".
    #[must_use]
    pub fn holder(&self) -> String {
        match self {
            Self::Ours(held) => format!("this node, {held}"),
            Self::Misplaced(held) => format!("this node, but on {}", held.place()),
            Self::Elsewhere(held) => held.to_string(),
            Self::Unassigned => "nobody".to_owned(),
        }
    }
}

/// What has an address, according to EC2.
pub trait Holder: Clone + fmt::Display {
    /// Tells it from another holder: an association id, or an interface id.
    fn mark(&self) -> String;

    /// The same for each part, if the kind is held in several; only parts that are not this node's.
    fn marks(&self) -> Vec<String> {
        vec![self.mark()]
    }

    /// Of a kind that is held in several parts: whether some of them are here.
    fn is_partly_here(&self) -> bool {
        false
    }

    /// Interface and private address, for a person.
    fn place(&self) -> String;

    /// All that a person may look it up by.
    fn described(&self) -> String {
        let mut text = self.to_string();
        for part in [self.place(), self.mark()] {
            if !text.contains(&part) {
                text = format!("{text}, {part}");
            }
        }
        text
    }

    /// What traffic for the address arrives at, whichever node asks.
    fn carrier(&self) -> String {
        self.to_string()
    }

    /// Label and text of each part, if the kind is held in several.
    fn parts(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The same as JSON.
    fn document(&self) -> Value;

    /// The association, if that is what tells it.
    fn association(&self) -> Option<AssociationId> {
        None
    }
}

/// Who this node is, when an answer of EC2 is judged.
#[derive(Debug, Clone, Copy)]
pub enum Me<'l> {
    /// The node that has this location.
    At(&'l Location),
    /// As instance metadata says; if that is silent, as firmware and record say.
    Known,
    /// As firmware and record say.
    Recorded,
    /// None of the nodes: a machine elsewhere that may call EC2.
    Outside,
}

/// What instance metadata says about the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is where it belongs on this node.
    Here,
    /// It is not, and why.
    NotHere(String),
}

/// The parameters that every kind has.
#[derive(Debug, Clone, Copy)]
pub struct Common<'p> {
    /// How AWS is reached.
    pub api: &'p ApiSettings,
    /// How long is waited for what.
    pub timing: &'p Timing,
    /// Which interface gets the address.
    pub interface: &'p InterfaceSelector,
    /// Whether a start may take the address from another holder.
    pub may_take: bool,
    /// What a stop does.
    pub on_stop: OnStop,
    /// Whether the address is put on a network device too.
    pub add_to_device: bool,
}

/// The words of a kind that the common actions use.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The EC2 call that says who has the address.
    pub asking: &'static str,
    /// What a log line calls the time until EC2 accepted that call.
    pub phase: &'static str,
    /// The EC2 call that takes it.
    pub taking: &'static str,
    /// The EC2 call that releases it.
    pub releasing: &'static str,
    /// The parameter that forbids to take it from another holder.
    pub may_take: &'static str,
    /// What it is to a holder in EC2: "associated with", "assigned to".
    pub held: &'static str,
    /// How a monitor knows that it is here if EC2 gives no answer.
    pub witness: &'static str,
    /// What a stop that releases nothing in EC2 comes to.
    pub left: &'static str,
}

/// [`Words::witness`] of a kind that instance metadata shows.
pub(super) const BY_METADATA: &str = "here according to instance metadata";
/// [`Words::left`] of a kind that has `on_stop=leave`.
pub(super) const LEFT: &str = "left where it is (on_stop=leave)";

/// One kind of address: what differs between kinds, and nothing else. Every method that calls EC2 makes one attempt, unless it
/// is given a deadline.
pub trait Kind<W: World>: Sized {
    /// Its parameters.
    type Params;
    /// What has such an address, according to EC2.
    type Held: Holder;
    /// What has to be known before it can be taken.
    type Ticket: Clone;
    /// What is prepared on the host before it is taken.
    type Prepared;

    /// The agent whose resources are of this kind.
    const AGENT: &'static Agent;
    /// Its words.
    const WORDS: Words;
    /// Whether a start also waits, for some seconds, until instance metadata shows the address.
    const AWAITS_METADATA: bool;
    /// Whether instance metadata shows where the address is. If it does not, the host is asked first, what is not there is not
    /// here, and EC2 is asked when a check is due.
    const METADATA_KNOWS: bool = true;

    /// Checks the parameters, given by name without the `OCF_RESKEY_` prefix.
    ///
    /// # Errors
    /// The first parameter that is missing or malformed, or two that contradict each other.
    fn parse(raw: &BTreeMap<String, String>) -> Result<Self::Params, ParamError>;
    /// The parameters that every kind has.
    fn common(params: &Self::Params) -> Common<'_>;
    /// What a listing of several addresses is searched for.
    fn wanted(params: &Self::Params) -> Option<Wanted>;
    /// How an operator names the address.
    fn name(op: &Op<'_, Self, W>) -> String;
    /// The address itself, and its other name if it has one; asked of EC2 until the deadline if only that knows it.
    async fn address(op: &Op<'_, Self, W>) -> Result<(IpAddr, Option<String>), Error>;
    /// The public address, if it is one that is known without EC2.
    #[must_use]
    fn public_ip(_: &Op<'_, Self, W>) -> Option<Ipv4Addr> {
        None
    }
    /// Whether a record is about this address.
    fn is_about(op: &Op<'_, Self, W>, record: &Volatile) -> bool;
    /// The private address whose lock a call needs that takes the address.
    fn place(op: &Op<'_, Self, W>, location: &Location) -> Option<Ipv4Addr>;
    /// The private address whose lock a call needs that releases it.
    fn place_of(op: &Op<'_, Self, W>, held: &Self::Held) -> Option<Ipv4Addr>;
    /// Whether another call of this node for this place was sent lately whose answer was lost: it may still take effect.
    fn is_call_in_flight(op: &Op<'_, Self, W>, location: &Location) -> bool;

    /// Finds where the address belongs, by one query of instance metadata.
    async fn locate(op: &Op<'_, Self, W>) -> Result<Location, Error>;
    /// The location by what this node did last in this boot, if that still fits the parameters.
    fn recall(op: &Op<'_, Self, W>) -> Option<Location>;
    /// Makes a record one about this address.
    fn identify(op: &Op<'_, Self, W>, record: &mut Volatile);
    /// Writes the kind's part of a location into a record.
    fn note(op: &Op<'_, Self, W>, location: &Location, record: &mut Volatile);

    /// Whether instance metadata can be asked for the address: only EC2 may know it.
    fn is_known(op: &Op<'_, Self, W>) -> bool;
    /// Whether this node can be told from others without instance metadata.
    fn knows_itself(op: &Op<'_, Self, W>) -> bool;
    /// One query of instance metadata.
    async fn look(op: &Op<'_, Self, W>) -> Result<Seen, ImdsError>;
    /// Whether instance metadata shows the address on no interface of this instance.
    async fn is_nowhere(op: &Op<'_, Self, W>) -> Result<bool, ImdsError>;
    /// Asks EC2 once who has the address.
    async fn owner(op: &Op<'_, Self, W>, me: Me<'_>) -> Result<Owner<Self::Held>, Error>;
    /// With the parts that the answer leaves out because a start could do nothing about them.
    fn whole(_: &Op<'_, Self, W>, owner: Owner<Self::Held>) -> Owner<Self::Held> {
        owner
    }
    /// Whether it is time for a monitor to ask EC2.
    #[must_use]
    fn is_due(_: &Op<'_, Self, W>) -> bool {
        false
    }
    /// Why the address is not here, in one line.
    fn absence(op: &Op<'_, Self, W>, owner: &Owner<Self::Held>) -> String;

    /// What the record knows that is enough to take the address; `None` if EC2 has to be asked first.
    fn ticket(op: &Op<'_, Self, W>) -> Option<Self::Ticket>;
    /// Learns it from EC2, with the owner at that moment.
    async fn learn(
        op: &Op<'_, Self, W>,
        location: &Location,
    ) -> Result<(Self::Ticket, Owner<Self::Held>), Error>;
    /// Drops what is on record about the address, after EC2 did not know it; false if nothing was.
    fn forget(op: &Op<'_, Self, W>) -> bool;
    /// The calls that take the address, each as a ticket of its own; they are made concurrently.
    fn calls(_: &Op<'_, Self, W>, ticket: &Self::Ticket) -> Vec<Self::Ticket> {
        vec![ticket.clone()]
    }
    /// What an answer says of the part of the address that one call is about.
    fn part_of(owner: Owner<Self::Held>, _: &Self::Ticket) -> Owner<Self::Held> {
        owner
    }
    /// The ticket for what an answer shows that has to be taken too, and the record did not know.
    #[must_use]
    fn overlooked(_: &Op<'_, Self, W>, _: &Self::Ticket, _: &Owner<Self::Held>) -> Option<Self::Ticket> {
        None
    }
    /// Takes the address by one call. What EC2 says of it becomes part of the record.
    async fn take(
        op: &Op<'_, Self, W>,
        ticket: &Self::Ticket,
        location: &Location,
        may_take: bool,
    ) -> Result<Option<Self::Held>, Ec2Error>;
    /// What a refusal because the address is taken comes to, if that is not simply that it is held.
    fn refusal(op: &Op<'_, Self, W>, owner: &Owner<Self::Held>) -> Option<Error>;
    /// Releases the address from exactly this holder.
    async fn release(op: &Op<'_, Self, W>, held: &Self::Held) -> Result<(), Ec2Error>;
    /// Releases what this node's own start recorded, if that is compare-and-swap; `None` if there is no such call.
    async fn release_recorded(op: &Op<'_, Self, W>, record: &Volatile) -> Option<Result<(), Ec2Error>>;

    /// Before a start: what is wrong with the place, and what the host needs.
    async fn prepare(op: &Op<'_, Self, W>, location: &Location) -> Result<Self::Prepared, Error>;
    /// Runs beside the taking calls of a start that was not asked for them first, and is dropped when that ends.
    async fn beside_taking(op: &Op<'_, Self, W>, location: &Location);
    /// Right before the taking call, with the place's lock held.
    ///
    /// # Errors
    /// What forbids to take the address.
    fn before_taking(op: &Op<'_, Self, W>, location: &Location) -> Result<(), Error>;
    /// As soon as EC2 has accepted a call, before it is confirmed.
    async fn accepted(
        op: &Op<'_, Self, W>,
        location: &Location,
        prepared: &Self::Prepared,
    ) -> Result<(), Error>;
    /// After a start that got nothing.
    async fn not_taken(op: &Op<'_, Self, W>);
    /// After the address is confirmed here; `before` had it, as far as that is known. `announce` unless it was on this host all
    /// the time.
    async fn settled(
        op: &Op<'_, Self, W>,
        location: &Location,
        prepared: &Self::Prepared,
        before: Option<&Owner<Self::Held>>,
        announce: bool,
    );
    /// Before a stop asks EC2.
    async fn before_stop(op: &Op<'_, Self, W>) -> Result<(), Error>;
    /// Before the releasing call.
    fn before_release(op: &Op<'_, Self, W>, held: &Self::Held);
    /// After a stop that released the address, or found it elsewhere.
    async fn released(op: &Op<'_, Self, W>);
    /// Whether the host answers for the address that EC2 shows here.
    async fn on_host(op: &Op<'_, Self, W>) -> Result<Report, Error>;
    /// After a probe that found the address not here.
    async fn probed_absent(op: &Op<'_, Self, W>, why: &str);

    /// Dry run of the calls that take the address.
    async fn may_be_taken(
        op: &Op<'_, Self, W>,
        ticket: &Self::Ticket,
        location: &Location,
    ) -> Result<(), Error>;
    /// Dry run of the call that releases it from this holder.
    async fn may_be_released(op: &Op<'_, Self, W>, held: &Self::Held) -> Result<(), Error>;
    /// The public addresses that a start would displace.
    #[must_use]
    fn displaced_from(_: &Op<'_, Self, W>, _: &Location) -> Vec<Ipv4Addr> {
        Vec::new()
    }
    /// Examines what a start and a stop of this kind need beside the place, which is `None` if there is none.
    async fn examine(
        op: &Op<'_, Self, W>,
        place: Option<&Location>,
        examination: &mut Examination<'_>,
    ) -> ControlFlow<()>;
}

/// The list of kinds: does `$work` with `$kind` as the kind of address of an agent. A new kind is one line here, beside its agent
/// in [`agent::ALL`](crate::ocf::agent::ALL).
#[macro_export]
macro_rules! with_kind {
    ($agent:expr, $kind:ident => $work:expr) => {
        match $agent.name {
            "vip" => {
                type $kind = $crate::resource::private::Private;
                $work
            }
            "overlay-ip" => {
                type $kind = $crate::resource::overlay::Overlay;
                $work
            }
            _ => {
                type $kind = $crate::resource::elastic::Elastic;
                $work
            }
        }
    };
}

/// One action on one address.
pub struct Op<'a, K: Kind<W>, W: World> {
    /// The world it works with.
    pub world: &'a W,
    /// The parameters.
    pub params: &'a K::Params,
    /// Until when.
    pub deadline: Deadline,
    /// The names by which the cluster knows this node, the nearest first.
    pub nodes: &'a [String],
}

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    pub(super) fn common(&self) -> Common<'_> {
        K::common(self.params)
    }

    /// How an operator names the address.
    #[must_use]
    pub fn name(&self) -> String {
        K::name(self)
    }

    /// Repeats a call to EC2 until `until` while its failure is worth it.
    pub(super) async fn call<T>(
        &self,
        operation: &'static str,
        object: &impl ToString,
        until: &Deadline,
        call: impl AsyncFnMut() -> Result<T, Ec2Error>,
    ) -> Result<T, Ec2Error> {
        let cut_off = || Ec2Error::cut_off(operation, object);
        retry::until(until, self.common().timing.max_backoff, cut_off, call).await
    }

    /// Asks EC2 who has the address, until `until` while it gives no answer.
    pub(super) async fn ask(&self, me: Me<'_>, until: &Deadline) -> Result<Owner<K::Held>, Error> {
        let cut_off = || Error::Ec2(Ec2Error::cut_off(K::WORDS.asking, &self.name()));
        retry::until(until, self.common().timing.max_backoff, cut_off, async || K::owner(self, me).await)
            .await
    }

    /// Repeats a query of instance metadata until `until` while its failure is worth it.
    pub(super) async fn query<T, E: Retryable + From<ImdsError>>(
        &self,
        until: &Deadline,
        query: impl AsyncFnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        let cut_off = || ImdsError::cut_off("meta-data").into();
        retry::until(until, self.common().timing.max_backoff, cut_off, query).await
    }

    /// What this node did last with this address in this boot.
    pub(super) fn last_done(&self) -> Option<Volatile> {
        let record = self.world.records().volatile();
        (record.is_of(&self.world.host().boot_id()) && K::is_about(self, &record)).then_some(record)
    }

    /// Whether this node changed the address so lately that EC2 and instance metadata may not show it yet.
    pub(super) fn is_settling(&self) -> bool {
        let (host, window) = (self.world.host(), self.common().timing.settle_window);
        self.last_done().is_some_and(|record| record.is_settling(&host.boot_id(), host.uptime(), window))
    }

    /// Whether this host was an EC2 instance when it last did something in this boot.
    pub(super) fn was_ec2(&self) -> bool {
        self.last_done().is_some_and(|record| record.instance.is_some())
    }

    /// Whether this host seems to be no EC2 instance: nothing says so, and it was none since it booted.
    pub(super) fn is_off_ec2(&self) -> bool {
        !self.was_ec2() && !self.world.host().looks_like_ec2()
    }

    /// Until when instance metadata is waited for, if what it is asked is `known` otherwise or not: in the former case a
    /// sixteenth of the budget, because there has to be time left to query EC2.
    pub(super) fn metadata_limit(&self, known: bool) -> Deadline {
        if known { self.deadline.within(self.deadline.budget() / 16) } else { self.deadline }
    }

    /// The instance this is, as instance metadata says; if that is silent, as firmware or record do.
    pub(super) async fn own_instance(&self) -> Result<InstanceId, Error> {
        let recorded = || self.last_done().and_then(|record| record.instance);
        let known = self.world.host().instance_id().or_else(recorded);
        let query = self.world.imds().instance_id();
        let error = match self.metadata_limit(known.is_some()).bound(query).await {
            Ok(Ok(instance)) => return Ok(instance),
            Ok(Err(error)) => error,
            Err(_) => ImdsError::cut_off("instance-id"),
        };
        known.ok_or(Error::Imds(error))
    }
}
