//! Two nodes with Heartbeat in a simulated cloud. Dropping the pair ends and removes everything.

mod fate;

use std::collections::BTreeSet;
use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::Path;

use cluster::error::Result;
use cluster::pair::{Machines, Parts};
use cluster::topology::NodeName;

use crate::setup::Setup;

/// The nodes, and what runs on them.
pub struct Pair {
    machines: Machines,
    setup: Setup,
    /// The nodes that run without Heartbeat.
    stopped: BTreeSet<NodeName>,
}

impl Deref for Pair {
    type Target = Machines;

    fn deref(&self) -> &Machines {
        &self.machines
    }
}

impl DerefMut for Pair {
    fn deref_mut(&mut self) -> &mut Machines {
        &mut self.machines
    }
}

impl Pair {
    /// Boots both nodes. Heartbeat does not run yet.
    ///
    /// # Errors
    /// When any part fails to come up; what was made until then is removed.
    pub fn boot(setup: Setup, packages: &Path) -> Result<Self> {
        let names: Vec<NodeName> = NodeName::first(2).collect();
        let user = setup.secret.as_ref().map(|(id, secret)| (id.as_str(), secret.as_str()));
        let parts = Parts { init: include_str!("../node-init.sh"), packages, user };
        let machines = Machines::create(parts, |name| setup.files(name, &names))?;
        let mut pair = Self { machines, setup, stopped: names.iter().copied().collect() };
        for &name in &names {
            pair.start(name)?;
        }
        Ok(pair)
    }

    /// Has a node that boots run this script from now on.
    pub fn keep_installed(&mut self, script: &'static str) {
        self.setup.install = Some(script);
    }

    /// Returns how often Heartbeat has called `elastic-ip` on a node with an action, by its log.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn calls(&self, name: NodeName, action: &str) -> Result<usize> {
        let log = self.heartbeat_log(name)?;
        let call =
            |line: &&str| line.contains("/elastic-ip ") && line.trim_end().ends_with(&format!(" {action}"));
        Ok(log.lines().filter(call).count())
    }

    /// Returns what Heartbeat on a node has logged, over all its lives.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn heartbeat_log(&self, name: NodeName) -> Result<String> {
        Ok(fs::read_to_string(self.node(name)?.logs().join("ha-log")).unwrap_or_default())
    }

    /// Returns the nodes that nothing has happened to and that run Heartbeat.
    pub fn well(&self) -> Vec<NodeName> {
        let mut well = self.machines.well();
        well.retain(|name| !self.stopped.contains(name));
        well
    }
}
