//! Two nodes with keepalived in a simulated cloud. Dropping the pair ends and removes everything.

use std::ops::{Deref, DerefMut};
use std::path::Path;

use cluster::error::Result;
use cluster::pair::{Machines, Parts};
use cluster::topology::NodeName;
use cluster::wait::{Epoch, now};

use crate::setup::{Setup, own_address};

/// The nodes, and what runs on them.
pub struct Pair(Machines);

impl Deref for Pair {
    type Target = Machines;

    fn deref(&self) -> &Machines {
        &self.0
    }
}

impl DerefMut for Pair {
    fn deref_mut(&mut self) -> &mut Machines {
        &mut self.0
    }
}

impl Pair {
    /// Boots both nodes, each with an elastic IP of its own. keepalived does not run yet.
    ///
    /// # Errors
    /// When any part fails to come up; what was made until then is removed.
    pub fn boot(setup: &Setup, packages: &Path) -> Result<Self> {
        let parts = Parts { init: include_str!("node-init.sh"), packages, user: setup.secret };
        let mut pair = Self(Machines::create(parts, |name| setup.files(name))?);
        for name in NodeName::first(2) {
            drop(pair.world().cloud().allocate(Some(own_address(name))));
            pair.give(own_address(name), name)?;
            pair.node_mut(name)?.boot()?;
        }
        Ok(pair)
    }

    /// Starts keepalived on a node.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_keepalived(&self, name: NodeName) -> Result<Epoch> {
        let at = now();
        self.node(name)?.run(&["systemctl", "start", "keepalived"])?;
        Ok(at)
    }

    /// Stops keepalived on a node in order, with SIGTERM, and returns when that began.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop_keepalived(&self, name: NodeName) -> Result<Epoch> {
        let at = now();
        self.node(name)?.run(&["systemctl", "stop", "keepalived"])?;
        Ok(at)
    }

    /// Starts the service that the article's check looks for, after somebody has killed it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_service(&mut self, name: NodeName) -> Result<Epoch> {
        let at = now();
        self.node_mut(name)?.daemon("haproxy", &["/run/harness/haproxy", "infinity"])?;
        Ok(at)
    }

    /// Makes good whatever has happened to a node, and returns when.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn repair(&mut self, name: NodeName) -> Result<Epoch> {
        let (at, dead) = self.reconnect(name)?;
        if dead {
            self.node_mut(name)?.boot()?;
            self.start_keepalived(name)?;
        }
        Ok(at)
    }

    /// Returns whether a node has its own address.
    pub fn has_own(&self, name: NodeName) -> bool {
        let holder = self.world().cloud().holder(own_address(name));
        holder.is_some_and(|holder| holder.instance.as_str() == name.instance())
    }

    /// Has a node install what is in its script at every boot from now on.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn keep(&self, install: &str) -> Result<()> {
        self.write("install", install)
    }
}
