//! Nodes that come back: after a power cut, and after an isolation in which both sides carried on alone.
//!
//! Without fencing, Pacemaker then finds the resource active twice. What matters is how long the address is unassigned while it
//! resolves that, and that nothing stays blocked.

use std::time::Duration;

use super::{PacemakerScenario, RETURN_LIMIT, StartState, TAKEOVER_LIMIT, active};
use crate::error::{HarnessError, Result, ensure};
use crate::machines::{Cut, NodeCondition};
use crate::pacemaker::{MONITOR_INTERVAL, PacemakerCluster};
use crate::story::Story;
use crate::timeline::unheld;
use crate::topology::NodeName;
use crate::wait::{Epoch, let_run, now};

/// Long enough for the isolated node's monitor to have run twice.
const ISOLATION: Duration = Duration::from_secs(8);
/// Long enough for the isolated node's monitor (20 s) to have failed and for its stop or start to be in progress.
const LONG_ISOLATION: Duration = Duration::from_secs(45);
/// Long enough for both sides of a split to have taken the address back at least twice.
const SPLIT: Duration = Duration::from_secs(15);
/// How long the address may be unassigned, or held only by a node that cannot serve, during a split and during a merge, in seconds.
const GAP: f64 = 5.0;
/// The same with `multiple-active=stop_unexpected`, which does not restart the remaining copy. If the node that stops had the address,
/// the other one's next monitor has to find that out, and queries for up to half of its 20 s. [stale-1]
const GAP_UNTIL_MONITORED: f64 = 15.0;

pub(super) const SCENARIOS: &[PacemakerScenario] = &[
    PacemakerScenario {
        name: "rejoin",
        about: "the dead node is switched on again; the address stays where it is",
        start: StartState::TakenOverFromDead,
        run: rejoin,
    },
    PacemakerScenario {
        name: "heal-link-down-stop-unexpected",
        about: "link down and up again with multiple-active=stop_unexpected",
        start: StartState::Healthy,
        run: |cluster, story| stop_unexpected(cluster, story, Cut::LinkDown),
    },
    PacemakerScenario {
        name: "heal-blackhole-stop-unexpected",
        about: "blackhole and heal with multiple-active=stop_unexpected",
        start: StartState::Healthy,
        run: |cluster, story| stop_unexpected(cluster, story, Cut::Blackhole),
    },
    PacemakerScenario {
        name: "split",
        about: "the nodes lose each other while both reach EC2, and find each other again",
        start: StartState::Healthy,
        run: split,
    },
    PacemakerScenario {
        name: "heal-late",
        about: "heal of a blackhole after 45 s, with an action of the isolated node under way",
        start: StartState::TakenOverFromIsolated(Cut::Blackhole),
        run: |cluster, story| {
            let_run(LONG_ISOLATION)?;
            heal(cluster, story)
        },
    },
];

fn rejoin(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let holder = active(cluster)?;
    let dead = only(cluster, |condition| condition == NodeCondition::Dead)?;
    story.target = Some(holder);
    let at = cluster.repair(dead)?;
    story.failure(at, format!("{dead} is switched on"));
    cluster.settle(Some(holder), RETURN_LIMIT)?;
    cluster.ensure_untouched(at)?;
    cluster.ensure_no_failures()
}

fn stop_unexpected(cluster: &mut PacemakerCluster, story: &mut Story, cut: Cut) -> Result<()> {
    cluster.set_meta("multiple-active", "stop_unexpected")?;
    let victim = cluster.settle(None, TAKEOVER_LIMIT)?;
    cluster.cut(victim, cut)?;
    cluster.settle(None, TAKEOVER_LIMIT)?;
    heal_within(cluster, story, GAP_UNTIL_MONITORED)?;
    cluster.set_meta("multiple-active", "")?;
    cluster.settle(None, TAKEOVER_LIMIT).map(drop)
}

/// Ends an isolation and follows the merge until it has proved stable.
pub(super) fn heal(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    heal_within(cluster, story, GAP)
}

fn heal_within(cluster: &mut PacemakerCluster, story: &mut Story, gap: f64) -> Result<()> {
    let isolated = only(cluster, |condition| matches!(condition, NodeCondition::Cut(_)))?;
    let since = cluster.since(isolated);
    let_run(ISOLATION.saturating_sub(Duration::from_secs_f64((now() - since).max(0.0))))?;

    let at = cluster.repair(isolated)?;
    story.failure(at, format!("{isolated} is reached again, after {:.0} s", at - since));
    let active = cluster.settle(None, RETURN_LIMIT)?;
    story.target = Some(active);
    let settled = now();
    story.fact(format!("settled on {active} after {:.1} s", settled - at));
    // A late action of the isolated node would show now.
    let_run(2 * MONITOR_INTERVAL + Duration::from_secs(1))?;
    cluster.settle(Some(active), TAKEOVER_LIMIT)?;
    cluster.ensure_untouched(settled)?;
    story.close();

    ensure_held(cluster, at, gap)?;
    if let Err(remembered) = cluster.ensure_no_failures() {
        story.fact(remembered.to_string());
        cluster.clean_up()?;
        cluster.settle(None, TAKEOVER_LIMIT)?;
    }
    Ok(())
}

/// Both sides are alone, both reach EC2, and without fencing each tries to take the address: it goes back and forth, but a node has to
/// hold it nearly all the time.
fn split(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let holder = active(cluster)?;
    let other = super::another(cluster, holder)?;
    let at = cluster.cut(holder, Cut::Peers)?;
    cluster.wait_for_action("start", other, at, TAKEOVER_LIMIT)?;
    let_run(SPLIT)?;
    let moves = cluster.world().history().iter().filter(|held| held.at >= at && held.by.is_some()).count();
    story.fact(format!("{moves} moves while both sides were alone"));
    ensure_held(cluster, at, GAP)?;
    heal(cluster, story)
}

fn ensure_held(cluster: &PacemakerCluster, from: Epoch, allowed: f64) -> Result<()> {
    let gap = unheld(&cluster.world().history(), cluster.unusable(), from, now());
    ensure(gap.total < allowed, || {
        format!("without a serving holder for {:.1} s, {allowed} s are allowed", gap.total)
    })
}

fn only(cluster: &PacemakerCluster, is: impl Fn(NodeCondition) -> bool) -> Result<NodeName> {
    let mut found = cluster.nodes().into_iter().filter(|node| is(cluster.condition(*node)));
    found.next().ok_or_else(|| HarnessError::Wrong("no node in the state this scenario begins with".into()))
}
