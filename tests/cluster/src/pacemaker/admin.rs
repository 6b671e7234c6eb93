//! An administrator's actions on the resource and on nodes, with an administrator's tools.

use std::time::Duration;

use super::{ELASTIC, ManagedAddress, PRIVATE, PacemakerCluster, RESOURCE};
use crate::error::Result;
use crate::topology::{CLOUD_IP, EC2_PORT, NodeName};
use crate::wait::{Polled, until};

/// Interval of the resource's monitor.
pub const MONITOR_INTERVAL: Duration = Duration::from_secs(3);
/// How long an administrator's command is retried.
const ADMIN_LIMIT: Duration = Duration::from_mins(1);
/// Id of the monitor that queries EC2 too. Its interval differs, because Pacemaker identifies operations by it.
const DEEP_MONITOR: &str = "eip-deep-monitor";

impl PacemakerCluster {
    /// The command with which a user creates the resource.
    pub fn creation() -> String {
        creation(RESOURCE, &ELASTIC, &[])
    }

    /// Creates the resource.
    ///
    /// # Errors
    /// If `pcs` refuses.
    pub fn create_resource(&self) -> Result<()> {
        self.create(&Self::creation())
    }

    /// Creates a resource for the private address instead. A stop leaves the address, so the elastic IP on it moves along.
    ///
    /// # Errors
    /// If `pcs` refuses.
    pub fn create_private_resource(&self) -> Result<()> {
        self.create(&creation(RESOURCE, &PRIVATE, &["on_stop=leave"]))
    }

    /// Creates a resource for the overlay address instead, with all route tables, and with the role for them if another account owns them.
    ///
    /// # Errors
    /// If `pcs` refuses.
    pub fn create_overlay_resource(&self) -> Result<()> {
        let tables: Vec<_> = self.world().route_tables().iter().map(ToString::to_string).collect();
        let tables = format!("routing_table={}", tables.join(","));
        let role = self.world().routing_role().map(|role| format!("routing_table_role={role}"));
        let parameters: Vec<&str> = [tables.as_str()].into_iter().chain(role.as_deref()).collect();
        self.addresses.iter().try_for_each(|address| self.create(&creation(RESOURCE, address, &parameters)))
    }

    /// Creates a resource for another address besides the elastic IP. From now on, the cluster is settled only if that one is, too.
    ///
    /// # Errors
    /// If `pcs` refuses.
    pub fn create_beside(&mut self, address: &'static ManagedAddress) -> Result<()> {
        self.create(&creation(address.resource, address, address.parameters))?;
        self.addresses.push(address);
        Ok(())
    }

    fn create(&self, command: &str) -> Result<()> {
        self.run(&command.split(' ').collect::<Vec<_>>()).map(drop)
    }

    /// Adds or removes a monitor that queries EC2 each time. The other one queries EC2 only soon after a change.
    ///
    /// # Errors
    /// If `pcs` refuses.
    pub fn set_deep_monitor(&self, on: bool) -> Result<()> {
        let id = format!("id={DEEP_MONITOR}");
        let add = ["add", RESOURCE, "monitor", "interval=4s", "timeout=20s", "OCF_CHECK_LEVEL=10", &id];
        let delete = ["delete", DEEP_MONITOR];
        let words: &[&str] = if on { &add } else { &delete };
        self.run(&[&["pcs", "resource", "op"], words].concat()).map(drop)
    }

    /// Puts a node into standby, or back online.
    ///
    /// # Errors
    /// If `pcs` refuses.
    pub fn set_standby(&mut self, node: NodeName, on: bool) -> Result<()> {
        let verb = if on { "standby" } else { "unstandby" };
        self.insist(&["pcs", "node", verb, &node.to_string()])?;
        if on {
            self.standby.insert(node)
        } else {
            self.standby.remove(&node)
        };
        Ok(())
    }

    /// Sets a meta attribute of the resource, and of the second one if there is one; an empty value removes it.
    ///
    /// # Errors
    /// If `pcs` refuses.
    pub fn set_meta(&self, name: &str, value: &str) -> Result<()> {
        let set = |resource| self.insist(&["pcs", "resource", "meta", resource, &format!("{name}={value}")]);
        self.addresses.iter().try_for_each(|address| set(address.resource))
    }

    /// Clears failed actions and fail-counts.
    ///
    /// # Errors
    /// If `crm_resource` refuses.
    pub fn clean_up(&self) -> Result<()> {
        let clean = |resource| self.insist(&["crm_resource", "--cleanup", "-r", resource]);
        self.addresses.iter().try_for_each(|address| clean(address.resource))
    }

    /// Retries a command until it succeeds: while nodes merge, the configuration can change under `pcs`, and a controller can cease to
    /// be the DC before it answers.
    ///
    /// # Errors
    /// [`HarnessError::TimedOut`](crate::error::HarnessError::TimedOut) after a minute of failures.
    pub fn insist(&self, words: &[&str]) -> Result<()> {
        until(&words.join(" "), ADMIN_LIMIT, || {
            Ok(match Polled::tolerant(self.run(words))? {
                Polled::There(_) => Polled::There(()),
                Polled::NotYet(why) => Polled::NotYet(why),
            })
        })
    }
}

fn creation(resource: &str, address: &ManagedAddress, parameters: &[&str]) -> String {
    let ManagedAddress { agent, parameter, ip, .. } = address;
    let interval = MONITOR_INTERVAL.as_secs();
    let parameters = [parameters, &[""]].concat().join(" ");
    format!(
        "pcs resource create {resource} ocf:heartbeat:{agent} {parameter}={ip} {parameters}\
         endpoint_url=http://{CLOUD_IP}:{EC2_PORT} op monitor interval={interval}s timeout=20s"
    )
}
