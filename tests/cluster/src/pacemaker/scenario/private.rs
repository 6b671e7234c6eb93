//! A secondary private address (`ocf:heartbeat:vip`) between nodes in one subnet, with the elastic IP on it: what a client of
//! the elastic IP gets proves that EC2 routes to the node, that the node's device has the address, and that its neighbours know.

use super::{PacemakerScenario, RETURN_LIMIT, StartState, TAKEOVER_LIMIT, active, moves, taken_over};
use crate::error::{Result, ensure};
use crate::pacemaker::{PacemakerCluster, RESOURCE};
use crate::story::Story;
use crate::topology::{NodeName, PRIVATE_VIP};
use crate::wait::now;

pub(super) const SCENARIOS: &[PacemakerScenario] = &[
    PacemakerScenario {
        name: "private-move",
        about: "crm_resource --move of a resource vip: removed from the one node's device, added to the other's",
        start: StartState::Private,
        run: plain_move,
    },
    PacemakerScenario {
        name: "private-migrate",
        about: "the same with on_stop=unassign and allow-migrate=true: the elastic IP moves with it all the same",
        start: StartState::Private,
        run: migrate,
    },
    PacemakerScenario {
        name: "private-kill-node",
        about: "power cut of the node with the private address, which the other takes over with the elastic IP on it",
        start: StartState::Private,
        run: kill_node,
    },
];

fn plain_move(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let from = active(cluster)?;
    order_move(cluster, story, from).map(drop)
}

fn migrate(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    cluster.run(&["pcs", "resource", "update", RESOURCE, "on_stop=unassign"])?;
    cluster.set_meta("allow-migrate", "true")?;
    let from = cluster.settle(None, TAKEOVER_LIMIT)?;
    let began = now();
    let to = order_move(cluster, story, from)?;
    moves::ensure_live(cluster, began, (from, to))?;
    cluster.run(&["pcs", "resource", "update", RESOURCE, "on_stop=leave"])?;
    cluster.set_meta("allow-migrate", "")?;
    cluster.settle(Some(to), TAKEOVER_LIMIT).map(drop)
}

/// Moves the resource and clears the constraint that this leaves.
fn order_move(cluster: &mut PacemakerCluster, story: &mut Story, from: NodeName) -> Result<NodeName> {
    let to = moves::order_move(cluster, story, from)?;
    moves::clear_move(cluster, story, to)?;
    on_one_device(cluster, to)?;
    Ok(to)
}

fn kill_node(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let victim = active(cluster)?;
    let at = cluster.power_off(victim)?;
    story.failure(at, format!("{victim} lost power"));
    let survivor = taken_over(cluster, story, victim)?;
    story.close();
    on_one_device(cluster, survivor)?;
    story.note(format!("{victim} is switched on again"));
    cluster.repair(victim)?;
    cluster.settle(Some(survivor), RETURN_LIMIT)?;
    on_one_device(cluster, survivor)?;
    cluster.ensure_no_failures()
}

/// Asserts that only this one of the healthy nodes has the private address, in EC2 and on its device.
fn on_one_device(cluster: &PacemakerCluster, node: NodeName) -> Result<()> {
    let holder = cluster.world().holder_of(PRIVATE_VIP);
    ensure(holder == Some(node), || format!("{PRIVATE_VIP} is assigned to {holder:?}, not to {node}"))?;
    let devices = cluster.devices_with(PRIVATE_VIP)?;
    ensure(devices == [node], || format!("active on {node}, on the devices of {devices:?}"))
}
