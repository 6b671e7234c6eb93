//! Failures of a node: the other one has to have the address soon.

use super::{PacemakerScenario, RETURN_LIMIT, StartState, active, taken_over};
use crate::error::Result;
use crate::machines::Cut;
use crate::pacemaker::PacemakerCluster;
use crate::story::Story;

pub(super) const SCENARIOS: &[PacemakerScenario] = &[
    PacemakerScenario {
        name: "kill-corosync",
        about: "kill -9 of Corosync on the active node; afterwards its cluster daemons are started again",
        start: StartState::Healthy,
        run: kill_corosync,
    },
    PacemakerScenario {
        name: "link-down",
        about: "the active node's interface goes down: its calls fail at once",
        start: StartState::Healthy,
        run: |cluster, story| isolate(cluster, story, Cut::LinkDown),
    },
    PacemakerScenario {
        name: "heal-link-down",
        about: "that node's interface comes up again: two nodes that each believed to be alone merge",
        start: StartState::TakenOverFromIsolated(Cut::LinkDown),
        run: super::returns::heal,
    },
    PacemakerScenario {
        name: "blackhole",
        about: "the active node's packets are dropped: its calls hang",
        start: StartState::Healthy,
        run: |cluster, story| isolate(cluster, story, Cut::Blackhole),
    },
    PacemakerScenario {
        name: "heal-blackhole",
        about: "that node is reached again: two nodes that each believed to be alone merge",
        start: StartState::TakenOverFromIsolated(Cut::Blackhole),
        run: super::returns::heal,
    },
    PacemakerScenario {
        name: "kill-node",
        about: "power cut: every process of the active node dies at once, and its address falls silent",
        start: StartState::Healthy,
        run: kill_node,
    },
];

fn kill_corosync(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let victim = active(cluster)?;
    let at = cluster.kill_corosync(victim)?;
    story.failure(at, format!("kill -9 of corosync on {victim}"));
    let survivor = taken_over(cluster, story, victim)?;
    story.close();
    cluster.repair(victim)?;
    cluster.settle(Some(survivor), RETURN_LIMIT)?;
    cluster.ensure_no_failures()
}

fn isolate(cluster: &mut PacemakerCluster, story: &mut Story, how: Cut) -> Result<()> {
    let victim = active(cluster)?;
    let at = cluster.cut(victim, how)?;
    story.failure(
        at,
        match how {
            Cut::LinkDown => format!("ip link set eth0 down on {victim}"),
            Cut::Blackhole => format!("{victim} unplugged from the bridge"),
            Cut::Peers => format!("{victim} and the others do not reach each other"),
        },
    );
    taken_over(cluster, story, victim).map(drop)
}

fn kill_node(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let victim = active(cluster)?;
    let at = cluster.power_off(victim)?;
    story.failure(at, format!("power cut of {victim} (kill -9 of its PID 1)"));
    taken_over(cluster, story, victim).map(drop)
}
