//! Actions of an administrator on the resource and on nodes, with an administrator's tools.

use std::time::Duration;

use super::{ELASTIC, ManagedAddress, PRIVATE, PacemakerCluster, RESOURCE};
use crate::error::Result;
use crate::topology::{CLOUD_IP, EC2_PORT, NodeName};
use crate::wait::{Polled, until};

/// How often Pacemaker asks the agent.
pub const MONITOR_INTERVAL: Duration = Duration::from_secs(3);
/// How long a command of an administrator is repeated.
const ADMIN_LIMIT: Duration = Duration::from_mins(1);
/// The id of the operation that asks EC2, too. Its interval differs, because Pacemaker tells operations apart by it.
const DEEP_MONITOR: &str = "eip-deep-monitor";

impl PacemakerCluster {
    /// Returns the command with which a user creates the resource.
    pub fn creation() -> String {
        creation(RESOURCE, &ELASTIC, &[])
    }

    /// Creates the resource.
    ///
    /// # Errors
    /// When `pcs` refuses.
    pub fn create_resource(&self) -> Result<()> {
        self.create(&Self::creation())
    }

    /// Creates a resource for the private address instead. A stop leaves the address, so that the elastic IP on it moves along.
    ///
    /// # Errors
    /// When `pcs` refuses.
    pub fn create_private_resource(&self) -> Result<()> {
        self.create(&creation(RESOURCE, &PRIVATE, &["on_stop=leave"]))
    }

    /// Creates a resource for the overlay address instead, with all route tables, and the role for them if they are of another account.
    ///
    /// # Errors
    /// When `pcs` refuses.
    pub fn create_overlay_resource(&self) -> Result<()> {
        let tables: Vec<_> = self.world().route_tables().iter().map(ToString::to_string).collect();
        let tables = format!("routing_table={}", tables.join(","));
        let role = self.world().routing_role().map(|role| format!("routing_table_role={role}"));
        let parameters: Vec<&str> = [tables.as_str()].into_iter().chain(role.as_deref()).collect();
        self.addresses.iter().try_for_each(|address| self.create(&creation(RESOURCE, address, &parameters)))
    }

    /// Creates a resource for another address beside the elastic IP. From now on, the cluster is settled only if that is, too.
    ///
    /// # Errors
    /// When `pcs` refuses.
    pub fn create_beside(&mut self, address: &'static ManagedAddress) -> Result<()> {
        self.create(&creation(address.resource, address, address.parameters))?;
        self.addresses.push(address);
        Ok(())
    }

    fn create(&self, command: &str) -> Result<()> {
        self.run(&command.split(' ').collect::<Vec<_>>()).map(drop)
    }

    /// Adds a monitor that asks EC2 each time, or removes it. The other one asks EC2 only soon after a change.
    ///
    /// # Errors
    /// When `pcs` refuses.
    pub fn set_deep_monitor(&self, on: bool) -> Result<()> {
        let id = format!("id={DEEP_MONITOR}");
        let add = ["add", RESOURCE, "monitor", "interval=4s", "timeout=20s", "OCF_CHECK_LEVEL=10", &id];
        let delete = ["delete", DEEP_MONITOR];
        let words: &[&str] = if on { &add } else { &delete };
        self.run(&[&["pcs", "resource", "op"], words].concat()).map(drop)
    }

    /// Puts a node into standby, or takes it out of it.
    ///
    /// # Errors
    /// When `pcs` refuses.
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

    /// Sets a meta attribute of the resource, and of the one beside it; an empty value removes it.
    ///
    /// # Errors
    /// When `pcs` refuses.
    pub fn set_meta(&self, name: &str, value: &str) -> Result<()> {
        let set = |resource| self.insist(&["pcs", "resource", "meta", resource, &format!("{name}={value}")]);
        self.addresses.iter().try_for_each(|address| set(address.resource))
    }

    /// Forgets failed actions and fail-counts.
    ///
    /// # Errors
    /// When `crm_resource` refuses.
    pub fn clean_up(&self) -> Result<()> {
        let clean = |resource| self.insist(&["crm_resource", "--cleanup", "-r", resource]);
        self.addresses.iter().try_for_each(|address| clean(address.resource))
    }

    /// Runs a command that may be repeated until it succeeds: while nodes merge, the configuration can change under the hands
    /// of `pcs`, and a controller that was asked can cease to be the one in charge before it answers.
    ///
    /// # Errors
    /// [`HarnessError::TimedOut`](crate::error::HarnessError::TimedOut) after a minute of refusals.
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
