//! One round: a quiet cluster, a plan, everything well again, a quiet cluster.

use super::actions::actions;
use super::plan::Plan;
use super::quiet::{self, HICCUP};
use super::rules::{Order, Seen, breaches};
use super::struck::Struck;
use super::{stay, turmoil};
use crate::cluster::Cluster;
use crate::error::{Error, Result, ensure};
use crate::timeline::{Gap, nobody, outage, unheld};
use crate::topology::NodeName;
use crate::wait::{Epoch, now};

/// What is known of a round in the end.
#[derive(Debug, Default, Clone)]
pub struct Told {
    /// When it began.
    pub began: Epoch,
    /// What was done.
    pub struck: Vec<Struck>,
    /// Who held the address before and after.
    pub holders: (Option<NodeName>, Option<NodeName>),
    /// Whether there was no reason for it to move.
    pub had_to_stay: bool,
    /// How often it came to another node.
    pub moves: usize,
    /// How long nobody, or nobody who could serve, held it.
    pub unserved: Gap,
    /// How long nobody at all held it.
    pub nobody: Gap,
    /// How long a client was without an answer.
    pub outage: Gap,
    /// From the last repair to the quiet point, in seconds.
    pub to_quiet: f64,
    /// All of the round, in seconds.
    pub took: f64,
    /// Names of the actions that were run, monitors as far as the logs tell of them.
    pub actions: Vec<String>,
    /// How often an agent of any kind was started, as the metadata services saw it.
    pub agents: usize,
    /// Orders that reached EC2.
    pub orders: usize,
    /// Failed actions that were cleaned up.
    pub cleaned: Vec<String>,
}

/// Plays a round; `told` holds what is known of it, also when it went wrong.
///
/// # Errors
/// What was wrong.
pub fn play(cluster: &mut Cluster, plan: &Plan, nodes: u8, told: &mut Told) -> Result<()> {
    let holder = cluster.world().holder().ok_or_else(|| Error::Wrong("nobody holds the address".into()))?;
    let from = now();
    told.began = from;
    told.holders = (Some(holder), None);
    told.had_to_stay = stay::must_stay(&plan.strikes, nodes);
    told.struck = turmoil::play(cluster, plan, holder)?;
    cluster.world().heal();
    let healed = now();
    let reached = quiet::reach(cluster, &told.struck, from);
    told.to_quiet = now() - healed;
    tell(cluster, told, from)?;
    // Before whatever kept it from becoming quiet: a broken rule explains more.
    let broken = breaches(&seen(cluster, told, from)?);
    ensure(broken.is_empty(), || broken.join("; "))?;
    let (after, cleaned) = reached?;
    told.holders.1 = Some(after);
    told.cleaned = cleaned;
    if told.had_to_stay {
        stayed(cluster, told, from)?;
    }
    quiet::watch(cluster, after)?;
    // The watch is judged as well.
    let late = breaches(&seen(cluster, told, from)?);
    ensure(late.is_empty(), || late.join("; "))?;
    told.took = now() - from;
    Ok(())
}

/// Nothing was wrong with the holder: no action but monitors, no failure, no change, and a client that misses nothing.
fn stayed(cluster: &mut Cluster, told: &Told, from: Epoch) -> Result<()> {
    let kept = |what: String| Error::Wrong(format!("nothing was wrong with the holder, but {what}"));
    cluster.ensure_untouched(from).map_err(|error| kept(error.to_string()))?;
    let missed = told.outage.longest;
    ensure(missed < HICCUP, || {
        format!("nothing was wrong with the holder, but a client missed it for {missed:.1} s")
    })?;
    match told.cleaned.as_slice() {
        [] => Ok(()),
        failed => Err(kept(format!("these actions failed: {}", failed.join("; ")))),
    }
}

fn tell(cluster: &mut Cluster, told: &mut Told, from: Epoch) -> Result<()> {
    let to = now();
    told.took = to - from;
    let events = cluster.events_since(from)?;
    told.actions = actions(&events).into_iter().map(|action| action.name).collect();
    let history = cluster.world().history();
    let mut holder = told.holders.0;
    for held in history.iter().filter(|held| held.at >= from && held.by.is_some()) {
        told.moves += usize::from(held.by != holder);
        holder = held.by;
    }
    told.unserved = unheld(&history, cluster.unusable(), from, to);
    told.nobody = nobody(&history, from, to);
    told.outage = outage(&cluster.probe().since(from), from, to);
    let requests = cluster.world().requests_since(from);
    told.agents = requests.iter().filter(|one| one.operation == "PUT /latest/api/token").count();
    told.orders =
        requests.iter().filter(|one| one.is("AssociateAddress") || one.is("DisassociateAddress")).count();
    Ok(())
}

fn seen(cluster: &mut Cluster, told: &Told, from: Epoch) -> Result<Seen> {
    let events = cluster.events_since(from)?;
    let world = cluster.world();
    let requests = world.requests_since(from);
    let orders = requests.iter().filter(|one| one.is("AssociateAddress") || one.is("DisassociateAddress"));
    let orders = orders
        .map(|one| Order { sender: world.sender(one), at: one.at, what: one.operation.clone() })
        .collect();
    Ok(Seen { from, struck: told.struck.clone(), history: world.history(), orders, events })
}
