//! The scenarios: a state to begin with, something that happens, the state that has to follow.

mod drill;
mod failures;
mod moves;
mod outages;
mod private;
mod returns;
mod start;

use std::time::Duration;

pub use self::start::Start;
use crate::cluster::Cluster;
use crate::error::{Error, Result, ensure};
use crate::topology::NodeName;
use crate::wait::{Epoch, now};

/// From a failure to a settled takeover: 2-4 s with the default token, more on a busy machine.
pub(crate) const TAKEOVER_LIMIT: Duration = Duration::from_mins(1);
/// From a repair until the node is a member again and all is settled. Longer than a start or stop (60 s) that was under
/// way and has to run out first.
pub(crate) const RETURN_LIMIT: Duration = Duration::from_secs(150);

/// A test of the whole cluster.
#[derive(Debug)]
pub struct Scenario {
    /// What it is called on the command line.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// What it begins with.
    pub start: Start,
    run: fn(&mut Cluster, &mut Story) -> Result<()>,
}

impl Scenario {
    /// Brings the cluster into the state that the scenario begins with, lets it happen and checks what follows.
    ///
    /// # Errors
    /// What went wrong; `story` holds what was done until then.
    pub fn play(&self, cluster: &mut Cluster, story: &mut Story) -> Result<()> {
        self.start.prepare(cluster)?;
        story.began = now();
        (self.run)(cluster, story)?;
        story.close();
        // What is asked of every scenario, whatever else it asks.
        cluster.ensure_no_theft(story.began)
    }
}

/// Returns all scenarios, in the order in which one cluster serves as many of them as possible.
#[must_use]
pub fn all() -> Vec<&'static Scenario> {
    let groups = [
        moves::SCENARIOS,
        drill::SCENARIOS,
        outages::QUIET,
        failures::SCENARIOS,
        returns::SCENARIOS,
        outages::TAKEOVERS,
        private::SCENARIOS,
    ];
    groups.into_iter().flatten().collect()
}

/// What a scenario says about itself while it happens.
#[derive(Debug, Default, Clone)]
pub struct Story {
    began: Epoch,
    failure: Option<Epoch>,
    ended: Option<Epoch>,
    /// The node that the address should be on in the end.
    pub target: Option<NodeName>,
    notes: Vec<(Epoch, String)>,
    facts: Vec<String>,
}

impl Story {
    /// Notes the failure, or the command, that the timeline counts from.
    pub fn failure(&mut self, at: Epoch, what: impl Into<String>) {
        self.failure = Some(at);
        self.notes.push((at, what.into()));
    }

    /// Notes something done on purpose.
    pub fn note(&mut self, what: impl Into<String>) {
        self.notes.push((now(), what.into()));
    }

    /// Notes something done on purpose at a given time.
    pub fn note_at(&mut self, at: Epoch, what: impl Into<String>) {
        self.notes.push((at, what.into()));
    }

    /// Notes something found out, for the line below the timeline.
    pub fn fact(&mut self, what: impl Into<String>) {
        self.facts.push(what.into());
    }

    /// Ends the time that is measured; what follows is repair.
    pub fn close(&mut self) {
        self.ended.get_or_insert_with(now);
    }

    /// Returns the measured time: from the failure, or the beginning, to the end, or now.
    #[must_use]
    pub fn window(&self) -> (Epoch, Epoch) {
        (self.failure.unwrap_or(self.began), self.ended.unwrap_or_else(now))
    }

    /// Returns what was done on purpose.
    #[must_use]
    pub fn notes(&self) -> &[(Epoch, String)] {
        &self.notes
    }

    /// Returns what was found out.
    #[must_use]
    pub fn facts(&self) -> &[String] {
        &self.facts
    }
}

/// Returns the node that holds the address.
fn active(cluster: &Cluster) -> Result<NodeName> {
    cluster.world().holder().ok_or_else(|| Error::Wrong("nobody holds the address".into()))
}

/// Returns the first node that is well and not `node`.
fn another(cluster: &Cluster, node: NodeName) -> Result<NodeName> {
    let other = cluster.well().into_iter().find(|other| *other != node);
    other.ok_or_else(|| Error::Wrong(format!("no node but {node} is well")))
}

/// Waits until another node than `from` has taken over and all that are well agree, without a failed action.
fn taken_over(cluster: &Cluster, story: &mut Story, from: NodeName) -> Result<NodeName> {
    let active = cluster.settle(None, TAKEOVER_LIMIT)?;
    story.target = Some(active);
    ensure(active != from, || format!("settled on {from}, which was to lose the address"))?;
    cluster.ensure_no_failures()?;
    Ok(active)
}
