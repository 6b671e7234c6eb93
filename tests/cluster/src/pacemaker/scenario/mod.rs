//! The scenarios: an initial state, an event, the state that has to follow.

mod announce;
mod drill;
mod failures;
mod health;
mod moves;
mod outages;
mod overlay;
mod private;
mod returns;
mod start;
mod status;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

pub use self::start::StartState;
use super::{ClusterOptions, PacemakerCluster, save};
use crate::chronicle::Chronicle;
use crate::error::{HarnessError, Result, ensure};
use crate::machines::Machines;
use crate::story::Story;
use crate::suite::{self, TestBed};
use crate::topology::NodeName;

/// From a failure to a settled takeover: 2-4 s with the default token, more on a busy machine.
pub(crate) const TAKEOVER_LIMIT: Duration = Duration::from_mins(1);
/// From a repair until the node is a member again and all is settled. Longer than a start or stop (60 s) in progress, which has
/// to time out first.
pub(crate) const RETURN_LIMIT: Duration = Duration::from_secs(150);

/// A test of the whole cluster.
pub type PacemakerScenario = suite::Scenario<PacemakerCluster>;

impl TestBed for PacemakerCluster {
    type Beginning = StartState;

    fn prepare(&mut self, start: StartState) -> Result<()> {
        start.prepare(self)
    }

    fn machines(&self) -> &Machines {
        self
    }

    fn tell(&mut self, story: &Story) -> Result<Chronicle> {
        let events = self.events_since(story.window().0)?;
        Ok(Chronicle::of(story, self, events))
    }
}

/// Plays scenarios on one cluster, and on a new one after a failure; returns whether all passed. The logs of failed scenarios go
/// to `keep`.
pub fn test(
    scenarios: &[&'static PacemakerScenario],
    options: &ClusterOptions,
    keep: &Path,
) -> Result<ExitCode> {
    let began = Instant::now();
    println!("agent under test: {}", options.agent.display());
    let cluster_for = |scenario: &PacemakerScenario, before: Option<PacemakerCluster>| {
        let layout = scenario.start.layout();
        if let Some(running) = before.filter(|running| running.layout() == layout) {
            return Ok(Some(running));
        }
        let began = Instant::now();
        let cluster = PacemakerCluster::up(&ClusterOptions { layout, ..options.clone() })?;
        println!("{} nodes online after {:.1} s", options.nodes, began.elapsed().as_secs_f64());
        Ok(Some(cluster))
    };
    let rows = suite::play(scenarios.iter().copied(), cluster_for, |cluster, scenario| {
        save::explain(cluster, keep, scenario);
    })?;
    Ok(suite::sum_up(&rows, began))
}

/// The scenarios, in lanes of about the same duration; each lane is ordered so that one cluster serves as many of them as possible.
pub const LANES: [&[&[PacemakerScenario]]; 8] = [
    &[moves::SCENARIOS, drill::SCENARIOS],
    &[outages::QUIET, status::SCENARIOS],
    &[failures::SCENARIOS],
    &[returns::SCENARIOS],
    &[announce::SCENARIOS, health::SCENARIOS],
    &[outages::TAKEOVERS, private::SCENARIOS],
    &[overlay::QUIET],
    &[overlay::TAKEOVERS],
];

pub fn all() -> impl Iterator<Item = &'static PacemakerScenario> {
    LANES.into_iter().flat_map(in_lane)
}

/// The scenarios of one of [`LANES`].
pub fn in_lane(
    groups: &'static [&'static [PacemakerScenario]],
) -> impl Iterator<Item = &'static PacemakerScenario> {
    groups.iter().copied().flatten()
}

fn active(cluster: &PacemakerCluster) -> Result<NodeName> {
    cluster.world().holder().ok_or_else(|| HarnessError::Wrong("the address is unassigned".into()))
}

/// The first healthy node other than `node`.
fn another(cluster: &PacemakerCluster, node: NodeName) -> Result<NodeName> {
    let other = cluster.well().into_iter().find(|other| *other != node);
    other.ok_or_else(|| HarnessError::Wrong(format!("no node except {node} is healthy")))
}

/// Waits until a node other than `from` has taken over and all healthy nodes agree, without a failed action.
fn taken_over(cluster: &PacemakerCluster, story: &mut Story, from: NodeName) -> Result<NodeName> {
    let active = cluster.settle(None, TAKEOVER_LIMIT)?;
    story.target = Some(active);
    ensure(active != from, || format!("settled on {from}, which was to lose the address"))?;
    cluster.ensure_no_failures()?;
    Ok(active)
}
