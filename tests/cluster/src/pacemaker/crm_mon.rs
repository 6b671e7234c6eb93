//! One node's view of the cluster: the parts of `crm_mon --output-as=xml` that the harness uses.

use std::fmt::{self, Display};

use eip::face::cluster::status::{CrmMonNode, FailCount, Status};
use eip::face::cluster::xml::XmlElement;

use crate::error::{HarnessError, Result};

/// A node's view of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterStatus {
    /// The designated controller, if there is one.
    pub dc: Option<String>,
    /// True if this partition has quorum.
    pub quorum: bool,
    /// All configured nodes.
    pub nodes: Vec<CrmMonNode>,
    /// All resources, including those in groups and clones.
    pub resources: Vec<ResourceStatus>,
    /// Failed actions on record.
    pub failures: Vec<FailedAction>,
    /// Fail-counts other than zero.
    pub fail_counts: Vec<FailCount>,
}

/// One resource in a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceStatus {
    pub id: String,
    /// `Started`, `Stopped`, `Starting`, ...
    pub role: String,
    /// States that a healthy resource does not have: `blocked`, `failed`, `pending=Starting`, ...
    pub flags: Vec<String>,
    /// Where it is active.
    pub nodes: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailedAction {
    /// Resource, action and interval, as `eip_monitor_3000`.
    pub operation: String,
    pub node: String,
    /// The agent's exit code.
    pub code: String,
    /// The agent's exit reason.
    pub reason: String,
}

const RESOURCE_FLAGS: [&str; 4] = ["blocked", "failed", "orphaned", "failure_ignored"];

fn text(element: &XmlElement, name: &str) -> String {
    element.attribute(name).to_owned()
}

fn is(element: &XmlElement, name: &str) -> bool {
    element.attribute(name) == "true"
}

impl ResourceStatus {
    fn of(resource: &XmlElement) -> Self {
        let set = RESOURCE_FLAGS.iter().filter(|name| is(resource, name));
        let mut flags: Vec<String> = set.map(ToString::to_string).collect();
        let pending = resource.attribute("pending");
        // When two halves of a cluster merge, the record that a monitor has begun can outlive the monitor; the controller's state shows
        // whether it waits for one.
        if !pending.is_empty() && pending != "Monitoring" {
            flags.push(format!("pending={pending}"));
        }
        if !is(resource, "managed") {
            flags.push("unmanaged".to_owned());
        }
        let nodes = resource.below("node").map(|node| text(node, "name")).collect();
        Self { id: text(resource, "id"), role: text(resource, "role"), flags, nodes }
    }
}

impl ClusterStatus {
    pub fn parse(xml: &str) -> Result<Self> {
        Self::of(xml).map_err(|why| HarnessError::Wrong(format!("cannot read the XML of crm_mon: {why}")))
    }

    fn of(xml: &str) -> Result<Self, String> {
        let Status { quorum, nodes, fail_counts, .. } = Status::parse(xml)?;
        let document = XmlElement::parse(xml)?;
        let listed = |section, item| document.below(section).flat_map(move |all| all.all(item));
        let dc = listed("summary", "current_dc").next().filter(|dc| is(dc, "present"));
        let failures = listed("failures", "failure").map(|failure| FailedAction {
            operation: text(failure, "op_key"),
            node: text(failure, "node"),
            code: text(failure, "exitcode"),
            reason: text(failure, "exitreason"),
        });
        Ok(Self {
            dc: dc.map(|dc| text(dc, "name")),
            quorum,
            nodes,
            resources: listed("resources", "resource").map(ResourceStatus::of).collect(),
            failures: failures.collect(),
            fail_counts,
        })
    }

    pub fn resource(&self, id: &str) -> Option<&ResourceStatus> {
        self.resources.iter().find(|resource| resource.id == id)
    }
}

impl Display for FailedAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}: {} {}", self.operation, self.node, self.code, self.reason)
    }
}

#[cfg(test)]
pub(super) mod tests;
