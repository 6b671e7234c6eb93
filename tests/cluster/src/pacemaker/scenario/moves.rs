//! An administrator's work: create the resource, move it, migrate it, put its node into standby.

use super::{PacemakerScenario, StartState, TAKEOVER_LIMIT, active, another};
use crate::error::{Result, ensure};
use crate::pacemaker::{PacemakerCluster, RESOURCE};
use crate::story::Story;
use crate::topology::NodeName;
use crate::wait::{Epoch, now};

pub(super) const SCENARIOS: &[PacemakerScenario] = &[
    PacemakerScenario {
        name: "first-start",
        about: "the resource is created with pcs; the address was unassigned before",
        start: StartState::Bare,
        run: first_start,
    },
    PacemakerScenario {
        name: "move",
        about: "crm_resource --move: stop, then start on the other node",
        start: StartState::Healthy,
        run: plain_move,
    },
    PacemakerScenario {
        name: "standby",
        about: "the active node is put into standby, and comes back without attracting the address",
        start: StartState::Healthy,
        run: standby,
    },
    PacemakerScenario {
        name: "migrate",
        about: "the same move with allow-migrate=true: the address is never without a holder",
        start: StartState::Healthy,
        run: migrate,
    },
    PacemakerScenario {
        name: "reload",
        about: "a parameter marked * changes without a restart, except for the first change after a refresh",
        start: StartState::Healthy,
        run: reload,
    },
];

fn first_start(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    story.failure(now(), PacemakerCluster::creation());
    cluster.create_resource()?;
    story.target = Some(cluster.settle(None, TAKEOVER_LIMIT)?);
    cluster.ensure_no_failures()
}

fn plain_move(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let from = active(cluster)?;
    let to = order_move(cluster, story, from)?;
    clear_move(cluster, story, to)
}

fn standby(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let from = active(cluster)?;
    story.failure(now(), format!("pcs node standby {from}"));
    cluster.set_standby(from, true)?;
    let to = cluster.settle(None, TAKEOVER_LIMIT)?;
    story.target = Some(to);
    ensure(to != from, || format!("{from} is in standby and still active"))?;
    story.note(format!("pcs node unstandby {from}"));
    cluster.set_standby(from, false)?;
    cluster.settle(Some(to), TAKEOVER_LIMIT)?;
    cluster.ensure_no_failures()
}

fn migrate(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    cluster.set_meta("allow-migrate", "true")?;
    let from = cluster.settle(None, TAKEOVER_LIMIT)?;
    let began = now();
    let to = order_move(cluster, story, from)?;
    never_without_a_holder(cluster, story, began, (from, to))?;
    clear_move(cluster, story, to)?;
    cluster.set_meta("allow-migrate", "")?;
    cluster.settle(Some(to), TAKEOVER_LIMIT).map(drop)
}

/// What README says about parameters marked *, for Pacemaker 2.1 and later.
fn reload(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    story.failure(now(), "crm_resource --set-parameter max_backoff");
    let change = |cluster: &mut PacemakerCluster, value: &str, wanted: &[&str]| -> Result<()> {
        let began = now();
        cluster.run(&["crm_resource", "-r", RESOURCE, "--set-parameter", "max_backoff", "-v", value])?;
        let last = wanted.last().copied().unwrap_or_default();
        cluster.wait_for_action(last, None, began, TAKEOVER_LIMIT)?;
        cluster.settle(None, TAKEOVER_LIMIT)?;
        let ran: Vec<_> = cluster.actions_since(began, None)?.into_iter().map(|(_, action)| action).collect();
        ensure(ran == wanted, || format!("max_backoff={value}: {ran:?}, expected {wanted:?}"))
    };
    change(cluster, "50", &["reload-agent"])?;
    cluster.run(&["crm_resource", "--refresh", "-r", RESOURCE])?;
    cluster.settle(None, TAKEOVER_LIMIT)?;
    // On which node it starts again is open: Pacemaker clears what the refresh left as a failure at the same time. If the stop is over first, it
    // plans again without a node that has the resource.
    change(cluster, "40", &["stop", "start"])?;
    change(cluster, "30", &["reload-agent"])?;
    story.target = Some(active(cluster)?);
    cluster.ensure_no_failures()
}

/// Asserts that since `began` the resource was moved by a migration.
pub(super) fn ensure_live(
    cluster: &mut PacemakerCluster,
    began: Epoch,
    (from, to): (NodeName, NodeName),
) -> Result<()> {
    let actions = cluster.actions_since(began, None)?;
    for (node, action) in [(from, "migrate_to"), (to, "migrate_from"), (from, "stop")] {
        let run = |(on, name): &(NodeName, String)| *on == node && name == action;
        ensure(actions.iter().any(run), || format!("{action} was not run on {node}: {actions:?}"))?;
    }
    Ok(())
}

/// The proof is the simulator's history: a single change of holder, straight from one node to the other.
fn never_without_a_holder(
    cluster: &mut PacemakerCluster,
    story: &mut Story,
    began: Epoch,
    (from, to): (NodeName, NodeName),
) -> Result<()> {
    ensure_live(cluster, began, (from, to))?;
    let holders: Vec<_> =
        cluster.world().history().into_iter().filter(|held| held.at >= began).map(|held| held.by).collect();
    ensure(holders == [Some(to)], || format!("holders since the command: {holders:?}, expected {to} alone"))?;
    let requests = cluster.world().requests_since(began);
    ensure(!requests.iter().any(|request| request.is("DisassociateAddress")), || {
        "the stop on the source sent DisassociateAddress".into()
    })?;
    story.fact("one change of holder, no DisassociateAddress: the address was never without a holder");
    Ok(())
}

pub(super) fn order_move(
    cluster: &mut PacemakerCluster,
    story: &mut Story,
    from: NodeName,
) -> Result<NodeName> {
    let to = another(cluster, from)?;
    story.target = Some(to);
    story.failure(now(), format!("crm_resource --move -r {RESOURCE} -N {to}"));
    cluster.run(&["crm_resource", "--move", "-r", RESOURCE, "-N", &to.to_string()])?;
    cluster.settle(Some(to), TAKEOVER_LIMIT)?;
    Ok(to)
}

/// Clears the constraint that a move leaves; the resource stays.
pub(super) fn clear_move(cluster: &mut PacemakerCluster, story: &mut Story, to: NodeName) -> Result<()> {
    story.close();
    cluster.run(&["crm_resource", "--clear", "-r", RESOURCE])?;
    cluster.settle(Some(to), TAKEOVER_LIMIT)?;
    cluster.ensure_no_failures()
}
