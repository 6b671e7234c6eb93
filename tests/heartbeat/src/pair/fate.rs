//! What happens to the nodes of a pair that is Heartbeat's own: boots, orders, and the end of a failure.

use std::time::Duration;

use cluster::error::{Result, ensure};
use cluster::topology::{CLOUD_IP, EC2_PORT, NodeName};
use cluster::wait::{Epoch, now};

use super::Pair;
use crate::programs;

/// From the order to stop until Heartbeat has ended: it lets go of the address first.
const STOP_LIMIT: Duration = Duration::from_mins(1);
/// For dpkg.
const INSTALL_LIMIT: Duration = Duration::from_mins(1);

impl Pair {
    /// Boots a node and installs what it is to have.
    ///
    /// # Errors
    /// When it does not come up, or a package cannot be installed.
    pub fn start(&mut self, name: NodeName) -> Result<()> {
        self.node_mut(name)?.boot()?;
        if let Some(script) = &self.setup.install {
            self.node(name)?.command(&["sh", "-ec", script])?.limit(INSTALL_LIMIT).run()?;
        }
        Ok(())
    }

    /// Starts Heartbeat on a node that runs.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_heartbeat(&mut self, name: NodeName) -> Result<()> {
        let endpoint = format!("AWS_ENDPOINT_URL=http://{CLOUD_IP}:{EC2_PORT}");
        let mut words = vec!["env"];
        if self.setup.endpoint_in_environment {
            words.push(&endpoint);
        }
        // Before the tests, which are no node's: with `realtime off` a busy machine would look like a dead one.
        words.extend(["nice", "-n", "-20", programs::HEARTBEAT, "-f"]);
        self.stopped.remove(&name);
        self.node_mut(name)?.daemon("heartbeat", &words)
    }

    /// Stops Heartbeat on a node in order, and returns when that began.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop_heartbeat(&mut self, name: NodeName) -> Result<Epoch> {
        let at = now();
        self.stopped.insert(name);
        self.node(name)?.command(&[programs::HEARTBEAT, "-k"])?.limit(STOP_LIMIT).run()?;
        Ok(at)
    }

    /// Kills all processes of Heartbeat on a node that lives on, and returns when.
    ///
    /// # Errors
    /// When there is none.
    pub fn kill_heartbeat(&mut self, name: NodeName) -> Result<Epoch> {
        let at = now();
        self.stopped.insert(name);
        let killed = self.node(name)?.kill_processes(&["heartbeat"])?;
        ensure(killed > 0, || format!("no process of Heartbeat runs on {name}"))?;
        Ok(at)
    }

    /// Makes good whatever has happened to a node, and returns when.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn repair(&mut self, name: NodeName) -> Result<Epoch> {
        let (at, dead) = self.reconnect(name)?;
        if dead {
            self.start(name)?;
            self.start_heartbeat(name)?;
        }
        Ok(at)
    }
}
