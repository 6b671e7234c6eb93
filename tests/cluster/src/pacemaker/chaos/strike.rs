//! Brings one failure about.

use std::time::Duration;

use aws_sim::{Fault, FaultKind, InstanceId, Service};

use super::failure::{Disruption, Whom};
use super::hunter::Hunter;
use super::plan::PlannedStrike;
use super::struck::Struck;
use super::undo::Undo;
use crate::error::{HarnessError, Result};
use crate::machines::Cut;
use crate::pacemaker::{PacemakerCluster, RESOURCE};
use crate::topology::{ELASTIC_IP, NodeName, PRIVATE_VIP};
use crate::wait::now;

/// Extra delay of a hunted agent's metadata service, so that the agent lives long enough to be seen.
const SLOWED: Duration = Duration::from_millis(120);

/// Brings a failure about, with `holder` in the role of the holder; returns what was done and how to undo it.
pub fn begin(
    cluster: &mut PacemakerCluster,
    strike: &PlannedStrike,
    holder: NodeName,
) -> Result<(Struck, Undo)> {
    let target = resolve(cluster, strike.whom, holder);
    let from = now();
    let (undo, note) = match (&strike.failure, target) {
        (failure, _) if failure.is_of_services() => (of_services(cluster, failure, target), None),
        (Disruption::PrivateTakenAway, _) => {
            cluster.world().cloud().unassign_private_ip(PRIVATE_VIP);
            (Undo::Nothing, None)
        }
        (Disruption::RouteTaken, _) => {
            cluster.world().lead_elsewhere();
            (Undo::Nothing, None)
        }
        (Disruption::TakenAway, _) | (_, None) => {
            cluster.world().cloud().disassociate(ELASTIC_IP);
            (Undo::Nothing, None)
        }
        (Disruption::PrivateGivenTo, Some(one)) => {
            cluster.world().assign_private(PRIVATE_VIP, one)?;
            (Undo::Nothing, None)
        }
        (Disruption::RoutesGivenTo, Some(one)) => {
            cluster.world().lead_to(one)?;
            (Undo::Nothing, None)
        }
        (Disruption::GivenTo, Some(one)) => cluster.give(ELASTIC_IP, one).map(|()| (Undo::Nothing, None))?,
        (failure, Some(one)) if failure.claims_node() => (of_node(cluster, failure, one, holder)?, None),
        (failure, Some(one)) => by_administrator(cluster, failure, one)?,
    };
    Ok((Struck { failure: strike.failure.clone(), node: target, from, to: None, killed: None, note }, undo))
}

fn of_node(
    cluster: &mut PacemakerCluster,
    failure: &Disruption,
    node: NodeName,
    holder: NodeName,
) -> Result<Undo> {
    Ok(match failure {
        Disruption::PowerCut => cluster.power_off(node).map(|_| Undo::Repair(node))?,
        Disruption::LinkDown => cluster.cut(node, Cut::LinkDown).map(|_| Undo::Repair(node))?,
        Disruption::Blackhole => cluster.cut(node, Cut::Blackhole).map(|_| Undo::Repair(node))?,
        Disruption::PeersLost => cluster.cut(node, Cut::Peers).map(|_| Undo::Repair(node))?,
        Disruption::PathBroken => {
            let peer = resolve(cluster, if node == holder { Whom::Other(0) } else { Whom::Holder }, holder);
            let peer = peer.unwrap_or(holder);
            cluster.net().set_joined(node, peer, false)?;
            Undo::Join(node, peer)
        }
        Disruption::CorosyncKilled => cluster.kill_corosync(node).map(|_| Undo::Repair(node))?,
        Disruption::Left => cluster.leave(node).map(|_| Undo::Repair(node))?,
        Disruption::NodeStopped => cluster.stop_processes(node, None).map(|_| Undo::GoOn(node))?,
        Disruption::DaemonStopped(daemon) => {
            cluster.stop_processes(node, Some(daemon)).map(|_| Undo::GoOn(node))?
        }
        Disruption::DaemonKilled(daemon) => {
            cluster.node(node)?.kill_processes(&[daemon]).map(|_| Undo::Nothing)?
        }
        Disruption::AgentsKilled(after) => {
            let slow = Fault::new(Service::Imds, FaultKind::Delay(SLOWED)).instance(&id_of(node));
            let fault = cluster.world().cloud().fault(slow);
            Undo::Hunt(Hunter::start(cluster.node(node)?.processes()?, *after)?, fault)
        }
        other => {
            return Err(HarnessError::Wrong(format!("{other} is not a failure of a node's machine")));
        }
    })
}

fn of_services(cluster: &PacemakerCluster, failure: &Disruption, node: Option<NodeName>) -> Undo {
    let (world, cloud) = (cluster.world(), cluster.world().cloud());
    let affected: Vec<NodeName> = node.map_or_else(|| cluster.nodes(), |one| vec![one]);
    match failure {
        Disruption::ApiIll(kind) => {
            let fault = |service| Fault::new(service, kind.clone());
            let own = |fault: Fault| node.map_or(fault.clone(), |one| fault.instance(&id_of(one)));
            Undo::Faults([Service::Ec2, Service::Sts].map(|service| cloud.fault(own(fault(service)))).into())
        }
        Disruption::AnswersLost(kind) => {
            let fault = |write| Fault::new(Service::Ec2, kind.clone()).operation(write);
            let writes = cluster.addresses().iter().flat_map(|address| address.calls);
            Undo::Faults(writes.map(|write| cloud.fault(fault(write))).collect())
        }
        Disruption::DescribesOld(lag) => {
            cloud.set_describe_lag(*lag);
            Undo::Describes
        }
        Disruption::MetadataIll(state) => {
            for one in &affected {
                world.set_imds(*one, *state);
            }
            Undo::Metadata(affected)
        }
        Disruption::MetadataOld(lag) => {
            for one in &affected {
                cloud.set_imds_lag(&id_of(*one), *lag);
            }
            Undo::MetadataLag(affected)
        }
        _ => Undo::Nothing,
    }
}

fn by_administrator(
    cluster: &PacemakerCluster,
    failure: &Disruption,
    node: NodeName,
) -> Result<(Undo, Option<String>)> {
    let name = node.to_string();
    let order = |words: &[&str], back: &[&str]| {
        Ok((Undo::Order(back.iter().map(ToString::to_string).collect()), cluster.order(words)?))
    };
    let clear = ["crm_resource", "--clear", "-r", RESOURCE];
    match failure {
        Disruption::Standby => {
            order(&["crm_standby", "-N", &name, "-v", "on"], &["crm_standby", "-N", &name, "-v", "off"])
        }
        Disruption::MovedTo => order(&["crm_resource", "--move", "-r", RESOURCE, "-N", &name], &clear),
        _ => order(&["crm_resource", "--ban", "-r", RESOURCE, "-N", &name], &clear),
    }
}

fn resolve(cluster: &PacemakerCluster, whom: Whom, holder: NodeName) -> Option<NodeName> {
    let others: Vec<_> = cluster.nodes().into_iter().filter(|node| *node != holder).collect();
    match whom {
        Whom::Holder => Some(holder),
        Whom::Other(number) => others.get(usize::from(number) % others.len().max(1)).copied(),
        Whom::All => None,
    }
}

pub fn id_of(node: NodeName) -> InstanceId {
    aws_sim::parsed(node.instance())
}
