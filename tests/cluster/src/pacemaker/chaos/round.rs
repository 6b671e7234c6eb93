//! One round: a quiet cluster, a plan, repairs, a quiet cluster.

use std::fmt::Display;

use super::actions::actions;
use super::failure::Whom;
use super::plan::RoundPlan;
use super::quiet::{self, HICCUP};
use super::rules::{MutatingCall, RoundEvidence, breaches};
use super::struck::Struck;
use super::{stay, turmoil};
use crate::error::{HarnessError, Result, ensure};
use crate::pacemaker::{ManagedAddress, PacemakerCluster};
use crate::timeline::{Gap, unassigned};
use crate::topology::NodeName;
use crate::wait::{Epoch, now};

/// What is known of a round when it ends.
#[derive(Debug, Default, Clone)]
pub struct RoundReport {
    pub began: Epoch,
    /// The failures brought about.
    pub struck: Vec<Struck>,
    /// What happened to each address.
    pub courses: Vec<Course>,
    /// From the last repair to the quiet point, in seconds.
    pub to_quiet: f64,
    /// Duration of the whole round, in seconds.
    pub took: f64,
    /// Names of the actions that were run for any address, including the monitors that the logs show.
    pub actions: Vec<String>,
    /// How many agents of any kind were started, according to the metadata services.
    pub agents: usize,
    /// Number of mutating calls that reached EC2.
    pub orders: usize,
    /// Failed actions that were cleaned up.
    pub cleaned: Vec<String>,
}

/// What happened to an address in a round.
#[derive(Debug, Clone)]
pub struct Course {
    pub address: &'static ManagedAddress,
    /// Its holder before and after.
    pub holders: (Option<NodeName>, Option<NodeName>),
    /// True if there was no reason for it to move.
    pub had_to_stay: bool,
    /// How often it moved to another node.
    pub moves: usize,
    /// How long it was unassigned, or route tables led to different nodes.
    pub unassigned: Gap,
    /// How long one of its clients was without an answer; a private address has none.
    pub outage: Gap,
}

/// Plays a round; `told` gets what is known of it, even if it fails.
pub fn play(
    cluster: &mut PacemakerCluster,
    plan: &RoundPlan,
    nodes: u8,
    told: &mut RoundReport,
) -> Result<()> {
    let holder =
        cluster.world().holder().ok_or_else(|| HarnessError::Wrong("the address is unassigned".into()))?;
    let from = now();
    told.began = from;
    for &address in cluster.addresses() {
        let before = cluster.world().holder_of(address.ip);
        let role = before.map_or(Whom::Holder, |node| role(cluster, holder, node));
        told.courses.push(Course {
            address,
            holders: (before, None),
            had_to_stay: stay::must_stay_of(address, role, &plan.strikes, nodes),
            moves: 0,
            unassigned: Gap::default(),
            outage: Gap::default(),
        });
    }
    told.struck = turmoil::play(cluster, plan, holder)?;
    cluster.world().heal();
    let healed = now();
    let reached = quiet::reach(cluster, &told.struck, from);
    told.to_quiet = now() - healed;
    tell(cluster, told, from)?;
    // First of all: a broken rule explains more than a failure to become quiet.
    ensure_rules(cluster, told, from)?;
    let (after, cleaned) = reached?;
    told.cleaned = cleaned;
    for course in &mut told.courses {
        course.holders.1 = cluster.world().holder_of(course.address.ip);
        if course.had_to_stay {
            cluster.ensure_address_untouched(course.address, from).map_err(kept)?;
        }
    }
    stayed(told)?;
    quiet::watch(cluster, after)?;
    // The watch is judged as well.
    ensure_rules(cluster, told, from)?;
    told.took = now() - from;
    Ok(())
}

/// A node's role in the plan, whose roles refer to the elastic IP.
fn role(cluster: &PacemakerCluster, holder: NodeName, node: NodeName) -> Whom {
    let mut others = (0..).zip(cluster.nodes().into_iter().filter(|other| *other != holder));
    others.find(|(_, other)| *other == node).map_or(Whom::Holder, |(number, _)| Whom::Other(number))
}

fn kept(what: impl Display) -> HarnessError {
    HarnessError::Wrong(format!("nothing was wrong with the holder, but {what}"))
}

/// Asserts that an address that had to stay was not disturbed: no failure of its resource, no gap for its client.
fn stayed(told: &RoundReport) -> Result<()> {
    for course in told.courses.iter().filter(|course| course.had_to_stay) {
        let (resource, missed) = (course.address.resource, course.outage.longest);
        if missed >= HICCUP {
            return Err(kept(format_args!("a client of {resource} had no answer for {missed:.1} s")));
        }
        let own = format!("{resource}_");
        let failed: Vec<&str> =
            told.cleaned.iter().map(String::as_str).filter(|failed| failed.starts_with(&own)).collect();
        if !failed.is_empty() {
            return Err(kept(format_args!("these actions failed: {}", failed.join("; "))));
        }
    }
    Ok(())
}

fn tell(cluster: &mut PacemakerCluster, told: &mut RoundReport, from: Epoch) -> Result<()> {
    let to = now();
    told.took = to - from;
    let events = cluster.events_since(from)?;
    let requests = cluster.world().requests_since(from);
    for course in &mut told.courses {
        let history = cluster.world().history_of(course.address.ip);
        let mut holder = course.holders.0;
        for held in history.iter().filter(|held| held.at >= from && held.by.is_some()) {
            course.moves += usize::from(held.by != holder);
            holder = held.by;
        }
        course.unassigned = unassigned(&history, from, to);
        course.outage = cluster.outage(course.address.ip, from, to);
    }
    for address in cluster.addresses() {
        told.actions.extend(actions(&events, address.resource).into_iter().map(|action| action.name));
        told.orders += requests.iter().filter(|one| address.calls.iter().any(|call| one.is(call))).count();
    }
    told.agents = requests.iter().filter(|one| one.operation == "PUT /latest/api/token").count();
    Ok(())
}

/// Asserts that no rule was broken, for any address.
fn ensure_rules(cluster: &mut PacemakerCluster, told: &RoundReport, from: Epoch) -> Result<()> {
    let events = cluster.events_since(from)?;
    let world = cluster.world();
    let requests = world.requests_since(from);
    let mut broken = Vec::new();
    for &address in cluster.addresses() {
        let orders = requests.iter().filter(|one| address.calls.iter().any(|call| one.is(call)));
        let orders = orders
            .map(|one| MutatingCall { sender: world.sender(one), at: one.at, what: one.operation.clone() })
            .collect();
        let (struck, history) = (told.struck.clone(), world.history_of(address.ip));
        let seen = RoundEvidence { address, from, struck, history, orders, events: events.clone() };
        broken.extend(breaches(&seen).into_iter().map(|breach| format!("{}: {breach}", address.resource)));
    }
    ensure(broken.is_empty(), || broken.join("; "))
}
