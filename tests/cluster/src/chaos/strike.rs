//! Brings one failure about.

use std::time::Duration;

use aws_sim::{Fault, FaultKind, InstanceId, Service};

use super::failure::{Failure, Whom};
use super::hunter::Hunter;
use super::plan::Strike;
use super::struck::Struck;
use super::undo::Undo;
use crate::cluster::{Cluster, Cut, RESOURCE};
use crate::error::{Error, Result};
use crate::topology::{ELASTIC_IP, NodeName};
use crate::wait::now;

/// How much slower a hunted agent's metadata service is, so that it lives long enough to be seen.
const SLOWED: Duration = Duration::from_millis(120);
const WRITES: [&str; 2] = ["AssociateAddress", "DisassociateAddress"];

/// Brings a failure about, with `holder` in the role of the holder; returns what was done and how it is made good.
///
/// # Errors
/// When it can't be brought about. An order of an administrator that is refused is no error.
pub fn begin(cluster: &mut Cluster, strike: &Strike, holder: NodeName) -> Result<(Struck, Undo)> {
    let target = resolve(cluster, strike.whom, holder);
    let from = now();
    let (undo, note) = match (&strike.failure, target) {
        (failure, _) if failure.is_of_services() => (of_services(cluster, failure, target), None),
        (Failure::TakenAway, _) | (_, None) => {
            cluster.world().cloud().disassociate(ELASTIC_IP);
            (Undo::Nothing, None)
        }
        (Failure::GivenTo, Some(one)) => give(cluster, one).map(|()| (Undo::Nothing, None))?,
        (failure, Some(one)) if failure.claims_node() => (of_node(cluster, failure, one, holder)?, None),
        (failure, Some(one)) => by_administrator(cluster, failure, one)?,
    };
    Ok((Struck { failure: strike.failure.clone(), node: target, from, to: None, killed: None, note }, undo))
}

fn of_node(cluster: &mut Cluster, failure: &Failure, node: NodeName, holder: NodeName) -> Result<Undo> {
    Ok(match failure {
        Failure::PowerCut => cluster.power_off(node).map(|_| Undo::Repair(node))?,
        Failure::LinkDown => cluster.cut(node, Cut::LinkDown).map(|_| Undo::Repair(node))?,
        Failure::Blackhole => cluster.cut(node, Cut::Blackhole).map(|_| Undo::Repair(node))?,
        Failure::PeersLost => cluster.cut(node, Cut::Peers).map(|_| Undo::Repair(node))?,
        Failure::PathBroken => {
            let peer = resolve(cluster, if node == holder { Whom::Other(0) } else { Whom::Holder }, holder);
            let peer = peer.unwrap_or(holder);
            cluster.net().set_joined(node, peer, false)?;
            Undo::Join(node, peer)
        }
        Failure::CorosyncKilled => cluster.kill_corosync(node).map(|_| Undo::Repair(node))?,
        Failure::Left => cluster.leave(node).map(|_| Undo::Repair(node))?,
        Failure::NodeStopped => cluster.stop_processes(node, None).map(|_| Undo::GoOn(node))?,
        Failure::DaemonStopped(daemon) => {
            cluster.stop_processes(node, Some(daemon)).map(|_| Undo::GoOn(node))?
        }
        Failure::DaemonKilled(daemon) => {
            cluster.node(node)?.kill_processes(&[daemon]).map(|_| Undo::Nothing)?
        }
        Failure::AgentsKilled(after) => {
            let slow = Fault::new(Service::Imds, FaultKind::Delay(SLOWED)).instance(&id_of(node));
            let fault = cluster.world().cloud().fault(slow);
            Undo::Hunt(Hunter::start(cluster.node(node)?.processes()?, *after)?, fault)
        }
        other => return Err(Error::Wrong(format!("{other} is nothing that strikes a node's machine"))),
    })
}

fn of_services(cluster: &Cluster, failure: &Failure, node: Option<NodeName>) -> Undo {
    let (world, cloud) = (cluster.world(), cluster.world().cloud());
    let affected: Vec<NodeName> = node.map_or_else(|| cluster.nodes(), |one| vec![one]);
    match failure {
        Failure::ApiIll(kind) => {
            let fault = |service| Fault::new(service, kind.clone());
            let own = |fault: Fault| node.map_or(fault.clone(), |one| fault.instance(&id_of(one)));
            Undo::Faults([Service::Ec2, Service::Sts].map(|service| cloud.fault(own(fault(service)))).into())
        }
        Failure::AnswersLost(kind) => {
            let fault = |write| Fault::new(Service::Ec2, kind.clone()).operation(write);
            Undo::Faults(WRITES.map(|write| cloud.fault(fault(write))).into())
        }
        Failure::DescribesOld(lag) => {
            cloud.set_describe_lag(*lag);
            Undo::Describes
        }
        Failure::MetadataIll(state) => {
            for one in &affected {
                world.set_imds(*one, *state);
            }
            Undo::Metadata(affected)
        }
        Failure::MetadataOld(lag) => {
            for one in &affected {
                cloud.set_imds_lag(&id_of(*one), *lag);
            }
            Undo::MetadataLag(affected)
        }
        _ => Undo::Nothing,
    }
}

fn by_administrator(cluster: &Cluster, failure: &Failure, node: NodeName) -> Result<(Undo, Option<String>)> {
    let name = node.to_string();
    let order = |words: &[&str], back: &[&str]| {
        Ok((Undo::Order(back.iter().map(ToString::to_string).collect()), cluster.order(words)?))
    };
    let clear = ["crm_resource", "--clear", "-r", RESOURCE];
    match failure {
        Failure::Standby => {
            order(&["crm_standby", "-N", &name, "-v", "on"], &["crm_standby", "-N", &name, "-v", "off"])
        }
        Failure::MovedTo => order(&["crm_resource", "--move", "-r", RESOURCE, "-N", &name], &clear),
        _ => order(&["crm_resource", "--ban", "-r", RESOURCE, "-N", &name], &clear),
    }
}

fn resolve(cluster: &Cluster, whom: Whom, holder: NodeName) -> Option<NodeName> {
    let others: Vec<_> = cluster.nodes().into_iter().filter(|node| *node != holder).collect();
    match whom {
        Whom::Holder => Some(holder),
        Whom::Other(number) => others.get(usize::from(number) % others.len().max(1)).copied(),
        Whom::All => None,
    }
}

fn give(cluster: &Cluster, node: NodeName) -> Result<()> {
    let cloud = cluster.world().cloud();
    let instance = cloud.instance(&id_of(node));
    let eni = instance.as_ref().and_then(|instance| instance.interfaces.first()).map(|first| &first.eni);
    let eni = eni.ok_or_else(|| Error::Wrong(format!("{node} has no interface")))?;
    let given = cloud.try_associate(ELASTIC_IP, eni, None);
    given.map(drop).map_err(|error| Error::Wrong(error.to_string()))
}

/// Returns the id of a node's instance.
#[must_use]
pub fn id_of(node: NodeName) -> InstanceId {
    aws_sim::parsed(node.instance())
}
