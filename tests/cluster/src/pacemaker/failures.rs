//! Failures of a node's cluster daemons, and how the node rejoins.

use std::time::Duration;

use super::PacemakerCluster;
use crate::error::Result;
use crate::machines::NodeCondition;
use crate::topology::{CLOUD_IP, EC2_PORT, NodeName};
use crate::wait::{Epoch, Polled, until};

const COROSYNC_LIMIT: Duration = Duration::from_secs(20);
/// The daemons that outlive a killed Corosync if no service manager ends them.
const DAEMONS: [&str; 8] = [
    "pacemakerd",
    "pacemaker-based",
    "pacemaker-fence",
    "pacemaker-execd",
    "pacemaker-attrd",
    "pacemaker-sched",
    "pacemaker-contr",
    "corosync",
];

impl PacemakerCluster {
    /// Kills a node's Corosync and returns when.
    ///
    /// # Errors
    /// If the node is not running.
    pub fn kill_corosync(&mut self, node: NodeName) -> Result<Epoch> {
        self.node(node)?.kill_processes(&["corosync"])?;
        Ok(self.set_condition(node, NodeCondition::NoCorosync))
    }

    /// Undoes any failure of a node except stopped processes, and returns when that began. The node need not be a member yet.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn repair(&mut self, node: NodeName) -> Result<Epoch> {
        let (at, condition) = self.reconnect(node)?;
        match condition {
            NodeCondition::Dead => self.node_mut(node)?.boot()?,
            NodeCondition::NoCorosync => self.node(node)?.kill_processes(&DAEMONS).map(drop)?,
            NodeCondition::Well | NodeCondition::Cut(_) => return Ok(at),
        }
        self.start_daemons(&[node])?;
        Ok(at)
    }

    /// Starts Corosync and Pacemaker on running nodes.
    pub(super) fn start_daemons(&mut self, nodes: &[NodeName]) -> Result<()> {
        for &name in nodes {
            self.node_mut(name)?.daemon("corosync", &["corosync", "-f"])?;
        }
        for &name in nodes {
            let node = self.node_mut(name)?;
            until(&format!("corosync on {name}"), COROSYNC_LIMIT, || {
                let said = node.output_of("corosync");
                Ok(match Polled::tolerant(node.run(&["corosync-cfgtool", "-s"]))? {
                    Polled::NotYet(why) => Polled::NotYet(format!("{why} {said}")),
                    Polled::There(_) => Polled::There(()),
                })
            })?;
            // Without HOME, as under systemd. The STS endpoint is not a parameter of a resource.
            let sts = format!("AWS_ENDPOINT_URL_STS=http://{CLOUD_IP}:{EC2_PORT}");
            node.daemon("pacemakerd", &["env", &sts, "pacemakerd", "-f"])?;
        }
        Ok(())
    }
}
