//! Initial states of scenarios.

use super::{RETURN_LIMIT, TAKEOVER_LIMIT, active};
use crate::error::{HarnessError, Result};
use crate::machines::{Cut, NodeCondition};
use crate::pacemaker::{OVERLAY_BESIDE, PacemakerCluster, RESOURCE};
use crate::topology::{Layout, NodeName, PRIVATE_VIP};
use crate::wait::{Polled, until};

/// Initial state of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartState {
    /// All nodes healthy; no resource, and the address is unassigned.
    Bare,
    /// All nodes healthy, the resource settled, no failure on record.
    Healthy,
    /// All nodes healthy and in one subnet; a resource `vip` settled, with the elastic IP on the private address that it moves.
    Private,
    /// All nodes healthy, with route tables; a resource `overlay-ip` settled, no failure on record.
    Overlay,
    /// As `Overlay`, with an IPv6 address.
    Ipv6Overlay,
    /// As `Overlay`, with route tables of another account.
    SharedOverlay,
    /// All nodes healthy; one resource for the elastic IP and one for an overlay address settled, no failure on record.
    TwoKinds,
    /// The node that held the address is cut off, another one has taken over.
    TakenOverFromIsolated(Cut),
    /// The node that held the address is dead, another one has taken over.
    TakenOverFromDead,
}

impl StartState {
    /// The VPC's layout that the state requires.
    pub fn layout(self) -> Layout {
        match self {
            Self::Private => Layout::OneSubnet,
            Self::Overlay => Layout::RouteTables,
            Self::Ipv6Overlay => Layout::Ipv6RouteTables,
            Self::SharedOverlay => Layout::SharedVpc,
            Self::TwoKinds => Layout::EveryKind,
            Self::Bare | Self::Healthy | Self::TakenOverFromIsolated(_) | Self::TakenOverFromDead => {
                Layout::Zones
            }
        }
    }

    /// Brings the cluster into this state, unless it is in it already.
    pub fn prepare(self, cluster: &mut PacemakerCluster) -> Result<()> {
        cluster.world().heal();
        match self {
            Self::Bare => bare(cluster),
            Self::Healthy => healthy(cluster, PacemakerCluster::create_resource),
            Self::Overlay | Self::Ipv6Overlay | Self::SharedOverlay => {
                healthy(cluster, PacemakerCluster::create_overlay_resource)
            }
            Self::Private => private(cluster),
            Self::TwoKinds => {
                healthy(cluster, PacemakerCluster::create_resource)?;
                if !cluster.addresses().contains(&&OVERLAY_BESIDE) {
                    cluster.create_beside(&OVERLAY_BESIDE)?;
                }
                cluster.settle(None, RETURN_LIMIT).map(drop)
            }
            Self::TakenOverFromIsolated(cut) => {
                without_one(cluster, NodeCondition::Cut(cut), |cluster, node| {
                    cluster.cut(node, cut).map(drop)
                })
            }
            Self::TakenOverFromDead => {
                without_one(cluster, NodeCondition::Dead, |cluster, node| cluster.power_off(node).map(drop))
            }
        }
    }
}

fn bare(cluster: &mut PacemakerCluster) -> Result<()> {
    repair_all(cluster)?;
    if has_resource(cluster)? {
        cluster.run(&["pcs", "resource", "delete", RESOURCE])?;
    }
    until("the address without a holder", TAKEOVER_LIMIT, || {
        Ok(cluster
            .world()
            .holder()
            .map_or(Polled::There(()), |node| Polled::NotYet(format!("{node} holds it"))))
    })
}

fn healthy(cluster: &mut PacemakerCluster, create: fn(&PacemakerCluster) -> Result<()>) -> Result<()> {
    repair_all(cluster)?;
    if !has_resource(cluster)? {
        create(cluster)?;
    }
    cluster.settle(None, RETURN_LIMIT)?;
    if cluster.ensure_no_failures().is_err() {
        cluster.clean_up()?;
        cluster.settle(None, RETURN_LIMIT)?;
    }
    cluster.ensure_no_failures()
}

fn private(cluster: &mut PacemakerCluster) -> Result<()> {
    repair_all(cluster)?;
    if !has_resource(cluster)? {
        cluster.create_private_resource()?;
        until("the private address on a node", TAKEOVER_LIMIT, || {
            let holder = cluster.world().holder_of(PRIVATE_VIP);
            Ok(holder.map_or(Polled::NotYet("unassigned".into()), |_| Polled::There(())))
        })?;
        cluster.world().put_on_private_vip()?;
    }
    cluster.settle(None, RETURN_LIMIT)?;
    cluster.ensure_no_failures()
}

fn without_one(
    cluster: &mut PacemakerCluster,
    condition: NodeCondition,
    strike: impl FnOnce(&mut PacemakerCluster, NodeName) -> Result<()>,
) -> Result<()> {
    let conditions = cluster.nodes().into_iter().map(|node| cluster.condition(node));
    if conditions.filter(|known| *known != NodeCondition::Well).ne([condition]) {
        healthy(cluster, PacemakerCluster::create_resource)?;
        let node = active(cluster)?;
        strike(cluster, node)?;
    }
    cluster.settle(None, TAKEOVER_LIMIT).map(drop)
}

fn repair_all(cluster: &mut PacemakerCluster) -> Result<()> {
    cluster.nodes().into_iter().try_for_each(|node| cluster.repair(node).map(drop))
}

/// Queries a node that is a member of the cluster again; a node just repaired is not one at once.
fn has_resource(cluster: &PacemakerCluster) -> Result<bool> {
    let first =
        cluster.well().first().copied().ok_or_else(|| HarnessError::Wrong("no node is healthy".into()))?;
    let status = until("an answer of crm_mon", RETURN_LIMIT, || Polled::tolerant(cluster.status(first)))?;
    Ok(status.resource(RESOURCE).is_some())
}
